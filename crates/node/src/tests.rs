//! Nodes in a small world: what they say to each other, and what they come to believe.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the few variants it looks at"
)]

mod blame;
mod compact;
mod courier;
mod determinism;
mod forks;
mod honest;
mod mesh;
mod mining;
mod newcomer;
mod policies;
mod presync;
mod relay;
mod rest;
mod sync;
