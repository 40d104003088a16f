//! `nakanet reorgs`: what nodes left behind, once for all that went through the same.

use anyhow::anyhow;
use observe::text;

use crate::args::ReorgsArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{look, say};

pub(crate) fn reorgs(args: &ReorgsArgs) -> Ended {
    let follow = look::open(&args.run.run)?;
    let model = follow.model();
    let node = match &args.node {
        Some(name) => match model.cast().node(name) {
            Some(node) => Some(node),
            None => return Err(Failure::bad_input(anyhow!("no node is called {name}"))),
        },
        None => None,
    };
    let mut stories = model.reorg_stories(|reorg| node.is_none_or(|node| reorg.node == node));
    let left_out = stories.len().saturating_sub(args.limit);
    stories.drain(..left_out);
    if args.run.json {
        look::print_json(&stories);
        return Ok(Exit::Passed);
    }
    if stories.is_empty() {
        say::line("no reorgs");
    }
    look::print_omitted(left_out, "reorg");
    for (place, story) in stories.iter().enumerate() {
        if place > 0 {
            say::line("");
        }
        say::part(text::reorg(story, model));
    }
    Ok(Exit::Passed)
}
