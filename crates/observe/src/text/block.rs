//! Why a block ended as it did.

use std::time::Duration;

use base::Time;
use scenario::words::duration;

use super::fork::{place, words_of};
use super::{clip, letter, moment, wrapped};
use crate::model::{Model, NodeAndBlock, WhyBlock};

/// The block, and a line for each node: when it had it, from whom, and what it made of it.
#[must_use]
pub fn why_block(why: &WhyBlock, model: &Model) -> String {
    let mined = moment(Time::from_micros(why.mined_us));
    let mut text = match (&why.miner, &why.parent) {
        (Some(miner), _) => format!(
            "block {} {}, mined by {miner} at {mined}\n",
            why.height,
            why.block.short()
        ),
        (None, Some(_)) => format!("block {} {}, first seen at {mined}\n", why.height, why.block.short()),
        (None, None) => format!(
            "block {} {}, the genesis block: all nodes have it\n",
            why.height,
            why.block.short()
        ),
    };
    text.push_str(&format!("  name       {}\n", why.block));
    if let Some(parent) = &why.parent {
        text.push_str(&format!("  stands on  {}\n", place(parent, model)));
    }
    text.push_str(&wrapped("  fate       ", words_of(&fate(why))));
    if !why.transactions.is_empty() {
        let listed: Vec<String> = why
            .transactions
            .iter()
            .take(12)
            .map(|(txid, label)| {
                let name = txid.0.leading();
                label.as_ref().map_or(name.clone(), |label| format!("{label} ({name})"))
            })
            .collect();
        let more = why.transactions.len().saturating_sub(12);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        text.push_str(&wrapped("  pays       ", words_of(&(listed.join(", ") + &more))));
    }
    if why.parent.is_none() {
        return text;
    }
    let width = why.nodes.iter().map(|node| node.node.len()).max().unwrap_or(0).max(4);
    text.push_str(&format!(
        "\n  {:width$}  {:>11}  {:>9}  {:width$}  verdict\n",
        "node", "had it at", "after", "from"
    ));
    for node in &why.nodes {
        text.push_str(&clip(&format!("  {}", line(node, why, width))));
        text.push('\n');
    }
    text
}

fn fate(why: &WhyBlock) -> String {
    match (why.stale, why.lost_at, why.because) {
        (false, _, _) => "on the chain with the most work".to_owned(),
        (true, Some((fork, branch)), Some(because)) => {
            format!(
                "stale: fork {fork} ended because {because}, and this is branch {}, which lost",
                letter(branch)
            )
        }
        (true, _, _) => "stale: not on the chain with the most work".to_owned(),
    }
}

fn line(node: &NodeAndBlock, why: &WhyBlock, width: usize) -> String {
    let at = |micros: Option<u64>| micros.map_or("-".to_owned(), |micros| moment(Time::from_micros(micros)));
    let delay = node
        .delay_us
        .map_or("-".to_owned(), |delay| duration(Duration::from_micros(delay)));
    let from = node.from.as_deref().unwrap_or("-");
    format!(
        "{:width$}  {:>11}  {delay:>9}  {from:width$}  {}",
        node.node,
        at(node.connected_us),
        verdict(node, why)
    )
}

fn verdict(node: &NodeAndBlock, why: &WhyBlock) -> String {
    let at = |micros: u64| moment(Time::from_micros(micros));
    if let Some((reason, detail)) = &node.refused {
        return format!("refused it: {reason}: {detail}");
    }
    let mined = why.miner.as_ref() == Some(&node.node);
    let had = match (mined, node.connected_us) {
        (true, _) => "mined",
        (false, Some(_)) => "valid",
        (false, None) => {
            return match (node.heard_us, node.waited_for) {
                (Some(heard), Some(_)) => format!("heard of it at {}, lacks its parent", at(heard)),
                (Some(heard), None) => format!("heard of it at {}, never had it", at(heard)),
                (None, _) => match node.lost_because {
                    None => "never heard of it".to_owned(),
                    Some(because) => format!("never heard of it: {}", because.words()),
                },
            };
        }
    };
    match (node.followed_us, node.left_us) {
        (Some(_), Some(left)) => format!("{had}, followed, left {}", at(left)),
        (Some(_), None) => format!("{had}, followed"),
        (None, _) => format!("{had}, never followed"),
    }
}
