//! Every bound of this crate.

/// Bytes of log, before compression, for which the detail of a run is chosen.
pub const LOG_BUDGET: u64 = 2 << 30;
/// Events in one zstd frame of the log: a crash loses at most these.
pub const FRAME_EVENTS: usize = 4_096;
/// Uncompressed bytes after which a frame is finished early.
pub const FRAME_BYTES: usize = 1 << 20;
/// Compressed bytes after which a new segment begins.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// The most uncompressed bytes of a frame that a reader takes: a frame's bound, and room for one huge event.
pub const MAX_FRAME_BYTES: u64 = 64 << 20;
/// The most segments of a log: what four digits name.
pub const MAX_SEGMENTS: u32 = 10_000;
/// Events of each node that are remembered for a failure's report; older ones are in the log.
pub const RECENT_EVENTS: usize = 64;
/// Reorgs that are remembered in full; later ones are counted, and in the log.
pub const MAX_REORGS: usize = 10_000;
/// Violations that are kept; later ones are counted.
pub const MAX_VIOLATIONS: usize = 100;
/// Blocks whose spread is still being measured; the oldest is closed when there are more.
pub const MAX_OPEN_SPREADS: usize = 1_024;
/// Branches that a drawing of the tree has side by side; further ones are counted.
pub const MAX_LANES: usize = 12;
/// Rows of a drawing of the tree; the newest are kept.
pub const MAX_ROWS: usize = 2_000;
/// Pictures of the tree that are kept to go back to; when there would be more, they are half as many and twice as far apart.
pub const TREE_PICTURES: usize = 8;
/// Blocks between two such pictures, at first.
pub const TREE_PICTURE_BLOCKS: usize = 4_096;
/// Columns of plain text.
pub const TEXT_COLUMNS: usize = 80;
/// Steps of operators that may wait for a run to take them.
pub const MAX_HANDED_IN: usize = 16;
/// Arrivals of blocks that are packed together: as many are read to know the tips at a time.
pub const ARRIVALS_IN_FRAME: usize = 16_384;
/// Changes of connections between two pictures of all of them, at least.
pub const CONNECTION_CHANGES: usize = 4_096;
/// Points of a series that a query gives at most.
pub const MAX_SERIES_POINTS: usize = 2_000;
/// Nodes of which metrics tell each by itself: more would be too many series for one scrape.
pub const MAX_METRIC_NODES: usize = 1_000;
/// The most blocks that are first seen in one frame of arrivals: each arrives somewhere in it.
pub const MAX_FRAME_BLOCKS: usize = ARRIVALS_IN_FRAME;
