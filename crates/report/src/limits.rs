//! Every bound of this crate.

/// The most bytes of `report.html`.
pub const MAX_REPORT_BYTES: usize = 5 << 20;
/// A log of more events is long: its report takes seconds.
pub const LONG_LOG: u64 = 1_000_000;
/// Forks that a report shows each by itself: those that cost the most blocks.
pub const MAX_FORKS: usize = 20;
/// Branches of a fork that it shows.
pub const MAX_BRANCHES: usize = 12;
/// Rows of the tree around one fork.
pub const MAX_ROWS_OF_FORK: usize = 60;
/// Rows of the tree of the whole run.
pub const MAX_ROWS_OF_TREE: usize = 300;
/// Rows of a table; the rest is counted.
pub const MAX_TABLE_ROWS: usize = 250;
/// Characters of a text that comes from a scenario or a node.
pub const MAX_TEXT: usize = 240;
/// Transactions that a fork lists on each side.
pub const MAX_TRANSACTIONS: usize = 24;
/// Blocks whose way through the network is drawn: spread evenly over the run.
pub const MAX_SPREADS: usize = 60;
/// Points of a line that is drawn.
pub const MAX_POINTS: usize = 400;
/// Blocks of a graph for graph tools.
pub const MAX_GRAPH_BLOCKS: usize = 50_000;
/// Blocks of a Mermaid graph: more is unreadable, and browsers refuse it.
pub const MAX_MERMAID_BLOCKS: usize = 250;
/// Events of a trace: what viewers open in a browser.
pub const MAX_TRACE_EVENTS: usize = 500_000;
