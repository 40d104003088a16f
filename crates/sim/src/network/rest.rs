//! What nodes at rest do about the next block, in steps ([`node::Step`]): the same as what [`Network::handle`] makes of their outputs, and nearly all that happens.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Block, BlockRef};
use gossip::{Item, Message};
use node::event::TipRef;
use node::{Event, Step, TipChange};
use scenario::uplink::{Line, Parcel};

use super::Network;
use crate::heap::Happening;

impl Network {
    /// Lets a node at rest take in a message from a peer, if it is one that it has an answer to; whether it was.
    pub(super) fn step_at_rest(&mut self, (node, peer): (NodeId, NodeId), message: &Message) -> bool {
        if self.collector.detail().tells_messages() {
            return false;
        }
        self.catch_up(node);
        let ledger = self.ledger_of(node);
        let Some(core) = &mut self.places[node.index()].node else {
            return false;
        };
        let mut tell = std::mem::take(&mut self.tell);
        let step = core.step_at_rest(&mut self.ledgers[ledger], (self.now, peer), message, &mut tell);
        let is_step = step.is_some();
        match step {
            None | Some(Step::Noted) => {}
            Some(Step::Heard(block)) => self.heard((node, peer), block),
            Some(Step::Followed(block, goal)) => {
                let Message::Block(body) = message else {
                    unreachable!("a block is followed when its body comes")
                };
                self.followed((node, peer), block, body);
                self.announce(node, &tell, block);
                if goal.is_some() {
                    self.mine(node, goal);
                }
            }
            Some(Step::Served(body)) => {
                if let Some(at) = self.pairs.position_after(node, peer, &mut 0) {
                    self.send((node, at), Message::Block(body));
                }
            }
        }
        tell.clear();
        self.tell = tell;
        is_step
    }

    fn heard(&mut self, (node, peer): (NodeId, NodeId), block: BlockRef) {
        let id = self.ledgers[self.ledger_of(node)].id(block);
        // In no detail but the fullest anything else follows from that.
        self.digest.heard(self.now, node, &id);
        self.places[node.index()].told += 1;
        self.stay_calm(node);
        if let Some(at) = self.pairs.position_after(node, peer, &mut 0) {
            self.send((node, at), Message::Get(vec![Item::Block(id)]));
        }
        self.set_tick(node);
    }

    fn followed(&mut self, (node, peer): (NodeId, NodeId), block: BlockRef, body: &Arc<Block>) {
        self.stay_calm(node);
        let ledger = &self.ledgers[self.ledger_of(node)];
        let parent = ledger.parent(block).expect("a block on the tip");
        let [old, new] = [parent, block].map(|block| TipRef {
            block: ledger.id(block),
            height: ledger.height(block),
            chain_work: ledger.work(block),
        });
        if !self.forgets {
            self.places[node.index()].disk.push(Arc::clone(body));
        }
        if self.collector.follow(self.now, node, new) {
            self.digest.followed(self.now, node, &new.block);
            self.places[node.index()].told += 3;
            return;
        }
        let (txs, bytes) = (body.transactions.len(), body.bytes());
        let received = Event::BlockReceived {
            block: new.block,
            from: peer,
            bytes,
            duplicate: false,
        };
        let connected = Event::BlockConnected {
            block: new.block,
            parent: old.block,
            height: new.height,
            chain_work: new.chain_work,
            txs,
            bytes,
            body: Arc::clone(body),
        };
        let how = TipChange::Extend;
        for event in [received, connected, Event::TipChanged { old, new, how }] {
            self.tell(node, Box::new(event));
        }
    }

    /// Sends a node's peers the header of a block that they lack.
    fn announce(&mut self, node: NodeId, peers: &[NodeId], block: BlockRef) {
        if peers.is_empty() {
            return;
        }
        let message = self.announcement(node, block);
        let (kind, bytes) = (message.kind(), node::message_bytes(self.plan.block_size, &message));
        let mut hint = 0;
        for peer in peers {
            let Some(at) = self.pairs.position_after(node, *peer, &mut hint) else {
                continue;
            };
            let exit = self.pairs.exit_mut(node, at);
            let Some(connection) = exit.connection() else {
                continue;
            };
            let arrival = match &mut self.places[node.index()].uplink {
                None => exit.link.send(self.now, bytes),
                Some(uplink) => {
                    let parcel = Parcel {
                        bytes,
                        is_block: false,
                        to: Line::UNLIMITED,
                    };
                    uplink.send(&mut exit.link, self.now, parcel)
                }
            };
            self.collector.count_sent(node, kind, bytes);
            let (to, way, opposite) = (exit.to, exit.way, exit.opposite);
            if let Some(arrival) = arrival
                && !self.waits_about((to, opposite), arrival, block)
            {
                self.push_announcement(arrival, (way, connection), &message, bytes);
            }
        }
    }

    fn push_announcement(
        &mut self,
        arrival: Time,
        (way, connection): (crate::pairs::Way, u32),
        message: &Message,
        bytes: u64,
    ) {
        let message = if self.check_wire {
            super::through_the_codec(message)
        } else {
            message.clone()
        };
        let happening = Happening::Arrival {
            way,
            connection,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            message,
        };
        self.heap.push(arrival, happening);
    }

    /// The message that announces a block. Most are about the block of the one before.
    fn announcement(&mut self, node: NodeId, block: BlockRef) -> Message {
        let ledger = self.ledger_of(node);
        if let Some((of, message)) = &self.announcement
            && *of == block
            && self.ledgers.len() == 1
        {
            return message.clone();
        }
        let message = Message::headers([*self.ledgers[ledger].hashed_header(block)]);
        self.announcement = Some((block, message.clone()));
        message
    }
}
