//! What couriers have taken in for a node, as long as the node need not look at it: most of it is confirmed before anybody asks.

use std::sync::Arc;

use base::Time;
use chain::Amount;

use super::everybody;
use crate::Node;
use crate::payments::{PaymentRef, Payments};

/// Payments that wait in a node's mempool, in the order in which they were taken in, and are not in its rows.
#[derive(Debug, Default)]
pub struct Satchel {
    pub(super) taken: Vec<Taken>,
    /// What they take in a mempool.
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) payment: PaymentRef,
    /// Its place in the order of arrival.
    pub(super) sequence: u32,
    pub(super) at: Time,
    pub(super) fee: Amount,
    /// Whom it was sent to.
    pub(super) sent: u64,
}

/// How far back what was taken in is looked through for what somebody asks for.
const NEAR: usize = 64;

impl Satchel {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// When the first of them was taken in.
    pub(crate) fn since(&self) -> Option<Time> {
        self.taken.first().map(|taken| taken.at)
    }

    pub(crate) const fn len(&self) -> usize {
        self.taken.len()
    }

    /// What they take in a mempool, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, payments: &Payments, taken: Taken) {
        self.bytes += payments.memory(taken.payment);
        self.taken.push(taken);
    }

    /// Where a payment stands, if it was taken in of late.
    pub(super) fn place(&self, payment: PaymentRef) -> Option<usize> {
        let late = self.taken.len().saturating_sub(NEAR);
        let at = self.taken[late..].iter().rposition(|taken| taken.payment == payment)?;
        Some(late + at)
    }

    /// Takes out some of them; they are no longer the satchel's.
    fn take_out(&mut self, payments: &Payments, is_meant: impl Fn(PaymentRef) -> bool) -> Vec<Taken> {
        let out: Vec<Taken> = self.taken.extract_if(.., |taken| is_meant(taken.payment)).collect();
        self.bytes -= out.iter().map(|taken| payments.memory(taken.payment)).sum::<usize>();
        out
    }
}

impl Node {
    /// Takes some payments out of its satchel into its own rows. Relatives have to come together.
    pub fn unpack(&mut self, payments: &Payments, satchel: &mut Satchel, is_meant: impl Fn(PaymentRef) -> bool) {
        if satchel.is_empty() {
            return;
        }
        // Whoever was to be told has been told: what is still to be told of is unpacked beforehand.
        let everybody = everybody(self.peers.all().count());
        for taken in satchel.take_out(payments, is_meant) {
            let transaction = Arc::clone(payments.transaction(taken.payment));
            let row = self
                .pool
                .bring(transaction, (taken.fee, taken.at), taken.sequence.into());
            self.pool.set_holders(row, everybody);
        }
        self.pool.note_elsewhere(satchel);
    }

    /// Drops what a block has confirmed, which it follows now.
    pub fn confirm_in(
        &mut self,
        payments: &Payments,
        satchel: &mut Satchel,
        is_confirmed: impl Fn(PaymentRef) -> bool,
    ) {
        if !satchel.is_empty() {
            satchel.take_out(payments, is_confirmed);
            self.pool.note_elsewhere(satchel);
            self.set_deadline_of_payments();
        }
    }
}
