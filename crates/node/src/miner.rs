//! What to mine: templates out, solutions in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use base::{Seed, Time};
use chain::{Amount, Block, BlockId, HashRate, Header, Owner, Transaction, TxOutput};

use crate::bodies::Origin;
use crate::context::Context;
use crate::knowledge::Standing;
use crate::limits::{MAX_PAID_BLOCKS, MAX_PAYOUTS_PER_BLOCK, MAX_QUEUED_PAYOUTS, MAX_TEMPLATES, TEMPLATE_INTERVAL};
use crate::{Event, Goal, Node, Output, Template};

/// A template that was given out, and the block it stands for.
#[derive(Debug)]
struct Candidate {
    block: Block,
    /// Payments out of the reward that its coinbase makes.
    payouts: Vec<TxOutput>,
    on_demand: bool,
}

/// One node's mining: what is owed, what was given out, who is to be paid.
#[derive(Debug)]
pub(crate) struct Miner {
    /// Blocks still to be mined on demand.
    owed: u32,
    /// Payments that wait for a block.
    payouts: VecDeque<TxOutput>,
    /// Payments that own blocks make, so that they return when the block is abandoned.
    paid: BTreeMap<BlockId, Vec<TxOutput>>,
    paid_oldest_first: VecDeque<BlockId>,
    /// The last templates, oldest first.
    candidates: VecDeque<Candidate>,
    extra_nonce: u64,
    /// Whom its coinbases pay, once that was worked out: it takes a multiplication on the curve.
    owner: Option<Owner>,
    /// Whether the engine is searching.
    is_searching: bool,
    /// When a new template is due.
    pub(crate) refresh_at: Option<Time>,
    pub(crate) refreshed_at: Time,
}

impl Miner {
    pub(crate) fn new(seed: &Seed, hashrate: HashRate) -> Self {
        Self {
            owed: 0,
            payouts: VecDeque::new(),
            paid: BTreeMap::new(),
            paid_oldest_first: VecDeque::new(),
            candidates: VecDeque::new(),
            // Two nodes that pay the same owner must not search the same headers.
            extra_nonce: seed.child("extra-nonce", 0).rng().next_u64(),
            owner: None,
            is_searching: false,
            refresh_at: (hashrate > HashRate::ZERO).then_some(Time::ZERO),
            refreshed_at: Time::ZERO,
        }
    }

    /// Owes this many more blocks.
    pub(crate) const fn demand(&mut self, blocks: u32, now: Time) {
        self.owed = self.owed.saturating_add(blocks);
        self.refresh_at = Some(now);
    }

    /// Owes nothing any more.
    pub(crate) const fn stop(&mut self, now: Time) {
        self.owed = 0;
        self.refresh_at = Some(now);
    }

    /// The hash rate changed.
    pub(crate) const fn rate_changed(&mut self, now: Time) {
        self.refresh_at = Some(now);
    }

    /// A stale tip is not mined on.
    pub(crate) fn tip_changed(&mut self, now: Time, hashrate: HashRate) {
        if self.is_wanted(hashrate) {
            self.refresh_at = Some(now);
        }
    }

    /// Other transactions may pay more. On demand blocks are solved too soon for that to matter.
    pub(crate) fn mempool_changed(&mut self, now: Time, hashrate: HashRate) {
        if self.renews(hashrate) {
            let due = now.max(self.refreshed_at + TEMPLATE_INTERVAL);
            self.refresh_at = Some(self.refresh_at.map_or(due, |at| at.min(due)));
        }
    }

    /// Queues a payment out of the reward of an own block; dropped when too many wait.
    pub(crate) fn pay(&mut self, output: TxOutput, now: Time, hashrate: HashRate) {
        if self.payouts.len() < MAX_QUEUED_PAYOUTS {
            self.payouts.push_back(output);
            self.mempool_changed(now, hashrate);
        }
    }

    /// An own block is on the best chain (again): its payments are made.
    pub(crate) fn confirmed(&mut self, block: &BlockId) {
        for paid in self.paid.get(block).into_iter().flatten() {
            if let Some(at) = self.payouts.iter().position(|waiting| waiting == paid) {
                self.payouts.remove(at);
            }
        }
    }

    /// A block left the best chain: if it was an own one, its payments wait again, first in the queue.
    pub(crate) fn abandoned(&mut self, block: &BlockId) {
        for paid in self.paid.get(block).into_iter().flatten().rev() {
            self.payouts.push_front(*paid);
        }
    }

    /// Whether nothing is owed, no payment waits or may come back, and no template is due.
    pub(crate) fn owes_nothing(&self) -> bool {
        self.owed == 0 && self.payouts.is_empty() && self.paid.is_empty() && self.refresh_at.is_none()
    }

    /// While it was at rest, the tip changed at this time, for the last time.
    pub(crate) fn searched(&mut self, at: Time, hashrate: HashRate) {
        if self.is_wanted(hashrate) {
            self.refreshed_at = at;
            self.is_searching = true;
        }
    }

    fn remember_paid(&mut self, block: BlockId, payouts: Vec<TxOutput>) {
        if payouts.is_empty() {
            return;
        }
        self.paid.insert(block, payouts);
        self.paid_oldest_first.push_back(block);
        if self.paid_oldest_first.len() > MAX_PAID_BLOCKS {
            let oldest = self.paid_oldest_first.pop_front().expect("longer than the limit");
            self.paid.remove(&oldest);
        }
    }

    /// The candidate that a header solves, if it is still remembered.
    fn take_candidate(&mut self, header: &Header) -> Option<Candidate> {
        let at = self.candidates.iter().position(|candidate| {
            let ours = &candidate.block.header;
            ours.merkle_root == header.merkle_root && ours.parent == header.parent
        })?;
        self.candidates.remove(at)
    }

    /// Whether what it searches for stays the same when templates are renewed: nothing is owed, and a search goes on where one is wanted.
    pub(crate) fn goes_on(&self, hashrate: HashRate) -> bool {
        let is_wanted = self.is_wanted(hashrate);
        self.owed == 0 && is_wanted == self.is_searching && (is_wanted || self.refresh_at.is_none())
    }

    /// Whether a template is renewed when the mempool has changed.
    pub(crate) fn renews(&self, hashrate: HashRate) -> bool {
        self.owed == 0 && self.is_wanted(hashrate)
    }

    fn is_wanted(&self, hashrate: HashRate) -> bool {
        self.owed > 0 || hashrate > HashRate::ZERO
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.refresh_at
    }
}

impl Node {
    /// Gives the engine a new template when one is due, or tells it to stop.
    pub(crate) fn refresh_template(&mut self, cx: &mut Context<'_>) {
        if self.miner.refresh_at.is_none_or(|at| at > cx.now) {
            return;
        }
        self.miner.refresh_at = None;
        if !self.miner.is_wanted(self.config.hashrate) {
            if std::mem::take(&mut self.miner.is_searching) {
                let stop = if self.is_drawn {
                    Output::Draw(None)
                } else {
                    Output::Mine(None)
                };
                cx.out.push(stop);
            }
            return;
        }
        self.miner.refreshed_at = cx.now;
        self.miner.is_searching = true;
        if self.is_drawn {
            cx.out.push(Output::Draw(Some(Goal {
                bits: cx.ledger.next_bits(self.knowledge.tip()),
                on_demand: self.miner.owed > 0,
            })));
        } else {
            self.give_template(cx);
        }
    }

    /// A block is found as soon as it is known what it holds.
    pub(crate) fn found(&mut self, cx: &mut Context<'_>) {
        if self.miner.is_wanted(self.config.hashrate) {
            self.give_template(cx);
        }
    }

    fn give_template(&mut self, cx: &mut Context<'_>) {
        let candidate = self.candidate(cx);
        let template = Template {
            header: *candidate.block.header,
            on_demand: candidate.on_demand,
        };
        self.miner.candidates.push_back(candidate);
        if self.miner.candidates.len() > MAX_TEMPLATES {
            self.miner.candidates.pop_front();
        }
        cx.out.push(Output::Mine(Some(template)));
    }

    /// The block that this node would like to find now.
    fn candidate(&mut self, cx: &Context<'_>) -> Candidate {
        let tip = self.knowledge.tip();
        let params = cx.ledger.params();
        let clock = u32::try_from(self.clock.unix_secs(cx.now)).unwrap_or(u32::MAX);
        let time = clock.max(cx.ledger.earliest_time(tip));
        self.miner.extra_nonce = self.miner.extra_nonce.wrapping_add(1);

        let mut draft = cx.ledger.draft(tip, time);
        draft.extra_nonce = self.miner.extra_nonce;
        draft.tag = self.id.to_string().into_bytes();
        // As if every payment that waits could be made, so that there is room for those that can.
        let payee = &self.config.payee;
        let owner = *self.miner.owner.get_or_insert_with(|| payee.owner());
        let ours = |value| TxOutput { value, owner };
        let room_beside = |outputs: usize| {
            let mut draft = draft.clone();
            draft.coinbase_outputs = vec![ours(Amount::ZERO); outputs];
            u64::from(params.max_block_bytes).checked_sub(draft.assemble().bytes())
        };
        let (most, room) = if self.miner.payouts.is_empty() && self.pool.is_empty() {
            // Nothing takes room.
            (0, 0)
        } else {
            let alone = room_beside(1).unwrap_or(0);
            let fitting = usize::try_from(alone / TxOutput::BYTES).unwrap_or(usize::MAX);
            let most = self.miner.payouts.len().min(MAX_PAYOUTS_PER_BLOCK).min(fitting);
            (most, room_beside(most + 1).unwrap_or(0))
        };

        let selection = self.pool.select(room);
        let reward = Amount::total([cx.ledger.subsidy(draft.height), selection.fees]);
        let reward = reward.expect("fees are paid from money there is, and money is bounded");
        let (payouts, rest) = choose_payouts(&self.miner.payouts, (reward, most));
        draft.coinbase_outputs = payouts.clone();
        if rest > Amount::ZERO || payouts.is_empty() {
            draft.coinbase_outputs.push(ours(rest));
        }
        draft.transactions = selection.transactions;
        Candidate {
            block: draft.assemble(),
            payouts,
            on_demand: self.miner.owed > 0,
        }
    }

    /// The engine found a nonce. A solution for another tip than ours came too late and is dropped.
    pub(crate) fn solved(&mut self, cx: &mut Context<'_>, header: &Header) {
        let tip = cx.ledger.id(self.knowledge.tip());
        let Some(candidate) = self.miner.take_candidate(header) else {
            return;
        };
        if header.parent != tip {
            return;
        }
        let transactions: Vec<Arc<Transaction>> = candidate.block.transactions;
        let block = Arc::new(Block {
            header: (*header).into(),
            transactions,
        });
        let id = block.id();
        let at = match cx.ledger.record_header(header) {
            Ok(at) => at,
            Err(reject) => {
                cx.emit(Event::BlockRejected {
                    block: id,
                    from: None,
                    reason: reject.word(),
                    detail: reject.to_string(),
                    penalty: 0,
                });
                self.miner.refresh_at = Some(cx.now);
                return;
            }
        };
        if self.knowledge.standing(at) != Standing::Unknown {
            return;
        }
        if candidate.on_demand {
            self.miner.owed = self.miner.owed.saturating_sub(1);
        }
        self.miner.remember_paid(id, candidate.payouts);
        self.miner.refresh_at = Some(cx.now);
        self.knowledge.accept_header(cx.ledger, at);
        self.take_body(cx, at, &block, Origin::Mined);
    }
}

/// As many waiting payments as the reward can make, at most so many, in their order; and what remains of it.
fn choose_payouts(waiting: &VecDeque<TxOutput>, (reward, most): (Amount, usize)) -> (Vec<TxOutput>, Amount) {
    let mut rest = reward;
    let mut chosen = Vec::new();
    for payout in waiting {
        if chosen.len() == most {
            break;
        }
        if let Some(less) = rest.checked_sub(payout.value) {
            rest = less;
            chosen.push(*payout);
        }
    }
    (chosen, rest)
}

#[cfg(test)]
mod tests {
    use base::Hash;

    use super::*;
    use crate::testing::key;

    fn payout(units: u64) -> TxOutput {
        TxOutput {
            value: Amount::from_units(units),
            owner: key(1).owner(),
        }
    }

    #[test]
    fn queues_of_payments_are_bounded() {
        let mut miner = Miner::new(&Seed::from_number(1), HashRate::ZERO);
        for _ in 0..=MAX_QUEUED_PAYOUTS {
            miner.pay(payout(1), Time::ZERO, HashRate::ZERO);
        }
        assert_eq!(miner.payouts.len(), MAX_QUEUED_PAYOUTS);
        for number in 0..=MAX_PAID_BLOCKS {
            let block = BlockId(Hash::sha256(&[&number.to_le_bytes()]));
            miner.remember_paid(block, vec![payout(1)]);
        }
        assert_eq!(
            (miner.paid.len(), miner.paid_oldest_first.len()),
            (MAX_PAID_BLOCKS, MAX_PAID_BLOCKS)
        );
    }

    #[test]
    fn a_coinbase_makes_a_bounded_number_of_payments() {
        let waiting = VecDeque::from(vec![payout(2); MAX_PAYOUTS_PER_BLOCK + 1]);
        let (chosen, rest) = choose_payouts(&waiting, (Amount::COIN, MAX_PAYOUTS_PER_BLOCK));
        assert_eq!(chosen.len(), MAX_PAYOUTS_PER_BLOCK);
        assert_eq!(rest.units(), Amount::COIN.units() - 2 * MAX_PAYOUTS_PER_BLOCK as u64);
    }
}
