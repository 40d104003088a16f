//! Ctrl-C: the first asks for a clean end, the second does not wait for it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};

use crate::exit::{Exit, Failure};
use crate::say;

/// Whether the first has come.
static CAME: OnceLock<()> = OnceLock::new();

/// Waits for the first Ctrl-C, unless it has come already.
pub(crate) fn wait() {
    CAME.wait();
}

/// Calls `stop` at the first Ctrl-C (or SIGTERM) and ends the process at the second.
pub(crate) fn on_interrupt(stop: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let count = Arc::new(AtomicU32::new(0));
    let handler = move || {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            say::aside("\ninterrupted: stopping in good order; press Ctrl-C again to stop at once");
            stop();
            // Nobody but this handler sets it.
            let _ = CAME.set(());
        } else {
            #[expect(
                clippy::disallowed_methods,
                reason = "the user does not want to wait; files survive a kill"
            )]
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    };
    ctrlc::set_handler(handler).map_err(Failure::could_not_start)
}

/// Sends at every Ctrl-C (or SIGTERM) and says nothing: for what only looks on.
pub(crate) fn on_interrupt_tell(ear: Sender<()>) -> Result<(), Failure> {
    // Whoever does not listen any more is at its end.
    ctrlc::set_handler(move || {
        let _ = ear.send(());
    })
    .map_err(Failure::could_not_start)
}

/// A flag that the first Ctrl-C sets, for what runs in virtual time and looks at it between two steps.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&flag);
    on_interrupt(move || stop.store(true, Ordering::Relaxed))?;
    Ok(flag)
}
