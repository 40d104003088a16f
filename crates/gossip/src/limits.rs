//! Every bound of this crate, with its source (Bitcoin Core's constant, unless said).

use std::time::Duration;

use chain::limits::{MAX_LOCATOR, MAX_TRANSACTION_BYTES};

use crate::MessageKind;

/// The most headers of one message (`MAX_HEADERS_RESULTS`).
pub const MAX_HEADERS: usize = 2_000;
/// The most entries of a request or an announcement (Core allows 50,000; ours are asked for in smaller bites).
pub const MAX_ITEMS: usize = 1_000;
/// The most blocks of one announcement by name (Core announces up to 8 at once and takes 50,000; ours are always the newest).
pub const MAX_ANNOUNCED_BLOCKS: usize = 8;
/// The most transactions of a block that is told by short names: more than the smallest ones, of 161 bytes, that 1 MiB has room for.
pub const MAX_COMPACT_TRANSACTIONS: usize = 6_600;
/// The most bytes of an agent string.
pub const MAX_AGENT_BYTES: usize = 64;
/// The most bytes of an encoded message before the handshake is done.
pub const MAX_HELLO_BYTES: usize = 4 * 1_024;
/// The most bytes of an encoded message: a block of 1 MiB, as the rules count, full of the smallest transactions.
///
/// A list's length takes 4 bytes in the preimage, whose size the rules limit, and 8 on the wire: 16 more for each transaction of at least 161.
pub const MAX_MESSAGE_BYTES: usize = (1 << 20) + 128 * 1_024;

/// The most bodies asked of one peer and not yet answered or given up (`MAX_BLOCKS_IN_TRANSIT_PER_PEER`).
pub const MAX_BLOCKS_IN_FLIGHT: usize = 16;
/// The most bodies one peer may owe, given up ones included; whoever owes so many is asked for nothing more (ours).
pub const MAX_BLOCKS_OWED: usize = 64;
/// How far above the lowest body that can still come others are asked for (`BLOCK_DOWNLOAD_WINDOW`).
pub const BLOCK_WINDOW: u32 = 1_024;
/// The most bodies wanted at once; more are refused until some have come (ours).
pub const MAX_BLOCKS_WANTED: usize = 1 << 16;
/// How often one peer is asked for the same body (ours: a peer that failed thrice will fail again).
pub const MAX_ASKED_PER_BLOCK: u8 = 3;
/// After this long a peer that was asked so often is asked once more, when it announces the body again: requests get lost where a link was cut (ours).
pub const ASK_AGAIN_AFTER: Duration = Duration::from_secs(64);
/// How long a peer that owes bodies may send none, at first and at least (`BLOCK_STALLING_TIMEOUT_DEFAULT`).
pub const STALL_TIMEOUT: Duration = Duration::from_secs(2);
/// The same, at most (`BLOCK_STALLING_TIMEOUT_MAX`).
pub const MAX_STALL_TIMEOUT: Duration = Duration::from_secs(64);

/// The most announced transactions remembered per peer (`MAX_PEER_TX_ANNOUNCEMENTS`).
pub const MAX_ANNOUNCED: usize = 5_000;
/// The most announced transactions remembered of all peers together, each counted for every peer that announced it; a peer has an equal share
/// (ours: at 125 peers Core's limit per peer would be 200 MiB).
pub const MAX_ANNOUNCED_IN_ALL: usize = 6_144;
/// The most transactions asked of one peer and not yet answered or given up (`MAX_PEER_TX_REQUEST_IN_FLIGHT`).
pub const MAX_TRANSACTIONS_IN_FLIGHT: usize = 100;
/// How long a request for a transaction waits before the next announcer is asked (`GETDATA_TX_INTERVAL`).
pub const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an inbound peer's announcement waits for an outbound peer's (`NONPREF_PEER_TX_DELAY`).
pub const INBOUND_DELAY: Duration = Duration::from_secs(2);
/// How long an announcement waits when everybody who made it has too much in flight (`OVERLOADED_PEER_TX_DELAY`).
pub const OVERLOADED_DELAY: Duration = Duration::from_secs(2);

/// The most orphan transactions in total (`DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE`).
pub const MAX_ORPHANS: usize = 3_000;
/// The most bytes of orphans that one peer's account holds (`DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER` / 4: one transaction of any size fits).
pub const MAX_ORPHAN_BYTES_PER_PEER: u64 = 101_000;
/// The most bytes of orphans in total (ours; Core multiplies its reserve by the number of peers).
pub const MAX_ORPHAN_BYTES: u64 = 1 << 20;

/// The most names remembered of one kind, such as of transactions that were refused since the tip last changed (ours).
pub const MAX_KNOWN: usize = 128;
/// The most blocks remembered of those that one peer sent, or was sent unasked (ours). A forgotten one may come unasked once more.
pub const MAX_RECENT: usize = 64;

/// Bytes before the entries of a message that is a list: its kind and the number of entries.
const LIST_FRAME: usize = 4 + 8;

/// The most bytes of an encoded message of this kind. For lists of fixed-size entries this bounds their number as well.
#[must_use]
pub const fn max_bytes(kind: MessageKind) -> usize {
    match kind {
        MessageKind::Hello => MAX_HELLO_BYTES,
        MessageKind::GetHeaders => LIST_FRAME + MAX_LOCATOR * 32,
        MessageKind::Headers => LIST_FRAME + MAX_HEADERS * chain::Header::BYTES,
        MessageKind::Announce => LIST_FRAME + MAX_ITEMS * 32,
        MessageKind::Get | MessageKind::NotFound => LIST_FRAME + MAX_ITEMS * 36,
        MessageKind::AnnounceBlocks => LIST_FRAME + MAX_ANNOUNCED_BLOCKS * 32,
        MessageKind::Block => MAX_MESSAGE_BYTES,
        MessageKind::SendCompact | MessageKind::Graft | MessageKind::Prune => LIST_FRAME,
        // The coinbase is sent whole.
        MessageKind::CompactBlock => {
            let names = MAX_COMPACT_TRANSACTIONS * 6;
            LIST_FRAME + chain::Header::BYTES + 8 + names + 8 + 4 + max_bytes(MessageKind::Transaction)
        }
        MessageKind::GetBlockTransactions => LIST_FRAME + 32 + MAX_COMPACT_TRANSACTIONS * 4,
        MessageKind::BlockTransactions => MAX_MESSAGE_BYTES,
        // Five lengths (a coinbase's tag is the fifth) are 4 bytes wider on the wire than in the preimage, whose size the rules limit.
        MessageKind::Transaction => 4 + MAX_TRANSACTION_BYTES as usize + 5 * 4,
    }
}
