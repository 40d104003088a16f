//! What is made of a run once it is over: pictures, one file to read it by, and files for other programs.
//!
//! All of it is drawn from [`observe::model::Model`], and so from the log alone.
//!
//! - [`svg`] draws: the tree, how nodes divided between a fork's branches, how fast blocks spread.
//! - [`html`] is `report.html`: one file that needs nothing else, opened from disk.
//! - [`export`] writes a run for spreadsheets, graph tools, trace viewers, and as a scenario that does by itself what was done by hand.

pub mod export;
pub mod html;
pub mod limits;
pub mod svg;

mod words;

pub use html::{Written, takes_a_while, write};

#[cfg(test)]
mod tests;
