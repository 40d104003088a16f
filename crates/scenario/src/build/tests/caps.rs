//! Every bound of the language: what is at it is sound, what is beyond is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::limits::{
    MAX_BLOCK_SIZE, MAX_FILE_NAME_BYTES, MAX_GRAPH_BYTES, MAX_LIMIT, MAX_LOAD_WALLETS, MAX_LOOP_DEPTH, MAX_MINE,
    MAX_NAME_BYTES, MAX_OVERRIDES, MAX_RUN_NAMES, MAX_STEPS, MAX_STEPS_TIMES_NODES,
};

fn file(nodes: usize, steps: &str) -> String {
    format!("[network]\nnodes = {nodes}\n[steps]\nrun = [{steps}]\n")
}

/// Loops in each other, around one step.
fn loops(depth: usize) -> String {
    (0..depth).fold("{ mine = 1, on = \"n0\" }".to_owned(), |inner, _| {
        format!("{{ repeat = 1, steps = [{inner}] }}")
    })
}

fn repeated(times: usize) -> String {
    format!("{{ repeat = {times}, steps = [{{ mine = 1, on = \"n0\" }}] }}")
}

/// The first is sound; of the second these words are said.
fn check(what: &str, at: &str, (beyond, words): (&str, &str)) {
    let errors = read(at).err().map(|errors| shown(&errors));
    assert_eq!(errors, None, "{what}");
    let told = shown(&read(beyond).expect_err(what));
    assert!(told.contains(words), "{what}: {told}");
}

#[test]
fn numbers_are_bounded() {
    let mine = |blocks: u64| file(2, &format!("{{ mine = {blocks}, on = \"n0\" }}"));
    let most = u64::from(MAX_MINE);
    check("blocks", &mine(most), (&mine(most + 1), "100000"));

    let limit = |time: Duration| format!("limit = \"{}s\"\n[network]\nnodes = 2\n", time.as_secs());
    let longer = MAX_LIMIT + Duration::from_secs(1);
    check("time", &limit(MAX_LIMIT), (&limit(longer), "`limit`"));

    let size = |bytes: u64| format!("[chain]\nblock-size = \"{bytes}B\"\n[network]\nnodes = 2\n");
    check(
        "bytes",
        &size(MAX_BLOCK_SIZE),
        (&size(MAX_BLOCK_SIZE + 1), "`block-size`"),
    );

    let load = |wallets: u32| {
        let load = format!("{{ load = \"a\", rate = \"7/s\", wallets = {wallets}, lasting = \"1s\" }}");
        file(
            2,
            &format!("{{ fund = \"a\", coins = 10 }}, {{ mine = 12, on = \"n0\" }}, {load}"),
        )
    };
    check(
        "wallets",
        &load(MAX_LOAD_WALLETS),
        (&load(MAX_LOAD_WALLETS + 1), "1500"),
    );
}

#[test]
fn names_are_bounded() {
    let named = |bytes: usize| format!("name = \"{}\"\n[network]\nnodes = 2\n", "n".repeat(bytes));
    check("name", &named(MAX_NAME_BYTES), (&named(MAX_NAME_BYTES + 1), "`name`"));
    // The file's own name stands in for one, as far as it goes.
    let long = format!("{}.toml", "n".repeat(MAX_NAME_BYTES + 1));
    let plan = parse(&long, "[network]\nnodes = 2\n", &Overrides::default()).expect("a sound file");
    assert_eq!(plan.name.len(), MAX_NAME_BYTES);
}

#[test]
fn steps_are_bounded_and_so_are_loops() {
    check(
        "depth",
        &file(2, &loops(MAX_LOOP_DEPTH)),
        (&file(2, &loops(MAX_LOOP_DEPTH + 1)), "at most 4 are allowed"),
    );
    check(
        "times",
        &file(2, &repeated(MAX_STEPS)),
        (&file(2, &repeated(MAX_STEPS + 1)), "`repeat`"),
    );
    let one_more = format!("{}, {{ mine = 1, on = \"n0\" }}", repeated(MAX_STEPS));
    check(
        "steps with repetitions",
        &file(2, &repeated(MAX_STEPS)),
        (
            &file(2, &one_more),
            "with all repetitions there are more than 10000 steps",
        ),
    );
    let written = |steps: usize| file(2, &vec!["{ mine = 1, on = \"n0\" }"; steps].join(","));
    check(
        "steps",
        &written(MAX_STEPS),
        (&written(MAX_STEPS + 1), "`run` has 10001 steps"),
    );
    let nodes = MAX_STEPS_TIMES_NODES / MAX_STEPS;
    check(
        "steps on nodes",
        &file(nodes, &repeated(MAX_STEPS)),
        (&file(nodes + 1, &repeated(MAX_STEPS)), "at most 20000000 together"),
    );
}

#[test]
fn files_of_links_are_bounded() {
    let plan = |name: &str, bytes: usize| {
        let source = format!("[network]\nnodes = 2\ntopology = {{ kind = \"file\", file = \"{name}\" }}\n");
        let links = format!("n0 n1\n{}", "#".repeat(bytes - 6));
        parse_beside("x.toml", &source, &Overrides::default(), &|_| Ok(links.clone())).map_err(|errors| shown(&errors))
    };
    let longest = "f".repeat(MAX_FILE_NAME_BYTES);
    assert_eq!(plan(&longest, MAX_GRAPH_BYTES).map(|plan| plan.links.len()), Ok(1));
    let told = plan(&longest, MAX_GRAPH_BYTES + 1).expect_err("too large");
    assert!(told.contains("at most 33554432 are allowed"), "{told}");
    let told = plan(&format!("{longest}f"), 100).expect_err("too long a name");
    assert!(told.contains("`file`"), "{told}");
}

#[test]
fn overrides_are_bounded() {
    let with = |settings: usize| {
        let overrides = Overrides {
            seed: None,
            set: vec![("network.nodes".to_owned(), "3".to_owned()); settings],
        };
        parse("x.toml", "[network]\nnodes = 2\n", &overrides).map_err(|errors| shown(&errors))
    };
    assert_eq!(with(MAX_OVERRIDES).map(|plan| plan.nodes.len()), Ok(3));
    let told = with(MAX_OVERRIDES + 1).expect_err("too many");
    assert!(told.contains("at most 1000 overrides are allowed"), "{told}");
}

/// Two nodes that run, and nothing else.
fn standing() -> operator::Standing {
    operator::Standing {
        running: vec![true; 2],
        paused: BTreeSet::new(),
        linked: BTreeSet::new(),
        open_cuts: BTreeSet::new(),
        loading: BTreeSet::new(),
        paid: BTreeSet::new(),
        pending: BTreeMap::new(),
        doubles: BTreeMap::new(),
        loads: 0,
    }
}

/// Operators bring names too, and a run can go on for long.
#[test]
fn the_names_of_a_run_are_bounded() {
    let fund = |names: usize| {
        let mut plan = sound(&file(2, ""));
        plan.wallets = (0..names).map(|number| format!("w{number}")).collect();
        operator::step(("console", "fund = \"one-more\", coins = 1"), &plan, standing())
            .map_err(|errors| shown(&errors))
    };
    let read = fund(MAX_RUN_NAMES - 1).expect("room for one");
    assert_eq!(read.wallets.len(), MAX_RUN_NAMES);
    let told = fund(MAX_RUN_NAMES).expect_err("no room");
    assert!(told.contains("at most 100000 wallets, payments and cuts"), "{told}");
}
