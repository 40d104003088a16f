//! How the network comes to agree: from when a block is the best that anybody follows until all follow it.
//!
//! That is more than how it spreads ([`crate::spread`]): who has a block need not follow it, and across a cut nobody follows what the other
//! side has until the cut is healed. Only honest nodes that run count.

use base::{NodeId, Time};
use chain::{BlockId, Height};
use node::Event;
use node::event::TipRef;
use scenario::{Plan, World};
use serde::Serialize;

use crate::record::{Derived, RunEvent};

/// How far the network came to agree on a block. Times are in microseconds from when the first node followed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Convergence {
    /// The block: of those that nodes followed until then, the one with the most work, the first of equals.
    pub block: BlockId,
    /// Its height.
    pub height: Height,
    /// How many nodes follow it.
    pub following: usize,
    /// Of how many.
    pub of: usize,
    /// Half of them followed it after this; none when it did not come to that, here and below.
    pub p50_us: Option<u64>,
    /// Nine of ten followed it after this.
    pub p90_us: Option<u64>,
    /// Ninety-nine of a hundred followed it after this.
    pub p99_us: Option<u64>,
    /// All of them followed it after this.
    pub all_us: Option<u64>,
}

/// Parts of the nodes, in percent, whose times are told.
const PARTS: [usize; 4] = [50, 90, 99, 100];

/// The best block, until all follow it.
#[derive(Debug)]
struct Best {
    tip: TipRef,
    since: Time,
    following: usize,
    /// By [`PARTS`].
    reached: [Option<u64>; PARTS.len()],
    told: bool,
}

/// Measures how the network comes to agree on each block that is the best for a while.
#[derive(Debug)]
pub struct ConvergenceMeter {
    /// Which honest nodes run, and how many.
    runs: Vec<bool>,
    running: usize,
    best: Option<Best>,
}

impl ConvergenceMeter {
    /// Nobody runs yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            runs: vec![false; plan.nodes.len()],
            running: 0,
            best: None,
        }
    }

    /// Takes in an event that `world` has already taken in, and adds what is to be told.
    pub fn observe(&mut self, now: Time, event: &RunEvent, (plan, world): (&Plan, &World), news: &mut Vec<Derived>) {
        let counts = |node: &NodeId| plan.is_honest(*node);
        match event {
            RunEvent::Node { node, event, .. } => {
                if let Event::TipChanged { old, new, .. } = event.as_ref()
                    && counts(node)
                {
                    self.moved((*old, *new), now, news);
                }
            }
            RunEvent::NodeStarted { node, .. } if counts(node) => {
                self.running += usize::from(!self.runs[node.index()]);
                self.runs[node.index()] = true;
            }
            RunEvent::NodeStopped { node, .. } if self.runs[node.index()] => {
                self.running -= 1;
                self.runs[node.index()] = false;
                self.left(world.node(*node).tip.block);
                self.look(now, news);
            }
            RunEvent::NodeStarted { .. }
            | RunEvent::NodeStopped { .. }
            | RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Step(_)
            | RunEvent::Control(_)
            | RunEvent::Derived(_) => {}
        }
    }

    /// Ends the measuring: gives how far the network has come, unless that was told.
    pub fn close(&mut self) -> Option<Convergence> {
        let best = self.best.take().filter(|best| !best.told)?;
        Some(best.convergence(self.running))
    }

    /// An honest node follows another block.
    pub fn moved(&mut self, (old, new): (TipRef, TipRef), now: Time, news: &mut Vec<Derived>) {
        self.left(old.block);
        match &mut self.best {
            Some(best) if best.tip.block == new.block => best.following += 1,
            Some(best) if best.tip.chain_work >= new.chain_work => return,
            Some(_) | None => {
                news.extend(self.close().map(Derived::Convergence));
                self.best = Some(Best {
                    tip: new,
                    since: now,
                    following: 1,
                    reached: [None; PARTS.len()],
                    told: false,
                });
            }
        }
        self.look(now, news);
    }

    fn left(&mut self, block: BlockId) {
        if let Some(best) = self.best.as_mut().filter(|best| best.tip.block == block) {
            best.following -= 1;
        }
    }

    /// Notes which parts of the nodes follow the best block by now, and tells when all do for the first time.
    fn look(&mut self, now: Time, news: &mut Vec<Derived>) {
        let running = self.running;
        let Some(best) = self.best.as_mut().filter(|best| !best.told) else {
            return;
        };
        let after = u64::try_from(now.since(best.since).as_micros()).unwrap_or(u64::MAX);
        for (part, reached) in PARTS.into_iter().zip(&mut best.reached) {
            if best.following > 0 && best.following * 100 >= running * part {
                reached.get_or_insert(after);
            }
        }
        if best.reached[PARTS.len() - 1].is_some() {
            best.told = true;
            news.push(Derived::Convergence(best.convergence(running)));
        }
    }
}

impl Best {
    const fn convergence(&self, running: usize) -> Convergence {
        let [p50_us, p90_us, p99_us, all_us] = self.reached;
        Convergence {
            block: self.tip.block,
            height: self.tip.height,
            following: self.following,
            of: running,
            p50_us,
            p90_us,
            p99_us,
            all_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use node::Strategy;

    use super::*;
    use crate::testing::{Sketch, id, plan};

    /// A block, how many of how many followed it, and after how many milliseconds half and all did.
    type Found = (BlockId, usize, usize, Option<u64>, Option<u64>);

    /// What was told of blocks, the oldest first.
    fn told(plan: Plan, play: impl FnOnce(&mut Sketch)) -> Vec<Found> {
        let folder = tempfile::tempdir().expect("a folder");
        let collector = crate::Collector::new(std::sync::Arc::new(plan), crate::Engine::Sim, Some(folder.path()));
        let mut sketch = Sketch::observed_by(collector.expect("a new folder"));
        play(&mut sketch);
        let ending = crate::Ending::Steps(scenario::Outcome::Passed);
        sketch.collector.finish(sketch.now, ending);
        let lines = crate::log::read(folder.path())
            .expect("a log")
            .map(|line| line.expect("sound"));
        let convergences = lines.filter_map(|line| match crate::told::Told::of(&line) {
            Ok(Some(crate::told::Told::Convergence(told))) => {
                let millis = |micros: Option<u64>| micros.map(|micros| micros / 1_000);
                Some((
                    told.block,
                    told.following,
                    told.of,
                    millis(told.p50_us),
                    millis(told.all_us),
                ))
            }
            _ => None,
        });
        convergences.collect()
    }

    #[test]
    fn a_block_is_told_of_when_the_last_node_follows_it() {
        let found = told(plan(4), |sketch| {
            sketch.mine(0, "a1");
            for node in 1..4 {
                sketch.connect(node, "a1");
            }
        });
        assert_eq!(
            found,
            [(id("a1"), 4, 4, Some(2), Some(6))],
            "each connects and follows in 2 ms"
        );
    }

    #[test]
    fn one_that_is_beaten_before_is_told_of_with_those_who_followed_it() {
        let found = told(plan(4), |sketch| {
            sketch.mine(0, "a1");
            sketch.connect(1, "a1");
            sketch.mine(2, "b1");
            sketch.mine(2, "b2");
        });
        assert_eq!(found[0], (id("a1"), 2, 4, Some(2), None), "b1 has no more work");
        assert_eq!(found[1], (id("b2"), 1, 4, None, None), "the run ended");
    }

    #[test]
    fn nodes_that_are_down_or_play_by_other_rules_do_not_count() {
        let mut plan = plan(4);
        plan.nodes[3].strategy = Strategy::Hostile;
        let found = told(plan, |sketch| {
            sketch.mine(0, "a1");
            sketch.connect(1, "a1");
            sketch.mine(3, "c1");
            sketch.mine(3, "c2");
            sketch.stop(2, true);
        });
        assert_eq!(
            found,
            [(id("a1"), 2, 2, Some(2), Some(9))],
            "the third was the last that did not follow"
        );
    }
}
