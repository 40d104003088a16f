//! What nodes say to each other: messages, their bytes, and the decisions about asking, answering and blaming that need no ledger.
//!
//! Sans-IO: nothing here opens a socket, reads a clock or knows libp2p.

pub mod limits;
pub mod message;
pub mod offence;

pub use message::{Hello, Item, Message, MessageKind};
pub use offence::Offence;
