//! The files that come with the program, and what files mean.

use std::path::PathBuf;
use std::time::Duration;

use base::NodeId;
use chain::retarget::Asert;
use chain::{Amount, CompactTarget, HashRate, Height, Params, Retarget, Work};
use node::Strategy;
use node::config::Tie;

use super::*;
use crate::plan::{Action, CutId, Expectation, PaymentId, StepKind, WalletId};

/// The files of the folder that the program's own scenarios are in.
fn beside(name: &str) -> Result<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())
}

fn committed() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(path).expect("readable")));
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_that_comes_with_the_program_is_sound() {
    let files = committed();
    assert!(files.len() >= 7, "{files:?}");
    for (name, source) in files {
        let plan = parse_beside(&name, &source, &Overrides::default(), &beside)
            .unwrap_or_else(|errors| panic!("{}", shown(&errors)));
        assert_eq!(plan.warnings, Vec::<String>::new(), "{name}");
        assert_eq!(format!("{}.toml", plan.name), name);
        assert!(
            plan.description.len() > 40,
            "{name} opens with a comment that says what it shows"
        );
        assert!(source.starts_with("#:schema ./schema.json\n"), "{name}");
    }
}

#[test]
fn the_sample_means_what_it_says() {
    let plan = sound(SAMPLE);
    assert_eq!((plan.seed, plan.limit), (7, Duration::from_secs(120)));
    assert_eq!(plan.nodes.len(), 8);
    assert_eq!(plan.params, Params::instant());
    assert_eq!(plan.conditions.latency, Duration::from_millis(50));
    assert_eq!(plan.conditions.bandwidth, Some(20_000_000));
    assert_eq!(plan.wallets, ["alice", "bob", "carol"]);
    assert_eq!(
        (plan.payments.as_slice(), plan.cuts.as_slice()),
        (&["ds".to_owned()][..], &["split".to_owned()][..])
    );
    let step = &plan.steps[4];
    assert_eq!(
        step.text,
        r#"double-spend = "alice", to = ["bob", "carol"], via = ["n0", "n4"], as = "ds""#
    );
    assert_eq!(
        plan.source.lines().nth(step.line as usize - 1).map(str::trim),
        Some(&*format!("{{ {} }},", step.text))
    );
    let StepKind::Act { action, within } = &step.kind else {
        panic!("{step:?}")
    };
    assert_eq!(*within, Duration::from_secs(30));
    let double_spend = Action::DoubleSpend {
        payment: PaymentId(0),
        from: WalletId(0),
        to: [WalletId(1), WalletId(2)],
        fee: Amount::from_units(10_000),
        via: [NodeId(0), NodeId(4)],
    };
    assert_eq!(*action, double_spend);
    let once = Expectation::ConfirmedOnce {
        on: (0..8).map(NodeId).collect(),
        of: PaymentId(0),
        winner: Some(WalletId(2)),
    };
    assert_eq!(plan.steps.last().map(|step| &step.kind), Some(&StepKind::Expect(once)));
}

#[test]
fn the_first_of_the_next_miner_funds_by_default() {
    let plan = sound(
        r#"
        [network]
        nodes = 3
        [steps]
        run = [
          { fund = "alice", coins = 0.1 },
          { sleep = "1s" },
          { mine = 1, on = "n2" },
          { fund = "alice", coins = "0.2" },
        ]
        "#,
    );
    let funded = plan.steps.iter().filter_map(|step| {
        let StepKind::Act {
            action: Action::Fund { amount, on, .. },
            ..
        } = &step.kind
        else {
            return None;
        };
        Some((*on, amount.units()))
    });
    assert_eq!(
        funded.collect::<Vec<_>>(),
        [(NodeId(2), 10_000_000), (NodeId(0), 20_000_000)]
    );
}

#[test]
fn groups_name_and_shape_their_nodes() {
    let plan = sound(
        r#"
        [chain]
        preset = "cluster"
        tie = "random"
        [[network.group]]
        count = 2
        hashrate = "5kH/s"
        [[network.group]]
        name = "m"
        strategy = "hostile"
        [[network.group]]
        hashrate = 10000
        start = false
        [steps]
        run = [{ isolate = "m0", as = "away", silent = true }, { heal = "all" }, { expect = "height", height = 0 }]
        "#,
    );
    let names: Vec<_> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["n0", "n1", "m0", "n2"]);
    assert_eq!(plan.nodes[2].strategy, Strategy::Hostile);
    assert_eq!(
        (plan.nodes[3].hashrate, plan.nodes[3].started),
        (HashRate(10_000), false)
    );
    assert_eq!(plan.tie, Tie::Random);
    assert_eq!(plan.params.initial_bits, CompactTarget::from_expected_hashes(40_000));
    // Hostile nodes follow no chain, and n2 does not run yet.
    let height = Expectation::Height {
        on: vec![NodeId(0), NodeId(1)],
        height: Height(0),
        at_least: false,
    };
    assert_eq!(plan.steps[2].kind, StepKind::Expect(height));
    let StepKind::Act { action, .. } = &plan.steps[0].kind else {
        panic!("an action")
    };
    assert_eq!(
        *action,
        Action::Isolate {
            cut: CutId(0),
            node: NodeId(2),
            silent: true
        }
    );
}

#[test]
fn overrides_change_what_the_file_says() {
    let set = [
        ("network.nodes", "12"),
        ("network.link.latency", "100ms"),
        ("network.topology", "{ kind = \"ring\" }"),
        ("chain.maturity", "5"),
        ("name", "other"),
    ];
    let set = set.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let plan = parse(
        "x.toml",
        SAMPLE,
        &Overrides {
            seed: Some(u64::MAX),
            set,
        },
    );
    let plan = plan.unwrap_or_else(|errors| panic!("{}", shown(&errors)));
    assert_eq!((plan.nodes.len(), plan.links.len()), (12, 12));
    assert_eq!(
        (plan.seed, plan.name.as_str(), plan.params.coinbase_maturity),
        (u64::MAX, "other", 5)
    );
    assert_eq!(plan.links[0].conditions.latency, Duration::from_millis(100));
}

#[test]
fn single_links_differ_from_the_rest() {
    let plan = sound(
        r#"
        [network]
        nodes = 3
        [network.link]
        latency = "5ms"
        [[network.links]]
        between = ["n2", "n1"]
        bandwidth = "56kbit/s"
        [steps]
        run = [{ expect = "height", height = 0 }]
        "#,
    );
    let [_, _, last] = plan.links.as_slice() else {
        panic!("{:?}", plan.links)
    };
    assert_eq!((last.a, last.b), (NodeId(1), NodeId(2)));
    assert_eq!(
        (last.conditions.bandwidth, last.conditions.latency),
        (Some(56_000), Duration::from_millis(5))
    );
    assert_eq!(plan.links[0].conditions.bandwidth, None);
}

/// A side of `longest-is-not-heaviest`: so many blocks on block 1, mined at once when this many seconds have passed since block 1.
fn work_of_side(params: &Params, blocks: u32, seconds: u32) -> Work {
    let Retarget::Asert { half_life } = params.retarget else {
        panic!("{:?}", params.retarget)
    };
    let asert = Asert {
        anchor_bits: params.initial_bits,
        interval: u32::try_from(params.interval.as_secs()).expect("seconds"),
        half_life,
        limit: params.limit,
    };
    // A block's time is above the median of the last eleven: on demand, that makes it a second later with every sixth block.
    let mut times = vec![0; 11];
    for height_diff in 0..blocks {
        let mut last: Vec<u32> = times[times.len() - 11..].to_vec();
        last.sort_unstable();
        let time = if height_diff == 0 { 0 } else { seconds.max(last[5] + 1) };
        times.push(time);
    }
    let mined = times[11..].iter().zip(0..);
    mined.fold(Work::ZERO, |sum, (parent_time, height_diff)| {
        let time_diff = i64::from(*parent_time) + i64::from(asert.interval);
        sum + asert.next(time_diff, height_diff).target().expect("a target").work()
    })
}

#[test]
fn the_thirteen_blocks_outweigh_the_fourteen() {
    let files = committed();
    let (_, source) = files
        .iter()
        .find(|(name, _)| name.starts_with("longest"))
        .expect("it is there");
    let params = sound(source).params;
    // However long the steps before the split take, within reason; the second side rests for ten seconds.
    for start in 0..=15 {
        let heavy = work_of_side(&params, 13, start);
        let light = work_of_side(&params, 14, start + 10);
        assert!(heavy > light + light, "{start} s: {heavy} against {light}");
    }
}

#[test]
fn links_come_from_a_file_beside_the_scenario() {
    let source = "[network]\nnodes = 4\ntopology = { kind = \"file\", file = \"ring.txt\" }\n\
                  [[network.links]]\nbetween = [\"n1\", \"n2\"]\nlatency = \"5ms\"\n[steps]\nrun = [{ sleep = \"1s\" }]";
    let read = |text: Result<&str, &str>| {
        let text = text.map(str::to_owned).map_err(str::to_owned);
        parse_beside("x.toml", source, &Overrides::default(), &|name| {
            assert_eq!(name, "ring.txt");
            text.clone()
        })
        .map_err(|errors| shown(&errors))
    };
    let plan = read(Ok("0 1\n1 2\n2 3\n3 0\n0 3\n")).expect("a sound file");
    let links: Vec<_> = plan.links.iter().map(|link| (link.a.0, link.b.0)).collect();
    assert_eq!(links, [(0, 1), (1, 2), (2, 3), (3, 0)]);
    assert_eq!(plan.links[1].conditions.latency, Duration::from_millis(5));
    let attachment = plan.attachment.expect("the file goes with the plan");
    assert_eq!(attachment.name, "ring.txt");
    for (text, message) in [
        (Err("no such file"), "cannot read `ring.txt`: no such file"),
        (Ok("0 1\n1 7"), "`ring.txt`, line 2: unknown node `7`; nodes: n0..n3"),
        (Ok("a b\nc d\ne f"), "`ring.txt`: it has 6 nodes, the network 4"),
    ] {
        let errors = read(text).expect_err("a broken file");
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn files_elsewhere_are_not_looked_at() {
    for name in ["../links.txt", "/etc/passwd", "a/b", ".hidden", ""] {
        let source = format!("[network]\nnodes = 2\ntopology = {{ kind = \"file\", file = \"{name}\" }}");
        let result = parse_beside("x.toml", &source, &Overrides::default(), &|name| {
            panic!("{name} was looked at")
        });
        let errors = shown(&result.expect_err("no file of the folder"));
        assert!(
            errors.contains("must be the name of a file in the scenario's folder"),
            "{errors}"
        );
    }
}

#[test]
fn loops_do_their_steps_as_often_as_they_say() {
    let plan = sound(
        r#"[network]
nodes = 3
[steps]
run = [
  { for = "miner", in = ["n0", "n2"], steps = [
    { repeat = 2, steps = [{ mine = 1, on = "{miner}" }] },
    { isolate = "{miner}", as = "cut-{miner}" },
    { heal = "cut-{miner}" },
  ] },
]
"#,
    );
    let told: Vec<(u32, &str)> = plan.steps.iter().map(|step| (step.line, step.text.as_str())).collect();
    let of = |miner: &str| {
        [
            (6, format!("mine = 1, on = \"{miner}\"")),
            (6, format!("mine = 1, on = \"{miner}\"")),
            (7, format!("isolate = \"{miner}\", as = \"cut-{miner}\"")),
            (8, format!("heal = \"cut-{miner}\"")),
        ]
    };
    let expected = [of("n0"), of("n2")].concat();
    let expected: Vec<(u32, &str)> = expected.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(told, expected);
    assert_eq!(plan.cuts, ["cut-n0", "cut-n2"]);
}
