//! What is wrong in a file is told in one go, with place and way out.

use super::*;

/// All that is wrong with a network of 8 honest nodes and one hostile, and these steps.
fn errors_of_steps(steps: &str) -> String {
    let source = format!(
        "limit = \"60s\"\n[[network.group]]\ncount = 8\n[[network.group]]\nname = \"m\"\nstrategy = \"hostile\"\n\
         [steps]\nrun = [\n{steps}\n]\n"
    );
    shown(&read(&source).expect_err("the steps are at fault"))
}

fn errors(source: &str) -> String {
    shown(&read(source).expect_err("the file is at fault"))
}

#[test]
fn broken_toml_is_told_with_its_place() {
    insta::assert_snapshot!(errors(
        "seed = 1\n[network\nnodes = 2\n[steps]\nrun = [ { mine = , on = \"n0\" } ]\n"
    ));
}

#[test]
fn unknown_keys_and_wrong_kinds_are_told_at_once() {
    insta::assert_snapshot!(errors(
        r#"
sed = 7
limit = 120
[chain]
preset = "instnat"
coinbase_maturity = 5
interval = "0s"
subsidy = 0.000000001
[network]
nodes = 4
topology = { kind = "file", degree = 2 }
[network.link]
latency = "2h"
bandwidth = "20 mbit"
[steps]
run = [
  { mien = 1, on = "n0" },
  { mine = 1 },
  { eclipse = "n0", by = "n1" },
  { mine = 1, on = "n0", sleep = "1s" },
  { wait = "convergd", height = 1, within = "1s" },
  { wait = "converged", height = 1 },
  { wait = "converged", within = "1s" },
  { expect = "fairness" },
  { expect = "rejected", reason = "hi-hash" },
  { hashrate = { n0 = "fast" } },
]
"#
    ));
}

#[test]
fn resource_bombs_are_refused_by_name_and_cap() {
    let begun = std::time::Instant::now();
    let bombs = [
        errors("[network]\nnodes = 1000000000\n[steps]\nrun = [{ mine = 1, on = \"n0\" }]\n"),
        errors("[[network.group]]\ncount = 90000\n[[network.group]]\ncount = 90000\n"),
        errors("[network]\nnodes = 10000\ntopology = { kind = \"full\" }\n"),
        errors_of_steps("{ mine = 4000000000, on = \"n0\" },"),
    ];
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    insta::assert_snapshot!(bombs.concat());
}

#[test]
fn nodes_and_groups_are_resolved() {
    insta::assert_snapshot!(errors_of_steps(
        r#"  { mine = 1, on = "n8" },
  { mine = 1, on = "m0" },
  { partition = [["n0..n4"], ["n4..n7"]], as = "split" },
  { partition = [["n0..n7"]], as = "whole" },
  { isolate = "n9", as = "split" },
  { heal = "splitt" },
  { link = ["n0", "n0"], latency = "1s" },
  { link = ["n0", "n1"] },
  { inject-block = "bad-pow", from = "n0", to = "n1" },
  { expect = "height", height = 0, on = "all" },
  { expect = "diverged", groups = 2, on = "n0" },"#
    ));
}

#[test]
fn steps_are_held_against_the_steps_before() {
    insta::assert_snapshot!(errors_of_steps(
        r#"  { send = "alice", to = "bob", coins = 1 },
  { fund = "alice", coins = 30, on = "n0" },
  { fund = "carol", coins = 30, on = "n0" },
  { mine = 1, on = "n0" },
  { send = "alice", to = "bob", coins = 1, as = "rent" },
  { send = "alice", to = "bob", coins = 1, as = "rent" },
  { expect = "confirmed-once", of = "rent" },
  { expect = "confirmed", of = "rant" },
  { double-spend = "alice", to = ["bob", "carol"], via = ["n0", "n1"], as = "ds" },
  { expect = "confirmed-once", of = "ds", winner = "alice" },
  { expect = "balance", of = "dave", coins = 1 },
  { kill = "n3" },
  { mine = 1, on = "n3" },
  { start = "n2" },
  { heal = "all" },"#
    ));
}

#[test]
fn a_wrong_value_is_told_once() {
    let errors = errors_of_steps(
        r#"  { hashrate = "5kH/s", on = 7 },
  { link = ["n0", "n1"], latency = 5 },
  { expect = "peers", count = -1 },
  { expect = "height", height = 1, on = [] },"#,
    );
    assert_eq!(errors.matches("x.toml:").count(), 4, "{errors}");
}

#[test]
fn money_beyond_every_subsidy_is_told() {
    let steps = "{ fund = \"alice\", coins = 21000000 },\n{ fund = \"alice\", coins = 21000000 },";
    assert_eq!(errors_of_steps(steps).matches("but may create only 50").count(), 2);
    let asleep =
        "{ stop = \"n0\" },\n{ fund = \"alice\", coins = 1 },\n{ start = \"n0\" },\n{ mine = 1, on = \"n0\" },";
    assert!(errors_of_steps(asleep).contains("`n0` does not run at this step"));
}

#[test]
fn nothing_may_wait_longer_than_the_run() {
    insta::assert_snapshot!(errors_of_steps(
        r#"  { wait = "height", height = 1, within = "61s" },
  { mine = 1, on = "n0", within = "2m" },
  { sleep = "40s" },
  { sleep = "40s" },
  { expect = "converged", advance = 1 },"#
    ));
}

#[test]
fn an_override_is_told_by_its_own_words() {
    let set = [
        ("network.node", "12"),
        ("chain.coinbase_maturity", "5"),
        ("network.link.latency", "fast"),
        ("steps.run.0", "1"),
        ("seed.x", "1"),
    ];
    let set = set.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let errors = parse("x.toml", SAMPLE, &Overrides { seed: None, set }).expect_err("the overrides are at fault");
    insta::assert_snapshot!(shown(&errors));
}

#[test]
fn rules_that_do_not_fit_each_other_are_told() {
    insta::assert_snapshot!(errors(
        "[chain]\nretarget = \"asert\"\ninterval = \"500ms\"\nwindow = 10\nhalf-life = \"1500ms\"\n[network]\nnodes = 1\n"
    ));
    let subsidy = "[chain]\nsubsidy = 1000000\nhalving = 1000\n[network]\nnodes = 1\n";
    assert!(errors(subsidy).starts_with("x.toml:2:11: subsidy and halving would create more than 21000000 coins"));
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let plan = sound(
        "[network]\nnodes = 4\ntopology = { kind = \"edges\", edges = [[\"n0\", \"n1\"], [\"n1\", \"n2\"]] }\n\
         [steps]\nrun = [\n{ partition = [[\"n0\", \"n2\"], [\"n1\"]], as = \"split\" },\n{ link = [\"n0\", \"n3\"], cut = true },\n\
         { hashrate = 100, on = \"n0\" },\n]\n",
    );
    let expected = [
        "x.toml:1: nothing is expected of this run, so it cannot fail",
        "x.toml:1: `n3` has no link at the start",
        "x.toml:6: the links within a group do not connect it: its nodes are cut from each other too",
        "x.toml:7: `n0` and `n3` are not linked at this step",
        "x.toml:8: a block of the preset `instant` takes two hashes, so this makes a flood of blocks: set `difficulty`, or another preset",
    ];
    assert_eq!(plan.warnings, expected);
}

#[test]
fn a_file_that_is_too_long_is_refused_unread() {
    let error = errors(&"#".repeat(MAX_FILE_BYTES + 1));
    assert_eq!(
        error,
        "x.toml:1:1: the file has 1048577 bytes, at most 1048576 are allowed\n  |\n1 | \n  | ^\n"
    );
}

#[test]
fn more_steps_on_more_nodes_than_memory_should_hold_are_refused() {
    let steps = "{ expect = \"supply\" },\n".repeat(2_001);
    let error = errors(&format!("[network]\nnodes = 10000\n[steps]\nrun = [\n{steps}]\n"));
    assert!(
        error.starts_with("x.toml:5:1: 2001 steps on 10000 nodes are too many: at most 20000000 together"),
        "{error}"
    );
}

#[test]
fn long_lists_of_ranges_take_no_time() {
    let begun = std::time::Instant::now();
    let list = vec!["\"n0..n7\""; 90_000].join(", ");
    assert!(errors_of_steps(&format!("{{ kill = [{list}] }},")).contains("`n0` is in this list twice"));
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
}

#[test]
fn paused_nodes_can_be_asked_about_and_ended_and_do_nothing() {
    let allowed = r#"  { pause = ["n0", "n1"] },
  { expect = "height", height = 0, on = "n0" },
  { kill = "n0" },
  { wipe = "n1" },
  { start = ["n0", "n1"] },
  { mine = 1, on = "n0" },"#;
    let source = format!("[network]\nnodes = 4\n[steps]\nrun = [\n{allowed}\n]\n");
    parse("x.toml", &source, &Overrides::default()).expect("a sound file");

    let refused = errors_of_steps(
        r#"  { pause = "n1" },
  { mine = 1, on = "n1" },
  { stop = "n1" },
  { pause = "n1" },
  { resume = "n2" },"#,
    );
    assert_eq!(refused.matches("`n1` is paused at this step").count(), 3, "{refused}");
    assert!(refused.contains("`n2` is not paused at this step"), "{refused}");
}

#[test]
fn what_is_wrong_in_a_loop_is_told_once() {
    let nested = format!(
        "{}{{ sleep = \"1s\" }}{}",
        "{ repeat = 2, steps = [".repeat(5),
        "] }".repeat(5)
    );
    let faults = [
        r#"  { repeat = 3, steps = [{ mine = 1, on = "n77" }, { mien = 1 }] },"#,
        r#"  { for = "x", in = ["n0", "n1"], steps = [{ mine = 1, on = "{y}" }] },"#,
        r#"  { for = "x", in = [], steps = [{ sleep = "1s" }] },"#,
        r#"  { for = "x", in = ["n 0"], steps = [{ sleep = "1s" }] },"#,
        r#"  { repeat = 3 },"#,
        r#"  { repeat = 3, steps = [] },"#,
        r#"  { repeat = 3, steps = [{ sleep = "1s" }], within = "2s" },"#,
        r#"  { repeat = 10000, steps = [{ repeat = 10000, steps = [{ sleep = "1s" }] }] },"#,
        &nested,
    ];
    insta::assert_snapshot!(faults.map(errors_of_steps).concat());
}
