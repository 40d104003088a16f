//! Runs a plan in virtual time.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base::{Hash, Time};
use observe::{Collector, Desk, Detail, Ending, Engine};
use scenario::{ControlReport, Director, Instruction, Plan, StepReport};
use thiserror::Error;

use crate::controls::Controls;
use crate::direction::Direction;
use crate::limits::{MAX_CONNECT, MAX_SETTLE, MAX_TRANSMISSION};
use crate::network::Network;

/// Who checks blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verify {
    /// All nodes share one ledger: a block is checked once and kept once.
    #[default]
    Shared,
    /// Every node has a ledger of its own. Slower; the run is the same to the last byte.
    Each,
}

/// What does not come from the plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the run folder goes; none writes nothing.
    pub folder: Option<PathBuf>,
    /// Who checks blocks.
    pub verify: Verify,
    /// How much is told; none is as much as the plan has room for ([`Detail::for_plan`]).
    pub detail: Option<Detail>,
    /// Whether every message goes through the wire's codec, as between real nodes. Slower; the run is the same to the last byte.
    pub check_wire: bool,
    /// Set from elsewhere, it ends the run where it is.
    pub stop: Arc<AtomicBool>,
    /// Where operators hand in steps while it goes on; none takes none.
    pub desk: Option<Desk>,
    /// Steps that operators handed in when the run was recorded, each with its time, in order: they are taken again.
    pub script: Vec<(Time, Instruction)>,
    /// How fast virtual time passes; none is as fast as it can.
    pub pace: Option<Pace>,
}

/// How fast virtual time passes, for a run that somebody looks at.
#[derive(Clone)]
pub struct Pace(Arc<dyn Fn(Time, Time) -> Time + Send + Sync>);

impl Pace {
    /// Asked again and again with the virtual time now and that of the next thing to happen; says how far time has come, at most to there.
    /// It may take its time.
    pub fn new(until: impl Fn(Time, Time) -> Time + Send + Sync + 'static) -> Self {
        Self(Arc::new(until))
    }
}

impl Pace {
    pub(crate) fn until(&self, now: Time, next: Time) -> Time {
        (self.0)(now, next).clamp(now, next)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

/// News of a run, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// News of a step.
    Step(&'a StepReport),
    /// News of a step that an operator handed in.
    Control(&'a ControlReport),
    /// Something is about to happen; all that is known by now.
    Passing {
        /// The virtual time.
        now: Time,
        /// What was observed.
        collector: &'a Collector,
    },
}

/// Why a run could not start.
#[derive(Debug, Error)]
pub enum Error {
    /// The run folder could not be made.
    #[error("cannot write the run folder {}: {source}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The planned links did not come up.
    #[error("the planned links were not up after {} virtual seconds", MAX_CONNECT.as_secs())]
    NotConnected,
}

/// A run that has ended; what must hold at its end has been checked.
#[derive(Debug)]
pub struct Finished {
    /// All that was observed.
    pub collector: Collector,
    /// The director, who knows what transactions are called.
    pub director: Director,
    /// How it ended.
    pub ending: Ending,
    /// The virtual time at the end.
    pub at: Time,
    /// SHA-256 over everything that happened, in order: the same for the same plan on every machine, whatever the log's detail and
    /// whoever checks blocks.
    pub digest: Hash,
}

/// Runs a plan. `observer` is told of what goes on.
pub fn run(plan: &Arc<Plan>, options: &Options, observer: &mut dyn FnMut(&Progress<'_>)) -> Result<Finished, Error> {
    let ended = run_to_its_end(plan, options, observer);
    if let Some(desk) = &options.desk {
        desk.close();
    }
    ended
}

fn run_to_its_end(
    plan: &Arc<Plan>,
    options: &Options,
    observer: &mut dyn FnMut(&Progress<'_>),
) -> Result<Finished, Error> {
    let detail = options.detail.unwrap_or_else(|| Detail::for_plan(plan));
    let collector =
        Collector::with_detail(Arc::clone(plan), Engine::Sim, options.folder.as_deref(), detail).map_err(|source| {
            let folder = options.folder.clone().unwrap_or_default();
            Error::Folder { folder, source }
        })?;
    let mut network = Network::new(plan, options, collector);
    connect(plan, &mut network)?;
    network.begin_mining();
    let mut director = Director::new(Arc::clone(plan), Engine::Sim);
    let direction = Direction {
        network: &mut network,
        director: &mut director,
        controls: Controls::new(options),
        options,
        observer,
    };
    let ending = direction.direct();
    let had_time = ending != Ending::Interrupted;
    if had_time {
        settle(plan, &mut network);
    }
    let at = network.now();
    let (mut collector, digest) = network.finish();
    // A network that was given time must agree now, whether it grew quiet or not: or disagreement would go unseen.
    collector.check_end(at, had_time && director.links_are_open());
    collector.set_run_digest(digest);
    Ok(Finished {
        collector,
        director,
        ending,
        at,
        digest,
    })
}

/// Lets the planned links come up.
fn connect(plan: &Plan, network: &mut Network) -> Result<(), Error> {
    if network.came_up_at_once() {
        return Ok(());
    }
    let started = |node: base::NodeId| plan.nodes[node.index()].started;
    let planned: Vec<_> = plan
        .links
        .iter()
        .filter(|link| started(link.a) && started(link.b))
        .collect();
    let mut looked = None;
    loop {
        let greeted = network.greeted();
        if greeted >= 2 * planned.len() && looked.replace(greeted) != Some(greeted) {
            let world = network.collector().world();
            if planned.iter().all(|link| world.connected(link.a, link.b)) {
                return Ok(());
            }
        }
        if network.next().is_none_or(|next| next > Time::ZERO + MAX_CONNECT) {
            return Err(Error::NotConnected);
        }
        network.step();
    }
}

/// Stops mining and lets the network grow quiet, so that what must hold of one at rest can be judged.
fn settle(plan: &Plan, network: &mut Network) {
    network.wind_up();
    let until = network.now() + settling(plan);
    while !network.is_quiet() && network.next().is_some_and(|next| next <= until) {
        network.step();
    }
    if !network.is_quiet() {
        network.wait_until(until);
    }
}

/// How long a network may take to grow quiet.
fn settling(plan: &Plan) -> Duration {
    MAX_SETTLE + longest_transmission(plan).min(MAX_TRANSMISSION)
}

/// How long the plan's narrowest link takes to carry the largest block, rounded up to seconds.
fn longest_transmission(plan: &Plan) -> Duration {
    let links = plan.links.iter().map(|link| link.conditions);
    let narrowest = links.chain([plan.conditions]).filter_map(|link| link.bandwidth).min();
    let bits = u64::from(plan.params.max_block_bytes) * 8;
    Duration::from_secs(narrowest.map_or(0, |narrowest| bits.div_ceil(narrowest.max(1))))
}

#[cfg(test)]
mod tests {
    use scenario::Overrides;

    use super::*;

    /// A network in which blocks travel long enough to fork.
    const SOURCE: &str = r#"
limit = "4h"
[network]
preset = "simblock-bitcoin-2015"
nodes = 30
[steps]
run = [{ wait = "height", on = "n0", at-least = 12, within = "4h" }]
"#;

    /// A network with a link so slow that several announcements are under way on it at a time, of blocks that both its ends have long had by others.
    const ONE_SLOW_LINK: &str = r#"
limit = "4h"
[chain]
preset = "cluster"
proof-of-work = "oracle"
retarget = "fixed"
interval = "3s"
difficulty = 15_000
[network]
topology = { kind = "full" }
link = { latency = "10ms" }
[[network.group]]
count = 5
hashrate = "1kH/s"
[[network.links]]
between = ["n0", "n1"]
latency = "9s"
[steps]
run = [{ wait = "height", on = "n0", at-least = 60, within = "4h" }]
"#;

    #[test]
    fn the_digest_does_not_depend_on_how_much_is_told() {
        for source in [SOURCE, ONE_SLOW_LINK] {
            let plan = scenario::parse("detail", source, &Overrides::default()).expect("a scenario without fault");
            let plan = Arc::new(plan);
            let runs = [Detail::Full, Detail::Compact, Detail::Summary].map(|detail| {
                let options = Options {
                    detail: Some(detail),
                    ..Options::default()
                };
                let finished = run(&plan, &options, &mut |_| {}).expect("a simulation starts");
                let traffic = finished.collector.history().traffic();
                assert_eq!(finished.collector.violations(), &[]);
                (finished.digest, traffic, finished.collector.events())
            });
            assert_eq!((runs[0].0, &runs[0].1), (runs[1].0, &runs[1].1));
            assert_eq!((runs[0].0, &runs[0].1), (runs[2].0, &runs[2].1));
            assert!(
                runs[0].2 > runs[1].2 && runs[1].2 > runs[2].2,
                "less detail, fewer lines"
            );
        }
    }

    /// Sizes vary exponentially, so that one of seventy such blocks stands for more bytes than 32 bits can tell.
    #[test]
    fn the_digest_does_not_depend_on_how_much_is_told_of_the_largest_blocks() {
        let source = "limit = \"10m\"\n[chain]\npreset = \"cluster\"\nblock-size = \"1000MB\"\nblock-sizes = \"exponential\"\n\
                      [network]\nnodes = 3\n[network.link]\nlatency = \"10ms\"\n\
                      [steps]\nrun = [{ mine = 200, on = \"n0\" }, { wait = \"converged\", height = 200, within = \"60s\" }]";
        let plan = scenario::parse("large", source, &Overrides::default()).expect("a scenario without fault");
        let plan = Arc::new(plan);
        let digests = [Detail::Full, Detail::Summary].map(|detail| {
            let options = Options {
                detail: Some(detail),
                ..Options::default()
            };
            let finished = run(&plan, &options, &mut |_| {}).expect("a simulation starts");
            assert_eq!(finished.ending, Ending::Steps(scenario::Outcome::Passed));
            finished.digest
        });
        assert_eq!(digests[0], digests[1]);
    }

    /// A run whose messages go through the codec has no resting nodes.
    #[test]
    fn what_is_logged_does_not_depend_on_who_rests() {
        for (source, detail) in [
            (SOURCE, Detail::Compact),
            (ONE_SLOW_LINK, Detail::Compact),
            (SOURCE, Detail::Summary),
        ] {
            let plan = scenario::parse("log", source, &Overrides::default()).expect("a scenario without fault");
            let plan = Arc::new(plan);
            let logged = [false, true].map(|check_wire| {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let options = Options {
                    detail: Some(detail),
                    folder: Some(folder.path().to_owned()),
                    check_wire,
                    ..Options::default()
                };
                let mut finished = run(&plan, &options, &mut |_| {}).expect("a simulation starts");
                finished.collector.finish(finished.at, finished.ending);
                let arrivals = std::fs::read(folder.path().join("arrivals.bin")).ok();
                (finished.collector.digest(), finished.digest, arrivals)
            });
            assert_eq!(logged[0].2.is_some(), detail == Detail::Compact);
            assert!(logged[0] == logged[1], "{detail}: {} and {}", logged[0].0, logged[1].0);
        }
    }

    #[test]
    fn the_narrowest_link_counts_for_no_more_than_a_day() {
        let settling = |bandwidth: &str| {
            let source = format!("[network]\nnodes = 2\n[network.link]\nbandwidth = \"{bandwidth}\"\n");
            settling(&scenario::parse("x", &source, &Overrides::default()).expect("a scenario without fault"))
        };
        assert_eq!(settling("8388608bit/s"), MAX_SETTLE + Duration::from_secs(1));
        assert_eq!(settling("1bit/s"), MAX_SETTLE + MAX_TRANSMISSION);
    }

    #[test]
    fn links_that_do_not_come_up_end_a_run_before_it_begins() {
        let connected = |latency: Duration| {
            let source = format!(
                "[network]\nnodes = 2\n[network.link]\nlatency = \"{}s\"\n[steps]\nrun = [{{ mine = 1, on = \"n0\" }}]",
                latency.as_secs()
            );
            let plan = scenario::parse("x", &source, &Overrides::default()).expect("a scenario without fault");
            run(&Arc::new(plan), &Options::default(), &mut |_| {}).map(|_| ())
        };
        assert!(connected(MAX_CONNECT / 30).is_ok());
        assert!(matches!(connected(MAX_CONNECT), Err(Error::NotConnected)));
    }

    #[test]
    fn a_network_with_narrow_links_is_given_time_to_agree() {
        let source = "[chain]\nblock-size = \"150kB\"\n[network]\nnodes = 2\n[network.link]\nbandwidth = \"1kbit/s\"\n\
                      [steps]\nrun = [{ mine = 1, on = \"n0\" }]";
        let plan = scenario::parse("narrow", source, &Overrides::default()).expect("a scenario without fault");
        let finished = run(&Arc::new(plan), &Options::default(), &mut |_| {}).expect("a simulation starts");
        let tips = finished.collector.world().nodes().iter().map(|node| node.tip.height.0);
        assert_eq!(tips.collect::<Vec<_>>(), [1, 1]);
        assert_eq!(finished.collector.violations(), &[]);
        assert!(finished.at > Time::ZERO + MAX_SETTLE);
    }
}
