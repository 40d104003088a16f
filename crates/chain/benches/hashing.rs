//! How fast one core hashes, checks headers and checks signatures.
//!
//! Run with `cargo bench -p chain --bench hashing`. It prints figures and judges nothing: they are the machine's.

fn main() {}
