//! Every bound of this crate.

use std::time::Duration;

/// Connections that are served at a time; further ones are told so and closed.
pub const MAX_CONNECTIONS: usize = 64;
/// Of them, those that may be streams of news, so that there is always room for questions.
pub const MAX_STREAMS: usize = 32;
/// Bytes of a request's line and headers.
pub const MAX_HEAD_BYTES: usize = 16 << 10;
/// Headers of a request.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a request's body.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// The longest that a request's head may take to arrive, and a connection may be idle.
pub const HEAD_TIME: Duration = Duration::from_secs(5);
/// The longest that a request may take from its head to the head of its answer; its body is read within.
pub const ANSWER_TIME: Duration = Duration::from_secs(5);
/// The longest that the answer to a step that was handed in waits for its effect.
pub const STEP_TIME: Duration = Duration::from_secs(4);
/// The longest that a reader may take no bytes at all while there are some for him.
pub const WRITE_TIME: Duration = Duration::from_secs(10);
/// Questions that wait for the one who answers; more are refused.
pub const MAX_QUESTIONS: usize = MAX_CONNECTIONS;
/// How often the run folder is looked at for new events.
pub const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);
/// The least time between two pieces of news in a stream.
pub const NEWS_INTERVAL: Duration = Duration::from_millis(100);
/// A stream without news says that it is alive this often.
pub const ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Events that one answer lists.
pub const MAX_EVENTS: usize = 1_000;
/// Bytes of a filter's text.
pub const MAX_FILTER_BYTES: usize = 200;
/// The largest moment that can be asked for: numbers above it are not exact in JavaScript.
pub const MAX_TIME_US: u64 = (1 << 53) - 1;
/// Marks of the scrubber in one answer; reorgs are left out first, and the oldest.
pub const MAX_MARKS: usize = 2_000;
/// Rows of the tree in one answer; the newest are kept.
pub const MAX_TREE_ROWS: usize = 1_000;
/// Blocks that the picture of propagation has.
pub const MAX_SPREAD_BLOCKS: usize = 60;
/// Cells of that picture: with many nodes there are fewer blocks, and not every node.
pub const MAX_SPREAD_CELLS: usize = 6_000;
/// Blocks of a branch that are listed: half of them its first, half its last.
pub const MAX_BRANCH_BLOCKS: usize = 6;
/// Transactions that differ between branches and are listed.
pub const MAX_DIFFERING: usize = 50;
/// Nodes whose stays on branches are listed; with more of them none are, and the shares must do.
pub const MAX_STAYING_NODES: usize = 64;
/// Transactions in one answer; the newest are kept.
pub const MAX_TRANSACTIONS: usize = 500;
/// Frames of the log that are searched for one answer.
pub const MAX_FRAMES_SEARCHED: usize = 32;
