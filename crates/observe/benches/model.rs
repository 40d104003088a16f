//! How much memory a picture of a long run takes, and how long it takes to go to any time of it.
//!
//! `cargo bench -p observe --bench model -- NODES BLOCKS` makes up a log of that many nodes and blocks in a temporary folder, in compact detail
//! (one block in fifty forks, for one to three blocks), reads it, and goes to a thousand times of it: nodes, the tree's newest rows, open forks
//! and steps, as the page asks for them; of each the CPU time, as other programs may want the cores too. Without numbers, 1,000 nodes and 100,000
//! blocks. A third word is a folder that is made and stays, for the page's bench. `docs/PERFORMANCE.md` has the results.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Hash, NodeId, Rng, Seed, Time};
use chain::uint::U256;
use chain::{Block, BlockId, HashRate, Height, Params, Work};
use node::event::TipRef;
use node::{Event, TipChange};
use observe::arrivals::ArrivalsWriter;
use observe::convergence::Convergence;
use observe::forks::{BranchReport, Cause, ForkReport, Resolution};
use observe::layout::View;
use observe::log::LogWriter;
use observe::model::Follow;
use observe::spread::BlockSpread;
use observe::told::Totals;
use observe::{Derived, Detail, Engine, Record, RunEvent, line};
use scenario::Plan;
use scenario::plan::NodePlan;

/// How often the run is gone to another time.
const SEEKS: usize = 1_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let is_folder = |word: &&String| word.parse::<usize>().is_err() && !word.starts_with('-');
    let (nodes, blocks) = match numbers.as_slice() {
        [nodes, blocks, ..] => (*nodes, *blocks),
        [_] | [] => (1_000, 100_000),
    };
    let passing = tempfile::tempdir().expect("a temporary folder");
    let folder = words.iter().find(is_folder).map_or(passing.path(), Path::new);
    fs::create_dir_all(folder).expect("room");
    let end = make_up(folder, nodes, blocks);
    println!(
        "{nodes} nodes, {blocks} blocks, {} of log and arrivals in {}",
        megabytes(size(folder)),
        folder.display()
    );
    let before = resident();
    let begun = Instant::now();
    let follow = Follow::open(folder).expect("a sound log");
    let read = begun.elapsed();
    let model = follow.model();
    assert_eq!(model.not_understood(), 0, "every line makes sense");
    println!(
        "read in {read:.1?}, model {}",
        megabytes(resident().saturating_sub(before))
    );
    let mut rng = Seed::from_number(2).rng();
    let mut took: Vec<Duration> = (0..SEEKS)
        .map(|_| {
            let at = Time::from_micros(rng.below(end.as_micros()));
            let begun = cpu_time();
            let moment = model.at(at).expect("it can be read");
            let rows = moment.tree(View::default()).rows.len();
            let seen = (
                moment.nodes().len(),
                rows,
                moment.open_forks().len(),
                moment.steps().len(),
            );
            std::hint::black_box(seen);
            cpu_time() - begun
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took[(SEEKS * percent).div_ceil(100) - 1];
    println!(
        "seek: half {:.1?}, p95 {:.1?}, p99 {:.1?}, longest {:.1?}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
    println!("peak {}", megabytes(peak()));
}

/// A long run in the making.
struct Story {
    plan: Plan,
    log: LogWriter,
    arrivals: ArrivalsWriter,
    seq: u64,
    forks: usize,
    rng: Rng,
    body: Arc<Block>,
}

/// A block and its place.
type Made = (TipRef, BlockId);

/// Writes a run folder's log and arrivals; says when the run ends.
fn make_up(folder: &Path, nodes: usize, blocks: usize) -> Time {
    let node = |index: usize| NodePlan {
        name: format!("n{index}"),
        hashrate: HashRate(1_000),
        started: true,
        ..NodePlan::default()
    };
    let plan = Plan {
        nodes: (0..nodes).map(node).collect(),
        ..Plan::empty("long", Params::instant())
    };
    let body = Arc::new(plan.params.genesis_block());
    let genesis = body.id();
    let mut story = Story {
        log: LogWriter::create(folder).expect("room"),
        arrivals: ArrivalsWriter::create(folder, nodes, genesis).expect("room"),
        seq: 0,
        forks: 0,
        rng: Seed::from_number(1).rng(),
        body,
        plan,
    };
    story.begin(genesis);
    let mut tip = TipRef {
        block: genesis,
        height: Height(0),
        chain_work: Work(U256::ONE),
    };
    let (mut made, mut now) = (0, Time::from_secs(1));
    while made < blocks {
        let depth = if story.rng.chance(0.02) {
            1 + story.rng.index(3)
        } else {
            0
        };
        tip = story.stretch(&mut now, tip, depth);
        made += 2 * depth + 1;
    }
    let ended = RunEvent::RunEnded {
        reason: "passed".to_owned(),
        ok: true,
        totals: Totals::default(),
    };
    story.tell(now, ended);
    story.log.flush().expect("room");
    story.arrivals.flush().expect("room");
    now
}

impl Story {
    fn begin(&mut self, genesis: BlockId) {
        let started = RunEvent::RunStarted {
            engine: Engine::Sim,
            detail: Detail::Compact,
            genesis,
        };
        self.tell(Time::ZERO, started);
        for node in (0..self.plan.nodes.len()).map(NodeId::at) {
            let started = RunEvent::NodeStarted {
                node,
                peer_id: String::new(),
                addrs: Vec::new(),
                restored: 0,
            };
            self.tell(Time::ZERO, started);
            for step in 1..=8 {
                let peer = NodeId::at((node.index() + step) % self.plan.nodes.len());
                let connected = Event::PeerConnected {
                    peer,
                    outbound: true,
                    agent: String::new(),
                };
                self.tell_of(Time::ZERO, node, connected);
            }
        }
    }

    /// `depth` blocks beside as many others, which a tenth of the nodes follow, and the block that makes them come over.
    fn stretch(&mut self, now: &mut Time, tip: TipRef, depth: usize) -> TipRef {
        let side: Vec<Made> = self.line(tip, depth);
        let main: Vec<Made> = self.line(tip, depth + 1);
        let aside = self.plan.nodes.len() / 10;
        for (place, made) in main.iter().enumerate() {
            *now += Duration::from_secs(600);
            self.mine(*now, NodeId::at(aside + place), made);
            if let Some(other) = side.get(place) {
                self.mine(*now, NodeId::at(place), other);
                self.report(*now, tip, (other.0, made.0), place == 0);
            }
            let mut coming = Vec::new();
            for node in 0..self.plan.nodes.len() {
                let delay = self.rng.exponential(Duration::from_secs(2));
                let follows_side = node < aside && place < depth;
                coming.push((delay, node, made.0, !follows_side));
                if let Some(other) = side.get(place) {
                    coming.push((delay, node, other.0, follows_side));
                }
            }
            coming.sort_unstable_by_key(|(delay, node, tip, _)| (*delay, *node, tip.block));
            for (delay, node, block, follows) in coming {
                self.arrive(*now + delay, NodeId::at(node), block, follows);
            }
        }
        if let (Some(lost), Some(won)) = (side.last(), main.last()) {
            self.resolve(*now + Duration::from_secs(60), tip, (lost.0, won.0), depth);
        }
        main.last().expect("one more than none").0
    }

    /// Blocks on top of each other.
    fn line(&mut self, mut tip: TipRef, count: usize) -> Vec<Made> {
        let mut made = Vec::new();
        for _ in 0..count {
            let parent = tip.block;
            let name: Vec<u8> = (0..4).flat_map(|_| self.rng.next_u64().to_le_bytes()).collect();
            tip = TipRef {
                block: BlockId(Hash::sha256(&[&name])),
                height: tip.height.next(),
                chain_work: tip.chain_work + Work(U256::ONE),
            };
            made.push((tip, parent));
        }
        made
    }

    fn mine(&mut self, at: Time, node: NodeId, (tip, parent): &Made) {
        let mined = Event::BlockMined {
            block: tip.block,
            parent: *parent,
            height: tip.height,
            chain_work: tip.chain_work,
            time: 0,
            txs: 1,
            bytes: 200,
            body: Arc::clone(&self.body),
        };
        self.tell_of(at, node, mined);
        let spread = BlockSpread {
            block: tip.block,
            seen: self.plan.nodes.len(),
            never: 0,
            p50_us: Some(1_400_000),
            p90_us: Some(4_600_000),
            p99_us: Some(9_200_000),
            last_us: Some(20_000_000),
        };
        self.tell(at, RunEvent::Derived(Derived::BlockSpread(spread)));
        let convergence = Convergence {
            block: tip.block,
            height: tip.height,
            following: self.plan.nodes.len(),
            of: self.plan.nodes.len(),
            p50_us: Some(1_400_000),
            p90_us: Some(4_600_000),
            p99_us: Some(9_200_000),
            all_us: Some(20_000_000),
        };
        self.tell(at, RunEvent::Derived(Derived::Convergence(convergence)));
    }

    fn arrive(&mut self, at: Time, node: NodeId, tip: TipRef, follows: bool) {
        let connected = Event::BlockConnected {
            block: tip.block,
            parent: tip.block,
            height: tip.height,
            chain_work: tip.chain_work,
            txs: 1,
            bytes: 200,
            body: Arc::clone(&self.body),
        };
        self.arrivals.observe(at, node, &connected).expect("room");
        if follows {
            let how = TipChange::Extend;
            let changed = Event::TipChanged {
                old: tip,
                new: tip,
                how,
            };
            self.arrivals.observe(at, node, &changed).expect("room");
        }
    }

    fn report(&mut self, at: Time, point: TipRef, (lost, won): (TipRef, TipRef), opens: bool) {
        if opens {
            let fork = self.fork(point, (lost, won));
            self.tell(at, RunEvent::Derived(Derived::ForkOpened(fork)));
        }
    }

    fn resolve(&mut self, at: Time, point: TipRef, (lost, won): (TipRef, TipRef), depth: usize) {
        let resolution = Resolution {
            winner: Some(1),
            losers: vec![0],
            lasted_us: 600_000_000,
            stale_blocks: u32::try_from(depth).expect("small"),
            deepest_reorg: u32::try_from(depth).expect("small"),
            nodes_reorged: (0..self.plan.nodes.len() / 10).map(NodeId::at).collect(),
            cause: Cause::MoreWork,
        };
        let fork = self.fork(point, (lost, won));
        self.forks += 1;
        self.tell(at, RunEvent::Derived(Derived::ForkResolved { fork, resolution }));
    }

    fn fork(&self, point: TipRef, (lost, won): (TipRef, TipRef)) -> ForkReport {
        let branch = |(id, tip): (usize, TipRef)| BranchReport {
            id,
            tip: tip.block,
            tip_height: tip.height,
            blocks: 1,
            chain_work: tip.chain_work,
            miners: vec![NodeId(0)],
            nodes: Vec::new(),
            hash_power: HashRate(0),
        };
        ForkReport {
            fork: self.forks,
            fork_point: point.block,
            height: point.height,
            branches: [lost, won].into_iter().enumerate().map(branch).collect(),
        }
    }

    fn tell_of(&mut self, at: Time, node: NodeId, event: Event) {
        self.tell(
            at,
            RunEvent::Node {
                node,
                nseq: 0,
                event: Box::new(event),
            },
        );
    }

    fn tell(&mut self, at: Time, what: RunEvent) {
        let record = Record {
            seq: self.seq,
            at,
            what,
        };
        self.seq += 1;
        self.log.append(&line::line(&record, &self.plan)).expect("room");
    }
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("it is there");
    files
        .map(|file| file.and_then(|file| file.metadata()).expect("it is there").len())
        .sum()
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// CPU time of this process so far, which has one thread.
fn cpu_time() -> Duration {
    let told = fs::read_to_string("/proc/self/schedstat").expect("Linux tells");
    let nanos = told.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number comes first"))
}

/// Memory of this process now.
fn resident() -> u64 {
    of_this_process("VmRSS:")
}

/// The most it ever had.
fn peak() -> u64 {
    of_this_process("VmHWM:")
}

fn of_this_process(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect("it is told");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1_000
}
