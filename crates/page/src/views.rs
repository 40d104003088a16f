//! What the page is told, in the shapes that `docs/PAGE.md` describes. All of it is computed here; the page only draws.

mod event_words;
mod events;
mod fork;
mod letters;
mod moment;
mod news;
mod run;
mod spread;
mod steps;
mod transactions;
mod tree;

pub(crate) use events::{EventFilter, EventsView, StepTo};
pub(crate) use fork::ForkView;
pub(crate) use moment::MomentView;
pub(crate) use news::{Cursor, NewsView};
pub(crate) use run::RunView;
pub(crate) use spread::SpreadView;
pub(crate) use steps::StepsView;

pub(crate) use transactions::TransactionsView;
pub(crate) use tree::TreeView;

#[cfg(test)]
mod tests;
