//! Connections as they are told of: plain data that the engine keeps.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use base::{NodeId, Time};

/// A node's connections, and who may not connect.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The node's own libp2p peer id.
    pub peer_id: String,
    /// Where it listens, as a multiaddr.
    pub listens: String,
    /// Whether it has been told to talk to nobody.
    pub is_off: bool,
    /// The peers it talks to.
    pub connections: BTreeMap<NodeId, Connection>,
    /// Who may not connect.
    pub bans: Vec<Ban>,
    /// What its operator should know of: that its disk takes nothing.
    pub trouble: Option<String>,
}

/// A peer that is talked to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Where, as a multiaddr.
    pub address: String,
    /// Its libp2p peer id.
    pub peer_id: String,
    /// What it says it is called, once it has said hello.
    pub agent: String,
    /// Whether this node dialled.
    pub is_outbound: bool,
    /// Since when.
    pub since: Time,
    /// Bytes of messages to it.
    pub sent_bytes: u64,
    /// Bytes of messages from it.
    pub received_bytes: u64,
    /// When it was last sent something.
    pub last_sent: Option<Time>,
    /// When it last sent something.
    pub last_received: Option<Time>,
    /// The last answered ping, and the quickest.
    pub ping: Option<(Duration, Duration)>,
}

/// Whom a ban is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Banned {
    /// Everybody whose address begins with these bits.
    Subnet(IpAddr, u8),
    /// Whoever has this libp2p peer id.
    Peer(String),
}

impl std::fmt::Display for Banned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Subnet(address, bits) => write!(f, "{address}/{bits}"),
            Self::Peer(peer) => f.write_str(peer),
        }
    }
}

impl Banned {
    /// Whether the ban is about a peer of this id at this address.
    #[must_use]
    pub fn covers(&self, peer_id: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::Peer(banned) => banned == peer_id,
            Self::Subnet(subnet, bits) => address.is_some_and(|address| {
                let shared = match (subnet.to_canonical(), address.to_canonical()) {
                    (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
                };
                shared >= u32::from(*bits)
            }),
        }
    }
}

/// A ban.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ban {
    /// Of whom.
    pub whom: Banned,
    /// When it began, in Unix seconds.
    pub since: u64,
    /// When it ends, in Unix seconds.
    pub until: u64,
}

/// What an operator can order of a node's connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetworkOrder {
    /// Stay connected to whoever is at this multiaddr.
    Add(String),
    /// Dial whoever is at this multiaddr, once.
    Try(String),
    /// Stay connected to it no more.
    Remove(String),
    /// Close the connection to this peer.
    Disconnect(NodeId),
    /// Refuse these, and close their connections.
    Ban(Ban),
    /// Lift a ban.
    Unban(Banned),
    /// Lift all bans.
    ClearBans,
    /// Talk to nobody.
    GoOff,
    /// Talk to everybody again.
    GoOn,
}

/// Why an order about connections was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfulfilled {
    /// No address that can be dialled.
    NoAddress,
    /// It is wanted already.
    AlreadyAdded,
    /// It was not wanted.
    NotAdded,
    /// Nobody of this number is connected.
    NotConnected,
    /// It is banned already.
    AlreadyBanned,
    /// It was not banned.
    NotBanned,
    /// Too many are banned or wanted.
    Full,
    /// It holds for as long as the node runs, and could not be brought to disk.
    NotSaved(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_covers_what_begins_with_its_bits_in_any_notation() {
        let subnet = Banned::Subnet("10.1.0.0".parse().expect("an address"), 16);
        let covers = |text: &str| subnet.covers("p", Some(text.parse().expect("an address")));
        assert!(covers("10.1.2.3") && covers("::ffff:10.1.9.9"));
        assert!(!covers("10.2.0.1") && !covers("::1"));
        assert!(!subnet.covers("p", None));
        let all = Banned::Subnet("0.0.0.0".parse().expect("an address"), 0);
        assert!(all.covers("p", Some("1.2.3.4".parse().expect("an address"))));
        assert!(Banned::Peer("p".to_owned()).covers("p", None) && !Banned::Peer("q".to_owned()).covers("p", None));
    }
}
