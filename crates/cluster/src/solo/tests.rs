//! Nodes that run alone find each other by address, keep their keys and their chains, and stop when asked.

use std::path::Path;

use chain::Height;
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn options(data: &Path, peers: Vec<Multiaddr>, hashrate: u64) -> SoloOptions {
    SoloOptions {
        peers,
        hashrate: HashRate(hashrate),
        ..SoloOptions::new(Params::instant(), data)
    }
}

/// A node on a task of its own, and its news.
fn spawn(
    options: SoloOptions,
) -> (
    mpsc::Receiver<SoloEvent>,
    Interrupt,
    tokio::task::JoinHandle<Result<(), Error>>,
) {
    let (tell, told) = mpsc::channel(100_000);
    let interrupt = options.interrupt.clone();
    let task = tokio::spawn(async move {
        let mut on_event = move |event| tell.try_send(event).expect("room for all events of a test");
        run_solo(options, &mut on_event).await
    });
    (told, interrupt, task)
}

async fn listening(told: &mut mpsc::Receiver<SoloEvent>) -> (Multiaddr, usize) {
    match timeout(PATIENCE, told.recv()).await.unwrap().unwrap() {
        SoloEvent::Listening { address, restored } => (address, restored),
        early @ (SoloEvent::Node(_)
        | SoloEvent::Serving { .. }
        | SoloEvent::CannotConnect { .. }
        | SoloEvent::DialedItself { .. }
        | SoloEvent::DiskFull { .. }
        | SoloEvent::DiskHasRoom
        | SoloEvent::Refused { .. }) => panic!("told before it listens: {early:?}"),
    }
}

async fn until_height(told: &mut mpsc::Receiver<SoloEvent>, height: u32) {
    let waiting = async {
        while let Some(event) = told.recv().await {
            if let SoloEvent::Node(Event::TipChanged { new, .. }) = event
                && new.height >= Height(height)
            {
                return;
            }
        }
        panic!("the node ended");
    };
    timeout(PATIENCE, waiting).await.expect("at that height in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_follows_another_and_remembers_it_all_after_a_restart() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut miner, stop_miner, miner_task) = spawn(options(folders[0].path(), Vec::new(), 100));
    let (address, restored) = listening(&mut miner).await;
    assert_eq!(restored, 0);
    assert!(address.to_string().contains("/p2p/12D3Koo"), "{address}");

    let (mut follower, stop, task) = spawn(options(folders[1].path(), vec![address.clone()], 0));
    let (before, _) = listening(&mut follower).await;
    until_height(&mut follower, 5).await;
    stop.trigger();
    task.await.unwrap().unwrap();

    let (mut follower, stop, task) = spawn(options(folders[1].path(), Vec::new(), 0));
    let (after, restored) = listening(&mut follower).await;
    assert!(restored >= 5, "restored {restored}");
    assert_eq!(before.iter().last(), after.iter().last(), "another peer id");
    for (interrupt, task) in [(stop, task), (stop_miner, miner_task)] {
        interrupt.trigger();
        task.await.unwrap().unwrap();
    }
}

/// The next reason why a peer cannot be reached, and which.
async fn complaint(told: &mut mpsc::Receiver<SoloEvent>) -> (Multiaddr, Trouble) {
    let waiting = async {
        while let Some(event) = told.recv().await {
            if let SoloEvent::CannotConnect { address, reason } = event {
                return (address, reason);
            }
        }
        panic!("the node ended");
    };
    timeout(PATIENCE, waiting).await.expect("a complaint in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_cannot_be_reached_is_told_of_once_and_why() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut other, stop_other, other_task) = spawn(options(folders[0].path(), Vec::new(), 0));
    let (mut taken, _) = listening(&mut other).await;
    let Some(Protocol::P2p(found)) = taken.pop() else {
        panic!("no key at the end");
    };
    // The socket is held and never listened on, so that nobody else gets the port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let peers: Vec<Multiaddr> = vec![
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap(),
        "/ip4/127.0.0.1/udp/4000/quic-v1".parse().unwrap(),
        taken.with(Protocol::P2p(PeerId::random())),
    ];
    let refused = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    let reasons = [
        Trouble::Other(refused.to_string()),
        Trouble::NoSuchTransport,
        Trouble::WrongKey(found),
    ];
    let (mut told, stop, task) = spawn(options(folders[1].path(), peers.clone(), 0));
    let mut complaints = Vec::new();
    for _ in &peers {
        complaints.push(complaint(&mut told).await);
    }
    for expected in peers.into_iter().zip(reasons) {
        assert!(complaints.contains(&expected), "{expected:?} is not in {complaints:?}");
    }
    for (interrupt, task) in [(stop, task), (stop_other, other_task)] {
        interrupt.trigger();
        task.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_different_networks_are_told_so_on_both_sides() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut host, stop_host, host_task) = spawn(options(folders[0].path(), Vec::new(), 0));
    let (address, _) = listening(&mut host).await;
    let foreign = SoloOptions {
        params: Params::preset("cluster").unwrap(),
        ..options(folders[1].path(), vec![address.clone()], 0)
    };
    let (mut guest, stop, task) = spawn(foreign);
    let waiting = async {
        loop {
            let (whom, reason) = complaint(&mut guest).await;
            assert_eq!(whom, address);
            // The host may be the first to notice, and close; at some redial it is not.
            if matches!(reason, Trouble::OtherNetwork(_)) {
                return reason;
            }
            assert_eq!(reason, Trouble::Closed);
        }
    };
    let reason = timeout(PATIENCE, waiting).await.expect("the reason in time");
    assert!(reason.to_string().starts_with("wrong network"), "{reason}");
    let waiting = async {
        while let Some(event) = host.recv().await {
            if let SoloEvent::Refused { reason, .. } = event {
                return reason;
            }
        }
        panic!("the host ended");
    };
    let refusal = timeout(PATIENCE, waiting).await.expect("the refusal in time");
    assert!(matches!(refusal, Trouble::OtherNetwork(_)), "{refusal}");
    for (interrupt, task) in [(stop, task), (stop_host, host_task)] {
        interrupt.trigger();
        task.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_in_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, stop, task) = spawn(options(folder.path(), Vec::new(), 0));
    listening(&mut first).await;
    let (_told, _interrupt, second) = spawn(options(folder.path(), Vec::new(), 0));
    let error = second.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("is in use by another process"), "{error}");
    stop.trigger();
    task.await.unwrap().unwrap();
}

#[test]
fn a_key_at_the_end_of_an_address_is_what_the_peer_must_have() {
    let key = PeerId::random();
    let plain: Multiaddr = "/ip4/127.0.0.1/tcp/9".parse().unwrap();
    let bare = target(&plain);
    assert_eq!((bare.peer_id, bare.address), (None, plain.clone()));
    let full = target(&plain.clone().with(Protocol::P2p(key)));
    assert_eq!((full.peer_id, full.address), (Some(key), plain));
}
