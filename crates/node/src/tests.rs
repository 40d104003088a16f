//! Nodes in a small world: what they say to each other, and what they come to believe.

mod blame;
mod determinism;
mod forks;
mod mining;
mod relay;
mod sync;
