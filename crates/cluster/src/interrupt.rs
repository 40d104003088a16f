//! Asking a run, or a node, to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// A wish to stop, that can be uttered from anywhere and is heard by all clones.
#[derive(Clone, Debug)]
pub struct Interrupt {
    uttered: Arc<watch::Sender<bool>>,
}

impl Interrupt {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        let (uttered, _) = watch::channel(false);
        Self {
            uttered: Arc::new(uttered),
        }
    }

    /// Asks for a clean stop. Asking again changes nothing.
    pub fn trigger(&self) {
        self.uttered.send_replace(true);
    }

    /// Completes when a stop is, or was, asked for. May be dropped and called again.
    pub async fn triggered(&self) {
        let mut ear = self.uttered.subscribe();
        // Cannot fail: we hold the sender ourselves.
        let _heard = ear.wait_for(|uttered| *uttered).await;
    }
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}
