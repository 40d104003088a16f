//! The node's own process: runs the driver, takes orders from the engine, reports to it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net;
use std::sync::Arc;

use libp2p::PeerId;
#[cfg(target_os = "linux")]
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::select;
use tokio::sync::mpsc;

use super::frame::{self, FrameError};
use super::outfit::Ties;
use super::words::{Beginning, Order, Report};
use crate::driver::directory::Roster;
use crate::driver::{Control, Driver, Exit, Told};
use crate::limits::{MAX_QUEUED_ORDERS, MAX_WORKER_EVENTS, WORKER_BUFFER_BYTES};
use crate::{Clock, Error, Hasher};

/// Why a worker could not even begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Nobody who speaks to workers started it.
    #[error("a worker is started by a run with `--nodes process`, not by hand: standard input is no socket ({0})")]
    NotAWorker(io::Error),
    /// The thread it runs on.
    #[error("cannot start the worker's thread: {0}")]
    Thread(io::Error),
    /// The engine cannot be understood.
    #[error("cannot take orders: {0}")]
    Orders(String),
}

impl From<FrameError> for WorkerError {
    fn from(error: FrameError) -> Self {
        Self::Orders(error.to_string())
    }
}

/// Runs one node of a plan, as the process at the other end of standard input says, until that wants it no more. Blocks.
///
/// # Errors
/// When it could not begin. What fails later is the engine's to tell.
pub fn run_worker() -> Result<(), WorkerError> {
    // Before anything else: a worker must not be left behind, not even one that is paused.
    #[cfg(target_os = "linux")]
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| WorkerError::NotAWorker(error.into()))?;
    let socket = inherited().map_err(WorkerError::NotAWorker)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(WorkerError::Thread)?;
    runtime.block_on(work(socket))
}

/// The socket that stands where standard input is expected.
fn inherited() -> io::Result<net::UnixStream> {
    let socket = net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

async fn work(socket: net::UnixStream) -> Result<(), WorkerError> {
    let (from, to) = UnixStream::from_std(socket)
        .map_err(WorkerError::NotAWorker)?
        .into_split();
    let mut from = BufReader::new(from);
    let Some((Order::Begin(beginning), _)) = frame::read(&mut from).await? else {
        return Err(WorkerError::Orders("the first order is not to begin".to_owned()));
    };
    let (control, orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (tell, told) = mpsc::channel(MAX_WORKER_EVENTS);
    let (report, reports) = mpsc::channel(1);
    let clock = Clock::since(beginning.origin);
    let hasher = Hasher::start(clock);
    let life = live(*beginning, (clock, &hasher), (orders, tell), report);
    let obeying = obey(from, control);
    let reporting = tell_all(
        BufWriter::with_capacity(WORKER_BUFFER_BYTES, to),
        (told, reports),
        &hasher,
    );
    tokio::pin!(obeying);
    let ((), ()) = tokio::join!(life, async {
        select! {
            () = reporting => {}
            // Only when the engine is gone, and then the driver is stopping: what it still tells nobody hears.
            never = &mut obeying => match never {},
        }
    });
    Ok(())
}

/// The node's life. Its last word is whether it stopped as told.
async fn live(
    beginning: Beginning,
    (clock, hasher): (Clock, &Hasher),
    (control, told): (mpsc::Receiver<Control>, mpsc::Sender<Told>),
    report: mpsc::Sender<Report>,
) {
    let life = async {
        let keys = beginning.roster.iter().map(|key| key.parse::<PeerId>());
        let keys = keys.collect::<Result<_, _>>().expect("the engine sends keys");
        let ties = Ties {
            clock,
            roster: Arc::new(Roster::new(keys)),
            seat: hasher.seat(beginning.outfit.id),
            control,
            told,
        };
        let (driver, address) = Driver::start(beginning.outfit.setup(ties)).await?;
        let _gone = report.send(Report::Ready { address }).await;
        driver.run().await
    };
    let end = match life.await {
        Ok(Exit::Stopped | Exit::Killed) => Report::Stopped,
        Err(error) => failed(&error),
    };
    let _gone = report.send(end).await;
}

fn failed(error: &Error) -> Report {
    tracing::error!(%error, "the node cannot go on");
    Report::Failed {
        error: error.to_string(),
    }
}

/// Hands orders to the driver until the engine is gone: then lets go of the driver, which stops, and never completes.
async fn obey(mut from: BufReader<OwnedReadHalf>, control: mpsc::Sender<Control>) -> std::convert::Infallible {
    loop {
        let order = match frame::read::<Order>(&mut from).await {
            Ok(Some((order, _))) => order,
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "cannot take orders any more");
                break;
            }
        };
        let Some(control_of) = order.control() else {
            tracing::error!("an order that makes no sense");
            break;
        };
        if control.send(control_of).await.is_err() {
            break;
        }
    }
    drop(control);
    std::future::pending().await
}

/// Reports what the driver tells, and at the end how the node ended. Completes when there is nothing more to tell, or nobody to hear it.
async fn tell_all(
    mut to: BufWriter<OwnedWriteHalf>,
    (mut told, mut reports): (mpsc::Receiver<Told>, mpsc::Receiver<Report>),
    hasher: &Hasher,
) {
    let mut missed = 0;
    loop {
        let (report, block) = select! {
            biased;
            Some(told) = told.recv() => Report::of(told),
            Some(report) = reports.recv() => (report, None),
            else => return,
        };
        let mut bytes = frame::encode(&report, block.as_deref());
        let hashes = hasher.missed();
        if hashes > missed {
            missed = hashes;
            bytes.extend(frame::encode(&Report::Missed { hashes }, None));
        }
        let wrote = async {
            to.write_all(&bytes).await?;
            // While there is more to say, it goes out together.
            if told.is_empty() {
                to.flush().await?;
            }
            Ok::<_, io::Error>(())
        };
        if wrote.await.is_err() {
            // The engine is gone. The driver must be let go on to its end, whatever it tells.
            while told.recv().await.is_some() {}
            return;
        }
    }
}
