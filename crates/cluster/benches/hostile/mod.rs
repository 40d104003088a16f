//! A fresh node among peers of which most are hostile.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chain::{Block, Height};
use cluster::testing::Raw;
use cluster::{Error, Interrupt, SoloEvent, SoloOptions, run_solo};
use node::Event;
use tokio::runtime::{Builder, Runtime};

use crate::measure::cpu_time;
use crate::stock::{fill, params};

/// The honest peers, and those of each hostile kind.
const EACH: usize = 2;

/// Starts a node without a chain, with two honest peers whom it dials, and lets six dial it of which two send nothing, two deny what they claimed
/// to have, and two send bodies that are not the header's. Gives how long it takes to the last block, by the clock and on all cores; the hostile
/// peers' share is in it.
pub(crate) fn sync(chain: &[Arc<Block>]) -> (Duration, Duration) {
    let data = tempfile::tempdir().expect("a folder for the nodes' data");
    let height = Height(u32::try_from(chain.len()).expect("few"));
    let (mut honest, mut peers) = (Vec::new(), Vec::new());
    for number in 0..EACH {
        let folder = data.path().join(format!("honest-{number}"));
        fill(&folder, chain);
        let (tell, told) = channel();
        honest.push(Solo::start(options(&folder, Vec::new()), tell));
        peers.push(listening(&told.recv().expect("it starts")).expect("it says where first"));
        // It says so before it has read its disk.
        while !is_at(height, &told.recv().expect("it goes on")) {}
    }
    let runtime = runtime();
    let hostile = claims(chain);

    let (tell, told) = channel();
    let (began, cpu) = (Instant::now(), cpu_time());
    let fresh = Solo::start(options(&data.path().join("fresh"), peers), tell);
    let address = listening(&told.recv().expect("it starts")).expect("it says where first");
    let genesis = params().genesis_block().id();
    for (is_mute, bodies) in hostile {
        let (address, headers) = (address.clone(), chain.to_vec());
        runtime.spawn(async move {
            let mut raw = Raw::greet_at(address, genesis).await;
            raw.is_mute = is_mute;
            for (block, body) in headers.iter().zip(&bodies) {
                raw.serve(block.id(), body);
            }
            raw.claim(&headers).await.await
        });
    }
    while !is_at(height, &told.recv().expect("it goes on")) {}
    let took = (began.elapsed(), cpu_time() - cpu);
    runtime.shutdown_background();
    for solo in honest.into_iter().chain([fresh]) {
        solo.stop();
    }
    took
}

/// Whether a peer is mute, and the bodies that it sends, for each hostile peer.
fn claims(chain: &[Arc<Block>]) -> Vec<(bool, Vec<Arc<Block>>)> {
    let mutated: Vec<Arc<Block>> = chain
        .iter()
        .map(|block| {
            let mut body = (**block).clone();
            body.transactions.push(Arc::clone(&body.transactions[0]));
            Arc::new(body)
        })
        .collect();
    let kinds = [(true, Vec::new()), (false, Vec::new()), (false, mutated)];
    kinds
        .into_iter()
        .flat_map(|kind| std::iter::repeat_n(kind, EACH))
        .collect()
}

struct Solo {
    interrupt: Interrupt,
    thread: JoinHandle<Result<(), Error>>,
}

impl Solo {
    fn start(options: SoloOptions, tell: Sender<SoloEvent>) -> Self {
        let interrupt = options.interrupt.clone();
        let thread = thread::spawn(move || {
            let mut on_event = move |event| {
                // Whoever has what he waited for listens no more.
                let _deaf = tell.send(event);
            };
            runtime().block_on(run_solo(options, &mut on_event))
        });
        Self { interrupt, thread }
    }

    fn stop(self) {
        self.interrupt.trigger();
        self.thread
            .join()
            .expect("it does not panic")
            .expect("it stops in good order");
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread")
}

fn listening(event: &SoloEvent) -> Option<libp2p::Multiaddr> {
    if let SoloEvent::Listening { address, .. } = event {
        Some(address.clone())
    } else {
        None
    }
}

fn is_at(height: Height, event: &SoloEvent) -> bool {
    matches!(event, SoloEvent::Node(Event::TipChanged { new, .. }) if new.height == height)
}

fn options(data: &Path, peers: Vec<libp2p::Multiaddr>) -> SoloOptions {
    SoloOptions {
        peers,
        ..SoloOptions::new(params(), data)
    }
}
