//! The engine's side of a worker: starts its process, passes orders on, takes its reports in, and knows whether its end was meant.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::NodeId;
use libp2p::Multiaddr;
use observe::{Intervention, RunEvent};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Program;
use super::frame::{self, FrameError};
use super::handover;
use super::outfit::Outfit;
use super::words::{Beginning, Order, Report};
use crate::driver::turnstile::{Gate, Turnstile};
use crate::driver::{Control, Exit, Told};
use crate::limits::{MAX_QUEUED_ORDERS, TURN_PATIENCE};
use crate::port::Listeners;
use crate::{Clock, Error};

/// What ties a worker to the engine.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) control: mpsc::Receiver<Control>,
    pub(crate) told: mpsc::Sender<Told>,
    pub(crate) ready: mpsc::Sender<(NodeId, Multiaddr)>,
    /// Hashes that workers owed and never tried, all together.
    pub(crate) missed: Arc<AtomicU64>,
    /// Where the nodes of the run queue to dial.
    pub(crate) gate: Gate,
}

/// A worker's process. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Host {
    node: NodeId,
    clock: Clock,
    process: Child,
    program: PathBuf,
    log: Option<PathBuf>,
    socket: net::UnixStream,
}

impl Host {
    /// Starts the process of the node of this name, and hands it what it listens with.
    pub(crate) fn start(
        program: &Program,
        (node, name): (NodeId, &str),
        clock: Clock,
        listeners: &Listeners,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Process {
            program: program.path.clone(),
            source,
        };
        let (ours, theirs) = net::UnixStream::pair().map_err(failed)?;
        handover::give(&ours, listeners).map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let log = program.logs.as_ref().map(|folder| folder.join(format!("{name}.log")));
        let errors = match &log {
            Some(log) => Stdio::from(open(log).map_err(failed)?),
            None => Stdio::null(),
        };
        let process = Command::new(&program.path)
            .args(&program.arguments)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(errors)
            // A terminal's Ctrl-C is for the engine, which then stops its workers in good order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        Ok(Self {
            node,
            clock,
            process,
            program: program.path.clone(),
            log,
            socket: ours,
        })
    }

    /// Lets the worker be this node until it ends; gives how it ended.
    pub(crate) async fn run(self, outfit: Outfit, roster: Vec<String>, lines: Lines) -> Result<Exit, Error> {
        let mut process = self.process;
        let id = process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (from, to) = UnixStream::from_std(self.socket).map_err(Error::Threads)?.into_split();
        let Lines {
            control,
            told,
            ready,
            missed,
            gate,
        } = lines;
        let (want, wanted) = watch::channel(None);
        let mut reins = Reins {
            node: self.node,
            clock: self.clock,
            process: id.expect("a process that was not waited for has an id"),
            to,
            told: told.clone(),
            wish: None,
            turnstile: Turnstile::new(gate),
            wanted,
            turn_until: None,
        };
        let ears = Ears {
            told,
            ready,
            missed,
            want,
        };
        let beginning = Order::Begin(Box::new(Beginning {
            outfit,
            roster,
            origin: self.clock.origin(),
        }));
        let mut has_spoken = false;
        let said = select! {
            said = listen(self.node, BufReader::new(from), (&ears, &mut has_spoken)) => said,
            stuck = reins.drive(&beginning, control) => match stuck { Err(error) => return Err(error) },
        };
        reins.leave_queue();
        if said.is_err() {
            // Whatever it is, it is no worker of ours.
            let _gone = process.start_kill();
        }
        let status = process.wait().await.map_err(Error::Threads)?;
        // One that was killed may have left orders unread, which breaks its socket, or half a report.
        if matches!(reins.wish, Some(Exit::Killed)) {
            return Ok(Exit::Killed);
        }
        let last_word = match said {
            Ok(last_word) => last_word,
            // So it does when the process ends with orders unread: how it ended says more.
            Err(FrameError::Io(_)) => None,
            Err(error) => return Err(Error::Worker(error.to_string())),
        };
        match (reins.wish, last_word) {
            (Some(Exit::Stopped), Some(Ok(()))) => Ok(Exit::Stopped),
            // An operator's word reached it through its interface.
            (None, Some(Ok(()))) if status.success() => Ok(Exit::Stopped),
            (_, Some(Err(words))) => Err(Error::Worker(words)),
            (_, None) if !has_spoken => Err(Error::NoWord {
                program: self.program,
                status,
                log: self.log,
            }),
            (_, None | Some(Ok(()))) => Err(Error::Exited { status, log: self.log }),
        }
    }
}

/// Added to, so that a node that starts again goes on in its log.
fn open(log: &Path) -> io::Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(log)
}

/// What a worker is led by.
struct Reins {
    node: NodeId,
    clock: Clock,
    process: Pid,
    to: OwnedWriteHalf,
    told: mpsc::Sender<Told>,
    /// How it was told to end.
    wish: Option<Exit>,
    /// Its place in the queue of those who want to dial.
    turnstile: Turnstile,
    /// The number of the turn that it wants or has.
    wanted: watch::Receiver<Option<u64>>,
    /// When the turn that it has is over, whatever it says.
    turn_until: Option<Instant>,
}

async fn turn_ends(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

impl Reins {
    /// Passes orders on, for as long as it is polled. Ends only when too many wait for a worker that stands still.
    async fn drive(&mut self, beginning: &Order, mut control: mpsc::Receiver<Control>) -> Result<Infallible, Error> {
        self.send(beginning).await;
        let mut waiting = VecDeque::new();
        let mut is_paused = false;
        loop {
            let order = self.next_order(&mut control, is_paused).await;
            match order {
                Control::Pause => {
                    is_paused = true;
                    self.leave_queue();
                    self.signal(Signal::STOP);
                    self.tell(Intervention::Paused).await;
                }
                Control::Resume => {
                    is_paused = false;
                    self.signal(Signal::CONT);
                    self.tell(Intervention::Resumed).await;
                    self.queue().await;
                    for order in waiting.drain(..) {
                        self.pass_on(order).await;
                    }
                }
                Control::Kill => {
                    self.wish = Some(Exit::Killed);
                    self.leave_queue();
                    self.signal(Signal::KILL);
                    return pending().await;
                }
                Control::Stop => {
                    self.wish = Some(Exit::Stopped);
                    self.leave_queue();
                    self.signal(Signal::CONT);
                    self.send(&Order::Stop).await;
                    // What it is told from here on does not matter to it, unless it is to be killed after all.
                    while !matches!(control.recv().await, Some(Control::Kill) | None) {}
                    return pending().await;
                }
                Control::Command(_)
                | Control::Want(_)
                | Control::Forget(_)
                | Control::Sever(_)
                | Control::Mend(_)
                | Control::SetLink(..)
                    if !is_paused =>
                {
                    self.pass_on(order).await;
                }
                // The socket would fill, and the order to go on would wait behind it.
                Control::Command(_)
                | Control::Want(_)
                | Control::Forget(_)
                | Control::Sever(_)
                | Control::Mend(_)
                | Control::SetLink(..) => {
                    if waiting.len() == MAX_QUEUED_ORDERS {
                        return Err(Error::Stuck(self.node));
                    }
                    waiting.push_back(order);
                }
            }
        }
    }

    /// The next order; meanwhile the worker has its turns to dial.
    async fn next_order(&mut self, control: &mut mpsc::Receiver<Control>, is_paused: bool) -> Control {
        loop {
            select! {
                biased;
                // Whoever could give orders is gone: nobody wants this node any more.
                order = control.recv() => return order.unwrap_or(Control::Stop),
                Ok(()) = self.wanted.changed(), if !is_paused => self.queue().await,
                () = self.turnstile.called() => self.give_turn().await,
                () = turn_ends(self.turn_until) => self.leave_queue(),
            }
        }
    }

    /// Lets the worker stand where it wants to: behind the others, or nowhere.
    async fn queue(&mut self) {
        self.leave_queue();
        let is_wanted = self.wanted.borrow_and_update().is_some();
        if is_wanted && self.turnstile.ask() {
            self.give_turn().await;
        }
    }

    async fn give_turn(&mut self) {
        let number = *self.wanted.borrow();
        if let Some(number) = number {
            self.turnstile.take();
            self.turn_until = Some(Instant::now() + TURN_PATIENCE);
            self.send(&Order::Turn(number)).await;
        }
    }

    /// Others need not wait for this worker any more.
    fn leave_queue(&mut self) {
        self.turn_until = None;
        self.turnstile.leave();
    }

    async fn pass_on(&mut self, control: Control) {
        let order = Order::of(control).expect("what is done to a process is done by signals");
        self.send(&order).await;
    }

    /// One that is gone is noticed by its end.
    async fn send(&mut self, order: &Order) {
        let _gone = self.to.write_all(&frame::encode(order, None)).await;
    }

    /// The process has not been waited for, so its id is nobody else's.
    fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process(self.process, signal) {
            tracing::debug!(node = %self.node, %error, "cannot signal a worker");
        }
    }

    async fn tell(&mut self, what: Intervention) {
        let node = self.node;
        let event = RunEvent::Intervention { node, what };
        let at = self.clock.now();
        let _gone = self.told.send(Told { at, event }).await;
    }
}

/// Who is told what a worker reports.
struct Ears {
    told: mpsc::Sender<Told>,
    ready: mpsc::Sender<(NodeId, Multiaddr)>,
    missed: Arc<AtomicU64>,
    want: watch::Sender<Option<u64>>,
}

/// Takes a worker's reports in until its socket ends; gives its last word: that it stopped, or why it cannot go on.
async fn listen(
    node: NodeId,
    mut from: BufReader<OwnedReadHalf>,
    (ears, has_spoken): (&Ears, &mut bool),
) -> Result<Option<Result<(), String>>, FrameError> {
    let mut last_word = None;
    let mut missed_before = 0;
    while let Some((report, block)) = frame::read::<Report>(&mut from).await? {
        *has_spoken = true;
        let (at, event) = match report {
            Report::Started {
                at,
                peer_id,
                addrs,
                restored,
            } => {
                let started = RunEvent::NodeStarted {
                    node,
                    peer_id,
                    addrs,
                    restored,
                };
                (at, started)
            }
            Report::Event { at, nseq, mut event } => {
                if let (Some(place), Some(block)) = (event.body_mut(), block) {
                    *place = block;
                }
                (at, RunEvent::Node { node, nseq, event })
            }
            Report::Ready { address } => {
                // An engine that is gone does not want to know.
                let _gone = ears.ready.send((node, address)).await;
                continue;
            }
            Report::Turn { wanted } => {
                ears.want.send_replace(wanted);
                continue;
            }
            Report::Missed { hashes } => {
                ears.missed
                    .fetch_add(hashes.saturating_sub(missed_before), Ordering::Relaxed);
                missed_before = hashes;
                continue;
            }
            Report::Stopped => {
                last_word = Some(Ok(()));
                continue;
            }
            Report::Failed { error } => {
                last_word = Some(Err(error));
                continue;
            }
        };
        let _gone = ears.told.send(Told { at, event }).await;
    }
    Ok(last_word)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// The reins of a worker that wants the turn of this number, what it hears, and how it changes its mind.
    fn reins(gate: &Gate, number: u64) -> (Reins, UnixStream, watch::Sender<Option<u64>>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (want, wanted) = watch::channel(None);
        want.send_replace(Some(number));
        let reins = Reins {
            node: NodeId(0),
            clock: Clock::start(),
            process: rustix::process::getpid(),
            to: ours.into_split().1,
            told: mpsc::channel(1).0,
            wish: None,
            turnstile: Turnstile::new(gate.clone()),
            wanted,
            turn_until: None,
        };
        (reins, theirs, want)
    }

    async fn hear_turn(reins: &mut Reins, worker: &mut UnixStream) -> u64 {
        let (_orders, mut control) = mpsc::channel(1);
        select! {
            order = reins.next_order(&mut control, false) => panic!("{order:?}"),
            heard = frame::read::<Order>(worker) => match heard.unwrap() {
                Some((Order::Turn(number), None)) => number,
                other => panic!("{other:?}"),
            },
        }
    }

    #[tokio::test]
    async fn workers_dial_by_turns_and_one_that_stands_still_keeps_nobody_waiting() {
        let gate = Gate::of(1);
        let (mut a, mut worker_a, want_a) = reins(&gate, 7);
        let (mut b, mut worker_b, _want_b) = reins(&gate, 1);
        assert_eq!(hear_turn(&mut a, &mut worker_a).await, 7);
        assert_eq!(hear_turn(&mut b, &mut worker_b).now_or_never(), None);
        // What the first one says is enough.
        want_a.send_replace(None);
        let (_orders, mut control) = mpsc::channel(1);
        assert!(a.next_order(&mut control, false).now_or_never().is_none());
        assert_eq!(hear_turn(&mut b, &mut worker_b).await, 1);
        // The second one says nothing.
        want_a.send_replace(Some(8));
        let began = Instant::now();
        let (turn, ()) = tokio::join!(hear_turn(&mut a, &mut worker_a), async {
            let waiting = b.next_order(&mut control, false);
            let _still = tokio::time::timeout(TURN_PATIENCE * 2, waiting).await;
        });
        assert_eq!(turn, 8);
        assert!(began.elapsed() >= TURN_PATIENCE, "{:?}", began.elapsed());
    }
}
