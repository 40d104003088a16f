//! Orders from the operator or the scenario, and blocks that come from neither peer nor template.

use std::sync::Arc;

use base::Time;
use chain::{Amount, Block, BlockId, HashRate, Ledger, Reject, Transaction};

use crate::bodies::Origin;
use crate::context::Context;
use crate::knowledge::Standing;
use crate::mempool::Chain;
use crate::view::Refused;
use crate::{Command, Event, Node};

impl Node {
    pub(crate) fn command(&mut self, cx: &mut Context<'_>, command: Command) {
        match command {
            Command::Generate { blocks } => self.miner.demand(blocks, cx.now),
            Command::StopMining => {
                self.config.hashrate = HashRate::ZERO;
                self.miner.stop(cx.now);
            }
            Command::SetHashRate(rate) => {
                self.config.hashrate = rate;
                self.miner.rate_changed(cx.now);
            }
            Command::PayFromReward(output) => self.miner.pay(output, cx.now, self.config.hashrate),
            Command::Submit(transaction) => self.submit(cx, &transaction),
            Command::SubmitBlock(block) => self.submit_block(cx, &block),
            Command::SubmitHeader(header) => {
                if let Some(at) = self.own_header(cx, &header) {
                    self.consider_branch(cx, at);
                }
            }
            Command::Prefer(block) => self.favour(cx, &block),
            // An honest node has nothing on offer.
            Command::Offer { .. } => {}
            Command::SkewClock { millis } => self.clock.set_skew(millis),
            Command::Invalidate { block, reconsider } => self.mark(cx, &block, !reconsider),
        }
    }

    fn submit(&mut self, cx: &mut Context<'_>, transaction: &Arc<Transaction>) {
        cx.emit(Event::TxSubmitted {
            txid: transaction.txid(),
        });
        self.take_transaction(cx, None, transaction);
    }

    fn submit_block(&mut self, cx: &mut Context<'_>, block: &Arc<Block>) {
        let Some(at) = self.own_header(cx, &block.header) else {
            return;
        };
        if self.knowledge.standing(at) != Standing::Header {
            return;
        }
        let parent = cx.ledger.parent(at).expect("the genesis block is connected");
        if self.knowledge.is_connected(parent) {
            self.take_body(cx, at, block, Origin::Submitted);
            return;
        }
        // The parent's body is still on its way; whoever submits can try again.
        self.consider_branch(cx, at);
        let reject = Reject::PrevBlkNotFound;
        cx.emit(Event::BlockRejected {
            block: block.id(),
            from: None,
            reason: reject.word(),
            detail: reject.to_string(),
            penalty: 0,
        });
    }

    /// Takes in a block from this node's own disk. Its time was looked at when it first came, and is not again: the clock may have been set back.
    pub(crate) fn restore(&mut self, cx: &mut Context<'_>, block: &Arc<Block>) {
        let recorded = match self.knowledge.find(cx.ledger, &block.header.parent) {
            Some(parent) if self.knowledge.is_connected(parent) => cx.ledger.record_header(&block.header),
            Some(_) | None => Err(Reject::PrevBlkNotFound),
        };
        match recorded {
            Ok(at) => {
                if self.knowledge.standing(at) == Standing::Unknown {
                    self.accept_header(cx, at, None);
                }
                if self.knowledge.standing(at) == Standing::Header {
                    self.take_body(cx, at, block, Origin::Restored);
                }
            }
            Err(reject) => cx.emit(Event::BlockRejected {
                block: block.id(),
                from: None,
                reason: reject.word(),
                detail: reject.to_string(),
                penalty: 0,
            }),
        }
    }

    /// `invalidateblock` and `reconsiderblock`: what the node follows changes, the facts do not.
    fn mark(&mut self, cx: &mut Context<'_>, block: &BlockId, marked: bool) {
        let Some(at) = self.knowledge.find(cx.ledger, block) else {
            return;
        };
        if at == cx.ledger.genesis() {
            return;
        }
        self.knowledge.mark(cx.ledger, at, marked);
        let best = self.knowledge.best_connected(cx.ledger);
        if best != self.knowledge.tip() {
            self.switch(cx, best);
        }
        self.reconsider_branches(cx);
    }

    /// `preciousblock`: the tie between chains of equal work is decided anew.
    fn favour(&mut self, cx: &mut Context<'_>, block: &BlockId) {
        let tip = self.knowledge.tip();
        let Some(at) = self.knowledge.find(cx.ledger, block).filter(|at| *at != tip) else {
            return;
        };
        let is_usable = self.knowledge.is_connected(at) && !self.knowledge.is_marked(cx.ledger, at);
        if is_usable && cx.ledger.work(at) >= cx.ledger.work(tip) {
            self.switch(cx, at);
        }
    }

    /// What a wallet's transaction would pay if it were submitted now, or why it would be refused: the reason word, and the detail.
    ///
    /// Changes nothing in the node; the ledger remembers that its signatures are good.
    ///
    /// # Errors
    /// When it would be refused.
    pub fn examine(&self, ledger: &mut Ledger, now: Time, transaction: &Arc<Transaction>) -> Result<Amount, Refused> {
        let tip = self.knowledge.tip();
        let mut chain = Chain { ledger, tip };
        self.pool
            .would_admit(&mut chain, now, transaction)
            .map_err(|refusal| Refused {
                reason: refusal.word(),
                detail: refusal.to_string(),
            })
    }

    /// Whether a block that stands on this node's tip would be valid once its nonce is found (BIP23), in BIP22's words.
    ///
    /// Changes nothing in the node; the ledger remembers that its signatures are good.
    ///
    /// # Errors
    /// The reason word and the detail; `inconclusive-not-best-prevblk` for a block that does not stand on the tip.
    pub fn propose(&self, ledger: &mut Ledger, now: Time, block: &Block) -> Result<(), Refused> {
        let tip = ledger.id(self.knowledge.tip());
        if block.header.parent != tip {
            return Err(Refused {
                reason: "inconclusive-not-best-prevblk",
                detail: format!("it stands on {}, the tip is {tip}", block.header.parent),
            });
        }
        let unix_secs = self.clock.unix_secs(now);
        let checked = ledger
            .check_proposal(block)
            .and_then(|()| chain::header::check_not_future(&block.header, unix_secs, ledger.params()));
        checked.map_err(|reject| Refused {
            reason: reject.word(),
            detail: reject.to_string(),
        })
    }

    /// When the mempool or the template next wants attention.
    pub(crate) fn housekeeping_deadline(&self) -> Option<Time> {
        [self.pool.deadline(), self.miner.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}
