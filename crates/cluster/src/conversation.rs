//! Talking to one peer: a task that reads frames, a task that writes them, and the bounds between them and the node.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::NodeId;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gossip::Message;
use gossip::wire::{self, FrameReader};
use libp2p::swarm::ConnectionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{FRAME_TIMEOUT, MAX_HEARD_PER_PEER, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES, READ_BYTES};
use crate::net::Pair;

/// Something heard from a peer.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) peer: NodeId,
    pub(crate) connection: ConnectionId,
    pub(crate) what: Word,
    /// Lets the peer's reader go on when this is dropped: nobody has more than a few words waiting, however fast it talks.
    pub(crate) turn: OwnedSemaphorePermit,
}

/// What was heard.
#[derive(Debug)]
pub(crate) enum Word {
    /// A whole message.
    Message(Message),
    /// Bytes that are none; nothing more is read.
    Garbage(&'static str),
    /// The stream ended, or failed.
    End,
}

/// The peer reads slower than it is written to, and too much waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooSlow;

/// An open conversation. Dropping it falls silent at once.
#[derive(Debug)]
pub(crate) struct Conversation {
    /// Messages and the bytes they are counted with.
    outgoing: mpsc::Sender<(Message, u64)>,
    queued_bytes: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Conversation {
    /// Begins to read and to write; what is heard goes to `ear`.
    pub(crate) fn start(peer: NodeId, connection: ConnectionId, streams: Box<Pair>, ear: mpsc::Sender<Heard>) -> Self {
        let Pair { outbound, inbound } = *streams;
        let (outgoing, queue) = mpsc::channel(MAX_QUEUED_MESSAGES);
        let queued_bytes = Arc::new(AtomicU64::new(0));
        let mouthpiece = Mouthpiece {
            peer,
            connection,
            turns: Arc::new(Semaphore::new(MAX_HEARD_PER_PEER)),
            ear,
        };
        let mut tasks = JoinSet::new();
        let written = Arc::clone(&queued_bytes);
        let end = mouthpiece.clone();
        tasks.spawn(async move {
            if let Err(error) = write_all(outbound, queue, &written).await {
                tracing::debug!(%peer, %error, "cannot write to a peer");
                end.say(Word::End).await;
            }
        });
        tasks.spawn(async move {
            let last = read_all(inbound, &mouthpiece).await;
            mouthpiece.say(last).await;
        });
        Self {
            outgoing,
            queued_bytes,
            _tasks: tasks,
        }
    }

    /// Queues a message of this many bytes for writing.
    pub(crate) fn write(&self, message: Message, bytes: u64) -> Result<(), TooSlow> {
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if queued > MAX_QUEUED_BYTES {
            return Err(TooSlow);
        }
        match self.outgoing.try_send((message, bytes)) {
            // A writer that has ended has said so, and its connection is about to be closed.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(TooSlow),
        }
    }

    /// Bytes that wait to be written.
    pub(crate) fn queued_bytes(&self) -> u64 {
        self.queued_bytes.load(Ordering::Relaxed)
    }
}

/// Where a conversation's tasks tell what they hear.
#[derive(Clone, Debug)]
struct Mouthpiece {
    peer: NodeId,
    connection: ConnectionId,
    turns: Arc<Semaphore>,
    ear: mpsc::Sender<Heard>,
}

impl Mouthpiece {
    async fn say(&self, what: Word) {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let heard = Heard {
            peer: self.peer,
            connection: self.connection,
            what,
            turn: turn.expect("the semaphore is never closed"),
        };
        // A node that is gone hears nothing.
        let _gone = self.ear.send(heard).await;
    }
}

/// Reads until there is nothing more to read; gives the last word.
async fn read_all(mut stream: impl AsyncRead + Unpin, mouthpiece: &Mouthpiece) -> Word {
    let mut frames = FrameReader::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut begun: Option<Instant> = None;
    loop {
        let read = match begun {
            None => stream.read(&mut buffer).await,
            Some(begun) => match timeout_at(begun + FRAME_TIMEOUT, stream.read(&mut buffer)).await {
                Ok(read) => read,
                Err(_) => return Word::End,
            },
        };
        let Ok(length @ 1..) = read else { return Word::End };
        frames.push(&buffer[..length]);
        begun.get_or_insert_with(Instant::now);
        while let Some(message) = frames.next() {
            match message {
                Ok(message) => mouthpiece.say(Word::Message(message)).await,
                Err(error) => return Word::Garbage(error.word()),
            }
            frames.unlock();
            begun = None;
        }
    }
}

/// Writes until the conversation is dropped or the stream fails.
async fn write_all(
    mut stream: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<(Message, u64)>,
    queued_bytes: &AtomicU64,
) -> io::Result<()> {
    while let Some((message, bytes)) = queue.recv().await {
        let frame = wire::frame(&message);
        let writing = async {
            stream.write_all(&frame).await?;
            if queue.is_empty() { stream.flush().await } else { Ok(()) }
        };
        timeout(FRAME_TIMEOUT, writing).await??;
        queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
    stream.close().await
}

#[cfg(test)]
mod tests;
