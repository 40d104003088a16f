//! The node's own process: runs the driver, takes orders from the engine, reports to it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net;
use std::sync::Arc;

use libp2p::PeerId;
#[cfg(target_os = "linux")]
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::select;
use tokio::sync::{mpsc, watch};

use super::frame::{self, FrameError};
use super::handover;
use super::outfit::Ties;
use super::words::{Beginning, Order, Report};
use crate::driver::directory::Roster;
use crate::driver::turnstile::{Callee, Gate};
use crate::driver::{Control, Driver, Exit, Told};
use crate::limits::{MAX_QUEUED_ORDERS, MAX_WORKER_EVENTS, WORKER_BUFFER_BYTES};
use crate::port::Listeners;
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
    let listeners = handover::take(&socket)?;
    socket.set_nonblocking(true).map_err(WorkerError::NotAWorker)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(WorkerError::Thread)?;
    runtime.block_on(work(socket, listeners))
}

/// The socket that stands where standard input is expected.
fn inherited() -> io::Result<net::UnixStream> {
    let socket = net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    Ok(socket)
}

async fn work(socket: net::UnixStream, listeners: Listeners) -> Result<(), WorkerError> {
    let (from, to) = UnixStream::from_std(socket)
        .map_err(WorkerError::NotAWorker)?
        .into_split();
    let mut from = BufReader::new(from);
    let Some((Order::Begin(beginning), _)) = frame::read(&mut from).await? else {
        return Err(WorkerError::Orders("the first order is not to begin".to_owned()));
    };
    let (control, orders) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (tell, told) = events();
    let (report, reports) = mpsc::channel(1);
    let clock = Clock::since(beginning.origin);
    let hasher = Hasher::start(clock);
    let (gate, Callee { wanted, given }) = Gate::there();
    let life = live(*beginning, (listeners, gate), (clock, &hasher), (orders, tell, report));
    let obeying = obey(from, control, given);
    let reporting = tell_all(
        BufWriter::with_capacity(WORKER_BUFFER_BYTES, to),
        (told, reports, wanted),
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

/// Where what the node tells waits for the socket.
fn events() -> (mpsc::Sender<Told>, mpsc::Receiver<Told>) {
    mpsc::channel(MAX_WORKER_EVENTS)
}

/// The node's life. Its last word is whether it stopped as told.
async fn live(
    beginning: Beginning,
    (listeners, gate): (Listeners, Gate),
    (clock, hasher): (Clock, &Hasher),
    (control, told, report): (mpsc::Receiver<Control>, mpsc::Sender<Told>, mpsc::Sender<Report>),
) {
    let life = async {
        let keys = beginning.roster.iter().map(|key| key.parse::<PeerId>());
        let keys = keys.collect::<Result<_, _>>().expect("the engine sends keys");
        let ties = Ties {
            clock,
            roster: Arc::new(Roster::new(keys)),
            listeners,
            seat: hasher.seat(beginning.outfit.id),
            gate,
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
async fn obey(
    mut from: BufReader<OwnedReadHalf>,
    control: mpsc::Sender<Control>,
    given: watch::Sender<u64>,
) -> std::convert::Infallible {
    loop {
        let order = match frame::read::<Order>(&mut from).await {
            Ok(Some((order, _))) => order,
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "cannot take orders any more");
                break;
            }
        };
        if let Order::Turn(number) = order {
            given.send_replace(number);
            continue;
        }
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
    mut to: BufWriter<impl AsyncWrite + Unpin>,
    (mut told, mut reports, mut turns): (
        mpsc::Receiver<Told>,
        mpsc::Receiver<Report>,
        watch::Receiver<Option<u64>>,
    ),
    hasher: &Hasher,
) {
    let mut missed = 0;
    loop {
        let (report, block) = select! {
            biased;
            // Before what can wait, as a node that may not dial does.
            Ok(()) = turns.changed() => (Report::Turn { wanted: *turns.borrow_and_update() }, None),
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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use base::{NodeId, Time};
    use observe::RunEvent;
    use tokio::io::duplex;
    use tokio::task::unconstrained;

    use super::*;

    fn told(number: usize) -> Told {
        let started = RunEvent::NodeStarted {
            node: NodeId(0),
            peer_id: String::new(),
            addrs: Vec::new(),
            restored: number,
        };
        Told {
            at: Time::ZERO,
            event: started,
        }
    }

    /// Nothing is lost on an engine that is behind: its nodes wait.
    #[tokio::test]
    async fn a_node_waits_when_so_many_of_its_events_wait_for_an_engine_that_does_not_read() {
        let (to, mut engine) = duplex(WORKER_BUFFER_BYTES);
        let (tell, events) = events();
        let (report, reports) = mpsc::channel(1);
        let hasher = Hasher::start(Clock::start());
        let telling = tell_all(BufWriter::new(to), (events, reports, Gate::there().1.wanted), &hasher);
        tokio::pin!(telling);
        let mut sent = 0;
        // Without the pauses that the runtime makes to be fair, what does not go on has to wait for somebody.
        unconstrained(async {
            loop {
                let is_taken = select! {
                    biased;
                    () = &mut telling => unreachable!("there will be more to tell"),
                    sent = tell.send(told(sent)) => sent.is_ok(),
                    () = ready(()) => false,
                };
                if !is_taken {
                    return;
                }
                sent += 1;
            }
        })
        .await;
        assert_eq!((tell.capacity(), tell.max_capacity()), (0, MAX_WORKER_EVENTS));
        assert!(sent > MAX_WORKER_EVENTS, "{sent}");

        drop((tell, report));
        let mut read = 0;
        let reading = async {
            while let Some((report, _)) = frame::read::<Report>(&mut engine).await.expect("whole frames") {
                assert!(
                    matches!(report, Report::Started { restored, .. } if restored == read),
                    "{report:?}"
                );
                read += 1;
                if read == sent {
                    return;
                }
            }
        };
        tokio::join!(telling, reading);
        assert_eq!(read, sent);
    }
}
