//! Every bound of this crate, with its source (Bitcoin Core's constant, unless said).

use std::time::Duration;

/// How long a peer may take to say hello (Lighthouse and libp2p allow 3 to 10 s).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer to a request for headers may take (`HEADERS_RESPONSE_TIME`).
pub const HEADERS_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the peer whose long chain of headers is fetched may take for each answer until another that claims as much is asked as well.
pub const HEADERS_PATIENCE: Duration = Duration::from_secs(10);
/// How many blocks as hard as the tip a chain may fall short of our own and still be kept (Core's 144 in `GetAntiDoSWorkThreshold`).
pub const LIGHT_DEPTH: u32 = 144;
/// Full answers with headers of one light chain: eight million headers, of which 32 bytes for each answer are kept.
pub const MAX_PRESYNC_ANSWERS: usize = 4_096;
/// Announcements in a row that do not connect and are still answered with a request (`MAX_NUM_UNCONNECTING_HEADERS_MSGS`).
pub const MAX_UNCONNECTING_HEADERS: u32 = 10;
/// Peers that are remembered as discouraged; the oldest is forgotten first.
pub const MAX_DISCOURAGED: usize = 1_000;
/// Headers that wait for their time to come; one more is dropped, its sender will say it again.
pub const MAX_FUTURE_HEADERS: usize = 64;

/// How many blocks beyond the last connected one are wanted at a time (`BLOCK_DOWNLOAD_WINDOW`).
pub const BODY_WINDOW: u32 = 1_024;
/// Bodies that wait for their parents; when full the highest gives way and is asked for again later.
pub const MAX_HELD_BODIES: usize = 1_024;
/// Bytes of bodies that wait for their parents.
pub const MAX_HELD_BYTES: u64 = 5 << 20;
/// Branches whose bodies are fetched at the same time; the one with the least work gives way.
pub const MAX_TARGETS: usize = 64;

/// Headers that announce a new tip to one peer (`MAX_BLOCKS_TO_ANNOUNCE`).
pub const MAX_ANNOUNCED_HEADERS: u32 = 8;
/// Peers that are asked to tell of new blocks by compact blocks at once (BIP152).
pub const MAX_HIGH_BANDWIDTH: usize = 3;
/// Blocks whose gaps peers are asked to fill at a time; further ones are asked for whole.
pub const MAX_ASSEMBLIES_IN_ALL: usize = 8;
/// How deep below the tip a block may be to be sent by short names (`MAX_CMPCTBLOCK_DEPTH` is 5, `MAX_BLOCKTXN_DEPTH` 10).
pub const MAX_COMPACT_DEPTH: u32 = 5;
/// Members that a mesh is brought to (`D` of gossipsub v1.1, as are the next ones).
pub const MESH_DEGREE: usize = 6;
/// With fewer members than this, others are taken in (`D_low`).
pub const MESH_LOW: usize = 4;
/// With more members than this, some are let go (`D_high`); whoever asks then is refused.
pub const MESH_HIGH: usize = 12;
/// Outbound members that are not let go (`D_out`).
pub const MESH_OUTBOUND: usize = 2;
/// Peers outside the mesh that are told of the tip at a beat, or a quarter of them if that is more (`D_lazy`, gossip factor).
pub const MESH_LAZY: usize = 6;
/// How long changes wait until the mesh is looked after.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a peer that was let go must not ask again (`PruneBackoff`).
pub const PRUNE_BACK_OFF: Duration = Duration::from_secs(60);
/// The longest that a peer can ask not to be asked (ours).
pub const MAX_BACK_OFF: Duration = Duration::from_secs(600);
/// How often a peer may ask too early before that is flooding (ours).
pub const MAX_EARLY_GRAFTS: u32 = 10;
/// How often one item is sent to one peer within [`SERVED_REMEMBERED`].
pub const MAX_SENDS_PER_ITEM: u8 = 3;
/// After this long it is forgotten that an item was sent to a peer (ours; below [`gossip::limits::ASK_AGAIN_AFTER`]).
pub const SERVED_REMEMBERED: Duration = Duration::from_secs(60);
/// How often a peer may ask for an item that it was sent often enough, before it is blamed each time (ours: an honest one hardly ever does).
pub const MAX_REFUSED_PER_ITEM: u8 = 32;
/// Items whose sends are counted, per peer; the oldest is forgotten first.
pub const MAX_SERVED_REMEMBERED: usize = 64;
/// A node this many blocks behind its best header is in initial sync: it asks for no transactions and announces no blocks.
pub const SYNCING_BEHIND: u32 = 24;
/// A node that connects no block for this long is not in initial sync, however far ahead its best header is (ours: Core decides by the tip's age).
pub const SYNC_PATIENCE: Duration = Duration::from_secs(60);

/// Transactions queued for announcement to one peer (ours; announcements wait a tenth of a second at most); more are not announced to it.
pub const MAX_QUEUED_ANNOUNCEMENTS: usize = 500;
/// The longest that an announcement of transactions waits for others to share its message.
pub const ANNOUNCE_DELAY: Duration = Duration::from_millis(100);
/// Parents of orphans that one peer is asked for at a time (`MAX_PEER_TX_REQUEST_IN_FLIGHT`).
pub const MAX_PARENTS_ASKED: usize = 100;

/// Unconfirmed ancestors of a transaction, itself included (`DEFAULT_ANCESTOR_LIMIT`).
pub const MAX_ANCESTORS: usize = 25;
/// Unconfirmed descendants of a transaction, itself included (`DEFAULT_DESCENDANT_LIMIT`).
pub const MAX_DESCENDANTS: usize = 25;
/// Transactions that one replacement may evict (`MAX_REPLACEMENT_CANDIDATES`).
pub const MAX_REPLACED: usize = 100;
/// After this long an unconfirmed transaction is dropped (`DEFAULT_MEMPOOL_EXPIRY_HOURS`).
pub const MEMPOOL_EXPIRY: Duration = Duration::from_secs(336 * 60 * 60);
/// The time in which the floor that a full mempool raised falls by half (`ROLLING_FEE_HALFLIFE`).
pub const FLOOR_HALF_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// What an entry of the mempool takes besides the transaction's own bytes and its inputs: maps, links and allocations, with parents and children
/// (`tests/memory.rs` holds it against the allocator).
pub const MEMPOOL_ENTRY_OVERHEAD: usize = 850;
/// What it takes besides for each coin that the transaction spends.
pub const MEMPOOL_COIN_OVERHEAD: usize = 32;

/// Blocks beside the chain it follows that a node learns of at rest; one more gets it up.
pub const MAX_RIVALS_AT_REST: usize = 16;

/// Peers of a node that has a courier for payments: a bit each of a word.
pub const MAX_COURIER_PEERS: usize = 64;
/// Payments that a courier waits for; with more of them the node takes over.
pub const MAX_WANTED_BY_COURIER: usize = 64;
/// Transactions that a node has refused since the last block and has a courier all the same.
pub const MAX_REFUSED_OF_COURIER: usize = 64;

/// Templates that a solution may still be for.
pub const MAX_TEMPLATES: usize = 8;
/// The least time between two templates that differ only in their transactions.
pub const TEMPLATE_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes that templates for miners outside leave for their coinbase (Core reserves 8,000 weight).
pub const OPEN_COINBASE_BYTES: u64 = 2_000;
/// Payments out of the reward that one coinbase makes; the rest wait for the next block.
pub const MAX_PAYOUTS_PER_BLOCK: usize = 500;
/// Payments out of the reward that wait; more are refused.
pub const MAX_QUEUED_PAYOUTS: usize = 100_000;
/// Own blocks whose payments would return to the queue if the block were abandoned; the oldest is forgotten first.
pub const MAX_PAID_BLOCKS: usize = 4_096;
/// Blocks that a hostile node has on offer; the oldest is forgotten first.
pub const MAX_OFFERS: usize = 256;
