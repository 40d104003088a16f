//! What a node has to unpack of its satchel before it takes something in itself: what that concerns, with all relatives.

use base::Time;
use chain::{Block, BlockRef, Ledger, Transaction, Wtxid};
use gossip::{Item, Message};

use crate::mempool::memory_of;
use crate::payments::{PaymentRef, Payments};
use crate::{Command, Input, Node};

/// What of a satchel is to be unpacked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unpacking {
    /// Nothing.
    Nothing,
    /// These payments, where they are in it.
    These(Vec<PaymentRef>),
    /// All that is in it.
    All,
}

impl Node {
    /// What is to be unpacked before this is taken in. Of a block that stands on the node's tip it is asked whether all payments that it holds were seen, and nothing
    /// was that spends the same coins.
    #[must_use]
    pub fn unpacking(
        &self,
        (ledger, payments): (&Ledger, &Payments),
        (now, input): (Time, &Input),
        is_plain: impl FnOnce(BlockRef) -> bool,
    ) -> Unpacking {
        match input {
            Input::Tick => {
                // What stands on what has waited too long goes with it.
                if self.pool.deadline().is_some_and(|at| at <= now) {
                    Unpacking::All
                } else {
                    Unpacking::Nothing
                }
            }
            Input::Received { message, .. } => self.unpacking_for((ledger, payments), message, is_plain),
            Input::Command(Command::Submit(transaction)) => self.unpacking_beside((ledger, payments), transaction),
            Input::Command(Command::StopMining | Command::SetHashRate(_) | Command::Generate { .. }) => {
                Unpacking::Nothing
            }
            Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::Garbage { .. }
            | Input::Drawn
            | Input::Solved { .. }
            | Input::Restored { .. }
            | Input::Command(_) => Unpacking::All,
        }
    }

    fn unpacking_for(
        &self,
        (ledger, payments): (&Ledger, &Payments),
        message: &Message,
        is_plain: impl FnOnce(BlockRef) -> bool,
    ) -> Unpacking {
        let find = |wtxid: &Wtxid| payments.find(wtxid);
        match message {
            Message::Announce(wtxids) => about(ledger, payments, wtxids.iter().filter_map(find)),
            Message::Get(items) => {
                let named = items.iter().filter_map(|item| match item {
                    Item::Transaction(wtxid) => find(wtxid),
                    Item::Parent(txid) => payments.find_txid(txid),
                    Item::Block(_) | Item::CompactBlock(_) => None,
                });
                about(ledger, payments, named)
            }
            Message::Transaction(transaction) => self.unpacking_beside((ledger, payments), transaction),
            Message::Headers(_) | Message::GetHeaders { .. } | Message::AnnounceBlocks(_) | Message::NotFound(_) => {
                Unpacking::Nothing
            }
            Message::Block(block) => self.unpacking_under(ledger, block, is_plain),
            Message::Hello(_)
            | Message::SendCompact { .. }
            | Message::CompactBlock(_)
            | Message::GetBlockTransactions { .. }
            | Message::BlockTransactions { .. }
            | Message::Graft
            | Message::Prune { .. } => Unpacking::All,
        }
    }

    /// A transaction is about to be taken in, which may be here, may spend what another spends, and may be one too many.
    fn unpacking_beside(&self, (ledger, payments): (&Ledger, &Payments), transaction: &Transaction) -> Unpacking {
        let has_room = self
            .pool
            .plain_room()
            .is_some_and(|room| memory_of(transaction) <= room);
        if !has_room || !self.relay.has_no_orphans() || payments.is_rival(transaction) {
            return Unpacking::All;
        }
        let own = payments.find(&transaction.wtxid());
        let parents = payments.parents_of(transaction);
        about(ledger, payments, own.into_iter().chain(parents))
    }

    /// A block that extends what the node follows, and that conflicts with nothing, is followed without a look at what it confirms.
    fn unpacking_under(&self, ledger: &Ledger, block: &Block, is_plain: impl FnOnce(BlockRef) -> bool) -> Unpacking {
        let tip = self.knowledge.tip();
        let known = ledger.find(&block.id()).filter(|at| ledger.parent(*at) == Some(tip));
        let follows_plainly = self.bodies.held.is_empty() && self.relay.has_no_orphans();
        match known.filter(|_| follows_plainly) {
            Some(at) if is_plain(at) => Unpacking::Nothing,
            Some(_) | None => Unpacking::All,
        }
    }
}

/// What concerns these, and all that are related to them; all when that is not plain.
fn about(ledger: &Ledger, payments: &Payments, named: impl Iterator<Item = PaymentRef>) -> Unpacking {
    let relatives = payments.relatives(ledger, named);
    if relatives.iter().any(|payment| payments.has_rival(*payment)) {
        return Unpacking::All;
    }
    Unpacking::These(relatives)
}
