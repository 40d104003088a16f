//! Whole runs in virtual time: the project's scenarios, the digests that were blessed, and laws. In debug with all other tests, and in release,
//! where `cargo xtask test` runs them once more: a run must not depend on how the program was built.

mod digests;
mod files;
mod golden;
mod laws;
mod logs;
mod scenarios;
