//! What nodes say to each other: messages, their bytes, and the decisions about asking, answering and blaming that need no ledger.
//!
//! Sans-IO: nothing here opens a socket, reads a clock or knows libp2p.

pub mod compact;
pub mod fetch;
pub mod known;
pub mod limits;
pub mod message;
pub mod names;
pub mod offence;
pub mod orphans;
pub mod score;
pub mod siphash;
pub mod txfetch;
pub mod wire;

pub use compact::{Assembly, CompactBlock};
pub use fetch::{BlockFetch, Patience};
pub use known::{Known, Recent};
pub use message::{Hello, Item, Message, MessageKind};
pub use names::Names;
pub use offence::Offence;
pub use orphans::Orphans;
pub use score::Score;
pub use txfetch::{Request, TransactionFetch};
