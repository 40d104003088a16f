//! From events to what people see: the log, forks, verdicts, and text.
//!
//! The event log is the product; everything else reads it. An engine hands every event to one [`Collector`], which gives it its place in the
//! run's total order, keeps the [`scenario::World`] up to date, tracks forks, checks what must always hold, and writes the run folder.

pub mod collector;
pub mod record;

pub use collector::Collector;
pub use record::{Engine, Record, RunEvent};
