//! Networks that come up at once, and the same ones where one thing happens after the other: all that is told of them is the same.

use std::sync::Arc;

use base::Hash;
use observe::{Collector, Detail, Engine};
use scenario::{Overrides, Plan};

use crate::engine::{Options, Verify, run};
use crate::network::Network;

/// What all runs have in common.
const CHAIN: &str = "limit = \"1h\"\n[chain]\npreset = \"cluster\"\nproof-of-work = \"oracle\"\nretarget = \"fixed\"\ninterval = \"3s\"\ndifficulty = 15_000\n";

/// Some links slower than others, all with jitter and a bandwidth, some nodes that do not mine, some that are not there at first.
const MOTLEY: &str = r#"
[network]
topology = { kind = "full" }
link = { latency = "30ms", jitter = "20ms", bandwidth = "1Mbit/s" }
[[network.group]]
count = 6
hashrate = "1kH/s"
[[network.group]]
count = 3
[[network.group]]
count = 2
relay = "push"
hashrate = "1kH/s"
[[network.group]]
count = 2
relay = "announce"
[[network.group]]
count = 1
start = false
[[network.links]]
between = ["n7", "n1"]
latency = "2s"
[[network.links]]
between = ["n9", "n2"]
latency = "0ms"
[steps]
run = [
  { sleep = "5s" },
  { disconnect = ["n0", "n1"] },
  { connect = ["n8", "n4"] },
  { start = "n13" },
  { sleep = "5s" },
  { restart = "n7" },
  { stop = "n3" },
  { mine = 2, on = "n6" },
  { connect = ["n1", "n0"] },
  { sleep = "10s" },
  { start = "n3" },
  { sleep = "10s" },
]
"#;

/// All happens at one moment.
const NO_DELAY: &str = r#"
[network]
topology = { kind = "full" }
link = { latency = "0ms" }
[[network.group]]
count = 7
hashrate = "1kH/s"
[steps]
run = [{ wait = "height", on = "n0", at-least = 4, within = "10m" }]
"#;

/// Some come so late that others have waited for longer than they would have for their hello.
const LATECOMERS: &str = r#"
[network]
topology = { kind = "full" }
link = { latency = "20ms" }
[[network.group]]
count = 5
hashrate = "1kH/s"
[[network.links]]
between = ["n0", "n1"]
latency = "9s"
[[network.links]]
between = ["n2", "n4"]
latency = "5s"
[steps]
run = [{ wait = "height", on = "n0", at-least = 20, within = "10m" }]
"#;

/// Everybody is alone.
const NO_LINKS: &str = r#"
[network]
nodes = 1
[steps]
run = [{ mine = 2, on = "n0" }]
"#;

fn plan(network: &str) -> Arc<Plan> {
    let source = format!("{CHAIN}{network}");
    match scenario::parse("meetings", &source, &Overrides::default()) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

fn comes_up_at_once(plan: &Arc<Plan>, options: &Options) -> bool {
    let detail = options.detail.expect("it is chosen here");
    let collector = Collector::with_detail(Arc::clone(plan), Engine::Sim, None, detail).expect("nothing is written");
    Network::new(plan, options, collector).came_up_at_once()
}

/// What a run is and what is told of it, in this detail, by who checks blocks; and whether it came up at once.
fn digests(plan: &Arc<Plan>, detail: Detail, verify: Verify) -> ([Hash; 2], bool) {
    let options = Options {
        detail: Some(detail),
        verify,
        ..Options::default()
    };
    let mut finished = run(plan, &options, &mut |_| {}).expect("a simulation starts");
    finished.collector.finish(finished.at, finished.ending);
    let digests = [finished.digest, finished.collector.digest()];
    (digests, comes_up_at_once(plan, &options))
}

#[test]
fn networks_that_come_up_at_once_are_those_that_come_up_in_turn() {
    for network in [MOTLEY, NO_DELAY, LATECOMERS, NO_LINKS] {
        let plan = plan(network);
        for detail in [Detail::Compact, Detail::Summary] {
            let (at_once, did) = digests(&plan, detail, Verify::Shared);
            let (in_turn, did_too) = digests(&plan, detail, Verify::Each);
            assert_eq!((did, did_too), (true, false), "{detail}: {network}");
            assert_eq!(at_once, in_turn, "{detail}: {network}");
        }
    }
}

#[test]
fn where_more_can_happen_than_greetings_networks_come_up_in_turn() {
    let slow = "[network]\nnodes = 2\nlink = { latency = \"11s\" }\n";
    let cut_short = "[network]\nnodes = 2\nlink = { latency = \"10ms\", bandwidth = \"50bit/s\" }\n";
    let told_compactly = "[network]\nnodes = 2\nrelay = \"compact\"\n";
    let hostile = "[network]\n[[network.group]]\ncount = 2\nstrategy = \"hostile\"\n";
    let options = Options {
        detail: Some(Detail::Summary),
        ..Options::default()
    };
    for network in [slow, cut_short, told_compactly, hostile] {
        assert!(!comes_up_at_once(&plan(network), &options), "{network}");
    }
    let plain = plan("[network]\nnodes = 2\n");
    assert!(comes_up_at_once(&plain, &options));
    let in_full = Options {
        detail: Some(Detail::Full),
        ..options
    };
    assert!(!comes_up_at_once(&plain, &in_full));
}
