//! Names that are remembered for a while, so that nothing is done twice about them.

use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::FxHashSet;

use crate::limits::{MAX_KNOWN, MAX_RECENT};

/// The last [`MAX_KNOWN`] names. Full, it forgets the oldest.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// Only ever asked for one name or another.
    names: FxHashSet<T>,
    oldest_first: VecDeque<T>,
}

impl<T: Copy + Eq + Hash> Known<T> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: FxHashSet::default(),
            oldest_first: VecDeque::new(),
        }
    }

    /// Remembers a name; whether it is new. One that is known keeps its age.
    pub fn insert(&mut self, name: T) -> bool {
        if !self.names.insert(name) {
            return false;
        }
        if self.oldest_first.len() == MAX_KNOWN {
            let oldest = self.oldest_first.pop_front().expect("as long as the limit");
            self.names.remove(&oldest);
        }
        self.oldest_first.push_back(name);
        true
    }

    /// Whether no name is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.oldest_first.is_empty()
    }

    /// How many names are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.oldest_first.len()
    }

    /// All that are remembered, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.oldest_first.iter()
    }

    /// Whether the name is remembered.
    #[must_use]
    pub fn contains(&self, name: &T) -> bool {
        self.names.contains(name)
    }
}

impl<T: Copy + Eq + Hash> Default for Known<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The last [`MAX_RECENT`] names: few enough to look through one by one. Full, it forgets the oldest.
#[derive(Clone, Debug)]
pub struct Recent<T> {
    oldest_first: VecDeque<T>,
}

impl<T: Copy + Eq> Recent<T> {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            oldest_first: VecDeque::new(),
        }
    }

    /// Remembers a name; whether it is new. One that is known keeps its age.
    pub fn insert(&mut self, name: T) -> bool {
        if self.oldest_first.contains(&name) {
            return false;
        }
        if self.oldest_first.len() == MAX_RECENT {
            self.oldest_first.pop_front();
        }
        self.oldest_first.push_back(name);
        true
    }
}

impl<T: Copy + Eq> Default for Recent<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_recent_names_the_oldest_is_forgotten_above_the_limit_and_not_at_it() {
        let mut recent = Recent::new();
        for name in 0..MAX_RECENT {
            assert!(recent.insert(name));
        }
        assert!(!recent.insert(0), "the limit itself is allowed");
        assert!(recent.insert(MAX_RECENT));
        assert!(!recent.insert(1) && recent.insert(0));
        assert_eq!(recent.oldest_first.len(), MAX_RECENT);
    }

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
