//! From events to what people see: the log, forks, verdicts, and text.
//!
//! The event log is the product; everything else reads it. An engine hands every event to one [`Collector`], which gives it its place in the
//! run's total order, keeps the [`scenario::World`] up to date, tracks forks, checks what must always hold, and writes the run folder.

pub mod arrivals;
pub mod best;
pub mod collector;
pub mod convergence;
mod deeds;
pub mod detail;
pub mod folder;
pub mod forks;
pub mod history;
pub mod invariants;
pub mod lagging;
pub mod layout;
pub mod limits;
pub mod line;
pub mod log;
pub mod metrics;
pub mod model;
pub mod names;
pub mod operator;
pub mod record;
pub mod recorded;
pub mod reference;
pub mod spread;
pub mod stats;
pub mod summary;
pub mod tables;
pub mod text;
pub mod told;
pub mod verify;

#[cfg(test)]
mod testing;

pub use collector::Collector;
pub use detail::Detail;
pub use forks::Fork;
pub use invariants::Violation;
pub use operator::{Desk, Operator};
pub use record::{Derived, Intervention, Record, RunEvent};
pub use recorded::Recorded;
pub use scenario::Engine;
pub use stats::Statistics;
pub use summary::{Ending, Summary, Verdict};
