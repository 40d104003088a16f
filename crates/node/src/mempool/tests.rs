//! The mempool on top of a short chain: [`Fixture`] makes the transactions and checks that the maps agree.

mod differential;
mod holders;
mod reference;
mod room;
mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Time;
use chain::{Amount, Coin, Height, OutPoint, Transaction, TxOutput};

use super::*;

use crate::testing::{World, key};

/// A chain with a few ripe coins of node 0, and a mempool on top of it.
struct Fixture {
    world: World,
    pool: Mempool,
    now: Time,
}

impl Fixture {
    fn new(blocks: u32) -> Self {
        Self::with_room(blocks, usize::MAX)
    }

    fn with_room(blocks: u32, limit_bytes: usize) -> Self {
        let mut world = World::new(1);
        world.mine(0, blocks + 1);
        let pool = Mempool::new(limit_bytes, 1_000, [1, 2]);
        Self {
            world,
            pool,
            now: Time::ZERO,
        }
    }

    fn admit(&mut self, transaction: &Arc<Transaction>) -> Result<Admitted, Refusal> {
        let tip = self.world.nodes[0].view().tip();
        let mut chain = Chain {
            ledger: &mut self.world.ledgers[0],
            tip,
        };
        self.pool.admit(&mut chain, self.now, transaction)
    }

    /// Takes back what an abandoned block held.
    fn readmit(&mut self, transaction: &Arc<Transaction>) -> Result<(), Refusal> {
        let tip = self.world.nodes[0].view().tip();
        let mut chain = Chain {
            ledger: &mut self.world.ledgers[0],
            tip,
        };
        self.pool.readmit(&mut chain, self.now, transaction)
    }

    /// Admits what must be admitted.
    fn add(&mut self, transaction: &Arc<Transaction>) {
        let admitted = self.admit(transaction).expect("valid and paying");
        assert!(admitted.kept.is_some() && admitted.replaced.is_empty());
        self.check_links();
    }

    fn word(&mut self, transaction: &Arc<Transaction>) -> &'static str {
        let before = self.pool.bytes();
        let refusal = self.admit(transaction).expect_err("it must be refused");
        assert_eq!(self.pool.bytes(), before, "a refusal changes nothing");
        refusal.word()
    }

    /// The coin of the block at a height, spent for a fee.
    fn spend(&self, height: u32, fee: u64) -> Arc<Transaction> {
        self.world.spend(0, height, fee, 0)
    }

    /// The first output of an own transaction, spent for a fee.
    fn child(&self, parent: &Transaction, fee: u64) -> Arc<Transaction> {
        self.world.spend_output(0, parent.outpoint(0), parent, (fee, 0))
    }

    /// The coin of the block at a height, split in equal parts.
    fn split(&self, height: u32, parts: u64, fee: u64) -> Arc<Transaction> {
        let coinbase = &self.world.block(0, height).transactions[0];
        let value = Amount::from_units((coinbase.outputs()[0].value.units() - fee) / parts);
        let outputs = (0..parts)
            .map(|_| TxOutput {
                value,
                owner: key(0).owner(),
            })
            .collect();
        self.sign(vec![(coinbase.outpoint(0), coinbase.outputs()[0])], outputs)
    }

    /// Several outputs of own transactions merged into one.
    fn merge(&self, parents: &[(&Transaction, u32)], fee: u64) -> Arc<Transaction> {
        let spent: Vec<(OutPoint, TxOutput)> = parents
            .iter()
            .map(|(parent, index)| (parent.outpoint(*index), parent.outputs()[*index as usize]))
            .collect();
        let sum: u64 = spent.iter().map(|(_, output)| output.value.units()).sum();
        let output = TxOutput {
            value: Amount::from_units(sum - fee),
            owner: key(0).owner(),
        };
        self.sign(spent, vec![output])
    }

    fn sign(&self, spent: Vec<(OutPoint, TxOutput)>, outputs: Vec<TxOutput>) -> Arc<Transaction> {
        let (inputs, spent): (Vec<_>, Vec<_>) = spent.into_iter().unzip();
        let coin = |output| Coin {
            output,
            height: Height(0),
            coinbase: false,
        };
        let coins: Vec<Coin> = spent.into_iter().map(coin).collect();
        let ledger = self.world.ledger(0);
        let genesis = ledger.id(ledger.genesis());
        Arc::new(Transaction::payment(inputs, outputs, b"").sign(&key(0), genesis, &coins))
    }

    fn check_links(&self) {
        check_links(&self.pool);
    }
}

/// Parents, children, spent coins, sizes and values agree with one another.
fn check_links(pool: &Mempool) {
    let mut spent = 0;
    for entry in pool.entries.iter() {
        let txid = entry.transaction.txid();
        let inputs = entry.transaction.inputs().iter();
        let parents: BTreeSet<Txid> = inputs
            .map(|outpoint| outpoint.txid)
            .filter(|txid| pool.entries.contains(txid))
            .collect();
        assert_eq!(pool.entries.names(entry.parents()), parents);
        assert_eq!(entry.parents().len(), parents.len());
        for parent in &parents {
            let children = pool.entries[parent].children();
            assert!(pool.entries.names(children).contains(&txid));
        }
        let row = pool.entries.find(&txid).expect("it is here");
        let mut children = entry.children().iter();
        assert!(children.all(|child| pool.entries.here(*child).parents().contains(&row)));
        for outpoint in entry.transaction.inputs() {
            assert_eq!(pool.spender(outpoint), Some(txid));
            spent += 1;
        }
        let family = pool.descendants(&txid);
        assert_eq!(entry.descendants(), family.len());
        let fee = family.iter().map(|txid| pool.entries[txid].fee.units()).sum();
        let bytes = family
            .iter()
            .map(|txid| u64::from(pool.entries[txid].transaction.bytes()))
            .sum();
        let package = FeeRate::new(Amount::from_units(fee), bytes);
        if let Some(by_value) = &pool.by_value {
            assert_eq!(by_value.get(&txid, entry.sequence), Some(package.max(entry.rate())));
        }
    }
    let count = pool.entries.len();
    assert_eq!((pool.entries.coins(), pool.entries.iter().count()), (spent, count));
    assert!(pool.by_value.as_ref().is_none_or(|by_value| by_value.len() == count));
    check_ages(pool);
    let bytes: usize = pool.iter().map(|transaction| memory_of(transaction)).sum();
    assert_eq!(pool.bytes, bytes);
}

/// Every transaction has its place by age, those that left are few, and the first has not left.
fn check_ages(pool: &Mempool) {
    let here = |(added, sequence, row): &(Time, u64, u32)| {
        let entry = pool.entries.at(*row).filter(|entry| entry.sequence == *sequence);
        entry.is_some_and(|entry| entry.added == *added)
    };
    let count = pool.entries.len();
    assert_eq!(pool.by_age.iter().filter(here).count(), count);
    assert!(pool.by_age.iter().count() <= 2 * count + 65);
    let first = pool.entries.iter().map(|entry| (entry.added, entry.sequence)).min();
    let row = pool.by_age.first().map(|(_, row)| row);
    let oldest = row.map(|row| pool.entries.at(row).expect("it has not left"));
    assert_eq!(oldest.map(|entry| (entry.added, entry.sequence)), first);
}
