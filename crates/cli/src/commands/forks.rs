//! `nakanet forks`: each fork of a run, who was on which branch for how long, what the loser lost, and why it ended.

use anyhow::anyhow;
use observe::model::ForkStory;
use observe::text;

use crate::args::ForksArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn forks(args: &ForksArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    let moment = look::moment(&follow, args.at.at).map_err(Failure::bad_input)?;
    let mut wanted: Vec<usize> = if args.open {
        moment.open_forks().iter().map(|card| card.fork).collect()
    } else {
        let opened = follow
            .model()
            .forks()
            .iter()
            .filter(|fork| fork.opened <= moment.time());
        opened.map(|fork| fork.id).collect()
    };
    if let Some(number) = args.fork {
        if !wanted.contains(&number) {
            let there = wanted.len();
            return Err(Failure::bad_input(anyhow!("there is no fork {number} among {there}")));
        }
        wanted = vec![number];
    }
    let left_out = wanted.len().saturating_sub(args.limit);
    let mut stories: Vec<ForkStory> = Vec::new();
    for number in wanted.drain(..).skip(left_out) {
        stories.extend(moment.fork_story(number).map_err(Failure::bad_input)?);
    }
    if args.run.json {
        look::print_json(&stories);
        return Ok(Exit::Passed);
    }
    if stories.is_empty() {
        say::line(if args.open { "no fork is open" } else { "no forks" });
    }
    look::print_omitted(left_out, "fork");
    for (place, story) in stories.iter().enumerate() {
        if place > 0 {
            say::line("");
        }
        say::part(text::fork(story, follow.model()));
    }
    Ok(Exit::Passed)
}
