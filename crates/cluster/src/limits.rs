//! Every bound of this crate, with its source.

use std::time::Duration;

/// The version of the data folder's layout that this program writes, and the newest it reads.
pub const SCHEMA: u32 = 1;
/// The most memory that a node's database may use for pages.
pub const DATABASE_CACHE_BYTES: usize = 4 << 20;
/// The most bytes of a stored block: the largest block that the wire can carry.
pub const MAX_RECORD_BYTES: usize = gossip::limits::MAX_MESSAGE_BYTES;
/// How long foreign blocks may wait for a group commit. What a crash may cost is fetched again from peers.
pub const GROUP_COMMIT_DELAY: Duration = Duration::from_millis(250);
/// The most blocks that may wait for a group commit; when they are as many, the node waits for the disk.
pub const MAX_UNSAVED_BLOCKS: usize = 1_024;
/// The most bytes that may wait for a group commit; when they are as many, the node waits for the disk.
pub const MAX_UNSAVED_BYTES: u64 = 16 << 20;

/// Room that a node which runs alone keeps on its disk, for blocks that are under way when the disk is full (THREATS D5): a full group of
/// them.
pub const RESERVE_BYTES: u64 = MAX_UNSAVED_BYTES;
/// How often a node whose disk is full looks whether it has room again.
pub const LOOK_FOR_ROOM_EVERY: Duration = Duration::from_secs(1);

/// How often metered miners get their hashes.
pub const HASHING_TICK: Duration = Duration::from_millis(10);
/// The most time whose hashes a miner can be owed; what a slow machine owes beyond is lost, counted, and told.
pub const MAX_HASHING_DEBT: Duration = Duration::from_millis(250);
/// Hashes tried between two looks at whether the work has changed: below a millisecond on any machine of this decade.
pub const HASHING_SLICE: u32 = 4_096;

/// Connections that a client of the interface can want, those of the operator counted (Core's `MAX_ADDNODE_CONNECTIONS` is 8).
pub const MAX_WANTED: usize = 64;

/// How long a node that is a process keeps its turn to dial when it says nothing more. It hands it on by itself much sooner, unless somebody
/// has stopped it.
pub const TURN_PATIENCE: Duration = Duration::from_millis(250);

/// How long a connection may take from the first packet to encrypted and multiplexed (THREATS P11).
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take from there to a stream in each direction.
pub const STREAMS_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams of one connection whose protocol is being agreed on at the same time (THREATS P7).
pub const MAX_NEGOTIATING_STREAMS: usize = 16;
/// Connections that the system has accepted for a node and the node has not, before it refuses more: a whole network may dial a hub at once
/// (libp2p has as many).
pub const LISTEN_BACKLOG: i32 = 1_024;
/// Connections to one peer: the one in use, and one more that a simultaneous dial of both sides may leave for a moment.
pub const MAX_CONNECTIONS_PER_PEER: u32 = 2;
/// Connections that peers have begun and not finished: as many as a hub may get when a whole network starts at once.
pub const MAX_PENDING_INBOUND: u32 = 256;
/// The most peers of a node (Bitcoin Core's `DEFAULT_MAX_PEER_CONNECTIONS`), unless a plan links it to more.
pub const MAX_PEERS: u32 = 125;
/// Of them, those that a node which is open to everybody keeps free for whom it dials itself (Core's 8 full, 2 for blocks alone): strangers
/// get the rest (THREATS P10).
pub const OUTBOUND_ROOM: u32 = 10;
/// Inbound peers that stay when others come, one for each of so many groups of addresses (`SelectNodeToEvict`, as are the next ones).
pub const PROTECTED_BY_GROUP: usize = 4;
/// Those that answer pings quickest.
pub const PROTECTED_BY_PING: usize = 8;
/// Those that last sent a transaction that was news.
pub const PROTECTED_BY_TRANSACTIONS: usize = 4;
/// Those that last sent a block that was news.
pub const PROTECTED_BY_BLOCKS: usize = 4;
/// How long after it was opened a connection is first used for identify and pings, unless the peer begins.
pub const COURTESIES_DELAY: Duration = Duration::from_secs(1);
/// How often a peer is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long an answer to a ping may take.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Pings in a row without an answer after which a connection is closed.
pub const MAX_PING_FAILURES: u32 = 3;

/// How long a frame may take from its first byte to its last, read or written (THREATS P11).
pub const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes taken from a stream at once.
pub const READ_BYTES: usize = 8 * 1_024;
/// Bytes of frames that are not whole yet, of all peers of a node; when they are more, the oldest gives way, inbound peers' before others'
/// (THREATS P2, P11).
pub const MAX_UNFINISHED_BYTES: usize = 12 << 20;
/// Messages of one peer that may wait for the node: a peer that sends faster waits, and nobody else does.
pub const MAX_HEARD_PER_PEER: usize = 2;
/// Bytes of messages of all peers that may wait for the node; readers take turns.
pub const MAX_HEARD_BYTES: usize = 5 << 18;
/// How much of the node's time a peer can have kept for later by asking for less than its share (THREATS M9).
pub const MAX_CREDIT: Duration = Duration::from_secs(1);
/// Messages to one peer that may wait for the link or the stream; a peer that reads no faster is dropped.
pub const MAX_QUEUED_MESSAGES: usize = 8_192;
/// Bytes to one peer that may wait for the link or the stream; twice the bodies that may be in flight to it. Bodies are the ledger's, and
/// take no room of their own.
pub const MAX_QUEUED_BYTES: u64 = 32 << 20;
/// Bytes of messages to all peers that may wait and are nobody else's; when they are more, the peer with the most of them is dropped.
pub const MAX_QUEUED_OWN_BYTES: u64 = 3 << 20;

/// The wait before the first redial of a lost or refused link.
pub const FIRST_REDIAL: Duration = Duration::from_millis(50);
/// The longest wait between two redials.
pub const LAST_REDIAL: Duration = Duration::from_secs(5);

/// How long a dial is fresh, so that others wait for its end: ten times what one takes on a loopback.
pub const FRESH_DIAL: Duration = Duration::from_millis(20);

/// Events of all nodes that may wait for the engine; nodes wait when it is behind.
pub const MAX_QUEUED_EVENTS: usize = 65_536;
/// Orders that may wait for one node. A node that is so far behind is given up.
pub const MAX_QUEUED_ORDERS: usize = 4_096;
/// The most bytes of the text of a frame between the engine and a worker: an event that names every block and transaction of a deep reorg.
pub const MAX_FRAME_TEXT_BYTES: usize = 64 << 20;
/// Events that may wait in a worker for its socket; the node waits when it is behind.
pub const MAX_WORKER_EVENTS: usize = 1_024;
/// Bytes of reports that a worker sends at once.
pub const WORKER_BUFFER_BYTES: usize = 16 << 10;
/// How long the nodes of a run may take to open their folders and listen.
pub const STARTING_PATIENCE: Duration = Duration::from_secs(60);
/// How long the planned links of a run may take to come up.
pub const CONNECTING_PATIENCE: Duration = Duration::from_secs(60);
/// How long after its last change a network may take to settle at the end of a run, beyond four times its slowest link and the time in which
/// the narrowest carries the largest block.
pub const SETTLING_PATIENCE: Duration = Duration::from_secs(5);
/// The longest that a network may take to settle, however slow its links are: somebody waits for the verdict.
pub const MAX_SETTLING: Duration = Duration::from_secs(120);
/// How long no tip and no connection may change before a network is looked at for being at rest.
pub const QUIET: Duration = Duration::from_millis(200);
/// How often the log of a run is made to survive a crash, and its readers see what is new.
pub const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// How long nodes may take to stop before they are given up.
pub const STOPPING_PATIENCE: Duration = Duration::from_secs(20);

/// The peers of other networks that a node tells of; a crowd of them would drown all else that it tells.
pub const MAX_FOREIGN: usize = 64;
/// Complaints that may wait for whoever reads them.
pub const MAX_QUEUED_COMPLAINTS: usize = 256;
/// The identities that a node running alone remembers; those not connected make room for new ones.
pub const MAX_KNOWN_IDENTITIES: usize = 4_096;
/// The most bytes of the file with the operator's bans: as many as may be, and room for whoever writes them more widely.
pub const MAX_BAN_FILE_BYTES: u64 = 1 << 20;
/// The most bytes of a key file.
pub const MAX_KEY_FILE_BYTES: u64 = 256;

/// Files a process has open that belong to no node: standard streams, the log, the reactor, libraries.
pub const SPARE_FILES: u64 = 64;
/// Files of one node besides its connections: database, lock, the listening sockets of peers and of the interface, once
/// for the node and once for who holds them, and some room for what comes and goes.
pub const FILES_PER_NODE: u64 = 9;
/// Files that the engine has open for a node's own process: the socket, the process, its two ports, and its log for a moment.
pub const FILES_PER_PROCESS: u64 = 6;
