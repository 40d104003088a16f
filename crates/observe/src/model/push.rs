//! Takes in what the log tells: the one place where a model changes.

use base::NodeId;
use chain::{BlockId, Height, Work};

use super::cast::{Cast, ChangeKind, rate};
use super::chain::{BlockFacts, Chain};
use super::{Cut, ForkFacts, MarkKind, Model, ReorgFacts, StepFacts};
use crate::arrivals::{Arrival, Arrivals, BlockNumber, What};
use crate::told::{
    BlockConnected, BlockMined, Control, ForkResolved, ForkTold, NodeStarted, Partition, Reorg, RunStarted, Step,
    StepStateTold, Told,
};

impl Model {
    /// Takes in what a line tells; `node` is who told it, if anyone did.
    pub(super) fn tell(&mut self, node: Option<NodeId>, told: Told) {
        let at = self.now;
        match told {
            Told::RunStarted(run) => self.begin(*run),
            Told::RunEnded(ended) => {
                self.mark(MarkKind::Ended, ended.reason.clone());
                self.ended = Some((at, ended));
            }
            Told::Step(step) => self.step(step),
            Told::Control(control) => self.control(control),
            Told::Partition(partition) => self.cut(partition),
            Told::Heal(heal) => self.heal(heal.id.as_deref()),
            Told::LinkChanged(link) => self.mark(MarkKind::Link, format!("{}-{}", link.a, link.b)),
            Told::HashRateChanged(change) => {
                for (name, hashrate) in &change.rates {
                    if let Some(node) = self.cast.node(name) {
                        self.cast.change(at, node, ChangeKind::Rate(rate(hashrate)));
                    }
                }
            }
            Told::ForkOpened(fork) => self.fork_opened(&fork),
            Told::ForkResolved(end) => self.fork_resolved(end),
            Told::BlockSpread(spread) => self.chain.spread(spread),
            Told::Convergence(convergence) => self.chain.converged(convergence),
            Told::BlockTransactions(block) => self.chain.spends(&block.block, block.transactions),
            Told::NodeStarted(up) => self.by(node, |model, node| model.node_started(node, up)),
            Told::NodeStopped(down) => self.by(node, |model, node| model.node_stopped(node, &down.reason)),
            Told::NodePaused => self.by(node, |model, node| {
                model.cast.change(at, node, ChangeKind::Paused);
                model.mark_of(MarkKind::NodePaused, node);
            }),
            Told::NodeResumed => self.by(node, |model, node| {
                model.cast.change(at, node, ChangeKind::Resumed);
                model.mark_of(MarkKind::NodeResumed, node);
            }),
            Told::NodeLagging(_) => self.by(node, |model, node| model.cast.change(at, node, ChangeKind::Behind)),
            Told::NodeCaughtUp(_) => self.by(node, |model, node| model.cast.change(at, node, ChangeKind::CaughtUp)),
            Told::PeerConnected(up) => self.by_both(node, &up.peer, |model, node, peer| {
                model.connections.up(at, node, peer);
            }),
            Told::PeerDisconnected(down) => self.by_both(node, &down.peer, |model, node, peer| {
                model.connections.down(at, node, peer);
            }),
            Told::BlockMined(block) => self.by(node, |model, node| model.block_mined(node, &block)),
            Told::BlockReceived(block) => self.by_both(node, &block.from, |model, node, from| {
                model.senders.entry((node, block.block)).or_insert(from);
            }),
            Told::BlockConnected(block) => self.by(node, |model, node| model.block_connected(node, &block)),
            Told::TipChanged(tip) => self.by(node, |model, node| model.arrived(node, tip.new.block, What::Followed)),
            Told::Reorg(reorg) => self.by(node, |model, node| model.reorg(node, *reorg)),
            Told::TxSubmitted(tx) => self.by(node, |model, node| model.transactions.submitted(at, node, tx.txid)),
            Told::TxAccepted(tx) => self.by(node, |model, _| model.transactions.accepted(at, &tx)),
            // What these say of one transaction or block is looked up in the log when it is asked for.
            Told::TxRejected(_)
            | Told::TxEvicted(_)
            | Told::TxReplaced(_)
            | Told::BlockRejected(_)
            | Told::OrphanHeld(_)
            | Told::OrphanResolved(_)
            | Told::PeerPenalised(_)
            | Told::NodeWiped
            | Told::HeaderAccepted(_)
            | Told::MessageSent(_)
            | Told::MessageReceived(_)
            | Told::MessageDropped(_)
            | Told::ForkProgress(_) => {}
        }
    }

    /// What a node must have told.
    fn by(&mut self, node: Option<NodeId>, take_in: impl FnOnce(&mut Self, NodeId)) {
        match node {
            Some(node) => take_in(self, node),
            None => self.not_understood += 1,
        }
    }

    /// What a node must have told of another.
    fn by_both(&mut self, node: Option<NodeId>, other: &str, take_in: impl FnOnce(&mut Self, NodeId, NodeId)) {
        match (node, self.cast.node(other)) {
            (Some(node), Some(other)) => take_in(self, node, other),
            (Some(_) | None, _) => self.not_understood += 1,
        }
    }

    fn begin(&mut self, run: RunStarted) {
        self.cast = Cast::new(&run.participants);
        self.chain = Chain::new(run.genesis);
        self.arrivals = Arrivals::new(self.cast.len());
        self.run = Some(run);
    }

    fn node_started(&mut self, node: NodeId, up: NodeStarted) {
        let at = self.now;
        self.cast.change(at, node, ChangeKind::Up);
        self.cast.change(at, node, ChangeKind::Rate(rate(&up.hashrate)));
        self.cast.place(node, up.region);
        self.connections.forget(at, node);
        // It knows the genesis block until it tells more.
        self.push_arrival(node, BlockNumber(0), What::Followed);
        if at > base::Time::ZERO {
            self.mark_of(MarkKind::NodeUp, node);
        }
    }

    fn node_stopped(&mut self, node: NodeId, reason: &str) {
        self.cast.change(self.now, node, ChangeKind::Down);
        self.connections.forget(self.now, node);
        let name = self.cast.name(node).to_owned();
        self.mark(MarkKind::NodeDown, format!("{name} {reason}"));
    }

    fn block_mined(&mut self, node: NodeId, block: &BlockMined) {
        let facts = self.facts((block.block, block.height, block.chain_work), (block.txs, block.bytes));
        self.chain.see(facts, block.parent);
        self.chain.mined(&block.block, self.now, (node, block.time));
    }

    fn block_connected(&mut self, node: NodeId, block: &BlockConnected) {
        let facts = self.facts((block.block, block.height, block.chain_work), (block.txs, block.bytes));
        self.chain.see(facts, block.parent);
        let from = self.senders.remove(&(node, block.block));
        self.arrived(node, block.block, What::Connected { from });
    }

    fn facts(
        &self,
        (id, height, chain_work): (BlockId, Height, Work),
        (transactions, bytes): (usize, u64),
    ) -> BlockFacts {
        BlockFacts {
            id,
            parent: None,
            height,
            chain_work,
            miner: None,
            mined: None,
            seen: self.now,
            time: None,
            transactions,
            bytes,
        }
    }

    fn arrived(&mut self, node: NodeId, block: BlockId, what: What) {
        match self.chain.number(&block) {
            Some(block) => self.push_arrival(node, block, what),
            None => self.not_understood += 1,
        }
    }

    fn push_arrival(&mut self, node: NodeId, block: BlockNumber, what: What) {
        if self.arrivals.is_stored() {
            return;
        }
        let at = self.now;
        self.arrivals.push(Arrival { at, node, block, what });
    }

    fn reorg(&mut self, node: NodeId, reorg: Reorg) {
        let numbers = |blocks: &[BlockId]| {
            blocks
                .iter()
                .map(|id| self.chain.number(id))
                .collect::<Option<Vec<_>>>()
        };
        let (Some(point), Some(disconnected), Some(connected)) = (
            self.chain.number(&reorg.fork_point),
            numbers(&reorg.disconnected),
            numbers(&reorg.connected),
        ) else {
            self.not_understood += 1;
            return;
        };
        let fork = self.forks.iter().rev().find(|fork| fork.point == point);
        self.reorgs.push(ReorgFacts {
            at: self.now,
            node,
            fork: fork.map(|fork| fork.id),
            fork_point: point,
            disconnected,
            connected,
            returned: reorg.txs_returned,
            dropped: reorg.txs_dropped,
        });
        self.mark_of(MarkKind::Reorg, node);
    }

    fn fork_opened(&mut self, fork: &ForkTold) {
        let Some(point) = self.chain.number(&fork.fork_point) else {
            self.not_understood += 1;
            return;
        };
        self.forks.push(ForkFacts {
            id: fork.fork,
            point,
            opened: self.now,
            end: None,
        });
        self.mark(MarkKind::ForkOpened, fork.fork.to_string());
    }

    fn fork_resolved(&mut self, end: ForkResolved) {
        let at = self.now;
        self.mark(MarkKind::ForkResolved, end.fork.fork.to_string());
        match self.forks.iter_mut().rev().find(|fork| fork.id == end.fork.fork) {
            Some(fork) => fork.end = Some((at, Box::new(end))),
            None => self.not_understood += 1,
        }
    }

    fn step(&mut self, step: Step) {
        for payment in &step.payments {
            self.transactions.label(payment.txid, payment.label.clone());
        }
        if let Some(facts) = StepFacts::update(&mut self.steps, self.now, step) {
            let (kind, text) = (facts.mark(), facts.text.clone());
            self.mark(kind, text);
        }
    }

    fn control(&mut self, control: Control) {
        for payment in &control.payments {
            self.transactions.label(payment.txid, payment.label.clone());
        }
        if control.state == StepStateTold::Started {
            self.mark(MarkKind::Control, control.text);
        }
    }

    fn cut(&mut self, partition: Partition) {
        let groups = partition.groups.iter().map(|group| self.cast.nodes(group)).collect();
        self.mark(MarkKind::Partition, partition.id.clone());
        self.cuts.push(Cut {
            id: partition.id,
            groups,
            silent: partition.silent,
            from: self.now,
            until: None,
        });
    }

    fn heal(&mut self, id: Option<&str>) {
        let now = self.now;
        let healed = |cut: &&mut Cut| cut.until.is_none() && id.is_none_or(|id| id == cut.id);
        for cut in self.cuts.iter_mut().filter(healed) {
            cut.until = Some(now);
        }
        self.mark(MarkKind::Heal, id.unwrap_or("all").to_owned());
    }
}
