//! The web page of a run, and the server that shows it to this machine alone.
//!
//! The server reads the run folder and nothing else, by following its log: so it works the same for finished runs, live clusters and live simulations.
//! [`Page::open`] starts it on a thread of its own; nothing that it does can hold up a run.

mod answer;
mod assets;
mod control;
mod desk;
mod guard;
pub mod limits;
mod page;
mod parameters;
mod reading;
mod routes;
mod server;
mod views;

pub use page::{Error, Options, Page};
pub use reading::ReadingError;

#[cfg(test)]
mod tests;
