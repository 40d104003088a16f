//! `nakanet propagation`: how blocks spread through the network.

use anyhow::anyhow;
use observe::model::{BlockNumber, Named};
use observe::text;
use serde_json::json;

use crate::args::PropagationArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn propagation(args: &PropagationArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    let model = follow.model();
    if let Some(name) = &args.block {
        let number = match look::named(&follow, name)? {
            Named::Block(block) => model.chain().number(&block),
            Named::Transaction(_) => None,
        };
        let number = number.ok_or_else(|| Failure::bad_input(anyhow!("{name} is no block")))?;
        let spread = model.spread(number).map_err(Failure::bad_input)?;
        if args.run.json {
            look::print_json(&spread);
        } else {
            say::part(text::spread(&spread, model));
        }
    } else if args.run.json {
        let numbers = (0..model.chain().len()).map(BlockNumber::at);
        let measured = |number: BlockNumber| {
            let chain = model.chain();
            let mut told = serde_json::to_value(chain.spread_of(number)?).ok()?;
            told["convergence"] = json!(chain.convergence_on(number));
            Some(told)
        };
        let measured: Vec<_> = numbers.filter_map(measured).collect();
        look::print_json(&measured);
    } else {
        say::part(text::propagation(model));
    }
    Ok(Exit::Passed)
}
