//! One participant: what it knows, what it wants, what it says.
//!
//! A [`Node`] is a pure function of its inputs. The engine that drives it (virtual time or a real cluster) hands it an [`Input`] and the time,
//! and carries out the [`Output`]s it leaves in the caller's outbox. [`Node::handle`] is the one way to change a node.

pub mod config;
pub mod event;
pub mod limits;
pub mod node;
pub mod seam;
pub mod view;

mod announcements;
mod block_size;
mod bodies;
mod branches;
mod calm;
mod choice;
mod clock;
mod compact;
mod context;
mod courier;
mod future;
mod handshake;
mod headers;
mod hearsay;
mod hostile;
mod knowledge;
mod mempool;
mod mesh;
mod miner;
mod newcomer;
mod operator;
mod payments;
mod peers;
mod presync;
mod reason;
mod relay;
mod reorg;
mod rest;
mod served;
mod sync;
mod template;
mod transactions;
mod waits;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use block_size::{BlockSize, Distribution, carries_body, message_bytes};
pub use config::{Config, Payee, Relay, Strategy};
pub use courier::{Courier, Delivery, List, Place, Satchel, Unpacking};
pub use event::{Event, TipChange};
pub use mempool::{Package, Pooled};
pub use newcomer::comes_up_quietly;
pub use node::Node;
pub use payments::{Far, PaymentRef, Payments};
pub use rest::{Gained, Heard, Neighbour, Resting};
pub use seam::{Command, Goal, HangupReason, Input, Outbox, Output, Template, Wake};
pub use template::OpenTemplate;
pub use view::{PeerView, Refused, View};
