//! What waits in the mempools of all nodes: most of it waits in all of them.

use base::{NodeId, prefetch};
use chain::Txid;
use rustc_hash::FxHashMap;

/// Every transaction that waits anywhere has a number, as long as it does; a node has a bit for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Mempools {
    /// Never iterated over.
    numbers: FxHashMap<Txid, u32>,
    /// By number.
    names: Vec<Txid>,
    /// By number: in how many mempools it waits.
    counts: Vec<u32>,
    /// Numbers that nothing has.
    free: Vec<u32>,
    /// By number: a bit for each node in whose mempool it waits, so many words. Most often the same is taken in by many nodes, one after the other.
    bits: Vec<u64>,
    width: usize,
    /// How much waits in each. Apart, for in many networks nothing does, and they are asked at every block.
    lens: Vec<u32>,
}

impl Mempools {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            width: nodes.div_ceil(64),
            lens: vec![0; nodes],
            ..Self::default()
        }
    }

    pub(super) fn insert(&mut self, node: NodeId, txid: Txid) {
        let number = self.number_of(txid);
        if self.insert_bit(node, number) {
            self.lens[node.index()] += 1;
            self.counts[number as usize] += 1;
        }
    }

    pub(super) fn remove(&mut self, node: NodeId, txid: &Txid) {
        let Some(number) = self.numbers.get(txid).copied() else {
            return;
        };
        if self.remove_bit(node, number) {
            self.lens[node.index()] -= 1;
            self.release(number);
        }
    }

    /// Nothing waits there any more.
    pub(super) fn clear(&mut self, node: NodeId) {
        self.lens[node.index()] = 0;
        for number in (0..).take(self.counts.len()) {
            if self.remove_bit(node, number) {
                self.release(number);
            }
        }
    }

    /// Where the bit of a node is: in which word, and which of it.
    const fn place(&self, node: NodeId, number: u32) -> (usize, u64) {
        let word = number as usize * self.width + node.index() / 64;
        (word, 1 << (node.index() % 64))
    }

    /// Whether the bit was not set before.
    fn insert_bit(&mut self, node: NodeId, number: u32) -> bool {
        let (word, bit) = self.place(node, number);
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_new
    }

    /// Whether the bit was set before.
    fn remove_bit(&mut self, node: NodeId, number: u32) -> bool {
        let (word, bit) = self.place(node, number);
        let was_set = self.bits[word] & bit != 0;
        self.bits[word] &= !bit;
        was_set
    }

    pub(super) fn contains(&self, node: NodeId, txid: &Txid) -> bool {
        let number = self.numbers.get(txid);
        let place = number.map(|number| self.place(node, *number));
        place.is_some_and(|(word, bit)| self.bits[word] & bit != 0)
    }

    pub(super) fn glance(&self, node: NodeId) {
        prefetch(&self.lens[node.index()]);
    }

    pub(super) fn len(&self, node: NodeId) -> usize {
        self.lens[node.index()] as usize
    }

    fn number_of(&mut self, txid: Txid) -> u32 {
        let number = *self.numbers.entry(txid).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.counts.push(0);
                self.bits.resize(self.counts.len() * self.width, 0);
                self.names.push(txid);
                u32::try_from(self.counts.len() - 1).expect("memory ends before four billion transactions")
            })
        });
        self.names[number as usize] = txid;
        number
    }

    /// A transaction waits in one mempool less.
    fn release(&mut self, number: u32) {
        let count = &mut self.counts[number as usize];
        *count -= 1;
        if *count == 0 {
            self.numbers.remove(&self.names[number as usize]);
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::{Hash, Seed};

    use super::*;

    /// Against sets of names: all that can happen, in an order that was drawn.
    #[test]
    fn every_node_has_what_it_was_seen_to_take_in() {
        let mut rng = Seed::from_number(1).rng();
        let mut mempools = Mempools::new(4);
        let mut sets = vec![BTreeSet::new(); 4];
        let txid = |number: u64| Txid(Hash::sha256(&[&number.to_le_bytes()]));
        for _ in 0..20_000 {
            let (node, txid) = (rng.index(4), txid(rng.below(300)));
            match rng.below(200) {
                0 => {
                    mempools.clear(NodeId::at(node));
                    sets[node].clear();
                }
                1..120 => {
                    mempools.insert(NodeId::at(node), txid);
                    sets[node].insert(txid);
                }
                _ => {
                    mempools.remove(NodeId::at(node), &txid);
                    sets[node].remove(&txid);
                }
            }
            assert_eq!(mempools.len(NodeId::at(node)), sets[node].len());
        }
        for (node, set) in sets.iter().enumerate() {
            for number in 0..300 {
                let txid = txid(number);
                assert_eq!(mempools.contains(NodeId::at(node), &txid), set.contains(&txid));
            }
        }
        let all: BTreeSet<&Txid> = sets.iter().flatten().collect();
        assert_eq!(mempools.numbers.len(), all.len());
        assert_eq!(mempools.free.len() + all.len(), mempools.counts.len());
        assert!(mempools.counts.len() <= 300);
    }
}
