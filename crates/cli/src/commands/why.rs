//! `nakanet why`: what every node made of a block or transaction, and why it ended as it did.

use anyhow::anyhow;
use observe::model::{Follow, Named};
use observe::text;

use crate::args::WhyArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn why(args: &WhyArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    match look::named(&follow, &args.name)? {
        Named::Block(block) => {
            let Some(why) = follow.why_block(&block).map_err(Failure::bad_input)? else {
                return Err(unknown(&args.name));
            };
            if args.run.json {
                look::print_json(&why);
            } else {
                say::part(text::why_block(&why, follow.model()));
                print_forks(&follow, why.lost_at)?;
            }
        }
        Named::Transaction(txid) => {
            let Some(why) = follow.why_transaction(&txid).map_err(Failure::bad_input)? else {
                return Err(unknown(&args.name));
            };
            if args.run.json {
                look::print_json(&why);
            } else {
                say::part(text::why_transaction(&why));
                let lost_at = why
                    .blocks
                    .iter()
                    .filter(|_| !why.confirmed)
                    .find_map(|block| block.lost_at);
                print_forks(&follow, lost_at)?;
            }
        }
    }
    Ok(Exit::Passed)
}

/// The fork at which it was lost.
fn print_forks(follow: &Follow, lost_at: Option<(usize, usize)>) -> Result<(), Failure> {
    let Some((fork, _)) = lost_at else { return Ok(()) };
    let moment = look::moment(follow, None).map_err(Failure::bad_input)?;
    if let Some(story) = moment.fork_story(fork).map_err(Failure::bad_input)? {
        say::line("");
        say::part(text::fork(&story, follow.model()));
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    Failure::bad_input(anyhow!("the log tells of no block or transaction {name}"))
}
