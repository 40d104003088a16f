//! Conversations over real connections: what is said is heard in order, and nobody can make the other side hold more than its share.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use chain::{Params, Wtxid};
use libp2p::identity::Keypair;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

use super::*;
use crate::net::{Net, NetConfig, NetEvent};

const PATIENCE: Duration = Duration::from_secs(60);

fn net() -> Net {
    Net::new(NetConfig {
        identity: Keypair::generate_ed25519(),
        genesis: Params::instant().genesis_block().id(),
        agent: "/test/".to_owned(),
        max_peers: 2,
        max_inbound: 2,
    })
}

/// Waits for a connection, then keeps it alive for as long as the test lasts.
async fn opened(mut net: Net) -> (ConnectionId, Box<Pair>, JoinHandle<()>) {
    loop {
        if let NetEvent::Opened {
            connection, streams, ..
        } = timeout(PATIENCE, net.next()).await.expect("connected in time")
        {
            let keep = tokio::spawn(async move {
                loop {
                    net.next().await;
                }
            });
            return (connection, streams, keep);
        }
    }
}

/// The two ends of a connection.
async fn connected() -> [(ConnectionId, Box<Pair>, JoinHandle<()>); 2] {
    let (mut a, mut b) = (net(), net());
    let address = a.listen("/ip4/127.0.0.1/tcp/0".parse().unwrap()).await.unwrap();
    b.dial(None, address).unwrap();
    let (a, b) = tokio::join!(opened(a), opened(b));
    [a, b]
}

fn start(peer: NodeId, connection: ConnectionId, streams: Box<Pair>, ear: mpsc::Sender<Heard>) -> Conversation {
    let party = Party {
        peer,
        connection,
        outbound: false,
    };
    Conversation::start(party, streams, Shared::new(ear))
}

fn announce(number: usize) -> Message {
    Message::Announce([Wtxid(base::Hash::sha256d(&number.to_le_bytes()))].into())
}

async fn hear(ear: &mut mpsc::Receiver<Heard>) -> Heard {
    timeout(PATIENCE, ear.recv()).await.expect("heard in time").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_heard_in_the_order_they_were_written() {
    let [(at_a, streams_a, _keep_a), (at_b, streams_b, _keep_b)] = connected().await;
    let (mouth, _silent) = mpsc::channel(1);
    let (ear, mut heard) = mpsc::channel(10);
    let a = start(NodeId(1), at_a, streams_a, mouth);
    let _b = start(NodeId(2), at_b, streams_b, ear);
    for number in 0..100 {
        a.write(announce(number), Weight { bytes: 1, own: 1 }).unwrap();
    }
    for number in 0..100 {
        let heard = hear(&mut heard).await;
        assert_eq!((heard.peer, heard.connection), (NodeId(2), at_b));
        assert!(matches!(heard.what, Word::Message(message) if message == announce(number)));
    }
    drop(a);
    assert!(matches!(hear(&mut heard).await.what, Word::End));
}

/// THREATS M6: the words of one peer that wait for the node are few, whatever it sends and however much room there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_has_only_so_many_words_waiting() {
    let [(at_a, streams_a, _keep_a), (at_b, streams_b, _keep_b)] = connected().await;
    let (mouth, _silent) = mpsc::channel(1);
    let (ear, mut heard) = mpsc::channel(100);
    let a = start(NodeId(1), at_a, streams_a, mouth);
    let _b = start(NodeId(2), at_b, streams_b, ear);
    for number in 0..50 {
        a.write(announce(number), Weight { bytes: 1, own: 1 }).unwrap();
    }
    let mut waiting = Vec::new();
    for _ in 0..MAX_HEARD_PER_PEER {
        waiting.push(hear(&mut heard).await);
    }
    assert!(heard.try_recv().is_err(), "one word too many");
    waiting.pop();
    waiting.push(hear(&mut heard).await);
    assert!(heard.try_recv().is_err(), "one word too many");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_is_found_too_slow() {
    let [(at_a, streams_a, _keep_a), (_, _unread, _keep_b)] = connected().await;
    let (mouth, _silent) = mpsc::channel(1);
    let a = start(NodeId(1), at_a, streams_a, mouth);
    let header = Params::instant().genesis_block().header;
    let message = Message::headers(vec![header; 2_000]);
    let weight = Weight::of(&message);
    let bytes = weight.bytes;
    let written = (0..).take_while(|_| a.write(message.clone(), weight).is_ok()).count() as u64;
    // What the connection itself takes in before it stops is beyond our count, and far less than the bound.
    assert!(written * bytes <= 2 * MAX_QUEUED_BYTES, "{written} messages");
    assert!(written * bytes > MAX_QUEUED_BYTES / 2, "{written} messages");
}

/// THREATS M6: all peers together have only so many bytes waiting.
#[tokio::test]
async fn words_wait_until_all_that_wait_has_room() {
    let (ear, mut heard) = mpsc::channel(10);
    let shared = Shared::new(ear);
    let mouthpiece = |peer| Mouthpiece {
        party: Party {
            peer: NodeId(peer),
            connection: ConnectionId::new_unchecked(peer as usize),
            outbound: false,
        },
        turns: Arc::new(Semaphore::new(MAX_HEARD_PER_PEER)),
        shared: shared.clone(),
    };
    let (first, second) = (mouthpiece(1), mouthpiece(2));
    first.say(Word::End, MAX_HEARD_BYTES - 1).await;
    second.say(Word::End, 1).await;
    let mut one_more = std::pin::pin!(second.say(Word::End, 1));
    assert!(futures::poll!(one_more.as_mut()).is_pending(), "a byte too many");
    drop(hear(&mut heard).await);
    timeout(PATIENCE, one_more).await.expect("there is room again");
    // One that is larger than all the room takes all of it, and does not wait for ever.
    while heard.try_recv().is_ok() {}
    timeout(PATIENCE, first.say(Word::End, 2 * MAX_HEARD_BYTES))
        .await
        .expect("there is room");
}

/// A stream over which bytes come one at a time, so far apart, and over which none leaves.
struct Trickle {
    bytes: Vec<u8>,
    pause: Duration,
    next: Pin<Box<Sleep>>,
}

impl Trickle {
    fn new(bytes: &[u8], pause: Duration) -> Self {
        Self {
            bytes: bytes.iter().rev().copied().collect(),
            pause,
            next: Box::pin(sleep(pause)),
        }
    }
}

impl AsyncRead for Trickle {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.next.as_mut().poll(cx));
        let Some(byte) = self.bytes.pop() else {
            return Poll::Pending;
        };
        buffer[0] = byte;
        let next = Instant::now() + self.pause;
        self.next.as_mut().reset(next);
        Poll::Ready(Ok(1))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Time passes at once when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn threat_p11_a_frame_that_trickles_is_given_up_at_its_deadline_however_often_a_byte_comes() {
    let (ear, mut heard) = mpsc::channel(10);
    let shared = Shared::new(ear);
    let mouthpiece = Mouthpiece {
        party: Party {
            peer: NodeId(1),
            connection: ConnectionId::new_unchecked(1),
            outbound: false,
        },
        turns: Arc::new(Semaphore::new(MAX_HEARD_PER_PEER)),
        shared,
    };
    let frame = wire::frame(&announce(1));
    let pause = Duration::from_secs(9);
    assert!(pause * u32::try_from(frame.len()).unwrap() > FRAME_TIMEOUT);
    let began = Instant::now();
    let last = read_all(Trickle::new(&frame, pause), &mouthpiece).await;
    assert!(matches!(last, Word::End) && heard.try_recv().is_err());
    assert_eq!(began.elapsed(), pause + FRAME_TIMEOUT, "from its first byte");
    assert_eq!(mouthpiece.shared.room.used(), 0, "it holds nothing any more");

    // The same at a pace that is fast enough; before its first byte a frame has all the time in the world.
    let pause = FRAME_TIMEOUT / u32::try_from(frame.len()).unwrap();
    let mut stream = Trickle::new(&frame, pause);
    stream.next = Box::pin(sleep(10 * FRAME_TIMEOUT));
    let reading = read_all(stream, &mouthpiece);
    let hearing = async { heard.recv().await.expect("it is whole") };
    tokio::select! {
        _ = reading => panic!("it was given up"),
        heard = hearing => assert!(matches!(heard.what, Word::Message(message) if message == announce(1))),
    }
}

#[tokio::test(start_paused = true)]
async fn threat_p11_a_frame_that_nobody_reads_is_given_up_at_its_deadline() {
    let (outgoing, queue) = mpsc::channel(1);
    outgoing.send((announce(1), Weight { bytes: 1, own: 1 })).await.unwrap();
    let began = Instant::now();
    let stream = Trickle::new(&[], Duration::ZERO);
    let error = write_all(stream, queue, &Queued::default()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), FRAME_TIMEOUT);
}
