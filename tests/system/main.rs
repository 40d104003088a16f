//! Whole-system tests: the house and its style, the rules against a naive twin, and real networks end to end.

mod architecture;
mod files;
mod limits;
mod parity;
mod threats;
mod tidy;
