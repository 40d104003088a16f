//! Whole-system tests: the house and its style, the rules against a naive twin, and real networks end to end.

mod architecture;
mod files;
mod golden;
mod laws;
mod parity;
mod scenarios;
mod tidy;
