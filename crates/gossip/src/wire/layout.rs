//! Where things lie in an encoded message: the widths of its parts, its length, and a walk over bytes that checks every length.
//!
//! Kinds and the kinds of items are u32, numbers of entries u64, everything else has its own width; all little-endian.

use std::sync::Arc;

use chain::{HashedHeader, Header, Transaction};

use crate::{Message, MessageKind};

const KIND: usize = 4;
const COUNT: usize = 8;
const NAME: usize = 32;
const ITEM: usize = 4 + NAME;
/// Version, genesis, the agent's length, tip, height.
const HELLO: usize = 4 + NAME + COUNT + NAME + 4;
/// Version, whether it is a coinbase, and the numbers of inputs, outputs, memo bytes and signatures.
const TRANSACTION: usize = 4 + 1 + 4 * COUNT;
/// Height, extra nonce, and the tag's length.
const COINBASE: usize = 4 + 8 + COUNT;
const INPUT: usize = NAME + 4;
const OUTPUT: usize = 8 + 32;
const SIGNATURE: usize = 64;
const NONCE: usize = 8;
const SHORT_ID: usize = 6;

/// How many bytes [`super::encode`] makes of a message, by adding widths.
#[must_use]
pub fn encoded_len(message: &Message) -> usize {
    let payload = match message {
        Message::Hello(hello) => HELLO + hello.agent.len(),
        Message::GetHeaders { locator } => COUNT + locator.len() * NAME,
        Message::Headers(headers) => COUNT + headers.len() * Header::BYTES,
        Message::Announce(wtxids) => COUNT + wtxids.len() * NAME,
        Message::AnnounceBlocks(ids) => COUNT + ids.len() * NAME,
        Message::Get(items) | Message::NotFound(items) => COUNT + items.len() * ITEM,
        Message::Block(block) => Header::BYTES + transactions_len(&block.transactions),
        Message::SendCompact { .. } => 1,
        Message::Graft => 0,
        Message::Prune { .. } => 4,
        Message::CompactBlock(compact) => {
            let prefilled = compact
                .prefilled
                .iter()
                .map(|each| 4 + transaction_len(&each.transaction));
            Header::BYTES + NONCE + COUNT + compact.short_ids.len() * SHORT_ID + COUNT + prefilled.sum::<usize>()
        }
        Message::GetBlockTransactions { indexes, .. } => NAME + COUNT + indexes.len() * 4,
        Message::BlockTransactions { transactions, .. } => NAME + transactions_len(transactions),
        Message::Transaction(transaction) => transaction_len(transaction),
    };
    KIND + payload
}

fn transactions_len(transactions: &[Arc<Transaction>]) -> usize {
    let transactions = transactions.iter().map(|each| transaction_len(each));
    COUNT + transactions.sum::<usize>()
}

fn transaction_len(transaction: &Transaction) -> usize {
    let parts = transaction.parts();
    let coinbase = parts
        .coinbase
        .as_ref()
        .map_or(0, |coinbase| COINBASE + coinbase.tag.len());
    let inputs = parts.inputs.len() * INPUT;
    let outputs = parts.outputs.len() * OUTPUT;
    TRANSACTION + coinbase + inputs + outputs + parts.memo.len() + parts.signatures.len() * SIGNATURE
}

/// Which kind of message these bytes say they are.
pub(super) fn kind(bytes: &[u8]) -> Option<MessageKind> {
    const KINDS: [MessageKind; 15] = [
        MessageKind::Hello,
        MessageKind::GetHeaders,
        MessageKind::Headers,
        MessageKind::Announce,
        MessageKind::Get,
        MessageKind::Block,
        MessageKind::Transaction,
        MessageKind::NotFound,
        MessageKind::AnnounceBlocks,
        MessageKind::SendCompact,
        MessageKind::CompactBlock,
        MessageKind::GetBlockTransactions,
        MessageKind::BlockTransactions,
        MessageKind::Graft,
        MessageKind::Prune,
    ];
    let index = u32::from_le_bytes(*bytes.first_chunk::<KIND>()?);
    KINDS.get(usize::try_from(index).ok()?).copied()
}

/// The headers in bytes that [`check`] has walked over. The codec takes four times as long for them, and initial sync is full of them; every
/// pattern of bytes is a header, and the only encoding of it.
pub(super) fn headers(bytes: &[u8]) -> Message {
    let (headers, _) = bytes[KIND + COUNT..].as_chunks::<{ Header::BYTES }>();
    Message::headers(HashedHeader::read_all(headers))
}

/// `Some` when every length in the bytes is covered by bytes that are there, and none are left over.
///
/// The codec reserves memory for as many entries as a length claims; after this walk, all of them have arrived.
pub(super) fn check(kind: MessageKind, bytes: &[u8]) -> Option<()> {
    let mut walk = Walk(bytes.get(KIND..)?);
    match kind {
        MessageKind::Hello => {
            walk.skip(4 + NAME)?;
            walk.skip_list(1)?;
            walk.skip(NAME + 4)?;
        }
        MessageKind::GetHeaders | MessageKind::Announce | MessageKind::AnnounceBlocks => walk.skip_list(NAME)?,
        MessageKind::Headers => walk.skip_list(Header::BYTES)?,
        MessageKind::Get | MessageKind::NotFound => walk.skip_list(ITEM)?,
        MessageKind::Block => {
            walk.skip(Header::BYTES)?;
            walk.skip_transactions()?;
        }
        MessageKind::SendCompact => walk.skip(1)?,
        MessageKind::Graft => {}
        MessageKind::Prune => walk.skip(4)?,
        MessageKind::CompactBlock => {
            walk.skip(Header::BYTES + NONCE)?;
            walk.skip_list(SHORT_ID)?;
            for _ in 0..walk.count()? {
                walk.skip(4)?;
                walk.skip_transaction()?;
            }
        }
        MessageKind::GetBlockTransactions => {
            walk.skip(NAME)?;
            walk.skip_list(4)?;
        }
        MessageKind::BlockTransactions => {
            walk.skip(NAME)?;
            walk.skip_transactions()?;
        }
        MessageKind::Transaction => walk.skip_transaction()?,
    }
    walk.0.is_empty().then_some(())
}

/// The bytes that are still ahead.
struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    fn skip(&mut self, width: usize) -> Option<()> {
        self.0 = self.0.get(width..)?;
        Some(())
    }

    fn count(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk::<COUNT>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*count)).ok()
    }

    fn skip_list(&mut self, width: usize) -> Option<()> {
        let count = self.count()?;
        self.skip(count.checked_mul(width)?)
    }

    fn skip_transactions(&mut self) -> Option<()> {
        for _ in 0..self.count()? {
            self.skip_transaction()?;
        }
        Some(())
    }

    /// Ends at the latest when the bytes do, however many transactions are claimed: each takes some.
    fn skip_transaction(&mut self) -> Option<()> {
        self.skip(4)?;
        let is_coinbase = *self.0.first()?;
        self.skip(1)?;
        if is_coinbase != 0 {
            self.skip(4 + 8)?;
            self.skip_list(1)?;
        }
        self.skip_list(INPUT)?;
        self.skip_list(OUTPUT)?;
        self.skip_list(1)?;
        self.skip_list(SIGNATURE)
    }
}
