//! Telling the operator what keeps a node from being connected.

use libp2p::{Multiaddr, PeerId};

use super::{Complaint, Driver};
use crate::limits::MAX_FOREIGN;
use crate::net::Trouble;

impl Driver {
    /// Tells why a wanted peer cannot be reached, when it is news.
    pub(super) fn complain_of(&self, news: Option<Multiaddr>, trouble: Trouble) {
        tracing::debug!(node = %self.id, %trouble, "cannot connect");
        if let Some(address) = news {
            self.complain(Complaint::CannotConnect { address, trouble });
        }
    }

    /// Tells of somebody who came from another network, once, as long as there is room to remember whom it was told of.
    pub(super) fn complain_of_guest(&mut self, peer: PeerId, trouble: Trouble) {
        let is_foreign = matches!(trouble, Trouble::OtherNetwork(_));
        if is_foreign && self.foreign.len() < MAX_FOREIGN && self.foreign.insert(peer) {
            self.complain(Complaint::Refused { peer, trouble });
        }
    }

    pub(super) fn complain(&self, complaint: Complaint) {
        if let Some(complaints) = &self.complaints {
            // Whoever is so far behind has enough to read.
            let _lost = complaints.try_send(complaint);
        }
    }
}
