//! Who may enter a mempool: the checks, the cheap before the costly, and what gives way.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::Time;
use chain::{Amount, BlockRef, Coin, Height, Ledger, OutPoint, Reject, Transaction, Txid, limits};

use super::rate::{FeeRate, fee_at};
use super::{Evicted, Mempool, Refusal};
use crate::event::Conflict;
use crate::limits::{MAX_ANCESTORS, MAX_DESCENDANTS, MAX_REPLACED};

/// The chain that transactions are checked against.
pub(crate) struct Chain<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) tip: BlockRef,
}

impl Chain<'_> {
    /// The height of the next block.
    fn height(&self) -> Height {
        self.ledger.height(self.tip).next()
    }
}

/// What became of a mempool when a transaction passed all checks.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) fee: Amount,
    /// Those that it replaced, and their fees.
    pub(crate) replaced: Vec<(Txid, Amount)>,
    /// Those that left for lack of room.
    pub(crate) evicted: Vec<Evicted>,
    /// Its row, if it stayed itself: in a full mempool it may be the one that pays least.
    pub(crate) kept: Option<u32>,
}

/// Unconfirmed transactions that would have to leave.
#[derive(Default)]
struct Rivals {
    /// Those that spend the same coins, and their descendants.
    leaving: BTreeSet<Txid>,
    /// Those that spend the same coins.
    direct: BTreeSet<Txid>,
    /// The first coin both want.
    conflict: Option<Conflict>,
}

impl Mempool {
    /// What a transaction from a peer or a wallet pays and whom it replaces, under all rules of consensus and policy.
    fn check(
        &self,
        chain: &mut Chain<'_>,
        now: Time,
        transaction: &Arc<Transaction>,
    ) -> Result<(Amount, Rivals), Refusal> {
        self.check_names(chain, transaction)?;
        chain.ledger.check_structure(transaction).map_err(Refusal::Broken)?;
        let coins = self.gather_coins(chain, transaction)?;
        let fee = estimate_fee(chain, transaction, &coins)?;
        let rivals = self.rivals(transaction);
        self.check_replacement(transaction, fee, &rivals)?;
        self.check_chain_limits(transaction, &rivals)?;
        self.check_min_fee(transaction, fee, now)?;
        chain
            .ledger
            .check_transaction(transaction, &coins, chain.height())
            .map_err(Refusal::Broken)?;
        Ok((fee, rivals))
    }

    /// What a transaction would pay if it were let in now, or why it would not be. Changes nothing.
    pub(crate) fn would_admit(
        &self,
        chain: &mut Chain<'_>,
        now: Time,
        transaction: &Arc<Transaction>,
    ) -> Result<Amount, Refusal> {
        self.check(chain, now, transaction).map(|(fee, _)| fee)
    }

    /// Takes in a transaction from a peer or a wallet, under all rules of consensus and policy.
    pub(crate) fn admit(
        &mut self,
        chain: &mut Chain<'_>,
        now: Time,
        transaction: &Arc<Transaction>,
    ) -> Result<Admitted, Refusal> {
        let (fee, rivals) = self.check(chain, now, transaction)?;
        let replaced = rivals
            .leaving
            .iter()
            .filter_map(|txid| self.entries.get(txid).map(|entry| (*txid, entry.fee)))
            .collect();
        for txid in &rivals.direct {
            self.remove_with_descendants(txid);
        }
        let txid = transaction.txid();
        let row = self.insert(Arc::clone(transaction), fee, now);
        let mut evicted = self.trim(now);
        let kept = (!evicted.contains(&txid)).then_some(row);
        evicted.retain(|evicted| *evicted != txid);
        Ok(Admitted {
            fee,
            replaced,
            evicted: evicted
                .into_iter()
                .map(|txid| Evicted::new(txid, "mempool-full"))
                .collect(),
            kept,
        })
    }

    /// Takes back a transaction after a reorg. It was let in before, so policy is not asked again: only what the new chain allows counts.
    pub(crate) fn readmit(
        &mut self,
        chain: &mut Chain<'_>,
        added: Time,
        transaction: &Arc<Transaction>,
    ) -> Result<(), Refusal> {
        self.check_names(chain, transaction)?;
        let coins = self.gather_coins(chain, transaction)?;
        let rivals = self.rivals(transaction);
        if let Some(conflict) = rivals.conflict {
            return Err(Refusal::Conflict(Box::new(conflict)));
        }
        // A block may hold chains that no mempool would have taken; they do not come back whole.
        self.check_chain_limits(transaction, &rivals)?;
        let fee = chain
            .ledger
            .check_transaction(transaction, &coins, chain.height())
            .map_err(Refusal::Broken)?;
        self.insert(Arc::clone(transaction), fee, added);
        Ok(())
    }

    /// Brings a mempool that was refilled after a reorg back under its limit.
    pub(crate) fn make_room(&mut self, now: Time) -> Vec<Evicted> {
        let evicted = self.trim(now);
        evicted
            .into_iter()
            .map(|txid| Evicted::new(txid, "mempool-full"))
            .collect()
    }

    fn check_names(&self, chain: &Chain<'_>, transaction: &Transaction) -> Result<(), Refusal> {
        if transaction.is_coinbase() {
            return Err(Refusal::Coinbase);
        }
        // By txid: a copy with other signatures spends the same coins, and the first is as good.
        if self.entries.contains(&transaction.txid()) {
            return Err(Refusal::AlreadyInMempool);
        }
        if let Some(block) = chain.ledger.confirmation(&transaction.txid(), chain.tip) {
            let block = chain.ledger.id(block);
            return Err(Refusal::AlreadyKnown { block });
        }
        let slots = transaction.inputs().len() + transaction.outputs().len();
        if transaction.bytes() > limits::MAX_TRANSACTION_BYTES || slots > limits::MAX_TRANSACTION_SLOTS {
            return Err(Refusal::Broken(Reject::BadTxnsOversize {
                bytes: transaction.bytes(),
                slots,
            }));
        }
        Ok(())
    }

    /// The coins that the inputs name, confirmed or not; a coin spent on the chain names its spender.
    fn gather_coins(&self, chain: &Chain<'_>, transaction: &Transaction) -> Result<Vec<Coin>, Refusal> {
        let mut coins = Vec::with_capacity(transaction.inputs().len());
        let mut missing = Vec::new();
        for outpoint in transaction.inputs() {
            match self.coin(chain, outpoint) {
                Some(coin) => coins.push(coin),
                None => missing.push(*outpoint),
            }
        }
        for outpoint in &missing {
            if let Some((txid, block)) = chain.ledger.spender(outpoint, chain.tip) {
                let conflict = Conflict {
                    txid,
                    outpoint: *outpoint,
                    block: Some(chain.ledger.id(block)),
                };
                return Err(Refusal::Spent(Box::new(conflict)));
            }
            let parent_is_known =
                self.entries.contains(&outpoint.txid) || chain.ledger.confirmation(&outpoint.txid, chain.tip).is_some();
            if parent_is_known {
                let outpoint = *outpoint;
                return Err(Refusal::Broken(Reject::BadTxnsInputsMissingorspent { outpoint }));
            }
        }
        if missing.is_empty() {
            Ok(coins)
        } else {
            Err(Refusal::MissingInputs(missing))
        }
    }

    fn coin(&self, chain: &Chain<'_>, outpoint: &OutPoint) -> Option<Coin> {
        let unconfirmed = self.output(outpoint).map(|output| Coin {
            output,
            height: chain.height(),
            coinbase: false,
        });
        unconfirmed.or_else(|| chain.ledger.coin(outpoint, chain.tip))
    }

    fn rivals(&self, transaction: &Transaction) -> Rivals {
        let mut rivals = Rivals::default();
        for outpoint in transaction.inputs() {
            let Some(txid) = self.spender(outpoint) else {
                continue;
            };
            rivals.conflict.get_or_insert(Conflict {
                txid,
                outpoint: *outpoint,
                block: None,
            });
            if rivals.direct.insert(txid) {
                rivals.leaving.extend(self.descendants(&txid));
            }
        }
        rivals
    }

    /// Replacement by higher fee, after BIP125 without its opt-in: a higher rate than each rival's, a fee above the sum of all that leaves
    /// by what relaying the newcomer costs, a bound on how much leaves, and no unconfirmed coin that the rivals did not spend.
    fn check_replacement(&self, transaction: &Transaction, fee: Amount, rivals: &Rivals) -> Result<(), Refusal> {
        let Some(conflict) = rivals.conflict.map(Box::new) else {
            return Ok(());
        };
        let fees = |txids: &BTreeSet<Txid>| {
            let units = txids.iter().map(|txid| self.entries[txid].fee.units()).sum();
            Amount::from_units(units)
        };
        if fee <= fees(&rivals.direct) {
            return Err(Refusal::Conflict(conflict));
        }
        let count = rivals.leaving.len();
        if count > MAX_REPLACED {
            return Err(Refusal::TooManyReplaced { count, conflict });
        }
        for outpoint in transaction.inputs() {
            if rivals.leaving.contains(&outpoint.txid) {
                return Err(Refusal::Conflict(conflict));
            }
            let is_parent_of = |rival: &Txid, row: u32| self.entries[rival].parents().contains(&row);
            let parent = self.entries.find(&outpoint.txid);
            let is_new = parent.is_some_and(|row| !rivals.direct.iter().any(|rival| is_parent_of(rival, row)));
            if is_new {
                let outpoint = *outpoint;
                return Err(Refusal::NewUnconfirmedInput { outpoint, conflict });
            }
        }
        let replaced = fees(&rivals.leaving);
        let bytes = u64::from(transaction.bytes());
        let relay = fee_at(self.min_relay_fee, bytes);
        let required = Amount::from_units(replaced.units().saturating_add(relay.units()));
        let rate = FeeRate::new(fee, bytes);
        let outbid = rivals.direct.iter().all(|rival| rate > self.entries[rival].rate());
        if fee < required || fee == replaced || !outbid {
            return Err(Refusal::InsufficientFee {
                fee,
                replaced,
                required,
                conflict,
            });
        }
        Ok(())
    }

    fn check_chain_limits(&self, transaction: &Transaction, rivals: &Rivals) -> Result<(), Refusal> {
        let mut ancestors = Vec::new();
        for outpoint in transaction.inputs() {
            if let Some(row) = self.entries.find(&outpoint.txid) {
                self.entries.add_ancestors(row, &mut ancestors);
            }
            if ancestors.len() >= MAX_ANCESTORS {
                // Enough to refuse it: what else it stands on need not be looked at.
                let ancestors = ancestors.len() + 1;
                return Err(Refusal::TooLongChain {
                    ancestors,
                    descendants: 1,
                });
            }
        }
        let staying = |ancestor: &u32| {
            let ancestor = self.entries.here(*ancestor);
            if rivals.leaving.is_empty() {
                ancestor.descendants()
            } else {
                let all = self.descendants(&ancestor.transaction.txid());
                all.difference(&rivals.leaving).count()
            }
        };
        let descendants = ancestors
            .iter()
            .map(|ancestor| staying(ancestor) + 1)
            .max()
            .unwrap_or(1);
        let ancestors = ancestors.len() + 1;
        if ancestors > MAX_ANCESTORS || descendants > MAX_DESCENDANTS {
            return Err(Refusal::TooLongChain { ancestors, descendants });
        }
        Ok(())
    }

    fn check_min_fee(&self, transaction: &Transaction, fee: Amount, now: Time) -> Result<(), Refusal> {
        let required = fee_at(self.min_fee(now), u64::from(transaction.bytes()));
        if fee < required {
            return Err(Refusal::FeeTooLow { fee, required });
        }
        Ok(())
    }
}

/// The fee, before signatures are looked at; when the amounts make no sense, the rule that they break.
fn estimate_fee(chain: &mut Chain<'_>, transaction: &Transaction, coins: &[Coin]) -> Result<Amount, Refusal> {
    let inputs = Amount::total(coins.iter().map(|coin| coin.output.value));
    let outputs = Amount::total(transaction.outputs().iter().map(|output| output.value));
    match (inputs, outputs) {
        (Some(inputs), Some(outputs)) if inputs >= outputs => {
            Ok(inputs.checked_sub(outputs).expect("inputs are at least the outputs"))
        }
        _ => {
            let height = chain.height();
            chain
                .ledger
                .check_transaction(transaction, coins, height)
                .map_err(Refusal::Broken)
        }
    }
}
