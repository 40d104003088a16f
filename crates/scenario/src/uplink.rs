//! A node's line and the one queue that all its blocks leave by, as in the networks of the literature.
//!
//! A [`Link`] is one direction of one link and knows nothing of other links. In SimBlock and in the simulator of Gervais et al. a node sends
//! its blocks one after the other, whomever they are for, so a node with many peers is slow: that queue is here. Other messages do not wait
//! in it, as in both models. Unlike there, nothing overtakes on its way: a message waits for a block that was sent before it to the same peer.

use std::time::Duration;

use base::Time;

use crate::Link;
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
    /// The line of whom it is for.
    pub to: Line,
}

/// One node's upload.
#[derive(Clone, Debug)]
pub struct Uplink {
    line: Line,
    rules: Lines,
    /// When the next block can begin to leave.
    free_at: Time,
}

impl Uplink {
    /// An idle upload.
    #[must_use]
    pub const fn new(line: Line, rules: Lines) -> Self {
        Self {
            line,
            rules,
            free_at: Time::ZERO,
        }
    }

    /// What carries no block takes so long on top of its latency.
    #[must_use]
    pub const fn overhead(&self) -> Duration {
        self.rules.message_overhead
    }

    /// The same for what carries no block, and so waits in no queue.
    pub fn send_small(&self, link: &mut Link, now: Time, bytes: u64) -> Option<Time> {
        link.send(now + self.rules.message_overhead, bytes)
    }

    /// When something that is sent now by this link arrives in full; `None` when it never does.
    pub fn send(&mut self, link: &mut Link, now: Time, parcel: Parcel) -> Option<Time> {
        if !parcel.is_block {
            return self.send_small(link, now, parcel.bytes);
        }
        if link.is_cut() {
            return None;
        }
        let begin = self.free_at.max(now);
        let (leaves, rate) = match self.rules.upload {
            Upload::StopAndWait => (None, self.line.upload.min(parcel.to.download)),
            // A link of ns-3 has one rate for both directions.
            Upload::Pipelined => {
                let leaves = begin + transmission(parcel.bytes, self.line.upload);
                let slower = |line: Line| line.upload.min(line.download);
                (Some(leaves), slower(self.line).min(slower(parcel.to)))
            }
        };
        let sent = begin + transmission(parcel.bytes, rate) + self.rules.processing;
        let arrival = link.send(sent, parcel.bytes)?;
        self.free_at = leaves.unwrap_or(arrival);
        Some(arrival)
    }
}

#[cfg(test)]
mod tests {
    use base::Seed;

    use super::*;
    use crate::Conditions;

    /// A megabyte takes a second up and half a second down.
    const LINE: Line = Line {
        download: 16_000_000,
        upload: 8_000_000,
    };

    fn uplink(upload: Upload) -> Uplink {
        let rules = Lines {
            upload,
            processing: Duration::from_millis(2),
            message_overhead: Duration::from_millis(10),
        };
        Uplink::new(LINE, rules)
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
        to: LINE,
    };

    #[test]
    fn blocks_to_all_peers_wait_in_one_queue() {
        for (upload, second) in [(Upload::StopAndWait, 2_204), (Upload::Pipelined, 2_102)] {
            let (mut uplink, [mut a, mut b]) = (uplink(upload), links());
            assert_eq!(uplink.send(&mut a, Time::ZERO, BLOCK), Some(Time::from_millis(1_102)));
            assert_eq!(uplink.send(&mut b, Time::ZERO, BLOCK), Some(Time::from_millis(second)));
        }
    }

    #[test]
    fn a_block_is_as_slow_as_the_slower_end() {
        let slow = Parcel {
            to: Line {
                download: 4_000_000,
                ..LINE
            },
            ..BLOCK
        };
        for upload in [Upload::StopAndWait, Upload::Pipelined] {
            let [mut link, _] = links();
            let arrival = uplink(upload).send(&mut link, Time::ZERO, slow);
            assert_eq!(arrival, Some(Time::from_millis(2_102)), "{upload:?}");
        }
    }

    #[test]
    fn small_messages_wait_for_no_block_to_others() {
        let (mut uplink, [mut a, mut b]) = (uplink(Upload::StopAndWait), links());
        let small = Parcel {
            bytes: 100,
            is_block: false,
            to: LINE,
        };
        uplink.send(&mut a, Time::ZERO, BLOCK).expect("not cut");
        assert_eq!(uplink.send(&mut b, Time::ZERO, small), Some(Time::from_millis(110)));
        assert_eq!(uplink.send(&mut a, Time::ZERO, small), Some(Time::from_millis(1_102)));
    }

    #[test]
    fn what_is_cut_takes_no_upload() {
        let (mut uplink, [mut a, mut b]) = (uplink(Upload::StopAndWait), links());
        let cut = Conditions {
            cut: true,
            ..Conditions::default()
        };
        a.set(cut, || unreachable!("nothing is drawn without jitter"));
        assert_eq!(uplink.send(&mut a, Time::ZERO, BLOCK), None);
        assert_eq!(uplink.send(&mut b, Time::ZERO, BLOCK), Some(Time::from_millis(1_102)));
    }
}
