//! What nodes at rest do about blocks beside those that they follow, told event by event: forks are few, and whoever observes has much to make of them.

use std::sync::Arc;

use base::NodeId;
use chain::{Block, BlockRef};
use node::event::TipRef;
use node::{Event, TipChange};

use super::Network;

impl Network {
    /// A node at rest accepted the header of a rival of what it follows or waits for, and asks the neighbour at one of its ends for the body.
    pub(super) fn ask_beside(&mut self, (node, place): (NodeId, usize), block: BlockRef) {
        let TipRef {
            block: id,
            height,
            chain_work,
        } = self.tip_ref(block);
        let header = self.ledgers[0].header(block);
        let accepted = Event::HeaderAccepted {
            block: id,
            parent: header.parent,
            height,
            chain_work,
            time: header.time,
            from: Some(self.beds.end(place).neighbour.peer),
        };
        self.tell_at_rest(node, accepted);
        self.send_request((node, place), block);
    }

    /// A node at rest received a block that it waited for, and connected it.
    pub(super) fn connect_at_rest(&mut self, (node, peer): (NodeId, NodeId), block: BlockRef, body: &Arc<Block>) {
        let TipRef {
            block: id,
            height,
            chain_work,
        } = self.tip_ref(block);
        let received = Event::BlockReceived {
            block: id,
            from: peer,
            bytes: body.bytes(),
            duplicate: false,
        };
        self.tell_at_rest(node, received);
        self.save(node, body);
        let connected = Event::BlockConnected {
            block: id,
            parent: body.header.parent,
            height,
            chain_work,
            txs: body.transactions.len(),
            bytes: body.bytes(),
            body: Arc::clone(body),
        };
        self.tell_at_rest(node, connected);
    }

    /// A node at rest connected a block and follows it.
    pub(super) fn switch_at_rest(&mut self, node: NodeId, block: BlockRef) {
        let parent = self.ledgers[0].parent(block).expect("it stands on what was followed");
        let changed = Event::TipChanged {
            old: self.tip_ref(parent),
            new: self.tip_ref(block),
            how: TipChange::Extend,
        };
        self.tell_at_rest(node, changed);
    }

    /// A node at rest tells of something.
    pub(super) fn tell_at_rest(&mut self, node: NodeId, event: Event) {
        self.places[node.index()].told += self.beds.take_told(node);
        self.tell(node, Box::new(event));
    }

    /// A block is on a node's disk from now on, where there is one.
    pub(super) fn save(&mut self, node: NodeId, body: &Arc<Block>) {
        if !self.forgets {
            self.places[node.index()].disk.push(Arc::clone(body));
        }
    }

    pub(super) fn tip_ref(&self, block: BlockRef) -> TipRef {
        let ledger = &self.ledgers[0];
        TipRef {
            block: ledger.id(block),
            height: ledger.height(block),
            chain_work: ledger.work(block),
        }
    }
}
