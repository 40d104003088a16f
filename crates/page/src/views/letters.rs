//! Letters for branches: A for the first seen of a fork, and so on. The same letter wherever a branch is shown.

use std::collections::BTreeMap;

use base::{NodeId, Time};
use observe::model::{BlockNumber, ForkFacts, Model, Moment};

/// A fork and one of its branches, by number.
type Place = (usize, usize);

/// Which branch of which fork each block is on, as far as had happened at a time.
#[derive(Debug)]
pub(super) struct Letters<'a> {
    model: &'a Model,
    at: Time,
    /// The forks that had opened, by fork point; the last of those that share it.
    forks: BTreeMap<BlockNumber, &'a ForkFacts>,
}

/// The letter of a branch by its number.
pub(super) fn letter(branch: usize) -> String {
    let letters = ('A'..='Z').cycle();
    letters.skip(branch % 26).take(1).collect()
}

impl<'a> Letters<'a> {
    pub(super) fn at(model: &'a Model, at: Time) -> Self {
        let opened = model.forks().iter().filter(|fork| fork.opened <= at);
        Self {
            model,
            at,
            forks: opened.map(|fork| (fork.point, fork)).collect(),
        }
    }

    /// The letter of the innermost fork's branch that a block is on; none when it is on none.
    pub(super) fn of(&self, block: BlockNumber) -> Option<String> {
        let innermost = self.places(block).last().copied();
        innermost.map(|(_, branch)| letter(branch))
    }

    /// Every fork that has the block on a branch, the outermost first.
    fn places(&self, block: BlockNumber) -> Vec<Place> {
        let chain = self.model.chain();
        let seen = chain.block(block).seen;
        // A branch ends with its fork: what the winner's chain has after that is everybody's.
        let counts = |fork: &ForkFacts| fork.end.as_ref().is_none_or(|(end, _)| seen <= *end);
        let below: BTreeMap<BlockNumber, &ForkFacts> = self
            .forks
            .range(..block)
            .filter(|(_, fork)| counts(fork))
            .map(|(point, fork)| (*point, *fork))
            .collect();
        let Some((&lowest, _)) = below.first_key_value() else {
            return Vec::new();
        };
        let mut places = Vec::new();
        let mut child = block;
        while let Some(parent) = chain.block(child).parent.filter(|parent| *parent >= lowest) {
            if let Some(fork) = below.get(&parent) {
                let branch = chain.children(parent).iter().position(|other| *other == child);
                places.extend(branch.map(|branch| (fork.id, branch)));
            }
            child = parent;
        }
        places.reverse();
        places
    }

    /// Whether a fork was open.
    fn is_open(&self, place: Place) -> bool {
        let fork = self.model.fork(place.0);
        fork.is_some_and(|fork| fork.end.as_ref().is_none_or(|(end, _)| *end > self.at))
    }
}

/// A history that running nodes follow, and who does.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) letter: String,
    pub(super) tip: BlockNumber,
    pub(super) nodes: Vec<NodeId>,
}

/// The histories that running nodes follow. A node that is behind follows the history that its tip is part of; where that may become any of several
/// it follows none of them yet.
pub(super) fn heads(moment: &Moment<'_>, letters: &Letters<'_>) -> Vec<Head> {
    let chain = letters.model.chain();
    let mut heads: Vec<Head> = Vec::new();
    // From the heaviest down, so that nothing comes before what stands on it.
    let mut tips: Vec<_> = moment.followers().into_iter().collect();
    tips.sort_by_key(|(tip, _)| (std::cmp::Reverse(chain.block(*tip).chain_work), *tip));
    for (tip, nodes) in tips {
        let leads_to = |head: &&mut Head| chain.fork_point(head.tip, tip) == tip;
        let mut above = heads.iter_mut().filter(leads_to);
        match (above.next(), above.next()) {
            (None, _) => heads.push(Head {
                letter: String::new(),
                tip,
                nodes,
            }),
            (Some(head), None) => head.nodes.extend(nodes),
            (Some(_), Some(_)) => {}
        }
    }
    let open = |head: &Head| -> Vec<Place> {
        let places = letters.places(head.tip).into_iter();
        places.filter(|place| letters.is_open(*place)).collect()
    };
    let mut keyed: Vec<(Vec<Place>, Head)> = heads.into_iter().map(|head| (open(&head), head)).collect();
    keyed.sort_by(|(a, one), (b, other)| (a, one.tip).cmp(&(b, other.tip)));
    if keyed.len() > 1 {
        name(&mut keyed);
    }
    keyed.into_iter().map(|(_, head)| head).collect()
}

/// Each head by the innermost branch it is on; by their order when two would have the same letter, or one has none.
fn name(heads: &mut [(Vec<Place>, Head)]) {
    let own: Vec<Option<String>> = heads
        .iter()
        .map(|(places, _)| places.last().map(|place| letter(place.1)))
        .collect();
    let mut distinct = own.clone();
    distinct.sort();
    distinct.dedup();
    let plain = distinct.len() == own.len() && !own.contains(&None);
    for (index, ((_, head), own)) in heads.iter_mut().zip(own).enumerate() {
        head.letter = own.filter(|_| plain).unwrap_or_else(|| letter(index));
    }
}
