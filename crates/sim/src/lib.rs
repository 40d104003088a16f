//! The engine in virtual time: the same nodes, links, steps and verdicts as the cluster, in one thread, the same result to the last byte for the same seed.
//!
//! Everything that happens is on one heap, ordered by `(time, sequence)`, a total order. Nothing here reads a clock.

pub mod engine;
pub mod laws;
pub mod limits;

mod controls;
mod digest;
mod direction;
mod forgetting;
mod heap;
mod miner;
mod network;
mod pairs;

pub use engine::{Finished, Options, Pace, Progress, Verify, run};
