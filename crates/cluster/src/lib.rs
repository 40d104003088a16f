//! Engine 1: real nodes in real time. Real TCP connections through libp2p, real SHA-256d mining at a metered rate, a database on disk.
//!
//! - [`engine`] runs a plan: starts its nodes, connects them, carries out the director's orders, stops them.
//! - [`process`] lets a node live in a process of its own.
//! - `driver` is one node's task: everything that happens to the node, in order, and everything that it puts out.
//! - `port` holds the ports of a run's nodes, up or down.
//! - `net` is libp2p, `conversation` the frames on a connection, [`hasher`] the mining, [`store`] the disk.
//!
//! Runs on Unix: key files have modes, locks have inodes.

pub mod clock;
pub mod engine;
pub mod error;
pub mod hasher;
pub mod identity;
pub mod interrupt;
pub mod limits;
pub mod process;
pub mod solo;
pub mod store;

mod conversation;
mod driver;
mod files;
mod memory;
mod net;
mod port;
mod room;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use clock::Clock;
pub use engine::{Died, Finished, Nodes, Progress, RunOptions, run};
pub use error::Error;
pub use hasher::Hasher;
pub use interrupt::Interrupt;
pub use net::Trouble;
pub use port::PortRange;
pub use process::{Program, run_worker};
pub use solo::{SoloEvent, SoloOptions, run_solo};
pub use store::{Reindexed, Store, StoreError, Verified};
