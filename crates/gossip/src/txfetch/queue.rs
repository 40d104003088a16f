//! Rows by time.

use std::cmp::Ordering;
use std::collections::VecDeque;

use base::Time;
use chain::Wtxid;

/// Rows by time, and by name where times are the same. Most are put in at the end and taken out at the beginning.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    rows: VecDeque<(Time, u32)>,
    /// The first row's time, asked for after everything that a node does.
    next: Option<Time>,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            rows: VecDeque::new(),
            next: None,
        }
    }

    /// The first row and its time.
    pub(super) fn first(&self) -> Option<(Time, usize)> {
        self.rows.front().map(|(time, row)| (*time, *row as usize))
    }

    /// The first row's time.
    pub(super) const fn next(&self) -> Option<Time> {
        self.next
    }

    /// Puts in a row that is not there.
    pub(super) fn insert(&mut self, (time, row): (Time, usize), name: impl Fn(usize) -> Wtxid) {
        let place = match self.rows.back() {
            Some((last, _)) if *last >= time => self.find((time, row), name).expect_err("a row is filed once"),
            Some(_) | None => self.rows.len(),
        };
        let row = u32::try_from(row).expect("there are few rows");
        self.rows.insert(place, (time, row));
        self.next = self.rows.front().map(|(time, _)| *time);
    }

    /// Takes out a row that is there.
    pub(super) fn remove(&mut self, (time, row): (Time, usize), name: impl Fn(usize) -> Wtxid) {
        let place = self.find((time, row), name).expect("it is filed");
        self.rows.remove(place);
        self.next = self.rows.front().map(|(time, _)| *time);
    }

    fn find(&self, (time, row): (Time, usize), name: impl Fn(usize) -> Wtxid) -> Result<usize, usize> {
        self.rows.binary_search_by(|(other_time, other)| {
            let other = *other as usize;
            other_time.cmp(&time).then_with(|| {
                if other == row {
                    Ordering::Equal
                } else {
                    name(other).cmp(&name(row))
                }
            })
        })
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Time, usize)> {
        self.rows.iter().map(|(time, row)| (*time, *row as usize))
    }
}
