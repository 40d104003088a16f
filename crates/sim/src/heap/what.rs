//! What happens, as short as an entry of the queue has it.

use base::NodeId;
use chain::BlockRef;
use node::{List, PaymentRef};

use crate::network::{Paid, Short};

/// What happens in four bytes: whose tick it is, of which block something is said, which body comes, or where the rest of it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct What(u32);

/// The kinds of it, in the three highest bits.
pub(super) const PLACE: u32 = 0;
pub(super) const TICK: u32 = 1 << 29;
const TOLD: u32 = 2 << 29;
const ASKED: u32 = 3 << 29;
const SENT: u32 = 4 << 29;
const PAYMENT_TOLD: u32 = 5 << 29;
const PAYMENT_ASKED: u32 = 6 << 29;
const PAYMENT_SENT: u32 = 7 << 29;
const KIND: u32 = 7 << 29;

impl What {
    /// Nothing that happens.
    pub(super) const NONE: Self = Self(PLACE);

    pub(super) fn new(kind: u32, number: usize) -> Self {
        let number = u32::try_from(number).ok().filter(|number| number & KIND == 0);
        Self(kind | number.expect("memory ends before half a billion of anything"))
    }

    pub(super) fn of(short: Short) -> Self {
        match short {
            Short::Told(block) => Self::new(TOLD, block.index()),
            Short::Asked(block) => Self::new(ASKED, block.index()),
            Short::Sent(body) => Self::new(SENT, body as usize),
        }
    }

    /// The short message, if it is one.
    pub(super) fn short(self) -> Option<Short> {
        let block = || BlockRef::at(self.number());
        match self.kind() {
            TOLD => Some(Short::Told(block())),
            ASKED => Some(Short::Asked(block())),
            SENT => Some(Short::Sent(self.0 & !KIND)),
            _ => None,
        }
    }

    /// A message about one payment.
    pub(super) fn paid(paid: &Paid) -> Option<Self> {
        let (kind, payment) = match paid {
            Paid::Told(List::One(payment)) => (PAYMENT_TOLD, payment),
            Paid::Asked(List::One(payment)) => (PAYMENT_ASKED, payment),
            Paid::Sent(payment) => (PAYMENT_SENT, payment),
            Paid::Told(List::Many(_)) | Paid::Asked(List::Many(_)) => return None,
        };
        Some(Self::new(kind, payment.index()))
    }

    /// Whether it is a message about a payment.
    pub(super) const fn is_paid(self) -> bool {
        self.0 >= PAYMENT_TOLD
    }

    /// The message about a payment, if it is one.
    pub(super) fn payment(self) -> Option<Paid> {
        let payment = || PaymentRef::at(self.number());
        match self.kind() {
            PAYMENT_TOLD => Some(Paid::Told(List::One(payment()))),
            PAYMENT_ASKED => Some(Paid::Asked(List::One(payment()))),
            PAYMENT_SENT => Some(Paid::Sent(payment())),
            _ => None,
        }
    }

    const fn kind(self) -> u32 {
        self.0 & KIND
    }

    pub(super) const fn number(self) -> usize {
        (self.0 & !KIND) as usize
    }

    /// Whose tick it is, if it is one.
    pub(super) fn ticking(self) -> Option<NodeId> {
        (self.kind() == TICK).then(|| NodeId::at(self.number()))
    }
}
