//! What the lines so far say, and what the next may.

use std::collections::BTreeMap;
use std::path::Path;

use base::Time;
use chain::BlockId;
use serde_json::Value;

use super::chain::Blocks;
use super::{Verified, Wrong, wrong};
use crate::arrivals::{Arrivals, Unreadable};
use crate::log::LoggedEvent;
use crate::told::{Place, Reorg, Told};

/// What was told of a node.
#[derive(Debug, Default)]
struct Node {
    next_nseq: Option<u64>,
    tip: Option<BlockId>,
    honest: bool,
    /// A reorg that was told and whose change of tip was not yet.
    reorg: Option<BlockId>,
    /// Whether it was last told to be far behind.
    behind: bool,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct State {
    events: u64,
    last_us: u64,
    /// Whether nodes tell of all that happens: then their own numbers have no gaps.
    full: bool,
    /// Whether what nodes follow stands beside the log.
    tips_are_beside: bool,
    /// Whether whatever becomes of a message is told, and in its order.
    in_order: bool,
    /// Messages that were sent from one node to another and of which no more was told, in full detail.
    under_way: BTreeMap<(String, String), u64>,
    /// The nodes' names, in order.
    names: Vec<String>,
    genesis: Option<BlockId>,
    blocks: Blocks,
    nodes: BTreeMap<String, Node>,
    reorgs: u64,
    ended: bool,
}

impl State {
    /// The line's place among the others.
    pub(super) fn line(&mut self, event: &LoggedEvent) -> Result<(), Wrong> {
        if event.seq != self.events {
            return Err(wrong("lines are numbered without a gap", self.events, event.seq));
        }
        if event.t_us < self.last_us {
            let expected = format!("{} or later", self.last_us);
            return Err(wrong("time does not go back", expected, event.t_us));
        }
        if self.ended {
            return Err(wrong("nothing is told after the run's end", "no more", &event.kind));
        }
        if (self.events == 0) != (event.kind == "run_started") {
            return Err(wrong(
                "the run's beginning is told first, and once",
                "run_started",
                &event.kind,
            ));
        }
        self.events += 1;
        self.last_us = event.t_us;
        if let (Some(name), Some(nseq)) = (&event.node, event.nseq) {
            let node = self.nodes.entry(name.clone()).or_default();
            let gap = match node.next_nseq {
                Some(next) if self.full => nseq != next,
                Some(next) => nseq < next,
                None => false,
            };
            if gap {
                let expected = node.next_nseq.unwrap_or_default();
                return Err(wrong("a node's own lines are numbered without a gap", expected, nseq));
            }
            node.next_nseq = Some(nseq + 1);
        }
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what other kinds say hangs on nothing before"
    )]
    pub(super) fn told(&mut self, node: Option<&str>, told: &Told) -> Result<(), Wrong> {
        match told {
            Told::RunStarted(run) => {
                self.full = run.detail == "full";
                self.tips_are_beside = run.detail == "compact";
                self.in_order = run.engine == "sim";
                self.names = run.participants.iter().map(|node| node.name.clone()).collect();
                self.genesis = Some(run.genesis);
                self.blocks.begin(run.genesis);
                for participant in &run.participants {
                    let honest = participant.strategy == "honest";
                    let node = Node {
                        honest,
                        ..Node::default()
                    };
                    self.nodes.insert(participant.name.clone(), node);
                }
            }
            Told::RunEnded(_) => self.ended = true,
            Told::NodeStarted(_) => {
                let genesis = self.genesis;
                let node = self.node(node)?;
                node.tip = genesis;
                node.next_nseq = None;
                node.reorg = None;
                node.behind = false;
            }
            Told::NodeLagging(told) => {
                let behind = told.height.0 < told.best_height.0;
                self.turns(node, (behind, true))?;
            }
            Told::NodeCaughtUp(_) => self.turns(node, (true, false))?,
            Told::MessageSent(message) => {
                let way = (node.unwrap_or_default().to_owned(), message.peer.clone());
                *self.under_way.entry(way).or_default() += 1;
            }
            Told::MessageReceived(message) => {
                self.arrives((message.peer.clone(), node.unwrap_or_default().to_owned()))?;
            }
            Told::MessageDropped(dropped) => {
                self.arrives((node.unwrap_or_default().to_owned(), dropped.message.peer.clone()))?;
            }
            Told::BlockMined(block) => {
                self.blocks
                    .see(block.block, block.parent, (block.height, block.chain_work))?;
            }
            Told::BlockConnected(block) => {
                self.blocks
                    .see(block.block, block.parent, (block.height, block.chain_work))?;
            }
            Told::BlockTransactions(block) => self.blocks.spend(block)?,
            Told::Reorg(reorg) => self.reorg(node, reorg)?,
            Told::TipChanged(tip) => self.tip(node, (&tip.old, &tip.new), tip.how == "reorg")?,
            Told::ForkOpened(fork) => self.blocks.height(&fork.fork_point).map(|_| ())?,
            _ => {}
        }
        Ok(())
    }

    /// A node falls behind, or has caught up: by turns. `holds` is whether its heights say so too.
    fn turns(&mut self, node: Option<&str>, (holds, behind): (bool, bool)) -> Result<(), Wrong> {
        let node = self.node(node)?;
        let was = std::mem::replace(&mut node.behind, behind);
        if was == behind || !holds {
            let words = |behind| {
                if behind {
                    "a node that is behind"
                } else {
                    "a node that keeps up"
                }
            };
            return Err(wrong(
                "nodes fall behind and catch up by turns",
                words(!behind),
                words(was),
            ));
        }
        Ok(())
    }

    /// A message came out of a link, or was lost on it.
    fn arrives(&mut self, (from, to): (String, String)) -> Result<(), Wrong> {
        if !self.in_order {
            return Ok(());
        }
        let words = format!("from {from} to {to}");
        match self.under_way.get_mut(&(from, to)) {
            Some(count @ 1..) => {
                *count -= 1;
                Ok(())
            }
            Some(0) | None => Err(wrong(
                "a message was sent before anything becomes of it",
                "one under way",
                words,
            )),
        }
    }

    fn reorg(&mut self, node: Option<&str>, reorg: &Reorg) -> Result<(), Wrong> {
        let rule = "a reorg is as deep as it lists";
        if reorg.depth as usize != reorg.disconnected.len() {
            return Err(wrong(rule, reorg.disconnected.len(), reorg.depth));
        }
        let (full, blocks) = (self.full, &self.blocks);
        let ends = |list: &[BlockId]| list.last().copied().unwrap_or(reorg.fork_point);
        for list in [&reorg.disconnected, &reorg.connected] {
            if !blocks.is_path(reorg.fork_point, list, ends(list)) {
                return Err(wrong(
                    "a reorg's blocks stand on each other",
                    reorg.fork_point,
                    format!("{list:?}"),
                ));
            }
        }
        let new = ends(&reorg.connected);
        let node = self.node(node)?;
        if full && node.tip != Some(ends(&reorg.disconnected)) {
            let expected = format!("{:?}", node.tip);
            return Err(wrong(
                "a reorg begins at the node's tip",
                expected,
                ends(&reorg.disconnected),
            ));
        }
        if node.honest && reorg.new_work < reorg.old_work {
            return Err(wrong("a reorg does not lose work", reorg.old_work, reorg.new_work));
        }
        node.reorg = Some(new);
        self.reorgs += 1;
        Ok(())
    }

    fn tip(&mut self, node: Option<&str>, (old, new): (&Place, &Place), by_reorg: bool) -> Result<(), Wrong> {
        self.blocks.height(&new.block)?;
        let full = self.full;
        let node = self.node(node)?;
        if full && node.tip != Some(old.block) {
            return Err(wrong(
                "a tip changes from what it was",
                format!("{:?}", node.tip),
                old.block,
            ));
        }
        if node.honest && new.chain_work < old.chain_work {
            return Err(wrong(
                "an honest node does not lose work",
                old.chain_work,
                new.chain_work,
            ));
        }
        let reorg = node.reorg.take();
        if by_reorg && reorg != Some(new.block) {
            return Err(wrong(
                "a reorg is told before the tip it leads to",
                format!("{reorg:?}"),
                new.block,
            ));
        }
        node.tip = Some(new.block);
        Ok(())
    }

    fn node(&mut self, name: Option<&str>) -> Result<&mut Node, Wrong> {
        let found = name.unwrap_or("nobody").to_owned();
        let node = name.and_then(|name| self.nodes.get_mut(name));
        node.ok_or_else(|| wrong("what happens to a node names it", "a node of the run", found))
    }

    /// Takes in what nodes followed in the end from beside the log, where it stands there.
    pub(super) fn take_tips(&mut self, folder: &Path) -> Result<(), Unreadable> {
        if !self.tips_are_beside || !self.ended {
            return Ok(());
        }
        let mut arrivals = Arrivals::beside(folder, self.names.len())?;
        let blocks = &self.blocks;
        arrivals.poll(|block| blocks.number(block))?;
        for (name, tip) in self.names.iter().zip(arrivals.tips_at(Time::MAX)?) {
            if let Some(node) = self.nodes.get_mut(name) {
                node.tip = Some(blocks.name(tip));
            }
        }
        Ok(())
    }

    /// What all lines together say, held against the run's summary.
    pub(super) fn finish(self, summary: Option<&Value>) -> Result<Verified, Wrong> {
        let tips = summary
            .filter(|_| (self.full || self.tips_are_beside) && self.ended)
            .map(|summary| self.check_tips(summary));
        if let Some(events) = summary.and_then(|summary| summary["log"]["events"].as_u64())
            && events != self.events
        {
            return Err(wrong("the log has as many lines as the run told", events, self.events));
        }
        Ok(Verified {
            events: self.events,
            blocks: self.blocks.count(),
            reorgs: self.reorgs,
            coins: self.blocks.coins(),
            tips: tips.transpose()?,
            complete: self.ended,
            digest: None,
        })
    }

    fn check_tips(&self, summary: &Value) -> Result<u64, Wrong> {
        let mut count = 0;
        for told in summary["nodes"].as_array().into_iter().flatten() {
            let name = told["name"].as_str().unwrap_or_default();
            let replayed = self.nodes.get(name).and_then(|node| node.tip.or(self.genesis));
            let replayed = replayed.map(|tip| tip.to_string());
            if replayed.as_deref() != told["tip"].as_str() {
                let found = format!("{name} at {}", replayed.unwrap_or_default());
                let expected = format!("{name} at {}", told["tip"].as_str().unwrap_or_default());
                return Err(wrong("a replay of the log ends where the run ended", expected, found));
            }
            count += 1;
        }
        Ok(count)
    }
}
