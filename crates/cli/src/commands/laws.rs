//! `nakanet laws`: closed forms and published measurements against what the simulator does.

use anyhow::anyhow;
use scenario::words;
use sim::laws::{Effort, Finding, Judgement, Law};

use crate::args::LawsArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{paint, say};

pub(crate) fn laws(args: &LawsArgs) -> Ended {
    let laws = chosen(&args.ids)?;
    let effort = if args.quick { Effort::Quick } else { Effort::Full };
    let mut broken = 0_u32;
    for law in laws {
        let findings = law.check(effort).map_err(Failure::could_not_start)?;
        say::line(format_args!("{}  {}", paint::strong(law.id), law.about));
        say::line(format_args!("    {}", paint::dim(law.source)));
        for finding in &findings {
            show(finding);
            broken += u32::from(finding.judgement() == Judgement::Broken);
        }
    }
    if broken == 0 {
        return Ok(Exit::Passed);
    }
    say::line(format_args!(
        "{}  {} outside its tolerance",
        paint::bad("BROKEN"),
        words::count(broken, "finding")
    ));
    Ok(Exit::Failed)
}

/// The laws of these names, in the order of the names; all when there are none.
fn chosen(ids: &[String]) -> Result<Vec<Law>, Failure> {
    if ids.is_empty() {
        return Ok(Law::ALL.to_vec());
    }
    let law = |id: &String| {
        Law::named(id).ok_or_else(|| {
            let known = Law::ALL.map(|law| law.id).join(", ");
            Failure::bad_input(anyhow!("`{id}` is no law; known are {known}"))
        })
    };
    ids.iter().map(law).collect()
}

fn show(finding: &Finding) {
    let Finding {
        statistic,
        expected,
        found,
        tolerance,
        samples: (count, of),
        ..
    } = finding;
    let (judgement, reason) = match finding.judgement() {
        Judgement::Holds => (paint::good("ok").to_string(), None),
        Judgement::DiffersOnPurpose => (paint::warning("differs").to_string(), finding.reason),
        Judgement::Broken => (paint::bad("BROKEN").to_string(), None),
    };
    say::line(format_args!(
        "    {judgement}  {statistic}: expected {expected:.5}, found {found:.5}, tolerance {tolerance:.5}, {count} {of}"
    ));
    if let Some(reason) = reason {
        say::line(format_args!("        {reason}"));
    }
}
