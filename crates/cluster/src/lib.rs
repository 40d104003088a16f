//! Engine 1: real nodes in real time. Real TCP connections through libp2p, real SHA-256d mining at a metered rate, a database on disk.

pub mod clock;
pub mod hasher;
pub mod limits;
pub mod store;

pub use clock::Clock;
pub use hasher::Hasher;
pub use store::{Store, StoreError};
