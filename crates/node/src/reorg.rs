//! From one tip to another: what leaves the chain, what joins it, and what that means for unconfirmed transactions.
//!
//! The chain itself is one pointer; only the mempool has work to do.

use std::sync::Arc;

use base::Time;
use chain::{BlockRef, Transaction, Txid};

use crate::context::Context;
use crate::event::DroppedTransaction;
use crate::mempool::{Chain, Evicted, Refusal};
use crate::{Event, Node, TipChange};

/// Transactions of disconnected blocks: those that wait again, and those that cannot.
#[derive(Debug, Default)]
struct Unconfirmed {
    returned: Vec<Txid>,
    dropped: Vec<DroppedTransaction>,
}

impl Node {
    /// Follows another connected block.
    pub(crate) fn switch(&mut self, cx: &mut Context<'_>, new: BlockRef) {
        let old = self.knowledge.tip();
        let fork_point = cx.ledger.fork_point(old, new);
        let disconnected = cx.ledger.path(fork_point, old);
        let connected = cx.ledger.path(fork_point, new);
        self.knowledge.follow(new);
        self.tip_sent = None;
        let mut evicted = Vec::new();
        let how = if disconnected.is_empty() {
            for block in &connected {
                let body = body_of(cx, *block);
                evicted.extend(self.pool.confirm(&body));
            }
            TipChange::Extend
        } else {
            let unconfirmed = self.refill_mempool(cx, &disconnected, &mut evicted);
            self.emit_reorg(cx, (&disconnected, &connected), unconfirmed);
            TipChange::Reorg
        };
        let (old, new) = (cx.tip_ref(old), cx.tip_ref(new));
        cx.emit(Event::TipChanged { old, new, how });
        self.emit_evicted(cx, evicted);
        for block in &disconnected {
            self.miner.abandoned(&cx.ledger.id(*block));
        }
        for block in &connected {
            self.miner.confirmed(&cx.ledger.id(*block));
        }
        self.miner.tip_changed(cx.now, self.config.hashrate);
        self.transactions_confirmed(cx, &connected);
    }

    /// Fills the mempool anew for the present tip: first what the disconnected blocks held, oldest first, then what waited before.
    fn refill_mempool(
        &mut self,
        cx: &mut Context<'_>,
        disconnected: &[BlockRef],
        evicted: &mut Vec<Evicted>,
    ) -> Unconfirmed {
        let waiting = self.pool.take_all();
        let mut unconfirmed = Unconfirmed::default();
        for block in disconnected {
            let body = body_of(cx, *block);
            for transaction in body
                .transactions
                .iter()
                .filter(|transaction| !transaction.is_coinbase())
            {
                let txid = transaction.txid();
                match self.readmit(cx, transaction, cx.now) {
                    Ok(()) => unconfirmed.returned.push(txid),
                    Err(Refusal::AlreadyKnown { .. }) => {}
                    Err(refusal) => unconfirmed.dropped.push(DroppedTransaction {
                        txid,
                        reason: reason_after_reorg(&refusal),
                        conflicts_with: refusal.conflict(),
                    }),
                }
            }
        }
        for (transaction, added) in waiting {
            match self.readmit(cx, &transaction, added) {
                Ok(()) | Err(Refusal::AlreadyKnown { .. } | Refusal::AlreadyInMempool) => {}
                Err(refusal) => evicted.push(Evicted {
                    txid: transaction.txid(),
                    reason: if refusal.conflict().is_some() {
                        "conflict"
                    } else {
                        "reorg"
                    },
                    conflicts_with: refusal.conflict(),
                }),
            }
        }
        evicted.extend(self.pool.make_room(cx.now));
        unconfirmed.returned.retain(|txid| self.pool.get(txid).is_some());
        for txid in &unconfirmed.returned {
            if let Some(transaction) = self.pool.get(txid) {
                let wtxid = transaction.wtxid();
                if let Some(row) = self.pool.find(&wtxid) {
                    self.queue_announcement(cx, wtxid, row);
                }
            }
        }
        unconfirmed
    }

    fn readmit(&mut self, cx: &mut Context<'_>, transaction: &Arc<Transaction>, added: Time) -> Result<(), Refusal> {
        let tip = self.knowledge.tip();
        let mut chain = Chain { ledger: cx.ledger, tip };
        self.pool.readmit(&mut chain, added, transaction)
    }

    fn emit_reorg(
        &self,
        cx: &mut Context<'_>,
        (disconnected, connected): (&[BlockRef], &[BlockRef]),
        unconfirmed: Unconfirmed,
    ) {
        let first = *disconnected.first().expect("a reorg disconnects something");
        let fork_point = cx.ledger.header(first).parent;
        let old = *disconnected.last().expect("a reorg disconnects something");
        let ids = |blocks: &[BlockRef]| blocks.iter().map(|block| cx.ledger.id(*block)).collect();
        let reorg = Event::Reorg {
            fork_point,
            depth: u32::try_from(disconnected.len()).expect("heights are 32 bits"),
            disconnected: ids(disconnected),
            connected: ids(connected),
            old_work: cx.ledger.work(old),
            new_work: cx.ledger.work(self.knowledge.tip()),
            txs_returned: unconfirmed.returned,
            txs_dropped: unconfirmed.dropped,
        };
        cx.emit(reorg);
    }

    pub(crate) fn emit_evicted(&self, cx: &mut Context<'_>, evicted: Vec<Evicted>) {
        for evicted in evicted {
            cx.emit(Event::TxEvicted {
                txid: evicted.txid,
                reason: evicted.reason,
                conflicts_with: evicted.conflicts_with,
            });
        }
    }
}

/// Nothing is an orphan of a chain that was left: what it spends is simply not there.
const fn reason_after_reorg(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::MissingInputs(_) => "bad-txns-inputs-missingorspent",
        Refusal::AlreadyInMempool
        | Refusal::AlreadyKnown { .. }
        | Refusal::Coinbase
        | Refusal::Broken(_)
        | Refusal::Spent(_)
        | Refusal::Conflict(_)
        | Refusal::InsufficientFee { .. }
        | Refusal::TooManyReplaced { .. }
        | Refusal::NewUnconfirmedInput { .. }
        | Refusal::FeeTooLow { .. }
        | Refusal::TooLongChain { .. }
        | Refusal::Full => refusal.word(),
    }
}

pub(crate) fn body_of(cx: &Context<'_>, block: BlockRef) -> Arc<chain::Block> {
    let body = cx.ledger.body(block).expect("connected blocks have bodies");
    Arc::clone(body)
}
