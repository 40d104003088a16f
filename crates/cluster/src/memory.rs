//! What a node may be made to hold, whatever its peers do: every bound that takes memory, added up; and what an interface adds.
//!
//! The chain itself is no part of it (headers, bodies, coins: it grows with proof of work, and bodies that are saved or sent are its), nor are
//! the buffers of the kernel and of libp2p. Figures are of the worst case: B-trees half full, vectors just doubled.

use chain::limits::MAX_REMEMBERED_SIGNATURES;
use gossip::limits::{
    MAX_ANNOUNCED_IN_ALL, MAX_COMPACT_TRANSACTIONS, MAX_KNOWN, MAX_ORPHAN_BYTES, MAX_ORPHANS, MAX_RECENT, max_bytes,
};
use node::Config;
use node::limits::{
    MAX_ASSEMBLIES_IN_ALL, MAX_DISCOURAGED, MAX_FUTURE_HEADERS, MAX_HELD_BYTES, MAX_OFFERS, MAX_PRESYNC_ANSWERS,
    MAX_QUEUED_ANNOUNCEMENTS, MAX_SERVED_REMEMBERED,
};

use crate::limits::{
    DATABASE_CACHE_BYTES, MAX_HEARD_BYTES, MAX_KNOWN_IDENTITIES, MAX_PEERS, MAX_QUEUED_OWN_BYTES, MAX_UNFINISHED_BYTES,
    READ_BYTES,
};

/// The most that all of it may come to: a hundred nodes fit into 8 GiB.
const MAX_NODE_BYTES: usize = 64 << 20;

/// Bytes of a name: a hash.
const NAME: usize = 32;
/// How much more room a B-tree or a vector may have than it has entries.
const SLACK: usize = 2;
/// What a decoded message or transaction takes more than its bytes: lists of their own, counts, shared owners.
const DECODED: usize = 2;
/// An entry of a map with its names and numbers, without what it is for.
const ENTRY: usize = 96;

/// What is kept of each peer.
const PER_PEER: usize = READ_BYTES
    // Blocks it sent or was sent.
    + 2 * MAX_RECENT * NAME * SLACK
    // What waited when it came.
    + MAX_QUEUED_ANNOUNCEMENTS * NAME * SLACK
    + MAX_SERVED_REMEMBERED * ENTRY * SLACK;

/// What all of a node's peers share, or what it keeps for itself.
const SHARED: usize = Config::DEFAULT_MEMPOOL_BYTES
    + bytes(MAX_HELD_BYTES) * DECODED
    + bytes(MAX_ORPHAN_BYTES) * DECODED
    + MAX_ORPHANS * 2 * ENTRY * SLACK
    + MAX_ANNOUNCED_IN_ALL * 2 * ENTRY * SLACK
    // Transactions that were refused and blocks that short names did not make whole, each in a table and in a row.
    + 2 * MAX_KNOWN * (NAME + 1 + NAME) * SLACK
    // What all peers will be told of.
    + MAX_QUEUED_ANNOUNCEMENTS * NAME * SLACK
    + MAX_ASSEMBLIES_IN_ALL * (MAX_COMPACT_TRANSACTIONS * size_of::<usize>() + max_bytes(gossip::MessageKind::Transaction) * DECODED)
    // Two generations, whose tables are a power of two of places and a byte each.
    + MAX_REMEMBERED_SIGNATURES * (NAME + 1) * SLACK
    + MAX_PRESYNC_ANSWERS * NAME * SLACK
    + (MAX_DISCOURAGED + MAX_FUTURE_HEADERS + MAX_OFFERS + MAX_KNOWN_IDENTITIES) * ENTRY * SLACK
    + MAX_UNFINISHED_BYTES
    + MAX_HEARD_BYTES * DECODED
    + bytes(MAX_QUEUED_OWN_BYTES)
    + DATABASE_CACHE_BYTES;

const _: () = assert!(
    SHARED + MAX_PEERS as usize * PER_PEER <= MAX_NODE_BYTES,
    "a node may be made to hold more than it should"
);

/// What the clients of an interface may make a node hold beside that, where the operator opens one: heads and connections, and the bodies of
/// those who have the password. Their answers are not counted: each is as long as what it shows, and they are as many as connections; but whoever
/// has the password may stop the node as well, and who has none gets answers of REST alone, on this machine.
const INTERFACE: usize = rpc::limits::MAX_CONNECTIONS * (rpc::limits::MAX_HEAD_BYTES + CONNECTION)
    + rpc::limits::MAX_BODIES_BYTES
    + rpc::limits::MAX_WAITING * ENTRY
    + rpc::limits::MAX_BANS * ENTRY * SLACK;

/// What the server keeps of a connection besides what was sent on it.
const CONNECTION: usize = 8 << 10;

/// The most that an interface may add.
const MAX_INTERFACE_BYTES: usize = 20 << 20;

const _: () = assert!(
    INTERFACE <= MAX_INTERFACE_BYTES,
    "an interface may be made to hold more than it should"
);

const fn bytes(limit: u64) -> usize {
    assert!(limit <= MAX_NODE_BYTES as u64);
    #[expect(clippy::cast_possible_truncation, reason = "compared with a usize in the line above")]
    {
        limit as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bound on each peer counts 125 times: the sum says whether a new one fits.
    #[test]
    fn what_a_node_may_be_made_to_hold_is_told() {
        let all = SHARED + MAX_PEERS as usize * PER_PEER;
        println!("{SHARED} shared, {PER_PEER} for each of {MAX_PEERS} peers, {all} in all");
        assert!(
            all > MAX_NODE_BYTES / 2,
            "the bounds have become small enough to be raised"
        );
    }
}
