//! Every bound of this crate, with its source.

use std::time::Duration;

/// The most connections at a time; further ones are closed at once (THREATS 1.0).
pub const MAX_CONNECTIONS: usize = 128;
/// How long a client may take from one request to the end of the next one's head (Core's `DEFAULT_HTTP_SERVER_TIMEOUT`). Clients keep their
/// connections, and not all of them open a new one when theirs was closed.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to send the body of a request (THREATS P11).
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a request's head.
pub const MAX_HEAD_BYTES: usize = 16 << 10;
/// The most bytes of a request's body: a block of the largest size in hex, and some room.
pub const MAX_BODY_BYTES: usize = 4 << 20;
/// The most bytes of bodies that are being read at the same time; further requests wait for room.
pub const MAX_BODIES_BYTES: usize = 16 << 20;
/// The most requests in one batch.
pub const MAX_BATCH: usize = 1_000;
/// The most bytes of the answers to one batch; what comes after them is refused.
pub const MAX_BATCH_REPLY_BYTES: usize = 16 << 20;
/// Requests that may wait for the node (Core's `-rpcworkqueue` is 64); a client whose request finds no room waits its turn.
pub const MAX_WAITING: usize = 64;
/// Clients that wait for a block at the same time.
pub const MAX_WATCHING: usize = 32;
/// How long a request for another template waits for the tip to change (Core's is a minute).
pub const LONG_POLL: Duration = Duration::from_secs(60);
/// How long a client whose password is wrong waits for the answer (Core's `httprpc.cpp`).
pub const WRONG_PASSWORD_DELAY: Duration = Duration::from_millis(250);
/// How long requests under way may take when the server ends.
pub const CLOSING_PATIENCE: Duration = Duration::from_secs(2);

/// The most headers in one answer of `/rest/headers` (Core's `MAX_REST_HEADERS_RESULTS`).
pub const MAX_REST_HEADERS: usize = 2_000;
/// The most transactions of one `testmempoolaccept` (Core's `MAX_PACKAGE_COUNT`).
pub const MAX_EXAMINED: usize = 25;
/// The most blocks of one `generatetoaddress`.
pub const MAX_GENERATED: u64 = 100_000;
/// Hashes that `generatetoaddress` tries for a block unless told otherwise (Core's `DEFAULT_MAX_TRIES`).
pub const DEFAULT_MAX_TRIES: u64 = 1_000_000;
/// The most blocks that are mined on demand in one commit.
pub const MAX_BLOCKS_PER_COMMIT: usize = 64;
/// Nonces that the node itself tries for a block on demand: about a millisecond. Longer searches are not its own.
pub const QUICK_SEARCH: u32 = 4_096;
/// Nonces searched between two looks at whether the client is still there.
pub const SEARCH_SLICE: u32 = 1 << 16;
/// The most transactions of one `generateblock`.
pub const MAX_CHOSEN_TRANSACTIONS: usize = 10_000;
/// The most coins that one payment of the wallet spends.
pub const MAX_PAYMENT_INPUTS: usize = 1_000;
/// The most addresses of the wallet.
pub const MAX_ADDRESSES: u32 = 10_000;
/// The most bytes of the wallet's file.
pub const MAX_WALLET_FILE_BYTES: u64 = 4_096;
/// Bans that are remembered; one more is refused.
pub const MAX_BANS: usize = 1_000;
/// How long a ban lasts unless told otherwise (Core's `DEFAULT_MISBEHAVING_BANTIME`).
pub const DEFAULT_BAN: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest ban; longer ones are cut to it.
pub const MAX_BAN: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
