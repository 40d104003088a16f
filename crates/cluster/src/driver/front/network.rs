//! What the operator orders of connections: who is dialled, who is hung up on, who may not come.

use base::NodeId;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use rpc::limits::MAX_BANS;
use rpc::network::{Ban, Banned, NetworkOrder, Unfulfilled};
use tokio::task::spawn_blocking;

use super::super::Driver;
use super::super::dialer::Target;
use crate::limits::MAX_WANTED;

impl Driver {
    pub(in crate::driver) async fn order_network(&mut self, order: NetworkOrder) -> Result<(), Unfulfilled> {
        match order {
            NetworkOrder::Add(address) => self.add(&address),
            NetworkOrder::Try(address) => self.dial_once(&address),
            NetworkOrder::Remove(address) => {
                let target = target(&address).ok_or(Unfulfilled::NoAddress)?;
                let was_wanted = self.dialer.forget_address(&target.address);
                was_wanted.then_some(()).ok_or(Unfulfilled::NotAdded)
            }
            NetworkOrder::Disconnect(peer) => self.disconnect(peer),
            NetworkOrder::Ban(ban) => {
                self.ban(&ban)?;
                self.save_bans().await
            }
            NetworkOrder::Unban(whom) => {
                self.unban(&whom)?;
                self.save_bans().await
            }
            NetworkOrder::ClearBans => {
                self.bans.list.clear();
                self.save_bans().await
            }
            NetworkOrder::GoOff => {
                self.switch(true);
                for peer in self.connected() {
                    self.hang_up(peer);
                }
                Ok(())
            }
            NetworkOrder::GoOn => {
                self.switch(false);
                let now = self.clock.now();
                self.dialer.dial_all(now);
                Ok(())
            }
        }
    }

    fn switch(&mut self, is_off: bool) {
        if let Some(front) = &mut self.front {
            front.network.is_off = is_off;
        }
    }

    fn connected(&self) -> Vec<NodeId> {
        let front = self.front.as_ref();
        front.map_or_else(Vec::new, |front| front.network.connections.keys().copied().collect())
    }

    fn add(&mut self, address: &str) -> Result<(), Unfulfilled> {
        let target = target(address).ok_or(Unfulfilled::NoAddress)?;
        if self.dialer.wants_address(&target.address) {
            return Err(Unfulfilled::AlreadyAdded);
        }
        if self.dialer.len() >= MAX_WANTED {
            return Err(Unfulfilled::Full);
        }
        let now = self.clock.now();
        self.dialer.want(target, now);
        Ok(())
    }

    fn dial_once(&mut self, address: &str) -> Result<(), Unfulfilled> {
        let target = target(address).ok_or(Unfulfilled::NoAddress)?;
        if !self.is_off() {
            // What comes of it shows in the connections.
            let _outcome = self.net.dial(target.peer_id, target.address);
        }
        Ok(())
    }

    fn disconnect(&mut self, peer: NodeId) -> Result<(), Unfulfilled> {
        if !self.peers.contains(peer) {
            return Err(Unfulfilled::NotConnected);
        }
        self.hang_up(peer);
        Ok(())
    }

    fn ban(&mut self, ban: &Ban) -> Result<(), Unfulfilled> {
        let now = self.node.view().unix_secs(self.clock.now());
        let bans = &mut self.bans.list;
        bans.retain(|ban| ban.until > now);
        if bans.iter().any(|known| known.whom == ban.whom) {
            return Err(Unfulfilled::AlreadyBanned);
        }
        if bans.len() >= MAX_BANS {
            return Err(Unfulfilled::Full);
        }
        bans.push(ban.clone());
        for peer in self.covered(&ban.whom) {
            self.hang_up(peer);
        }
        Ok(())
    }

    fn unban(&mut self, whom: &Banned) -> Result<(), Unfulfilled> {
        let bans = &mut self.bans.list;
        let before = bans.len();
        bans.retain(|ban| ban.whom != *whom);
        if bans.len() == before {
            return Err(Unfulfilled::NotBanned);
        }
        Ok(())
    }

    /// Shows the bans as they are now, and brings them to disk.
    async fn save_bans(&mut self) -> Result<(), Unfulfilled> {
        if let Some(front) = &mut self.front {
            front.network.bans.clone_from(&self.bans.list);
        }
        let saved = spawn_blocking(self.bans.saving()).await;
        saved
            .expect("saving is never aborted, and a panic in it is passed on")
            .map_err(|error| Unfulfilled::NotSaved(error.to_string()))
    }

    /// The connected peers that a ban is about.
    fn covered(&self, whom: &Banned) -> Vec<NodeId> {
        let connections = self.front.iter().flat_map(|front| &front.network.connections);
        let is_covered = |address: &str, peer_id: &str| {
            let address: Option<Multiaddr> = address.parse().ok();
            whom.covers(peer_id, address.as_ref().and_then(super::ip))
        };
        connections
            .filter(|(_, connection)| is_covered(&connection.address, &connection.peer_id))
            .map(|(peer, _)| *peer)
            .collect()
    }
}

/// Whom a multiaddr, with a key at its end or without, leads to.
fn target(address: &str) -> Option<Target> {
    let mut address: Multiaddr = address.parse().ok()?;
    let peer_id = match address.pop() {
        Some(Protocol::P2p(key)) => Some(key),
        Some(other) => {
            address.push(other);
            None
        }
        None => None,
    };
    super::ip(&address)?;
    Some(Target {
        peer: None,
        peer_id,
        address,
    })
}
