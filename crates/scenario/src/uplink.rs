//! A node's line and the one queue that all its blocks leave by, as in the networks of the literature.
//!
//! A [`crate::Link`] is one direction of one link and knows nothing of other links. In SimBlock and in the simulator of Gervais et al. a node sends
//! its blocks one after the other, whomever they are for, so a node with many peers is slow: that queue is here. Other messages do not wait
//! in it, as in both models. Unlike there, nothing overtakes on its way: a message waits for a block that was sent before it to the same peer.

use std::time::Duration;

use base::{NodeId, Time, prefetch};

use crate::link::transmission;
use crate::networks::Upload;

/// What a node's line carries, in bits per second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Towards it.
    pub download: u64,
    /// From it.
    pub upload: u64,
}

impl Line {
    /// A line that bounds nothing.
    pub const UNLIMITED: Self = Self {
        download: u64::MAX,
        upload: u64::MAX,
    };
}

/// How the nodes of a network use their lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines {
    /// How blocks share an upload.
    pub upload: Upload,
    /// What a node takes to handle a block before it passes it on.
    pub processing: Duration,
    /// What every other message takes on top of its latency.
    pub message_overhead: Duration,
}

/// Something to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parcel {
    /// Its size.
    pub bytes: u64,
    /// Whether it carries a block.
    pub is_block: bool,
}

/// The uploads of all nodes of a network.
#[derive(Clone, Debug)]
pub struct Uplinks {
    rules: Lines,
    rows: Vec<Uplink>,
    /// What each can take in: all that is looked at of a receiver, so apart.
    downloads: Vec<u64>,
}

/// One node's upload.
#[derive(Clone, Copy, Debug)]
struct Uplink {
    upload: u64,
    /// When the next block can begin to leave.
    free_at: Time,
}

impl Uplinks {
    /// Idle uploads of nodes with these lines, in their order.
    pub fn new(rules: Lines, lines: impl Iterator<Item = Line>) -> Self {
        let idle = |Line { download, upload }| {
            let free_at = Time::ZERO;
            (Uplink { upload, free_at }, download)
        };
        let (rows, downloads) = lines.map(idle).unzip();
        Self { rules, rows, downloads }
    }

    /// What carries no block takes so long on top of its latency: it waits in no queue.
    #[must_use]
    pub const fn overhead(&self) -> Duration {
        self.rules.message_overhead
    }

    /// Has fetched what sending a block from one node to another is about, and does not wait for it.
    pub fn glance(&self, (from, to): (NodeId, NodeId)) {
        prefetch(&self.rows[from.index()]);
        prefetch(&self.downloads[to.index()]);
    }

    /// When something that one node sends now to another arrives in full; `None` when it never does. `deliver` says so of the link, given when it has left.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn send(
        &mut self,
        (from, to): (NodeId, NodeId),
        (now, parcel): (Time, Parcel),
        deliver: impl FnOnce(Time) -> Option<Time>,
    ) -> Option<Time> {
        if !parcel.is_block {
            return deliver(now + self.rules.message_overhead);
        }
        let Uplink { upload, free_at } = self.rows[from.index()];
        let begin = now.max(free_at);
        let download = self.downloads[to.index()];
        let (leaves, rate) = match self.rules.upload {
            Upload::StopAndWait => (None, upload.min(download)),
            // A link of ns-3 has one rate for both directions.
            Upload::Pipelined => {
                let leaves = begin + transmission(parcel.bytes, upload);
                let both = [
                    upload,
                    self.downloads[from.index()],
                    self.rows[to.index()].upload,
                    download,
                ];
                (Some(leaves), both.into_iter().min().expect("there are four"))
            }
        };
        let arrival = deliver(begin + transmission(parcel.bytes, rate) + self.rules.processing)?;
        self.rows[from.index()].free_at = leaves.unwrap_or(arrival);
        Some(arrival)
    }
}

#[cfg(test)]
mod tests {
    use base::Seed;

    use super::*;
    use crate::{Conditions, Link};

    /// A megabyte takes a second up and half a second down.
    const LINE: Line = Line {
        download: 16_000_000,
        upload: 8_000_000,
    };

    /// From the first of two nodes to the second.
    const WAY: (NodeId, NodeId) = (NodeId(0), NodeId(1));

    fn uplinks(upload: Upload, to: Line) -> Uplinks {
        let rules = Lines {
            upload,
            processing: Duration::from_millis(2),
            message_overhead: Duration::from_millis(10),
        };
        Uplinks::new(rules, [LINE, to].into_iter())
    }

    fn links() -> [Link; 2] {
        let conditions = Conditions {
            latency: Duration::from_millis(100),
            ..Conditions::default()
        };
        [1, 2].map(|seed| Link::new(conditions, || Seed::from_number(seed)))
    }

    const BLOCK: Parcel = Parcel {
        bytes: 1_000_000,
        is_block: true,
    };

    #[test]
    fn blocks_to_all_peers_wait_in_one_queue() {
        for (upload, second) in [(Upload::StopAndWait, 2_204), (Upload::Pipelined, 2_102)] {
            let (mut uplinks, [mut a, mut b]) = (uplinks(upload, LINE), links());
            let mut send =
                |link: &mut Link| uplinks.send(WAY, (Time::ZERO, BLOCK), |left| link.send(left, BLOCK.bytes));
            assert_eq!(send(&mut a), Some(Time::from_millis(1_102)));
            assert_eq!(send(&mut b), Some(Time::from_millis(second)));
        }
    }

    #[test]
    fn a_block_is_as_slow_as_the_slower_end() {
        let slow = Line {
            download: 4_000_000,
            ..LINE
        };
        for upload in [Upload::StopAndWait, Upload::Pipelined] {
            let [mut link, _] = links();
            let arrival = uplinks(upload, slow).send(WAY, (Time::ZERO, BLOCK), |left| link.send(left, BLOCK.bytes));
            assert_eq!(arrival, Some(Time::from_millis(2_102)), "{upload:?}");
        }
    }

    #[test]
    fn small_messages_wait_for_no_block_to_others() {
        let (mut uplinks, [mut a, mut b]) = (uplinks(Upload::StopAndWait, LINE), links());
        let small = Parcel {
            bytes: 100,
            is_block: false,
        };
        let mut send = |link: &mut Link, parcel: Parcel| {
            uplinks.send(WAY, (Time::ZERO, parcel), |left| link.send(left, parcel.bytes))
        };
        send(&mut a, BLOCK).expect("not cut");
        assert_eq!(send(&mut b, small), Some(Time::from_millis(110)));
        assert_eq!(send(&mut a, small), Some(Time::from_millis(1_102)));
    }

    #[test]
    fn what_is_cut_takes_no_upload() {
        let (mut uplinks, [mut a, mut b]) = (uplinks(Upload::StopAndWait, LINE), links());
        let mut send = |link: &mut Link| uplinks.send(WAY, (Time::ZERO, BLOCK), |left| link.send(left, BLOCK.bytes));
        let cut = Conditions {
            cut: true,
            ..Conditions::default()
        };
        a.set(cut, || unreachable!("nothing is drawn without jitter"));
        assert_eq!(send(&mut a), None);
        assert_eq!(send(&mut b), Some(Time::from_millis(1_102)));
    }
}
