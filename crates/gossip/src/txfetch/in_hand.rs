//! What is in hand, for when it is kept elsewhere for a while.

use base::{NodeId, Time};
use chain::Wtxid;

use super::{Announcement, State, TransactionFetch};

/// All that one node knows of a transaction that it wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Which one.
    pub wtxid: Wtxid,
    /// Those who were not asked yet, in the order of their announcements: who, whether inbound, and when they may be asked.
    pub announcers: Vec<(NodeId, bool, Time)>,
    /// Who is asked, and until when the answer is waited for.
    pub asked: Option<(NodeId, Time)>,
}

impl TransactionFetch {
    /// Whether all that is known are requests that are waited for or will be made.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.given_up.is_empty()
    }

    /// All that is wanted, in no order that says anything.
    pub fn in_hand(&self) -> impl Iterator<Item = Request> {
        let rows = self.rows.iter().filter(|row| row.state != State::Idle);
        rows.map(|row| Request {
            wtxid: row.wtxid,
            announcers: row
                .announcers
                .iter()
                .map(|announcement| (announcement.peer, announcement.inbound, announcement.not_before))
                .collect(),
            asked: match row.state {
                State::Asked { of, until } => Some((of, until)),
                State::Idle | State::Waiting { .. } => None,
            },
        })
    }

    /// Wants nothing any more, and waits for nobody.
    pub fn clear(&mut self) {
        for row in 0..self.rows.len() {
            if self.rows[row].state != State::Idle {
                let wtxid = self.rows[row].wtxid;
                if let State::Asked { of, .. } = self.rows[row].state {
                    self.peer_mut(of).in_flight -= 1;
                }
                self.unfile(row);
                self.forget(&wtxid);
            }
        }
    }

    /// Wants again what was in hand and is not any more, from peers that are still there.
    pub fn put_back(&mut self, request: Request) {
        let row = self.add_row(request.wtxid);
        for (peer, inbound, not_before) in request.announcers {
            self.peer_mut(peer).announced += 1;
            self.rows[row].announcers.push(Announcement {
                peer,
                inbound,
                not_before,
            });
        }
        match request.asked {
            Some((of, until)) => {
                self.peer_mut(of).in_flight += 1;
                self.rows[row].state = State::Asked { of, until };
                self.in_flight.insert((until, row), |row| self.rows[row].wtxid);
            }
            None => self.refile(row),
        }
    }
}
