//! A ledger to grow by hand: for tests, here and in the crates above (feature `testing`).
//!
//! All coins belong to [`key`] 0. Blocks are solved on the spot, so the parameters should ask for few hashes.

use std::sync::Arc;

use base::Seed;

use crate::{
    Amount, Block, BlockRef, Coin, Draft, Header, Height, Ledger, OutPoint, Owner, Params, ProofOfWork, Reject,
    SigningKey, Transaction, TxOutput, mining,
};

/// The key of this number.
#[must_use]
pub fn key(number: u64) -> SigningKey {
    SigningKey::from_seed(&Seed::from_number(number))
}

/// An output of so many base units to an owner.
#[must_use]
pub fn pay(units: u64, owner: Owner) -> TxOutput {
    TxOutput {
        value: Amount::from_units(units),
        owner,
    }
}

/// The block with its merkle root put right and its proof of work found.
#[must_use]
pub fn solve(mut block: Block) -> Arc<Block> {
    let header = Header {
        merkle_root: block.merkle_root().hash,
        ..*block.header
    };
    let solved = mining::solve(&header, u32::MAX).expect("tests ask for few hashes");
    block.header = solved.into();
    Arc::new(block)
}

/// A reference file of the folder beside the repository; `None`, and a line that says so, where that is absent.
#[must_use]
pub fn reference(name: &str) -> Option<Vec<u8>> {
    let path = format!("{}/../../../shared/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read(&path).ok();
    if file.is_none() {
        println!("skipped: {path} is absent");
    }
    file
}

/// A ledger, and the means to add to it.
#[derive(Debug)]
pub struct Sandbox {
    /// The ledger.
    pub ledger: Ledger,
    drafts: u64,
}

impl Sandbox {
    /// The genesis block of these parameters.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self {
            ledger: Ledger::new(params),
            drafts: 0,
        }
    }

    /// A chain of `count` blocks by [`Params::instant`], and its tip.
    #[must_use]
    pub fn instant(count: u32) -> (Self, BlockRef) {
        let mut sandbox = Self::new(Params::instant());
        let tip = sandbox.grow(sandbox.ledger.genesis(), count);
        (sandbox, tip)
    }

    /// A draft on top of `parent`, one interval later, that pays the subsidy to key 0. No two drafts are alike.
    pub fn draft(&mut self, parent: BlockRef) -> Draft {
        self.drafts += 1;
        let interval = u32::try_from(self.ledger.params().interval.as_secs()).expect("a short interval");
        let time = self.ledger.header(parent).time + interval;
        let draft = self.ledger.draft(parent, time);
        let subsidy = self.ledger.subsidy(draft.height);
        Draft {
            coinbase_outputs: vec![pay(subsidy.units(), key(0).owner())],
            extra_nonce: self.drafts,
            ..draft
        }
    }

    /// A block on top of `parent` with these transactions, whose fees are burned, and with proof of work.
    pub fn block(&mut self, parent: BlockRef, transactions: &[Arc<Transaction>]) -> Arc<Block> {
        let draft = Draft {
            transactions: transactions.to_vec(),
            ..self.draft(parent)
        };
        let block = draft.assemble();
        match self.ledger.params().proof_of_work {
            ProofOfWork::Sha256d => solve(block),
            ProofOfWork::Oracle => {
                self.ledger.seal(block.id());
                Arc::new(block)
            }
        }
    }

    /// Takes in header and body.
    pub fn accept(&mut self, block: &Arc<Block>) -> Result<BlockRef, Reject> {
        self.ledger.add_header(&block.header)?;
        self.ledger.add_body(block)
    }

    /// Adds a valid block with these transactions.
    ///
    /// # Panics
    /// When it is not valid.
    pub fn child(&mut self, parent: BlockRef, transactions: &[Arc<Transaction>]) -> BlockRef {
        let block = self.block(parent, transactions);
        self.accept(&block).expect("a valid block")
    }

    /// Adds `count` empty blocks, and gives the last.
    pub fn grow(&mut self, parent: BlockRef, count: u32) -> BlockRef {
        (0..count).fold(parent, |tip, _| self.child(tip, &[]))
    }

    /// What the coinbase at a height of `tip`'s chain created for key 0.
    #[must_use]
    pub fn reward(&self, tip: BlockRef, height: u32) -> OutPoint {
        let block = self
            .ledger
            .ancestor(tip, Height(height))
            .expect("a height of the chain");
        self.ledger.body(block).expect("a valid block").transactions[0].outpoint(0)
    }

    /// The coins at outpoints as a block on top of `tip` sees them.
    ///
    /// # Panics
    /// When one is not there.
    #[must_use]
    pub fn coins(&self, tip: BlockRef, outpoints: &[OutPoint]) -> Vec<Coin> {
        let coin = |outpoint| self.ledger.coin(outpoint, tip).expect("an unspent coin");
        outpoints.iter().map(coin).collect()
    }

    /// Spends coins of key 0 that `tip` sees.
    #[must_use]
    pub fn spend(&self, tip: BlockRef, inputs: &[OutPoint], outputs: Vec<TxOutput>) -> Arc<Transaction> {
        let coins = self.coins(tip, inputs);
        let genesis = self.ledger.id(self.ledger.genesis());
        Arc::new(Transaction::payment(inputs.to_vec(), outputs, b"").sign(&key(0), genesis, &coins))
    }
}
