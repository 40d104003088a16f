//! The rules of bodies, and the coins they move.

use std::collections::BTreeMap;

use base::Hash;
use chain::{Amount, Block, BlockId, Coin, Height, OutPoint, Params, Transaction};

use super::Broken;

/// The most base units that there may ever be.
const MAX_MONEY: u128 = 21_000_000 * 100_000_000;

/// A chain being replayed: what is unspent at its end.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    params: Params,
    genesis: BlockId,
    unspent: BTreeMap<OutPoint, Coin>,
    /// The sum of unspent coins that were forgotten, in base units.
    forgotten: u64,
    transactions: u64,
}

impl Replay {
    /// The chain that has only its genesis block.
    pub(super) fn new(params: &Params, genesis: &Block) -> Self {
        let mut replay = Self {
            params: params.clone(),
            genesis: genesis.id(),
            unspent: BTreeMap::new(),
            forgotten: 0,
            transactions: 0,
        };
        for transaction in &genesis.transactions {
            replay.create(Height(0), transaction);
        }
        replay
    }

    /// Checks the next block's body and moves its coins.
    pub(super) fn check(&mut self, height: Height, block: &Block) -> Result<(), Broken> {
        check_commitment(block)?;
        self.check_form(block)?;
        let (coinbase, payments) = block.transactions.split_first().expect("the form says so");
        let named = coinbase.parts().coinbase.as_ref().map(|coinbase| coinbase.height);
        if named != Some(height) {
            return Err(("bad-cb-height", format!("coinbase says {named:?}, not {height}")));
        }
        let mut fees = 0;
        let mut spends = Vec::new();
        // A coinbase may be spent in its own block where coins mature at once; its amount is judged at the end.
        self.create(height, coinbase);
        for payment in payments {
            let coins = self.take(payment)?;
            fees += self.fee(height, payment, &coins)?;
            self.create(height, payment);
            spends.push((payment, coins));
        }
        if fees > MAX_MONEY {
            return Err(("bad-txns-inputvalues-outofrange", format!("fees of {fees}")));
        }
        let created = sum_of_outputs(coinbase);
        let allowed = self.subsidy(height) + fees;
        if created > allowed {
            return Err((
                "bad-cb-amount",
                format!("coinbase creates {created}, not at most {allowed}"),
            ));
        }
        spends
            .iter()
            .try_for_each(|(payment, coins)| self.check_signatures(payment, coins))
    }

    /// All unspent coins together.
    pub(super) fn supply(&self) -> Amount {
        Amount::from_units(self.forgotten + self.known())
    }

    fn known(&self) -> u64 {
        self.unspent.values().map(|coin| coin.output.value.units()).sum()
    }

    /// Forgets all coins, but not their sum: none of them is spent later.
    pub(super) fn forget(&mut self) {
        self.forgotten += self.known();
        self.unspent.clear();
    }

    /// Transactions of all blocks, coinbases among them.
    pub(super) const fn transactions(&self) -> u64 {
        self.transactions
    }

    /// What can be said without knowing any other block.
    fn check_form(&self, block: &Block) -> Result<(), Broken> {
        let bytes = 80 + block.transactions.iter().map(|tx| u64::from(tx.bytes())).sum::<u64>();
        if bytes > u64::from(self.params.max_block_bytes) || block.transactions.is_empty() {
            return Err(("bad-blk-length", format!("{bytes} bytes")));
        }
        for (place, transaction) in block.transactions.iter().enumerate() {
            let is_coinbase = transaction.parts().coinbase.is_some();
            if place == 0 && (!is_coinbase || !transaction.inputs().is_empty()) {
                return Err(("bad-cb-missing", "the first transaction is no coinbase".to_owned()));
            }
            if place > 0 && is_coinbase {
                return Err(("bad-cb-multiple", format!("transaction {place} is one too")));
            }
        }
        block
            .transactions
            .iter()
            .try_for_each(|transaction| check_transaction(transaction))
    }

    /// Takes the inputs of a payment out of the unspent coins.
    fn take(&mut self, payment: &Transaction) -> Result<Vec<Coin>, Broken> {
        let take = |outpoint: &OutPoint| {
            let coin = self.unspent.remove(outpoint);
            coin.ok_or_else(|| ("bad-txns-inputs-missingorspent", outpoint.to_string()))
        };
        payment.inputs().iter().map(take).collect()
    }

    /// What the inputs of a payment have more than its outputs.
    fn fee(&self, height: Height, payment: &Transaction, coins: &[Coin]) -> Result<u128, Broken> {
        for coin in coins {
            let age = height.0 - coin.height.0;
            if coin.coinbase && age < self.params.coinbase_maturity {
                let detail = format!("the coinbase of height {} is {age} blocks old", coin.height);
                return Err(("bad-txns-premature-spend-of-coinbase", detail));
            }
        }
        let gives: u128 = coins.iter().map(|coin| u128::from(coin.output.value.units())).sum();
        if gives > MAX_MONEY {
            return Err(("bad-txns-inputvalues-outofrange", format!("inputs of {gives}")));
        }
        let takes = sum_of_outputs(payment);
        if takes > gives {
            return Err(("bad-txns-in-belowout", format!("{takes} out of {gives}")));
        }
        Ok(gives - takes)
    }

    fn check_signatures(&self, payment: &Transaction, coins: &[Coin]) -> Result<(), Broken> {
        let messages = payment.sighashes(&self.genesis, coins);
        let signatures = &payment.parts().signatures;
        for (input, coin) in coins.iter().enumerate() {
            if !coin.output.owner.verifies(&messages[input], &signatures[input]) {
                return Err(("bad-signature", format!("of input {input} of {}", payment.txid())));
            }
        }
        Ok(())
    }

    fn create(&mut self, height: Height, transaction: &Transaction) {
        self.transactions += 1;
        for (index, output) in (0..).zip(transaction.outputs()) {
            let coin = Coin {
                output: *output,
                height,
                coinbase: transaction.parts().coinbase.is_some(),
            };
            self.unspent.insert(transaction.outpoint(index), coin);
        }
    }

    fn subsidy(&self, height: Height) -> u128 {
        let mut subsidy = u128::from(self.params.initial_subsidy.units());
        for _ in 0..height.0 / self.params.halving_interval {
            subsidy /= 2;
            if subsidy == 0 {
                break;
            }
        }
        subsidy
    }
}

fn check_transaction(transaction: &Transaction) -> Result<(), Broken> {
    let parts = transaction.parts();
    let slots = parts.inputs.len() + parts.outputs.len();
    let tag = parts.coinbase.as_ref().map_or(0, |coinbase| coinbase.tag.len());
    let above_limit = |output: &chain::TxOutput| u128::from(output.value.units()) > MAX_MONEY;
    let spent_twice = |(place, input)| parts.inputs[..place].contains(input);
    let rules = [
        (
            "bad-txns-vin-empty",
            parts.inputs.is_empty() && parts.coinbase.is_none(),
        ),
        ("bad-txns-vout-empty", parts.outputs.is_empty()),
        ("bad-txns-oversize", transaction.bytes() > 100_000 || slots > 2_000),
        ("bad-memo-length", parts.memo.len() > 80),
        ("bad-cb-length", tag > 32),
        ("bad-witness-count", parts.signatures.len() != parts.inputs.len()),
        ("bad-txns-vout-toolarge", parts.outputs.iter().any(above_limit)),
        ("bad-txns-txouttotal-toolarge", sum_of_outputs(transaction) > MAX_MONEY),
        (
            "bad-txns-inputs-duplicate",
            parts.inputs.iter().enumerate().any(spent_twice),
        ),
    ];
    match rules.into_iter().find(|(_, broken)| *broken) {
        Some((word, _)) => Err((word, format!("transaction {}", transaction.txid()))),
        None => Ok(()),
    }
}

fn sum_of_outputs(transaction: &Transaction) -> u128 {
    let values = transaction
        .outputs()
        .iter()
        .map(|output| u128::from(output.value.units()));
    values.sum()
}

/// Whether the body is the one that the header commits to, and the only one.
fn check_commitment(block: &Block) -> Result<(), Broken> {
    let mut level: Vec<Hash> = block.transactions.iter().map(|tx| tx.wtxid().0).collect();
    let mut twins = false;
    while level.len() > 1 {
        twins |= level.chunks(2).any(|pair| pair.len() == 2 && pair[0] == pair[1]);
        if level.len() % 2 == 1 {
            level.push(level[level.len() - 1]);
        }
        level = level
            .chunks(2)
            .map(|pair| Hash::sha256d(&[pair[0].0, pair[1].0].concat()))
            .collect();
    }
    let root = level.first().copied().unwrap_or(Hash::ZERO);
    if root != block.header.merkle_root {
        let detail = format!("transactions hash to {root}, not {}", block.header.merkle_root);
        return Err(("bad-txnmrklroot", detail));
    }
    if twins {
        return Err((
            "bad-txns-duplicate",
            "two equal neighbours in the merkle tree".to_owned(),
        ));
    }
    Ok(())
}
