//! `nakanet node verify`: everything in a data folder, checked by all rules.

use std::path::Path;

use anyhow::anyhow;
use chain::Params;
use cluster::{Store, StoreError, Verified};
use scenario::words;
use serde_json::json;

use crate::args::{NodeVerifyArgs, OverrideArgs};
use crate::exit::{Ended, Exit, Failure};
use crate::{load, paint, say};

pub(super) fn verify(args: &NodeVerifyArgs) -> Ended {
    let checked = match &args.scenario {
        Some(file) => {
            let unchanged = OverrideArgs {
                seed: None,
                set: Vec::new(),
            };
            Store::verify(&args.data, &load::plan(file, &unchanged)?.params)
        }
        None => by_a_preset(&args.data),
    };
    let verdict = match checked {
        Ok(verified) => Ok(verified),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::Unsound { .. } | StoreError::NotOurs { .. })) => {
            Err(error)
        }
        Err(error @ StoreError::OtherNetwork { .. }) => {
            let hint = "no preset has these rules; name the scenario's file with --scenario";
            return Err(Failure::bad_input(anyhow!("{error}; {hint}")));
        }
        Err(error @ StoreError::Missing { .. }) => return Err(Failure::bad_input(error)),
        Err(
            error @ (StoreError::InUse { .. }
            | StoreError::Newer { .. }
            | StoreError::Full { .. }
            | StoreError::Io { .. }
            | StoreError::Poisoned { .. }),
        ) => return Err(Failure::could_not_start(error)),
    };
    if args.json {
        say::line(format_args!("{:#}", as_json(&verdict)));
    } else {
        tell(&verdict);
    }
    Ok(if verdict.is_ok() { Exit::Passed } else { Exit::Failed })
}

/// By the rules of the preset whose network it is.
fn by_a_preset(data: &Path) -> Result<Verified, StoreError> {
    let mut refusal = None;
    for name in Params::PRESETS {
        let params = Params::preset(name).expect("it is in the list");
        match Store::verify(data, &params) {
            Err(error @ StoreError::OtherNetwork { .. }) => refusal = Some(error),
            checked => return checked,
        }
    }
    Err(refusal.expect("there are presets"))
}

fn tell(verdict: &Result<Verified, StoreError>) {
    match verdict {
        Ok(Verified { blocks, tip, height }) => say::line(format_args!(
            "{}  {}, tip ..{} at height {height}: headers, bodies and signatures are valid",
            paint::good("sound"),
            words::count(*blocks as u64, "block"),
            tip.short()
        )),
        Err(fault) => say::line(format_args!("{}  {fault}", paint::bad("damaged"))),
    }
}

fn as_json(verdict: &Result<Verified, StoreError>) -> serde_json::Value {
    match verdict {
        Ok(Verified { blocks, tip, height }) => json!({
            "sound": true, "blocks": blocks, "tip": tip, "height": height,
        }),
        Err(StoreError::Unsound {
            number, block, reason, ..
        }) => json!({
            "sound": false, "number": number, "block": block, "fault": reason,
        }),
        Err(fault) => json!({ "sound": false, "fault": fault.to_string() }),
    }
}
