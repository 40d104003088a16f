//! The view in the terminal, beside a run that goes on or of one that is recorded.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::anyhow;
use chain::HashRate;
use observe::Operator;
use scenario::Plan;
use terminal::{Error, Left, Tempo, Watch, watch};

use crate::exit::Failure;
use crate::{paint, say};

/// A view that is open in a thread of its own.
pub(crate) struct View {
    thread: JoinHandle<Result<Left, Error>>,
    lost: Arc<AtomicBool>,
}

/// Refuses a view where there is no terminal.
pub(crate) fn needs_terminal() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::bad_input(anyhow!(
        "a view needs a terminal, and standard input or output is none"
    )))
}

/// The tempo at which a simulation can be looked at: blocks that are mined at a rate come every two seconds or so, and messages can be seen to
/// take their time where blocks come on demand.
pub(crate) fn tempo(plan: &Plan) -> Arc<Tempo> {
    let mines = plan.nodes.iter().any(|node| node.hashrate > HashRate::ZERO);
    let interval = u64::try_from(plan.params.interval.as_millis()).unwrap_or(u64::MAX);
    Arc::new(Tempo::new(if mines { interval / 2 } else { 200 }))
}

impl View {
    /// Opens a view of a run that is about to begin; `end` ends the run in good order.
    pub(crate) fn beside(
        folder: &Path,
        operator: Operator,
        tempo: Option<Arc<Tempo>>,
        end: impl Fn() + Send + 'static,
    ) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let is_lost = Arc::clone(&lost);
        let watched = Watch {
            folder: folder.to_owned(),
            operator: Some(operator),
            tempo,
            end: Box::new(end),
            is_lost: Box::new(move || is_lost.load(Ordering::Relaxed)),
        };
        Self {
            thread: std::thread::spawn(move || watch(watched)),
            lost,
        }
    }

    /// Whether the user still looks.
    pub(crate) fn is_open(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Closes the view: the run could not begin.
    pub(crate) fn close(self) {
        self.lost.store(true, Ordering::Relaxed);
        self.wait();
    }

    /// Waits until the user has seen enough.
    pub(crate) fn wait(self) {
        match self.thread.join() {
            Ok(Ok(Left::Enough | Left::EndRun)) => {}
            Ok(Err(error)) => say::aside(format_args!("{}: {error}", paint::warning("warning"))),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
