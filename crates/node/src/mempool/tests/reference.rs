//! A mempool without a thought for speed: plain lists, everything found anew whenever it is asked for.
//!
//! The rules are those of Bitcoin Core's `doc/policy/mempool-replacements.md`, `mempool-limits.md` and of [`crate::limits`], written down once
//! more. Shares with the real one the memory that a transaction counts for, and nothing else.

use std::cmp::Ordering;
use std::sync::Arc;

use base::Time;
use chain::{Block, OutPoint, Transaction, TxOutput, Txid};

use crate::limits::{FLOOR_HALF_LIFE, MAX_ANCESTORS, MAX_DESCENDANTS, MAX_REPLACED, MEMPOOL_EXPIRY};
use crate::mempool::memory_of;

/// A transaction, and whether the owners of what it spends signed it.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) transaction: Arc<Transaction>,
    pub(super) is_signed: bool,
}

/// One that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) transaction: Arc<Transaction>,
    pub(super) fee: u64,
    pub(super) added: Time,
}

/// A fee over bytes.
type Rate = (u64, u64);

fn compare(left: Rate, right: Rate) -> Ordering {
    (u128::from(left.0) * u128::from(right.1)).cmp(&(u128::from(right.0) * u128::from(left.1)))
}

fn owed(rate: u64, bytes: u64) -> u64 {
    (rate * bytes).div_ceil(1_000)
}

/// The blocks of a chain above its genesis block, and what can be asked of them.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) maturity: u32,
}

/// A coin: the output, the height of its block, and whether a coinbase made it.
type Coin = (TxOutput, u32, bool);

impl History {
    /// The height of the next block.
    fn next(&self) -> u32 {
        u32::try_from(self.blocks.len()).expect("short") + 1
    }

    fn transactions(&self) -> impl Iterator<Item = (u32, &Arc<Transaction>)> {
        (1..)
            .zip(&self.blocks)
            .flat_map(|(height, block)| block.transactions.iter().map(move |one| (height, one)))
    }

    fn holds(&self, txid: &Txid) -> bool {
        self.transactions().any(|(_, one)| one.txid() == *txid)
    }

    fn has_spent(&self, outpoint: &OutPoint) -> bool {
        self.transactions().any(|(_, one)| one.inputs().contains(outpoint))
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        let (height, made) = self.transactions().find(|(_, one)| one.txid() == outpoint.txid)?;
        let output = *made.outputs().get(outpoint.index as usize)?;
        (!self.has_spent(outpoint)).then_some((output, height, made.is_coinbase()))
    }

    fn is_ripe(&self, (_, height, is_coinbase): Coin) -> bool {
        !is_coinbase || height + self.maturity <= self.next()
    }

    /// Those of the offered that the next block may hold, in this order, within so many bytes.
    pub(super) fn fitting(&self, offered: &[&Offered], room: u64) -> Vec<Arc<Transaction>> {
        let mut taken: Vec<Arc<Transaction>> = Vec::new();
        for one in offered.iter().filter(|one| one.is_signed) {
            let transaction = &one.transaction;
            let coin = |outpoint: &OutPoint| {
                if taken.iter().any(|other| other.inputs().contains(outpoint)) {
                    return None;
                }
                let made = taken.iter().find(|other| other.txid() == outpoint.txid);
                let fresh = made.and_then(|made| made.outputs().get(outpoint.index as usize));
                let fresh = fresh.map(|output| (*output, self.next(), false));
                fresh.or_else(|| self.coin(outpoint)).filter(|coin| self.is_ripe(*coin))
            };
            let coins: Option<Vec<Coin>> = transaction.inputs().iter().map(coin).collect();
            let bytes: u64 = taken.iter().map(|other| u64::from(other.bytes())).sum();
            let fits = bytes + u64::from(transaction.bytes()) <= room;
            let is_new = !self.holds(&transaction.txid()) && taken.iter().all(|it| it.txid() != transaction.txid());
            if fits && is_new && coins.is_some_and(|coins| fee(transaction, &coins).is_some()) {
                taken.push(Arc::clone(transaction));
            }
        }
        taken
    }
}

/// What the inputs are worth more than the outputs; none when it is less.
fn fee(transaction: &Transaction, coins: &[Coin]) -> Option<u64> {
    let inputs: u64 = coins.iter().map(|(output, ..)| output.value.units()).sum();
    let outputs: u64 = transaction.outputs().iter().map(|output| output.value.units()).sum();
    inputs.checked_sub(outputs)
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) limit_bytes: usize,
    pub(super) min_relay_fee: u64,
    pub(super) history: History,
    /// In the order of arrival.
    pub(super) pool: Vec<Waiting>,
    floor: Option<(u64, Time)>,
}

impl Reference {
    pub(super) fn new(history: History, limit_bytes: usize, min_relay_fee: u64) -> Self {
        Self {
            limit_bytes,
            min_relay_fee,
            history,
            pool: Vec::new(),
            floor: None,
        }
    }

    /// Takes a transaction in, or says why not.
    pub(super) fn submit(&mut self, offered: &Offered, now: Time) -> Result<(), &'static str> {
        let fee = self.check(offered, now)?;
        let leaving = self.leaving(&offered.transaction);
        self.remove(&leaving);
        self.push(&offered.transaction, fee, now);
        self.trim(now);
        match self.find(&offered.transaction.txid()) {
            Some(_) => Ok(()),
            None => Err("mempool-full"),
        }
    }

    /// A block joins the chain.
    pub(super) fn extend(&mut self, block: &Arc<Block>) {
        self.history.blocks.push(Arc::clone(block));
        for transaction in &block.transactions {
            self.remove(&[transaction.txid()]);
            let lost = self.leaving(transaction);
            self.remove(&lost);
        }
    }

    /// The chain is left above a height, and goes on with these blocks.
    pub(super) fn reorg(&mut self, height: usize, blocks: &[Arc<Block>], now: Time) {
        let left = self.history.blocks.split_off(height);
        self.history.blocks.extend(blocks.iter().cloned());
        let waiting = std::mem::take(&mut self.pool);
        for transaction in left.iter().flat_map(|block| &block.transactions) {
            self.readmit(transaction, now);
        }
        for one in waiting {
            self.readmit(&one.transaction, one.added);
        }
        self.trim(now);
    }

    /// What has waited too long leaves, and what stands on it.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(late) = self.pool.iter().find(|one| one.added + MEMPOOL_EXPIRY <= now) {
            let lost = self.descendants(&late.transaction.txid());
            self.remove(&lost);
        }
    }

    fn check(&self, offered: &Offered, now: Time) -> Result<u64, &'static str> {
        let transaction = &offered.transaction;
        if self.find(&transaction.txid()).is_some() {
            return Err("txn-already-in-mempool");
        }
        if self.history.holds(&transaction.txid()) {
            return Err("txn-already-known");
        }
        let coins = self.coins(transaction)?;
        let is_ripe = coins.iter().all(|coin| self.history.is_ripe(*coin));
        let Some(fee) = fee(transaction, &coins) else {
            let young = "bad-txns-premature-spend-of-coinbase";
            return Err(if is_ripe { "bad-txns-in-belowout" } else { young });
        };
        self.check_replacement(transaction, fee)?;
        self.check_families(transaction)?;
        if fee < owed(self.min_fee(now), u64::from(transaction.bytes())) {
            return Err("mempool-min-fee-not-met");
        }
        if !is_ripe {
            return Err("bad-txns-premature-spend-of-coinbase");
        }
        if !offered.is_signed {
            return Err("bad-signature");
        }
        Ok(fee)
    }

    fn coins(&self, transaction: &Transaction) -> Result<Vec<Coin>, &'static str> {
        let mut coins = Vec::new();
        let mut missing = Vec::new();
        for outpoint in transaction.inputs() {
            let parent = self.find(&outpoint.txid);
            let fresh = parent.and_then(|parent| parent.transaction.outputs().get(outpoint.index as usize));
            let fresh = fresh.map(|output| (*output, self.history.next(), false));
            match fresh.or_else(|| self.history.coin(outpoint)) {
                Some(coin) => coins.push(coin),
                None => missing.push(outpoint),
            }
        }
        let is_wrong = |outpoint: &&OutPoint| {
            let parent_is_known = self.find(&outpoint.txid).is_some() || self.history.holds(&outpoint.txid);
            parent_is_known || self.history.has_spent(outpoint)
        };
        if missing.iter().any(is_wrong) {
            return Err("bad-txns-inputs-missingorspent");
        }
        if missing.is_empty() {
            Ok(coins)
        } else {
            Err("missing-inputs")
        }
    }

    fn check_replacement(&self, transaction: &Transaction, fee: u64) -> Result<(), &'static str> {
        let direct = self.rivals(transaction);
        if direct.is_empty() {
            return Ok(());
        }
        let leaving = self.leaving(transaction);
        if fee <= self.fees(&direct) {
            return Err("txn-mempool-conflict");
        }
        if leaving.len() > MAX_REPLACED {
            return Err("insufficient-fee");
        }
        for outpoint in transaction.inputs() {
            if leaving.contains(&outpoint.txid) {
                return Err("txn-mempool-conflict");
            }
            let was_spent = direct.iter().any(|rival| self.parents(rival).contains(&outpoint.txid));
            if self.find(&outpoint.txid).is_some() && !was_spent {
                return Err("insufficient-fee");
            }
        }
        let bytes = u64::from(transaction.bytes());
        let replaced = self.fees(&leaving);
        let pays_for_relay = fee > replaced && fee >= replaced + owed(self.min_relay_fee, bytes);
        let outbids = direct.iter().all(|rival| {
            let rival = self.find(rival).expect("it waits");
            let rate = (rival.fee, u64::from(rival.transaction.bytes()));
            compare((fee, bytes), rate) == Ordering::Greater
        });
        if pays_for_relay && outbids {
            Ok(())
        } else {
            Err("insufficient-fee")
        }
    }

    fn check_families(&self, transaction: &Transaction) -> Result<(), &'static str> {
        let leaving = self.leaving(transaction);
        let mut ancestors: Vec<Txid> = Vec::new();
        for outpoint in transaction.inputs() {
            ancestors.extend(self.ancestors(&outpoint.txid));
        }
        ancestors.sort_unstable();
        ancestors.dedup();
        let is_crowded = ancestors.iter().any(|ancestor| {
            let family = self.descendants(ancestor);
            let staying = family.iter().filter(|one| !leaving.contains(one)).count();
            staying + 1 > MAX_DESCENDANTS
        });
        if ancestors.len() + 1 > MAX_ANCESTORS || is_crowded {
            return Err("too-long-mempool-chain");
        }
        Ok(())
    }

    /// Takes back what was let in before, if the chain allows it and nobody else has its coins.
    fn readmit(&mut self, transaction: &Arc<Transaction>, added: Time) {
        let txid = transaction.txid();
        if transaction.is_coinbase() || self.find(&txid).is_some() || self.history.holds(&txid) {
            return;
        }
        let Ok(coins) = self.coins(transaction) else { return };
        let is_ripe = coins.iter().all(|coin| self.history.is_ripe(*coin));
        let is_alone = self.rivals(transaction).is_empty();
        if let Some(fee) = fee(transaction, &coins)
            && is_ripe
            && is_alone
            && self.check_families(transaction).is_ok()
        {
            self.push(transaction, fee, added);
        }
    }

    /// The least valuable go, with all that stands on them, until there is room; of equals the latest.
    fn trim(&mut self, now: Time) {
        while self.bytes() > self.limit_bytes {
            let mut least = self.pool[0].transaction.txid();
            for one in &self.pool[1..] {
                let txid = one.transaction.txid();
                if compare(self.value(&txid), self.value(&least)) != Ordering::Greater {
                    least = txid;
                }
            }
            let (fee, bytes) = self.value(&least);
            let rate = (fee * 1_000).div_ceil(bytes) + self.min_relay_fee;
            if rate >= self.floor_at(now) {
                self.floor = Some((rate, now));
            }
            let lost = self.descendants(&least);
            self.remove(&lost);
        }
    }

    /// What a block of this room takes: again and again the package that pays the best rate for what is not taken yet.
    pub(super) fn select(&self, room: u64) -> Vec<Txid> {
        let mut taken: Vec<Txid> = Vec::new();
        let mut left = room;
        loop {
            let mut best: Option<(Rate, Vec<Txid>)> = None;
            for one in &self.pool {
                let txid = one.transaction.txid();
                let mut package = self.ancestors(&txid);
                package.retain(|member| !taken.contains(member));
                let bytes = self.size(&package);
                let rate = (self.fees(&package), bytes);
                let is_better = best
                    .as_ref()
                    .is_none_or(|(other, _)| compare(rate, *other) == Ordering::Greater);
                if !taken.contains(&txid) && bytes <= left && is_better {
                    best = Some((rate, package));
                }
            }
            let Some((_, mut package)) = best else { break };
            left -= self.size(&package);
            package.sort_by_key(|txid| self.pool.iter().position(|one| one.transaction.txid() == *txid));
            taken.extend(package);
        }
        taken
    }

    fn push(&mut self, transaction: &Arc<Transaction>, fee: u64, added: Time) {
        self.pool.push(Waiting {
            transaction: Arc::clone(transaction),
            fee,
            added,
        });
    }

    fn remove(&mut self, txids: &[Txid]) {
        self.pool.retain(|one| !txids.contains(&one.transaction.txid()));
    }

    pub(super) fn find(&self, txid: &Txid) -> Option<&Waiting> {
        self.pool.iter().find(|one| one.transaction.txid() == *txid)
    }

    /// Whether a coin is there, confirmed or not, whoever else wants it.
    pub(super) fn has(&self, outpoint: &OutPoint) -> bool {
        let parent = self.find(&outpoint.txid);
        let is_fresh = parent.is_some_and(|parent| (outpoint.index as usize) < parent.transaction.outputs().len());
        is_fresh || self.history.coin(outpoint).is_some()
    }

    pub(super) fn spender(&self, outpoint: &OutPoint) -> Option<&Waiting> {
        self.pool.iter().find(|one| one.transaction.inputs().contains(outpoint))
    }

    pub(super) fn bytes(&self) -> usize {
        self.pool.iter().map(|one| memory_of(&one.transaction)).sum()
    }

    fn floor_at(&self, now: Time) -> u64 {
        self.floor.map_or(0, |(rate, raised)| {
            let halvings = now.since(raised).as_secs() / FLOOR_HALF_LIFE.as_secs();
            (0..halvings.min(64)).fold(rate, |rate, _| rate / 2)
        })
    }

    pub(super) fn min_fee(&self, now: Time) -> u64 {
        self.floor_at(now).max(self.min_relay_fee)
    }

    /// Those that spend a coin of this one's.
    fn rivals(&self, transaction: &Transaction) -> Vec<Txid> {
        let spends = |one: &&Waiting| {
            one.transaction
                .inputs()
                .iter()
                .any(|outpoint| transaction.inputs().contains(outpoint))
        };
        let rivals = self.pool.iter().filter(spends);
        rivals.map(|one| one.transaction.txid()).collect()
    }

    /// They, and all that stands on them.
    fn leaving(&self, transaction: &Transaction) -> Vec<Txid> {
        let rivals = self.rivals(transaction);
        let mut leaving: Vec<Txid> = rivals.iter().flat_map(|rival| self.descendants(rival)).collect();
        leaving.sort_unstable();
        leaving.dedup();
        leaving
    }

    fn parents(&self, txid: &Txid) -> Vec<Txid> {
        let one = self.find(txid).expect("it waits");
        let parents = one.transaction.inputs().iter().map(|outpoint| outpoint.txid);
        parents.filter(|parent| self.find(parent).is_some()).collect()
    }

    /// All that it stands on, itself included; nothing when it does not wait.
    pub(super) fn ancestors(&self, txid: &Txid) -> Vec<Txid> {
        self.grown(txid, |member| self.parents(member))
    }

    /// All that stands on it, itself included; nothing when it does not wait.
    pub(super) fn descendants(&self, txid: &Txid) -> Vec<Txid> {
        self.grown(txid, |member| {
            let spends = |one: &&Waiting| one.transaction.inputs().iter().any(|outpoint| outpoint.txid == *member);
            let children = self.pool.iter().filter(spends);
            children.map(|one| one.transaction.txid()).collect()
        })
    }

    /// Adds whoever is next to a member until nobody is.
    fn grown(&self, txid: &Txid, next: impl Fn(&Txid) -> Vec<Txid>) -> Vec<Txid> {
        let mut members: Vec<Txid> = self.find(txid).map(|_| *txid).into_iter().collect();
        let mut at = 0;
        while let Some(member) = members.get(at).copied() {
            for other in next(&member) {
                if !members.contains(&other) {
                    members.push(other);
                }
            }
            at += 1;
        }
        members
    }

    pub(super) fn fees(&self, txids: &[Txid]) -> u64 {
        txids.iter().filter_map(|txid| self.find(txid)).map(|one| one.fee).sum()
    }

    pub(super) fn size(&self, txids: &[Txid]) -> u64 {
        let waiting = txids.iter().filter_map(|txid| self.find(txid));
        waiting.map(|one| u64::from(one.transaction.bytes())).sum()
    }

    /// The better of its own rate and that of it and all its descendants.
    fn value(&self, txid: &Txid) -> Rate {
        let family = self.descendants(txid);
        let own = (self.fees(&[*txid]), self.size(&[*txid]));
        let all = (self.fees(&family), self.size(&family));
        if compare(all, own) == Ordering::Greater {
            all
        } else {
            own
        }
    }
}
