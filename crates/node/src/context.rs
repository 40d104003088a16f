//! What a node has in hand while it handles one input: the ledger, the time, and the caller's outbox.

use base::{NodeId, Time};
use chain::{BlockId, BlockRef, Ledger};
use gossip::Message;

use crate::event::TipRef;
use crate::{BlockSize, Event, Outbox, Output, message_bytes};

/// Passed along while one input is handled; nothing of it stays in the node.
pub(crate) struct Context<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) now: Time,
    pub(crate) out: &'a mut Outbox,
    pub(crate) block_size: Option<BlockSize>,
    /// Whether messages are told of.
    pub(crate) tells_messages: bool,
}

impl Context<'_> {
    /// Tells the world.
    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push(Output::Emit(Box::new(event)));
    }

    /// Sends a message, and says so before anything can become of it.
    pub(crate) fn send(&mut self, peer: NodeId, message: Message) {
        if self.tells_messages {
            self.emit(Event::MessageSent {
                peer,
                message: message.kind(),
                bytes: message_bytes(self.block_size, &message),
                about: about(&message),
            });
        }
        self.out.push(Output::Send { peer, message });
    }

    /// Says that a message arrived.
    pub(crate) fn received(&mut self, peer: NodeId, message: &Message) {
        if !self.tells_messages {
            return;
        }
        self.emit(Event::MessageReceived {
            peer,
            message: message.kind(),
            bytes: message_bytes(self.block_size, message),
            about: about(message),
        });
    }

    /// A block as events name it.
    pub(crate) fn tip_ref(&self, block: BlockRef) -> TipRef {
        TipRef {
            block: self.ledger.id(block),
            height: self.ledger.height(block),
            chain_work: self.ledger.work(block),
        }
    }
}

/// The block that a message is about, when it is about one.
pub(crate) fn about(message: &Message) -> Option<BlockId> {
    match message {
        Message::Block(block) => Some(block.id()),
        Message::Headers(headers) => match headers.as_ref() {
            [header] => Some(header.id()),
            [] | [_, _, ..] => None,
        },
        Message::AnnounceBlocks(ids) => match ids.as_slice() {
            [id] => Some(*id),
            [] | [_, _, ..] => None,
        },
        Message::CompactBlock(compact) => Some(compact.id()),
        Message::GetBlockTransactions { block, .. } | Message::BlockTransactions { block, .. } => Some(*block),
        Message::Hello(_)
        | Message::SendCompact { .. }
        | Message::Graft
        | Message::Prune { .. }
        | Message::GetHeaders { .. }
        | Message::Announce(_)
        | Message::Get(_)
        | Message::Transaction(_)
        | Message::NotFound(_) => None,
    }
}
