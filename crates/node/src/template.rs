//! Blocks for miners outside the node: all but the coinbase, which is theirs to write.

use base::Time;
use chain::{Amount, Draft, Ledger, Txid};

use crate::Node;
use crate::limits::OPEN_COINBASE_BYTES;

/// A block to be mined, without its coinbase's outputs and tag. Whoever fills them in keeps to [`OPEN_COINBASE_BYTES`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenTemplate {
    /// Parent, height, bits, the node's clock or the earliest time allowed, and transactions, parents before children.
    pub draft: Draft,
    /// What each transaction pays, in their order.
    pub fees: Vec<Amount>,
    /// What the coinbase may create: subsidy and fees.
    pub reward: Amount,
    /// The earliest time the block may have.
    pub earliest_time: u32,
}

impl Node {
    pub(crate) fn open_template(&self, ledger: &Ledger, now: Time) -> OpenTemplate {
        let tip = self.knowledge.tip();
        let earliest_time = ledger.earliest_time(tip);
        let clock = u32::try_from(self.clock.unix_secs(now)).unwrap_or(u32::MAX);
        let mut draft = ledger.draft(tip, clock.max(earliest_time));
        let room = u64::from(ledger.params().max_block_bytes).saturating_sub(OPEN_COINBASE_BYTES);
        let selection = self.pool.select(room);
        let fee = |txid: &Txid| self.pool.look(txid).map_or(Amount::ZERO, |pooled| pooled.fee);
        let txids = selection.transactions.iter().map(|transaction| transaction.txid());
        let fees = txids.map(|txid| fee(&txid)).collect();
        let reward = Amount::total([ledger.subsidy(draft.height), selection.fees]);
        draft.transactions = selection.transactions;
        OpenTemplate {
            draft,
            fees,
            reward: reward.expect("fees are paid from money there is, and money is bounded"),
            earliest_time,
        }
    }
}
