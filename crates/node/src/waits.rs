//! Peers of whom something is waited for, and until when.

use base::{NodeId, Time};

/// Each peer at most once, the first to be late first.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    rows: Vec<(Time, NodeId)>,
}

impl Waits {
    /// Waits for a peer until then, and no longer for what was waited for before; or for nothing, when there is no time.
    pub(crate) fn set(&mut self, peer: NodeId, until: Option<Time>) {
        self.rows.retain(|(_, other)| *other != peer);
        if let Some(until) = until {
            let at = self.rows.partition_point(|row| *row < (until, peer));
            self.rows.insert(at, (until, peer));
        }
    }

    /// When the next peer is late.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.rows.first().map(|(until, _)| *until)
    }

    /// Those that are late by now, in the order of their names.
    pub(crate) fn late(&self, now: Time) -> Vec<NodeId> {
        let late = self.rows.iter().take_while(|(until, _)| *until <= now);
        let mut late: Vec<NodeId> = late.map(|(_, peer)| *peer).collect();
        late.sort();
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_waited_for_counts_once_and_the_first_to_be_late_tells_when() {
        let mut waits = Waits::default();
        assert_eq!(waits.deadline(), None);
        let secs = Time::from_secs;
        for (peer, until) in [(3, 5), (1, 7), (2, 5), (3, 9)] {
            waits.set(NodeId(peer), Some(secs(until)));
        }
        assert_eq!(waits.deadline(), Some(secs(5)));
        assert_eq!(waits.late(secs(4)), []);
        assert_eq!(waits.late(secs(7)), [1, 2].map(NodeId));
        waits.set(NodeId(2), None);
        assert_eq!(waits.deadline(), Some(secs(7)));
        assert_eq!(waits.late(secs(9)), [1, 3].map(NodeId));
    }
}
