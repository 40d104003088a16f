//! Compact blocks (BIP152): a block told by short names of its transactions, and put together again from those that are at hand.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Hash;
use chain::{Block, BlockId, Header, Transaction, Wtxid};
use serde::{Deserialize, Serialize};

use crate::limits::MAX_COMPACT_TRANSACTIONS;
use crate::siphash::siphash;

/// The low six bytes of a transaction's keyed hash: enough to tell those of one mempool apart, nearly always.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ShortId(pub [u8; 6]);

/// A transaction that is sent whole, because the receiver cannot have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prefilled {
    /// Its place in the block.
    pub index: u32,
    /// It.
    pub transaction: Arc<Transaction>,
}

/// A block whose transactions are told by short names, all but a few.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CompactBlock {
    /// The block's header.
    pub header: Header,
    /// Makes the short names of each sender's own, so that a collision at one is none at the others.
    pub nonce: u64,
    /// The transactions that are not prefilled, in the block's order.
    pub short_ids: Vec<ShortId>,
    /// The coinbase, in rising order of places.
    pub prefilled: Vec<Prefilled>,
}

impl CompactBlock {
    /// A block with its coinbase prefilled.
    #[must_use]
    pub fn new(block: &Block, nonce: u64) -> Self {
        let key = Key::new(&block.header, nonce);
        let mut transactions = block.transactions.iter();
        let prefilled = transactions.next().map(|coinbase| Prefilled {
            index: 0,
            transaction: Arc::clone(coinbase),
        });
        Self {
            header: *block.header,
            nonce,
            short_ids: transactions.map(|each| key.short_id(&each.wtxid())).collect(),
            prefilled: prefilled.into_iter().collect(),
        }
    }

    /// The block's name.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.header.id()
    }
}

/// What short names are made with: of the header and the sender's nonce.
#[derive(Clone, Copy, Debug)]
struct Key(u64, u64);

impl Key {
    fn new(header: &Header, nonce: u64) -> Self {
        let Hash(bytes) = Hash::sha256(&[&header.to_bytes(), &nonce.to_le_bytes()]);
        let (words, _) = bytes.as_chunks::<8>();
        Self(u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]))
    }

    fn short_id(self, wtxid: &Wtxid) -> ShortId {
        let [a, b, c, d, e, f, ..] = siphash(self.0, self.1, &wtxid.0.0).to_le_bytes();
        ShortId([a, b, c, d, e, f])
    }
}

/// A block that is being put together.
#[derive(Clone, Debug)]
pub struct Assembly {
    header: Header,
    transactions: Vec<Option<Arc<Transaction>>>,
}

impl Assembly {
    /// Puts in what came with the compact block and what is at hand. Where two transactions at hand have the short name, or two places
    /// have the same, the place stays empty. `None` when the compact block makes no sense: no transactions or too many, or places out of order or out of range.
    #[must_use]
    pub fn new<'a>(compact: &CompactBlock, at_hand: impl IntoIterator<Item = &'a Arc<Transaction>>) -> Option<Self> {
        let count = compact.short_ids.len() + compact.prefilled.len();
        if compact.prefilled.is_empty() || count > MAX_COMPACT_TRANSACTIONS {
            return None;
        }
        let mut transactions = vec![None; count];
        let mut least = 0;
        for prefilled in &compact.prefilled {
            let index = usize::try_from(prefilled.index).ok()?;
            if index < least {
                return None;
            }
            *transactions.get_mut(index)? = Some(Arc::clone(&prefilled.transaction));
            least = index + 1;
        }
        let key = Key::new(&compact.header, compact.nonce);
        let mut places: BTreeMap<ShortId, Place> = BTreeMap::new();
        let empty = (0..count).filter(|index| transactions[*index].is_none());
        for (index, short_id) in empty.zip(&compact.short_ids) {
            let place = places.entry(*short_id).or_insert(Place::Empty(index));
            if *place != Place::Empty(index) {
                *place = Place::Ambiguous;
            }
        }
        for transaction in at_hand {
            let Some(place) = places.get_mut(&key.short_id(&transaction.wtxid())) else {
                continue;
            };
            match *place {
                Place::Empty(index) => {
                    transactions[index] = Some(Arc::clone(transaction));
                    *place = Place::Filled(index);
                }
                Place::Filled(index) => {
                    transactions[index] = None;
                    *place = Place::Ambiguous;
                }
                Place::Ambiguous => {}
            }
        }
        let header = compact.header;
        Some(Self { header, transactions })
    }

    /// The block's name.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.header.id()
    }

    /// The places that are still empty.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let empty = self.transactions.iter().enumerate().filter(|(_, each)| each.is_none());
        empty
            .map(|(index, _)| u32::try_from(index).expect("bounded far below 2^32"))
            .collect()
    }

    /// The block, its empty places filled with these in their order; `None` when they are too few or too many. Whether it is the block that
    /// the header commits to is another question.
    #[must_use]
    pub fn complete(self, missing: Vec<Arc<Transaction>>) -> Option<Block> {
        let mut missing = missing.into_iter();
        let transactions: Option<Vec<Arc<Transaction>>> = self
            .transactions
            .into_iter()
            .map(|each| each.or_else(|| missing.next()))
            .collect();
        let transactions = transactions.filter(|_| missing.next().is_none())?;
        let header = self.header;
        Some(Block {
            header: header.into(),
            transactions,
        })
    }
}

/// A place that a short name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Empty(usize),
    Filled(usize),
    /// Two claim it, or it is two.
    Ambiguous,
}
