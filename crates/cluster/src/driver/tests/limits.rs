//! The bounds on what a live node takes from peers and operators: one more than each is one too many.

use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use futures::{AsyncReadExt as _, FutureExt as _};
use libp2p::core::muxing::{StreamMuxer as _, StreamMuxerBox, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse, Transport as _};
use libp2p::core::{Endpoint, upgrade};
use libp2p::{noise, tcp, yamux};
use rpc::network::{NetworkOrder, Unfulfilled};
use tokio::net::TcpStream;

use super::raw::Raw;
use super::*;
use crate::conversation::{Conversation, Party, TooSlow, Weight};
use crate::driver::eviction::Group;
use crate::driver::peers::Arrival;
use crate::limits::{
    CONNECTION_TIMEOUT, MAX_CONNECTIONS_PER_PEER, MAX_FOREIGN, MAX_KNOWN_IDENTITIES, MAX_NEGOTIATING_STREAMS,
    MAX_PENDING_INBOUND, MAX_QUEUED_BYTES, MAX_QUEUED_COMPLAINTS, MAX_QUEUED_MESSAGES, MAX_QUEUED_OWN_BYTES,
    MAX_WANTED,
};

/// A driver that is not running, and its complaints, of which so many may wait.
async fn driver(room: usize) -> (Driver, mpsc::Receiver<Complaint>, TempDir) {
    let (hasher, clock) = hasher();
    let (complain, complaints) = mpsc::channel(room);
    let change = |setup: &mut Setup| setup.complaints = Some(complain);
    // What it tells is lost: nobody waits for it.
    let (setup, folder, _) = setup(0, &hasher, clock, change);
    let (driver, _) = Driver::start(setup).await.unwrap();
    (driver, complaints, folder)
}

fn address(number: usize) -> String {
    format!("/ip4/127.0.0.1/tcp/{}", 10_000 + number)
}

#[tokio::test]
async fn an_operator_can_want_so_many_connections() {
    let (mut driver, _complaints, _folder) = driver(1).await;
    for number in 0..MAX_WANTED {
        assert_eq!(driver.order_network(NetworkOrder::Add(address(number))).await, Ok(()));
    }
    let one_more = NetworkOrder::Add(address(MAX_WANTED));
    assert_eq!(driver.order_network(one_more.clone()).await, Err(Unfulfilled::Full));
    let first = NetworkOrder::Remove(address(0));
    assert_eq!(driver.order_network(first).await, Ok(()));
    assert_eq!(driver.order_network(one_more).await, Ok(()));
}

#[tokio::test]
async fn a_crowd_from_another_network_is_told_of_only_so_often() {
    let (mut driver, mut complaints, _folder) = driver(2 * MAX_FOREIGN).await;
    let other = Trouble::OtherNetwork("/other/1".to_owned());
    for _ in 0..=MAX_FOREIGN {
        let stranger = PeerId::random();
        driver.complain_of_guest(stranger, other.clone());
        driver.complain_of_guest(stranger, other.clone());
    }
    let told = std::iter::from_fn(|| complaints.try_recv().ok()).count();
    assert_eq!(told, MAX_FOREIGN);
}

#[tokio::test]
async fn complaints_that_nobody_reads_hold_nobody_up() {
    let (driver, mut complaints, _folder) = driver(MAX_QUEUED_COMPLAINTS).await;
    for number in 0..=MAX_QUEUED_COMPLAINTS {
        let address = address(number).parse().unwrap();
        driver.complain(Complaint::DialedItself { address });
    }
    let told = std::iter::from_fn(|| complaints.try_recv().ok()).count();
    assert_eq!(told, MAX_QUEUED_COMPLAINTS);
}

#[tokio::test]
async fn threat_p13_so_many_keys_are_refused_and_no_stranger_inherits_the_number_of_one() {
    let (mut driver, _complaints, _folder) = driver(1).await;
    let bad = MAX_DISCOURAGED + 1;
    for _ in 0..bad {
        let peer = driver.name(PeerId::random()).unwrap();
        driver.discourage(peer);
    }
    assert_eq!(driver.discouraged.len(), MAX_DISCOURAGED);
    let first = NodeId(1);
    assert!(!driver.discouraged.contains(&first), "the oldest may come again");
    for _ in bad..MAX_KNOWN_IDENTITIES {
        driver.name(PeerId::random()).unwrap();
    }
    // From here on numbers are given anew, over and over, to those who come.
    for _ in 0..MAX_KNOWN_IDENTITIES {
        let stranger = driver.name(PeerId::random()).unwrap();
        assert!(!driver.discouraged.contains(&stranger), "{stranger}");
    }
}

/// A conversation with a node, whose writer gets no turn for as long as the test does not wait.
async fn conversation(node: &Rig, peer: NodeId) -> (Conversation, Net) {
    let (net, streams, connection) = dial_raw(node).await;
    let (ear, _) = mpsc::channel(1);
    let party = Party {
        peer,
        connection,
        outbound: true,
    };
    (Conversation::start(party, streams, Shared::new(ear)), net)
}

fn small() -> Message {
    Message::SendCompact { high_bandwidth: false }
}

#[tokio::test]
async fn so_many_messages_may_wait_for_a_slow_reader_however_small_they_are() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    let (conversation, _net) = conversation(&node, NodeId(1)).await;
    let weight = Weight::of(&small());
    let written = (0..=MAX_QUEUED_MESSAGES).take_while(|_| conversation.write(small(), weight).is_ok());
    assert_eq!(written.count(), MAX_QUEUED_MESSAGES);

    let mut peers = Peers::default();
    let arrival = Arrival {
        outbound: true,
        group: Group::Unknown,
        since: Time::ZERO,
    };
    peers.insert(NodeId(1), ConnectionId::new_unchecked(1), conversation, arrival);
    let held = (0..=MAX_QUEUED_MESSAGES).take_while(|_| peers.hold(NodeId(1), Time::MAX, small(), weight).is_ok());
    assert_eq!(held.count(), MAX_QUEUED_MESSAGES, "and as many on the link");
    peers.remove(NodeId(1));

    let (conversation, _net) = self::conversation(&node, NodeId(1)).await;
    peers.insert(NodeId(1), ConnectionId::new_unchecked(2), conversation, arrival);
    let mut hold = |bytes| peers.hold(NodeId(1), Time::MAX, small(), Weight { bytes, own: 0 });
    assert_eq!(hold(MAX_QUEUED_BYTES - 1), Ok(()));
    assert_eq!(hold(1), Ok(()), "and so many bytes");
    assert_eq!(hold(1), Err(TooSlow));
    drop(peers);
    node.stop().await;
}

#[tokio::test]
async fn when_too_much_waits_that_nobody_else_holds_the_peer_with_the_most_of_it_goes() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    let mut peers = Peers::default();
    let mut nets = Vec::new();
    for number in [1, 2] {
        let (conversation, net) = conversation(&node, NodeId(number)).await;
        nets.push(net);
        let arrival = Arrival {
            outbound: true,
            group: Group::Unknown,
            since: Time::ZERO,
        };
        let connection = ConnectionId::new_unchecked(number as usize);
        peers.insert(NodeId(number), connection, conversation, arrival);
    }
    let mut hold = |peer, own| {
        let weight = Weight { bytes: own, own };
        peers.hold(NodeId(peer), Time::MAX, small(), weight).unwrap();
        peers.heaviest_of_too_much()
    };
    assert_eq!(hold(1, MAX_QUEUED_OWN_BYTES / 3), None);
    assert_eq!(hold(2, MAX_QUEUED_OWN_BYTES - MAX_QUEUED_OWN_BYTES / 3), None);
    assert_eq!(hold(1, 1), Some(NodeId(2)), "a byte too much in all");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_peer_gets_two_connections_and_no_third() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    // The side with the larger key lets a second connection stand by.
    let identity = std::iter::repeat_with(Keypair::generate_ed25519).find(|key| key.public().to_peer_id() < node.key);
    let identity = identity.expect("half of them are");
    let mut opened = Vec::new();
    for number in 0..=MAX_CONNECTIONS_PER_PEER {
        let mut net = Net::new(NetConfig {
            identity: identity.clone(),
            genesis: node.genesis,
            agent: "/raw/".to_owned(),
            max_peers: 10,
            max_inbound: 10,
        });
        net.dial(None, node.address.clone()).unwrap();
        let is_open = loop {
            match timeout(PATIENCE, net.next()).await.unwrap() {
                NetEvent::Opened { streams, .. } => break Some(streams),
                NetEvent::Closed { .. } | NetEvent::DialFailed { .. } => break None,
                NetEvent::Listening(_)
                | NetEvent::Deaf(_)
                | NetEvent::Pinged { .. }
                | NetEvent::DialedItself { .. }
                | NetEvent::Useless { .. } => {}
            }
        };
        assert_eq!(
            is_open.is_some(),
            number < MAX_CONNECTIONS_PER_PEER,
            "connection {number}"
        );
        let pump = tokio::spawn(async move {
            let _streams = is_open;
            loop {
                net.next().await;
            }
        });
        opened.push(pump);
    }
    opened.into_iter().for_each(|pump| pump.abort());
    node.stop().await;
}

/// The socket address of a multiaddr of this machine.
fn socket(address: &Multiaddr) -> String {
    let port = address.to_string().rsplit('/').next().unwrap().to_owned();
    format!("127.0.0.1:{port}")
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p7_p11_so_many_may_begin_to_connect_for_so_long_and_one_more_is_turned_away() {
    let (hasher, clock) = hasher();
    let node = Rig::start(0, &hasher, clock).await;
    let mut begun = Vec::new();
    for _ in 0..=MAX_PENDING_INBOUND {
        begun.push(TcpStream::connect(socket(&node.address)).await.unwrap());
    }
    let last = begun.pop().unwrap();
    timeout(PATIENCE, last.readable()).await.unwrap().unwrap();
    let is_closed = |stream: &TcpStream| matches!(stream.try_read(&mut [0; 1]), Ok(0)) || stream.peer_addr().is_err();
    assert!(is_closed(&last), "it is over before anything was said");
    assert!(!begun.iter().any(is_closed), "those before have their time");
    let since = Instant::now();
    for stream in &begun {
        timeout(PATIENCE, stream.readable())
            .await
            .expect("and no more")
            .unwrap();
        while matches!(stream.try_read(&mut [0; 64]), Ok(1..)) {}
        timeout(PATIENCE, stream.readable())
            .await
            .expect("and no more")
            .unwrap();
        assert!(is_closed(stream));
    }
    assert!(since.elapsed() < 2 * CONNECTION_TIMEOUT, "{:?}", since.elapsed());
    Raw::greet(&node).await;
    node.stop().await;
}

/// Opens streams that greet and never say which protocol they are for; gives how many had been greeted back and were open at the same time, at
/// most, until the node closed the connection. It gives up a stream before it turns to the next, and says so first.
async fn greeted_streams(muxer: &mut StreamMuxerBox, count: usize) -> usize {
    let mut streams: Vec<SubstreamBox> = Vec::new();
    let mut left_alone: Vec<SubstreamBox> = Vec::new();
    let mut is_begun = vec![false; count];
    let (mut is_greeted, mut is_closed) = (vec![false; count], vec![false; count]);
    let mut most = 0;
    let watching = std::future::poll_fn(|cx| {
        while streams.len() < count {
            match Pin::new(&mut *muxer).poll_outbound(cx) {
                Poll::Ready(stream) => streams.push(stream.unwrap()),
                Poll::Pending => break,
            }
        }
        for (number, stream) in streams.iter_mut().enumerate() {
            if !is_begun[number] {
                let mut writing = std::pin::pin!(stream.write_all(b"\x13/multistream/1.0.0\n"));
                is_begun[number] = writing.poll_unpin(cx).is_ready();
            }
            let mut bytes = [0; 64];
            while !is_closed[number] {
                let mut reading = std::pin::pin!(stream.read(&mut bytes));
                match reading.poll_unpin(cx) {
                    Poll::Ready(Ok(1..)) => is_greeted[number] = true,
                    Poll::Ready(Ok(0) | Err(_)) => is_closed[number] = true,
                    Poll::Pending => break,
                }
            }
        }
        let open = is_greeted
            .iter()
            .zip(&is_closed)
            .filter(|(greeted, closed)| **greeted && !**closed);
        most = most.max(open.count());
        // Whatever streams the node opens are left alone.
        while let Poll::Ready(Ok(stream)) = Pin::new(&mut *muxer).poll_inbound(cx) {
            left_alone.push(stream);
        }
        match Pin::new(&mut *muxer).poll(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    });
    timeout(PATIENCE, watching)
        .await
        .expect("it has no use for such a peer");
    assert!(is_begun.iter().all(|begun| *begun), "all were opened");
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_p7_streams_that_never_say_what_they_are_for_are_looked_at_few_at_a_time() {
    let mut stage = raw::Stage::empty().await;
    let key = Keypair::generate_ed25519();
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(&key).unwrap())
        .multiplex(yamux::Config::default())
        .boxed();
    let options = DialOpts {
        role: Endpoint::Dialer,
        port_use: PortUse::New,
    };
    let (_, mut muxer) = transport
        .dial(stage.node.address.clone(), options)
        .unwrap()
        .await
        .unwrap();
    assert_eq!(
        greeted_streams(&mut muxer, 2 * MAX_NEGOTIATING_STREAMS).await,
        MAX_NEGOTIATING_STREAMS
    );
    stage.goes_on().await;
    stage.end().await;
}
