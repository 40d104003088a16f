//! Which connected block to follow: the one with the most work; at equal work the first seen, or a coin decides.

use std::cmp::Ordering;

use base::{Rng, Seed};
use chain::BlockRef;

use crate::Node;
use crate::config::Tie;
use crate::context::Context;

/// The coin, and between how many chains of equal work it has decided so far.
#[derive(Debug)]
pub(crate) struct Ties {
    rng: Rng,
    rivals: u64,
}

impl Ties {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            rng: seed.child("tie", 0).rng(),
            rivals: 1,
        }
    }

    /// A chain with more work ends all ties.
    pub(crate) const fn settle(&mut self) {
        self.rivals = 1;
    }

    /// Whether one more chain of the tip's work takes its place. The n-th does with a chance of 1 in n, so that each of them is
    /// as likely as any other to be followed in the end.
    fn toss(&mut self) -> bool {
        self.rivals += 1;
        self.rng.below(self.rivals) == 0
    }
}

impl Node {
    /// A block was connected: follows it when it is better than the tip.
    pub(crate) fn consider_tip(&mut self, cx: &mut Context<'_>, block: BlockRef) {
        if self.knowledge.is_marked(cx.ledger, block) {
            return;
        }
        let present = self.knowledge.tip();
        match cx.ledger.work(block).cmp(&cx.ledger.work(present)) {
            Ordering::Less => {}
            Ordering::Equal => match self.config.tie {
                Tie::FirstSeen => {}
                Tie::Random => {
                    if self.ties.toss() {
                        self.switch_to_new(cx, block);
                    }
                }
            },
            Ordering::Greater => {
                self.ties.settle();
                self.switch_to_new(cx, block);
            }
        }
    }

    /// Follows a block that has just been connected, so that nobody can have asked for it.
    fn switch_to_new(&mut self, cx: &mut Context<'_>, block: BlockRef) {
        self.switch(cx, block);
        self.tip_sent = Some(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Followed in the end: the last that won its toss.
    #[test]
    fn each_of_three_chains_of_equal_work_is_as_likely() {
        let mut wins = [0_u32; 3];
        let mut ties = Ties::new(&Seed::from_number(1));
        for _ in 0..9_000 {
            ties.settle();
            let mut followed = 0;
            for rival in 1..3 {
                if ties.toss() {
                    followed = rival;
                }
            }
            wins[followed] += 1;
        }
        assert!(wins.iter().all(|&n| (2_800..3_200).contains(&n)), "{wins:?}");
    }
}
