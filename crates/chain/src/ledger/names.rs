//! From a block's name to its handle.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::BlockRef;
use crate::BlockId;

/// A place in the table: eight bytes, so that a hundred thousand blocks stay in a core's own cache.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Part of the name, so that a table that grows need not look names up.
    part: u32,
    block: BlockRef,
}

/// Handles by name. The names themselves are the index's, who says which block has which.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: HashTable<Slot>,
}

impl Names {
    /// The block of this name, where `is` says whether a block has it.
    pub(super) fn find(&self, id: &BlockId, is: impl Fn(BlockRef) -> bool) -> Option<BlockRef> {
        let part = part(id);
        let found = self
            .slots
            .find(spread(part), |slot| slot.part == part && is(slot.block));
        found.map(|slot| slot.block)
    }

    /// Adds a block, where `is` says whether another has its name.
    ///
    /// # Panics
    /// When one has.
    pub(super) fn insert(&mut self, id: &BlockId, block: BlockRef, is: impl Fn(BlockRef) -> bool) {
        let part = part(id);
        let is_it = |slot: &Slot| slot.part == part && is(slot.block);
        match self.slots.entry(spread(part), is_it, |slot| spread(slot.part)) {
            Entry::Vacant(place) => place.insert(Slot { part, block }),
            Entry::Occupied(_) => panic!("a block is added once"),
        };
    }
}

/// Names are hashes already. Their first bytes are the least significant ones, which no proof of work sets to zero.
fn part(id: &BlockId) -> u32 {
    let [a, b, c, d, ..] = id.0.0;
    u32::from_le_bytes([a, b, c, d])
}

/// A table takes the lowest bits for the place and the highest seven to tell neighbours apart.
fn spread(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

#[cfg(test)]
mod tests {
    use base::Hash;

    use super::*;

    #[test]
    fn names_with_the_same_part_are_told_apart() {
        let id = |number: u8| {
            BlockId(Hash(
                [[7; 31].as_slice(), &[number]].concat().try_into().expect("32 bytes"),
            ))
        };
        let ids: Vec<BlockId> = (0..200).map(id).collect();
        let mut names = Names::default();
        for (block, id) in (0..).map(BlockRef::at).zip(&ids) {
            assert_eq!(names.find(id, |block| ids[block.index()] == *id), None);
            names.insert(id, block, |block| ids[block.index()] == *id);
        }
        for (block, id) in (0..).map(BlockRef::at).zip(&ids) {
            assert_eq!(names.find(id, |block| ids[block.index()] == *id), Some(block));
        }
    }
}
