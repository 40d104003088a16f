//! Multi-version coins: which blocks created an output and which spent it, on every fork at once.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::BlockRef;
use super::prune::Unspent;
use super::tree::Tree;
use crate::{Block, Coin, Height, OutPoint, Reject, Transaction, TxOutput, Txid};

/// A few blocks; nearly always none or one, as more than one takes a fork.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Refs {
    #[default]
    None,
    One(BlockRef),
    Many(Vec<BlockRef>),
}

impl Refs {
    fn push(&mut self, block: BlockRef) {
        match self {
            Self::None => *self = Self::One(block),
            Self::One(first) => *self = Self::Many(vec![*first, block]),
            Self::Many(blocks) => blocks.push(block),
        }
    }

    fn remove(&mut self, block: BlockRef) {
        match self {
            Self::One(only) if *only == block => *self = Self::None,
            Self::None | Self::One(_) => {}
            Self::Many(blocks) => {
                blocks.retain(|other| *other != block);
                if let [only] = blocks[..] {
                    *self = Self::One(only);
                }
            }
        }
    }

    /// The one that is `tip` or an ancestor.
    fn on_chain(&self, tip: BlockRef, tree: &Tree) -> Option<BlockRef> {
        let blocks = match self {
            Self::None => &[],
            Self::One(block) => std::slice::from_ref(block),
            Self::Many(blocks) => blocks,
        };
        blocks.iter().copied().find(|block| tree.is_ancestor(*block, tip))
    }
}

/// An output and all that ever happened to it. The txid commits to the output, so it is the same on every fork.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Versions {
    output: TxOutput,
    coinbase: bool,
    created: Refs,
    spent: Refs,
}

/// The outputs of all valid blocks, and where their transactions stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Coins {
    versions: FxHashMap<OutPoint, Versions>,
    places: FxHashMap<Txid, Refs>,
    /// What pruned blocks created and left unspent, in order, as their bodies are no longer there to list it.
    settled: BTreeSet<OutPoint>,
}

impl Coins {
    /// Takes in a valid block.
    pub(super) fn apply(&mut self, at: BlockRef, block: &Block) {
        for transaction in &block.transactions {
            for input in transaction.inputs() {
                let versions = self.versions.get_mut(input);
                versions.expect("a valid block spends what exists").spent.push(at);
            }
            for (index, output) in (0..).zip(transaction.outputs()) {
                let versions = self.versions.entry(transaction.outpoint(index)).or_insert(Versions {
                    output: *output,
                    coinbase: transaction.is_coinbase(),
                    created: Refs::None,
                    spent: Refs::None,
                });
                versions.created.push(at);
            }
            self.places.entry(transaction.txid()).or_default().push(at);
        }
    }

    /// Takes in that a block will be below every block that is asked about. Blocks come in the order of their heights.
    pub(super) fn settle(&mut self, at: BlockRef, block: &Block, unspent: Unspent) {
        for transaction in &block.transactions {
            for input in transaction.inputs() {
                self.versions.remove(input);
                self.settled.remove(input);
            }
            for (index, _) in (0..).zip(transaction.outputs()) {
                let outpoint = transaction.outpoint(index);
                match unspent {
                    // The genesis block's outputs are no coins.
                    Unspent::Kept if !self.versions.contains_key(&outpoint) => {}
                    Unspent::Kept => {
                        self.settled.insert(outpoint);
                    }
                    Unspent::Forgotten => {
                        self.versions.remove(&outpoint);
                    }
                }
            }
            self.forget_place(&transaction.txid(), at);
        }
    }

    /// Takes in that a block will not be below any block that is asked about.
    pub(super) fn forget(&mut self, at: BlockRef, block: &Block) {
        for transaction in &block.transactions {
            for input in transaction.inputs() {
                if let Some(versions) = self.versions.get_mut(input) {
                    versions.spent.remove(at);
                }
            }
            for (index, _) in (0..).zip(transaction.outputs()) {
                if let Entry::Occupied(mut coin) = self.versions.entry(transaction.outpoint(index)) {
                    coin.get_mut().created.remove(at);
                    if coin.get().created == Refs::None {
                        coin.remove();
                    }
                }
            }
            self.forget_place(&transaction.txid(), at);
        }
    }

    fn forget_place(&mut self, txid: &Txid, at: BlockRef) {
        if let Entry::Occupied(mut place) = self.places.entry(*txid) {
            place.get_mut().remove(at);
            if *place.get() == Refs::None {
                place.remove();
            }
        }
    }

    /// What pruned blocks created and left unspent, in the order of outpoints.
    pub(super) fn settled(&self) -> impl Iterator<Item = OutPoint> + '_ {
        self.settled.iter().copied()
    }

    /// How many outputs and places of transactions are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.versions.len() + self.places.len()
    }

    /// The block on `tip`'s chain that spends the coin.
    pub(super) fn spent_in(&self, outpoint: &OutPoint, tip: BlockRef, tree: &Tree) -> Option<BlockRef> {
        self.versions.get(outpoint)?.spent.on_chain(tip, tree)
    }

    /// The coin as a block on top of `tip` sees it.
    pub(super) fn find(&self, outpoint: &OutPoint, tip: BlockRef, tree: &Tree) -> Option<Coin> {
        let versions = self.versions.get(outpoint)?;
        let created = versions.created.on_chain(tip, tree)?;
        if versions.spent.on_chain(tip, tree).is_some() {
            return None;
        }
        Some(Coin {
            output: versions.output,
            height: tree.height(created),
            coinbase: versions.coinbase,
        })
    }

    /// The block on `tip`'s chain that holds the transaction.
    pub(super) fn place(&self, txid: &Txid, tip: BlockRef, tree: &Tree) -> Option<BlockRef> {
        self.places.get(txid)?.on_chain(tip, tree)
    }
}

/// The coins as the transactions of one block see them, each after those before it. Dropped with the block when that is invalid.
pub(super) struct View<'a> {
    coins: &'a Coins,
    tree: &'a Tree,
    parent: BlockRef,
    created: FxHashMap<OutPoint, Coin>,
    spent: FxHashSet<OutPoint>,
}

impl<'a> View<'a> {
    /// What the first transaction of a block on top of `parent` sees.
    pub(super) fn new(coins: &'a Coins, tree: &'a Tree, parent: BlockRef) -> Self {
        Self {
            coins,
            tree,
            parent,
            created: FxHashMap::default(),
            spent: FxHashSet::default(),
        }
    }

    /// Takes the coins that a transaction spends, in the order of its inputs.
    pub(super) fn spend(&mut self, transaction: &Transaction) -> Result<Vec<Coin>, Reject> {
        let find = |input: &OutPoint| {
            self.coin(input)
                .ok_or(Reject::BadTxnsInputsMissingorspent { outpoint: *input })
        };
        let coins = transaction.inputs().iter().map(find).collect::<Result<_, _>>()?;
        self.spent.extend(transaction.inputs());
        Ok(coins)
    }

    /// Adds the outputs of a transaction.
    ///
    /// None can exist already: a coinbase names its height, and any other transaction spends something that can be spent only
    /// once. This check is the second lock on that door (BIP30).
    pub(super) fn create(&mut self, transaction: &Transaction, height: Height) -> Result<(), Reject> {
        for (index, output) in (0..).zip(transaction.outputs()) {
            let outpoint = transaction.outpoint(index);
            if self.coin(&outpoint).is_some() {
                return Err(Reject::BadTxnsBip30 { outpoint });
            }
            let coin = Coin {
                output: *output,
                height,
                coinbase: transaction.is_coinbase(),
            };
            self.created.insert(outpoint, coin);
        }
        Ok(())
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        if self.spent.contains(outpoint) {
            return None;
        }
        let created = self.created.get(outpoint).copied();
        created.or_else(|| self.coins.find(outpoint, self.parent, self.tree))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    #[test]
    fn an_unspent_output_cannot_be_created_again() {
        let (coins, tree) = (Coins::default(), Tree::new(0));
        let mut view = View::new(&coins, &tree, BlockRef::GENESIS);
        let transaction = &Params::instant().genesis_block().transactions[0];
        let outpoint = transaction.outpoint(0);
        assert_eq!(view.create(transaction, Height(1)), Ok(()));
        let again = view.create(transaction, Height(1));
        assert_eq!(again, Err(Reject::BadTxnsBip30 { outpoint }));
    }
}
