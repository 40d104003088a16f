//! From names to handles: eight bytes for each name, in tables that no choice of names makes slow.

use base::Hash;
use hashbrown::HashTable;

/// What is looked up: a hash, and a number that tells apart what has the same, such as the outputs of a transaction.
type Name<'a> = (&'a Hash, u32);

/// A place in the table.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Part of the name's keyed hash, so that a table that grows need not look names up.
    part: u32,
    handle: u32,
}

/// Handles by name. The names themselves are the owner's, who says which handle has which. Never iterated over.
#[derive(Clone, Debug)]
pub struct Names {
    /// Unknown to whoever makes names up, so that nobody makes up many that fall on one place.
    secret: [u64; 2],
    slots: HashTable<Slot>,
}

impl Names {
    /// No names.
    #[must_use]
    pub const fn new(secret: [u64; 2]) -> Self {
        Self {
            secret,
            slots: HashTable::new(),
        }
    }

    /// The handle of this name, where `is` says whether a handle has it.
    #[must_use]
    pub fn find(&self, name: Name<'_>, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let part = self.part(name);
        let found = self
            .slots
            .find(spread(part), |slot| slot.part == part && is(slot.handle));
        found.map(|slot| slot.handle)
    }

    /// Adds a name that is not there yet.
    pub fn insert(&mut self, name: Name<'_>, handle: u32) {
        let part = self.part(name);
        self.slots
            .insert_unique(spread(part), Slot { part, handle }, |slot| spread(slot.part));
    }

    /// Removes a name that has this handle, if it is there.
    pub fn remove(&mut self, name: Name<'_>, handle: u32) {
        let part = self.part(name);
        let found = self
            .slots
            .find_entry(spread(part), |slot| slot.part == part && slot.handle == handle);
        if let Ok(slot) = found {
            slot.remove();
        }
    }

    /// Forgets all names.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn part(&self, (Hash(bytes), number): Name<'_>) -> u32 {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: usize| u64::from_le_bytes(words[at]);
        let [first, second] = self.secret;
        let number = u64::from(number).wrapping_mul(SPREAD);
        let half = fold(word(0) ^ first, word(1) ^ second);
        let whole = fold(word(2) ^ half, word(3) ^ first.rotate_left(32) ^ number);
        (whole >> 32) as u32
    }
}

/// 2^64 over the golden ratio: numbers that follow one another become ones that differ in many bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a product, each bit of which depends on all bits of both (as wyhash mixes).
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted apart")]
    let (high, low) = ((product >> 64) as u64, product as u64);
    high ^ low
}

/// A table takes the lowest bits for the place and the highest seven to tell neighbours apart.
fn spread(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        let hashes: Vec<Hash> = (0..200_u32)
            .map(|number| Hash::sha256(&[&number.to_le_bytes()]))
            .collect();
        let mut names = Names::new(SECRET);
        // Two numbers of each hash, which differ in their handles' last bit.
        let name = |handle: u32| (&hashes[handle as usize / 2], handle % 2);
        for handle in 0..400 {
            assert_eq!(names.find(name(handle), |other| other == handle), None);
            names.insert(name(handle), handle);
        }
        for handle in 0..400 {
            assert_eq!(
                names.find(name(handle), |other| name(other) == name(handle)),
                Some(handle)
            );
        }
        for handle in (0..400).step_by(3) {
            names.remove(name(handle), handle);
        }
        for handle in 0..400 {
            let there = (handle % 3 != 0).then_some(handle);
            assert_eq!(names.find(name(handle), |other| name(other) == name(handle)), there);
        }
        assert_eq!(names.len(), 400 - 134);
    }

    #[test]
    fn names_that_differ_in_one_bit_or_in_the_secret_fall_on_different_places() {
        let names = Names::new(SECRET);
        let mut parts = std::collections::BTreeSet::new();
        for bit in 0..256 {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            parts.insert(names.part((&Hash(bytes), 0)));
        }
        parts.insert(names.part((&Hash::ZERO, 0)));
        parts.insert(names.part((&Hash::ZERO, 1)));
        parts.insert(Names::new([SECRET[0], 7]).part((&Hash::ZERO, 0)));
        assert_eq!(parts.len(), 259);
    }
}
