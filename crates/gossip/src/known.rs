//! What a peer is known to have, so that it is not told again.

use std::collections::{BTreeSet, VecDeque};

use crate::limits::MAX_KNOWN;

/// The last [`MAX_KNOWN`] names that a peer announced, sent or was told. Full, it forgets the oldest.
#[derive(Clone, Debug)]
pub struct Known<T> {
    names: BTreeSet<T>,
    oldest_first: VecDeque<T>,
}

impl<T: Copy + Ord> Known<T> {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: BTreeSet::new(),
            oldest_first: VecDeque::new(),
        }
    }

    /// Remembers a name; whether it is new. One that is known keeps its age.
    pub fn insert(&mut self, name: T) -> bool {
        if !self.names.insert(name) {
            return false;
        }
        self.oldest_first.push_back(name);
        if self.oldest_first.len() > MAX_KNOWN {
            let oldest = self.oldest_first.pop_front().expect("longer than the limit");
            self.names.remove(&oldest);
        }
        true
    }

    /// Whether the peer is known to have it.
    #[must_use]
    pub fn contains(&self, name: &T) -> bool {
        self.names.contains(name)
    }
}

impl<T: Copy + Ord> Default for Known<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_only_once() {
        let mut known = Known::new();
        assert!(known.insert(7));
        assert!(!known.insert(7));
        assert!(known.contains(&7));
        assert!(!known.contains(&8));
    }

    #[test]
    fn the_oldest_name_is_forgotten_above_the_limit_and_not_at_it() {
        let mut known = Known::new();
        for name in 0..MAX_KNOWN {
            assert!(known.insert(name));
        }
        assert!(known.contains(&0), "the limit itself is allowed");
        assert!(known.insert(MAX_KNOWN));
        assert!(!known.contains(&0));
        assert!(known.contains(&1) && known.contains(&MAX_KNOWN));
        assert_eq!(known.names.len(), MAX_KNOWN);
        assert_eq!(known.oldest_first.len(), MAX_KNOWN);
    }
}
