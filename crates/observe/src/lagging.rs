//! Who has fallen behind: follows a block so far below the best that it is not on its way to the node any moment now.
//!
//! Only honest nodes that run are watched, and each from its first connection on: one that has just started is not behind, it has not begun.

use base::{NodeId, Time, prefetch};
use chain::Height;
use node::Event;
use scenario::{Plan, World};
use serde::Serialize;

use crate::record::{Derived, RunEvent};

/// So many blocks below the best a node is behind: as many as a payment is commonly waited for. It has caught up when it is one below at most.
pub const BEHIND: u32 = 6;

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    /// The node.
    #[serde(skip)]
    pub node: NodeId,
    /// The height of the block that it follows.
    pub height: Height,
    /// The greatest height of a block that an honest node has followed.
    pub best_height: Height,
}

/// How the watch goes on for one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// It is down, or has no peer yet.
    #[default]
    Away,
    /// It keeps up.
    With,
    /// It is behind since then.
    Behind(Time),
}

/// Watches for nodes that fall behind, and catch up.
#[derive(Debug)]
pub struct LagWatch {
    states: Vec<State>,
    /// The heights of nodes that keep up; of others the greatest there is, so that no look finds them too low.
    heights: Vec<u32>,
    best: u32,
}

impl LagWatch {
    /// Nobody runs yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            states: vec![State::Away; plan.nodes.len()],
            heights: vec![u32::MAX; plan.nodes.len()],
            best: 0,
        }
    }

    /// Takes in an event that `world` has already taken in, and adds what is to be told.
    pub fn observe(&mut self, now: Time, event: &RunEvent, (plan, world): (&Plan, &World), news: &mut Vec<Derived>) {
        match event {
            RunEvent::Node { node, event, .. } => {
                if let Event::TipChanged { new, .. } = event.as_ref()
                    && plan.is_honest(*node)
                {
                    self.moved(now, *node, new.height, news);
                } else if let Event::PeerConnected { .. } = event.as_ref()
                    && plan.is_honest(*node)
                {
                    self.connected(now, *node, world, news);
                }
            }
            RunEvent::NodeStarted { node, .. } | RunEvent::NodeStopped { node, .. } => {
                self.states[node.index()] = State::Away;
                self.heights[node.index()] = u32::MAX;
            }
            RunEvent::RunStarted { .. }
            | RunEvent::RunEnded { .. }
            | RunEvent::Intervention { .. }
            | RunEvent::Step(_)
            | RunEvent::Control(_)
            | RunEvent::Derived(_) => {}
        }
    }

    /// See [`crate::Collector::glance`].
    pub(crate) fn glance(&self, node: NodeId) {
        prefetch(&self.heights[node.index()]);
    }

    /// An honest node was greeted by a peer.
    pub fn connected(&mut self, now: Time, node: NodeId, world: &World, news: &mut Vec<Derived>) {
        if self.states[node.index()] == State::Away {
            self.stands(now, node, world.node(node).tip.height, news);
        }
    }

    /// A node that was not behind follows a block of this height.
    fn stands(&mut self, now: Time, node: NodeId, height: Height, news: &mut Vec<Derived>) {
        self.states[node.index()] = State::With;
        self.heights[node.index()] = height.0;
        if height.0.saturating_add(BEHIND) <= self.best {
            news.push(self.falls_behind(now, node));
        }
    }

    /// An honest node follows a block of this height.
    pub fn moved(&mut self, now: Time, node: NodeId, height: Height, news: &mut Vec<Derived>) {
        let rises = height.0 > self.best;
        self.best = self.best.max(height.0);
        if self.heights[node.index()] != u32::MAX && !rises && height.0.saturating_add(BEHIND) > self.best {
            // It keeps up, as nearly always.
            self.heights[node.index()] = height.0;
            return;
        }
        match self.states[node.index()] {
            State::Away => {}
            State::With => self.stands(now, node, height, news),
            State::Behind(since) if height.0 + 1 >= self.best => {
                self.stands(now, node, height, news);
                news.push(Derived::NodeCaughtUp {
                    standing: self.standing(node, height),
                    lasted_us: u64::try_from(now.since(since).as_micros()).unwrap_or(u64::MAX),
                });
            }
            State::Behind(_) => {}
        }
        if rises && let Some(low) = self.best.checked_sub(BEHIND) {
            let behind: Vec<usize> = (0..)
                .zip(&self.heights)
                .filter(|(_, height)| **height <= low)
                .map(|(at, _)| at)
                .collect();
            news.extend(behind.into_iter().map(|at| self.falls_behind(now, NodeId::at(at))));
        }
    }

    fn falls_behind(&mut self, now: Time, node: NodeId) -> Derived {
        let height = std::mem::replace(&mut self.heights[node.index()], u32::MAX);
        self.states[node.index()] = State::Behind(now);
        Derived::NodeLagging(self.standing(node, Height(height)))
    }

    const fn standing(&self, node: NodeId, height: Height) -> Standing {
        Standing {
            node,
            height,
            best_height: Height(self.best),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sketch, plan};

    fn connect(sketch: &mut Sketch, node: usize, peer: u32) {
        let event = Event::PeerConnected {
            peer: NodeId(peer),
            outbound: true,
            agent: String::new(),
        };
        sketch.tell(node, event);
    }

    /// What was told: who, whether behind now, the height, the best, and for how many milliseconds it was.
    fn told(folder: &std::path::Path) -> Vec<(String, u32, u32, Option<u64>)> {
        let lines = crate::log::read(folder)
            .expect("a log")
            .map(|line| line.expect("sound"));
        let told = lines.filter_map(|line| {
            let node = line.node.clone().unwrap_or_default();
            match crate::told::Told::of(&line) {
                Ok(Some(crate::told::Told::NodeLagging(told))) => Some((node, told.height.0, told.best_height.0, None)),
                Ok(Some(crate::told::Told::NodeCaughtUp(told))) => {
                    Some((node, told.height.0, told.best_height.0, Some(told.lasted_us / 1_000)))
                }
                _ => None,
            }
        });
        told.collect()
    }

    #[test]
    fn who_is_six_blocks_below_is_behind_until_next_to_the_best() {
        let folder = tempfile::tempdir().expect("a folder");
        let collector = crate::Collector::new(std::sync::Arc::new(plan(3)), crate::Engine::Sim, Some(folder.path()));
        let mut sketch = Sketch::observed_by(collector.expect("a new folder"));
        connect(&mut sketch, 0, 1);
        connect(&mut sketch, 1, 0);
        let blocks = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"];
        blocks.iter().for_each(|block| sketch.mine(0, block));
        blocks.iter().for_each(|block| sketch.connect(1, block));
        // The third has no peer before the others are far ahead.
        connect(&mut sketch, 2, 0);
        sketch.stop(2, true);
        sketch.collector.flush();
        let n = |name: &str| name.to_owned();
        assert_eq!(
            told(folder.path()),
            [
                (n("n1"), 0, 6, None),
                // One more of three events was mined, and of six all were learnt, each in two.
                (n("n1"), 6, 7, Some(15)),
                (n("n2"), 0, 7, None),
            ]
        );
    }
}
