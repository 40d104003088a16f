//! Talking to one peer: a task that reads frames, a task that writes them, and the bounds between them and the node.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::NodeId;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gossip::wire::{self, FrameReader};
use gossip::{Message, MessageKind};
use libp2p::swarm::ConnectionId;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{
    FRAME_TIMEOUT, MAX_HEARD_BYTES, MAX_HEARD_PER_PEER, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES, READ_BYTES,
};
use crate::net::Pair;
use crate::room::Room;

/// Something heard from a peer.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) peer: NodeId,
    pub(crate) connection: ConnectionId,
    pub(crate) what: Word,
    /// Lets readers go on when this is dropped.
    pub(crate) turn: Turn,
}

/// Nobody has more than a few words waiting, however fast it talks, and all together no more than some bytes.
#[derive(Debug)]
pub(crate) struct Turn {
    _peers: OwnedSemaphorePermit,
    _nodes: OwnedSemaphorePermit,
}

/// What all conversations of a node share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// Where the node hears.
    pub(crate) ear: mpsc::Sender<Heard>,
    pub(crate) room: Room,
    /// Bytes of words that may wait for the node.
    heard: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(ear: mpsc::Sender<Heard>) -> Self {
        Self {
            ear,
            room: Room::default(),
            heard: Arc::new(Semaphore::new(MAX_HEARD_BYTES)),
        }
    }
}

/// What a message weighs while it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Weight {
    /// On the wire.
    pub(crate) bytes: u64,
    /// Those of them that nothing else holds: bodies and transactions are the ledger's or the mempool's.
    pub(crate) own: u64,
}

impl Weight {
    pub(crate) fn of(message: &Message) -> Self {
        let bytes = wire::encoded_len(message) as u64;
        let own = match message.kind() {
            MessageKind::Block | MessageKind::Transaction | MessageKind::BlockTransactions => 0,
            MessageKind::Hello
            | MessageKind::GetHeaders
            | MessageKind::Headers
            | MessageKind::Announce
            | MessageKind::Get
            | MessageKind::NotFound
            | MessageKind::AnnounceBlocks
            | MessageKind::SendCompact
            | MessageKind::CompactBlock
            | MessageKind::GetBlockTransactions
            | MessageKind::Graft
            | MessageKind::Prune => bytes,
        };
        Self { bytes, own }
    }
}

/// The sum of what waits to be written.
#[derive(Debug, Default)]
struct Queued {
    bytes: AtomicU64,
    own: AtomicU64,
}

/// Who is talked to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    pub(crate) peer: NodeId,
    pub(crate) connection: ConnectionId,
    /// Whether this node dialled.
    pub(crate) outbound: bool,
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
    outgoing: mpsc::Sender<(Message, Weight)>,
    queued: Arc<Queued>,
    _tasks: JoinSet<()>,
}

impl Conversation {
    /// Begins to read and to write.
    pub(crate) fn start(party: Party, streams: Box<Pair>, shared: Shared) -> Self {
        let Pair { outbound, inbound } = *streams;
        let (outgoing, queue) = mpsc::channel(MAX_QUEUED_MESSAGES);
        let queued = Arc::new(Queued::default());
        let mouthpiece = Mouthpiece {
            party,
            turns: Arc::new(Semaphore::new(MAX_HEARD_PER_PEER)),
            shared,
        };
        let mut tasks = JoinSet::new();
        let written = Arc::clone(&queued);
        let end = mouthpiece.clone();
        tasks.spawn(async move {
            if let Err(error) = write_all(outbound, queue, &written).await {
                tracing::debug!(peer = %party.peer, %error, "cannot write to a peer");
                end.say(Word::End, 0).await;
            }
        });
        tasks.spawn(async move {
            let last = read_all(inbound, &mouthpiece).await;
            mouthpiece.say(last, 0).await;
        });
        Self {
            outgoing,
            queued,
            _tasks: tasks,
        }
    }

    /// Queues a message of this weight for writing.
    pub(crate) fn write(&self, message: Message, weight: Weight) -> Result<(), TooSlow> {
        let Weight { bytes, own } = weight;
        let queued = self.queued.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.queued.own.fetch_add(own, Ordering::Relaxed);
        if queued > MAX_QUEUED_BYTES {
            return Err(TooSlow);
        }
        match self.outgoing.try_send((message, weight)) {
            // A writer that has ended has said so, and its connection is about to be closed.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(TooSlow),
        }
    }

    /// What waits to be written.
    pub(crate) fn queued(&self) -> Weight {
        Weight {
            bytes: self.queued.bytes.load(Ordering::Relaxed),
            own: self.queued.own.load(Ordering::Relaxed),
        }
    }
}

/// Where a conversation's tasks tell what they hear.
#[derive(Clone, Debug)]
struct Mouthpiece {
    party: Party,
    turns: Arc<Semaphore>,
    shared: Shared,
}

impl Mouthpiece {
    /// Waits for this peer's turn, and until so many bytes have room.
    async fn say(&self, what: Word, bytes: usize) {
        let bytes = u32::try_from(bytes.min(MAX_HEARD_BYTES)).expect("a few megabytes");
        let peers = Arc::clone(&self.turns).acquire_owned().await;
        let nodes = Arc::clone(&self.shared.heard).acquire_many_owned(bytes).await;
        let heard = Heard {
            peer: self.party.peer,
            connection: self.party.connection,
            what,
            turn: Turn {
                _peers: peers.expect("the semaphore is never closed"),
                _nodes: nodes.expect("the semaphore is never closed"),
            },
        };
        // A node that is gone hears nothing.
        let _gone = self.shared.ear.send(heard).await;
    }
}

/// Reads until there is nothing more to read; gives the last word.
async fn read_all(mut stream: impl AsyncRead + Unpin, mouthpiece: &Mouthpiece) -> Word {
    let mut frames = FrameReader::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut begun: Option<Instant> = None;
    let mut ticket = mouthpiece.shared.room.reader(mouthpiece.party.outbound);
    loop {
        let read = match begun {
            None => stream.read(&mut buffer).await,
            Some(begun) => {
                let read = timeout_at(begun + FRAME_TIMEOUT, stream.read(&mut buffer));
                select! {
                    read = read => match read {
                        Ok(read) => read,
                        Err(_) => return Word::End,
                    },
                    () = ticket.gives_way() => return Word::End,
                }
            }
        };
        let Ok(length @ 1..) = read else { return Word::End };
        frames.push(&buffer[..length]);
        begun.get_or_insert_with(Instant::now);
        while let Some(message) = frames.next() {
            match message {
                Ok(message) => {
                    let bytes = wire::encoded_len(&message);
                    mouthpiece.say(Word::Message(message), bytes).await;
                }
                Err(error) => return Word::Garbage(error.word()),
            }
            frames.unlock();
            begun = None;
            ticket.free();
        }
        if frames.unfinished() > 0 {
            ticket.hold(*begun.get_or_insert_with(Instant::now), frames.memory());
        } else {
            ticket.free();
        }
    }
}

/// Writes until the conversation is dropped or the stream fails.
async fn write_all(
    mut stream: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<(Message, Weight)>,
    queued: &Queued,
) -> io::Result<()> {
    while let Some((message, weight)) = queue.recv().await {
        let frame = wire::frame(&message);
        let writing = async {
            stream.write_all(&frame).await?;
            if queue.is_empty() { stream.flush().await } else { Ok(()) }
        };
        timeout(FRAME_TIMEOUT, writing).await??;
        queued.bytes.fetch_sub(weight.bytes, Ordering::Relaxed);
        queued.own.fetch_sub(weight.own, Ordering::Relaxed);
    }
    stream.close().await
}

#[cfg(test)]
mod tests;
