//! Signatures: checked in parallel when there are many, and not again when they are known to be good.

use base::Hash;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::limits::{MAX_REMEMBERED_SIGNATURES, PARALLEL_SIGNATURES};
use crate::{BlockId, Coin, Owner, Reject, Signature, Transaction, Wtxid};

/// A transaction and the coins it spends, in the order of its inputs.
pub(super) struct Spend<'a> {
    pub(super) transaction: &'a Transaction,
    pub(super) coins: Vec<Coin>,
}

/// One signature to check.
struct Check {
    input: usize,
    owner: Owner,
    message: Hash,
    signature: Signature,
}

impl Check {
    fn holds(&self) -> bool {
        self.owner.verifies(&self.message, &self.signature)
    }
}

/// Checks signatures for one network and remembers the transactions whose are all good.
///
/// A wtxid commits to the signatures and, through the txids its inputs name, to the outputs they spend, so it says all there is to
/// say. Only good ones are remembered: a fault costs its sender more than the repeated check costs us.
///
/// Memory is bounded by two generations: when the younger is full it becomes the older, which is forgotten.
#[derive(Debug)]
pub(super) struct Signatures {
    genesis: BlockId,
    younger: FxHashSet<Wtxid>,
    older: FxHashSet<Wtxid>,
}

impl Signatures {
    /// Nothing is remembered yet.
    pub(super) fn new(genesis: BlockId) -> Self {
        Self {
            genesis,
            younger: FxHashSet::default(),
            older: FxHashSet::default(),
        }
    }

    /// Checks every signature that is not remembered; the fault found is the first in order, however many threads look.
    pub(super) fn check(&mut self, spends: &[Spend<'_>]) -> Result<(), Reject> {
        let checks: Vec<Check> = spends
            .iter()
            .filter(|spend| !self.remembers(&spend.transaction.wtxid()))
            .flat_map(|spend| self.checks(spend))
            .collect();
        let fault = if checks.len() < PARALLEL_SIGNATURES {
            checks.iter().find(|check| !check.holds())
        } else {
            checks.par_iter().find_first(|check| !check.holds())
        };
        if let Some(check) = fault {
            return Err(Reject::BadSignature { input: check.input });
        }
        for spend in spends {
            self.remember(spend.transaction.wtxid());
        }
        Ok(())
    }

    fn checks(&self, spend: &Spend<'_>) -> Vec<Check> {
        let messages = spend.transaction.sighashes(&self.genesis, &spend.coins);
        let signatures = &spend.transaction.parts().signatures;
        assert_eq!(
            signatures.len(),
            messages.len(),
            "structure is checked before signatures"
        );
        let each = messages.into_iter().zip(signatures).zip(&spend.coins).enumerate();
        each.map(|(input, ((message, signature), coin))| Check {
            input,
            owner: coin.output.owner,
            message,
            signature: *signature,
        })
        .collect()
    }

    /// Whether all signatures of a transaction were found good of late.
    pub(super) fn are_fresh(&self, wtxid: &Wtxid) -> bool {
        self.younger.contains(wtxid)
    }

    fn remembers(&self, wtxid: &Wtxid) -> bool {
        self.younger.contains(wtxid) || self.older.contains(wtxid)
    }

    fn remember(&mut self, wtxid: Wtxid) {
        if self.younger.len() >= MAX_REMEMBERED_SIGNATURES / 2 {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(wtxid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let mut signatures = Signatures::new(BlockId::ZERO);
        let wtxid = |i: usize| Wtxid(Hash::sha256(&[&i.to_le_bytes()]));
        let count = 2 * MAX_REMEMBERED_SIGNATURES;
        for i in 0..count {
            signatures.remember(wtxid(i));
            assert!(signatures.younger.len() + signatures.older.len() <= MAX_REMEMBERED_SIGNATURES);
        }
        let kept = MAX_REMEMBERED_SIGNATURES / 2;
        assert!((count - kept..count).all(|i| signatures.remembers(&wtxid(i))));
        assert!(!signatures.remembers(&wtxid(0)));
    }
}
