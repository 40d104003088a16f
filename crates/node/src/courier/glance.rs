//! Has fetched what a courier needs to whom something happens soon: an engine with many nodes asks for the memory of many at a time, and does not wait for it.

use base::prefetch;

use super::Courier;

impl Courier {
    /// Has fetched what it knows.
    pub fn glance(&self) {
        prefetch(&self.wanted);
        prefetch(&self.said);
        prefetch(&self.satchel);
        prefetch(&self.rng);
    }

    /// The same of what is under way.
    pub fn glance_closer(&self) {
        if let Some(wanted) = self.wanted.first() {
            prefetch(wanted);
        }
        if let Some(said) = self.said.first() {
            prefetch(said);
        }
        if let Some(queued) = self.queue.first() {
            prefetch(queued);
        }
        if let Some(taken) = self.satchel.taken.last() {
            prefetch(taken);
        }
    }
}
