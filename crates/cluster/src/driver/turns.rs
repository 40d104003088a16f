//! Whose words the node hears next: of all peers that wait, those of the one that has cost it the least time of late (THREATS M9).
//!
//! Every message may be valid and the sequence ruinous: bodies on old forks, hostile locators, old ranges again and again. So the time that a
//! peer's words take is put to its account, and a peer whose words are cheap waits for one costly word at most, however many peers
//! send costly ones. Nobody is slowed down while nobody else waits: a peer that sends us a whole chain does so at full speed. This is
//! start-time fair queueing (Goyal, Vin and Cheng 1996) with time for bytes, and some credit for those who used less than their share.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base::NodeId;
use tokio::sync::mpsc;

use crate::conversation::Heard;
use crate::limits::MAX_CREDIT;

/// The words that wait, by peer: few of each, as conversations see to.
#[derive(Debug)]
pub(super) struct Turns<T = Heard> {
    accounts: BTreeMap<NodeId, Account<T>>,
    /// What whoever was heard last had cost before. Newcomers begin here, and nobody falls further behind than his credit.
    level: Duration,
}

#[derive(Debug)]
struct Account<T> {
    /// What its words have cost, and what it was raised by when it fell too far behind.
    spent: Duration,
    words: VecDeque<T>,
}

impl Turns {
    /// The next words, from all that have come by now. May be dropped and called again.
    pub(super) async fn next(&mut self, heard: &mut mpsc::Receiver<Heard>) -> Heard {
        loop {
            while let Ok(words) = heard.try_recv() {
                self.push(words.peer, words);
            }
            if let Some(words) = self.pop() {
                return words;
            }
            // The driver holds a sender itself, so the channel never closes.
            if let Some(words) = heard.recv().await {
                self.push(words.peer, words);
            }
        }
    }
}

impl<T> Turns<T> {
    /// Nobody has said anything.
    pub(super) const fn new() -> Self {
        Self {
            accounts: BTreeMap::new(),
            level: Duration::ZERO,
        }
    }

    fn push(&mut self, peer: NodeId, words: T) {
        let level = self.level;
        let account = self.accounts.entry(peer).or_insert_with(|| Account {
            spent: level,
            words: VecDeque::new(),
        });
        account.spent = account.spent.max(level.saturating_sub(MAX_CREDIT));
        account.words.push_back(words);
    }

    /// The words of the peer that has cost least; of those that cost the same, the first by number.
    fn pop(&mut self) -> Option<T> {
        let waiting = self.accounts.values_mut().filter(|account| !account.words.is_empty());
        let next = waiting.min_by_key(|account| account.spent)?;
        self.level = next.spent;
        next.words.pop_front()
    }

    /// Puts to a peer's account what its words took.
    pub(super) fn charge(&mut self, peer: NodeId, cost: Duration) {
        if let Some(account) = self.accounts.get_mut(&peer) {
            account.spent += cost;
        }
    }

    /// The peer is gone, with what it said and what it cost.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.accounts.remove(&peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTLY: Duration = Duration::from_millis(50);
    const CHEAP: Duration = Duration::from_micros(50);

    fn hear(turns: &mut Turns<NodeId>, cost: impl Fn(NodeId) -> Duration) -> Option<NodeId> {
        let peer = turns.pop()?;
        turns.charge(peer, cost(peer));
        Some(peer)
    }

    #[test]
    fn threat_m9_a_cheap_peer_waits_for_one_costly_word_however_many_peers_send_such() {
        let mut turns = Turns::new();
        let honest = NodeId(1_000);
        let cost = |peer| if peer == honest { CHEAP } else { COSTLY };
        // The honest peer spoke before, as the others did.
        for peer in (0..100).map(NodeId).chain([honest]) {
            turns.push(peer, peer);
        }
        while hear(&mut turns, cost).is_some() {}
        for _round in 0..20 {
            for peer in (0..100).map(NodeId) {
                turns.push(peer, peer);
                turns.push(peer, peer);
            }
            hear(&mut turns, cost).expect("many wait");
            turns.push(honest, honest);
            assert_eq!(hear(&mut turns, cost), Some(honest));
        }
    }

    #[test]
    fn threat_m9_peers_that_always_have_something_to_say_get_equal_times_and_not_equal_numbers_of_words() {
        let mut turns = Turns::new();
        let (costly, cheap) = (NodeId(1), NodeId(2));
        let cost = |peer| if peer == costly { CHEAP * 10 } else { CHEAP };
        let mut heard = BTreeMap::from([(costly, 0), (cheap, 0)]);
        for peer in [costly, cheap] {
            turns.push(peer, peer);
        }
        for _ in 0..1_100 {
            let peer = hear(&mut turns, cost).expect("both always wait");
            *heard.entry(peer).or_insert(0) += 1;
            turns.push(peer, peer);
        }
        assert!((99..=101).contains(&heard[&costly]), "{heard:?}");
    }

    #[test]
    fn silence_saves_up_little_and_who_is_alone_waits_for_nobody() {
        let mut turns = Turns::new();
        let (talker, sleeper) = (NodeId(1), NodeId(2));
        turns.push(sleeper, sleeper);
        hear(&mut turns, |_| CHEAP);
        for _ in 0..1_000 {
            turns.push(talker, talker);
            assert_eq!(hear(&mut turns, |_| COSTLY), Some(talker));
        }
        let credit = usize::try_from(MAX_CREDIT.as_millis() / COSTLY.as_millis()).expect("a few");
        let words = 2 * credit;
        let mut heard = Vec::new();
        for peer in [talker, sleeper] {
            (0..words).for_each(|_| turns.push(peer, peer));
        }
        while let Some(peer) = hear(&mut turns, |_| COSTLY) {
            heard.push(peer);
        }
        let (at_once, by_turns) = heard.split_at(credit);
        assert!(at_once.iter().all(|peer| *peer == sleeper), "{heard:?}");
        let turns_of = |peer| by_turns[..credit].iter().filter(|heard| **heard == peer).count();
        assert!(turns_of(talker).abs_diff(turns_of(sleeper)) <= 2, "{heard:?}");
    }

    #[test]
    fn nothing_is_left_of_a_peer_that_is_gone() {
        let mut turns = Turns::new();
        turns.push(NodeId(1), NodeId(1));
        turns.forget(NodeId(1));
        turns.charge(NodeId(1), COSTLY);
        assert!(turns.accounts.is_empty() && turns.pop().is_none());
    }
}
