//! What is printed when a run has ended.

use std::path::Path;

use base::NodeId;
use chain::HashRate;
use observe::layout::View;
use observe::{Collector, Summary, Verdict, text};
use scenario::{Director, Plan, words};

use crate::exit::Exit;
use crate::{paint, say};

/// A run that has ended, whichever engine ran it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) collector: Collector,
    pub(crate) director: Director,
    pub(crate) summary: Summary,
}

impl Run {
    /// What the program ends with.
    pub(crate) const fn exit(&self) -> Exit {
        match self.summary.verdict {
            Verdict::Passed => Exit::Passed,
            Verdict::StepFailed | Verdict::InvariantBroken => Exit::Failed,
            Verdict::NodeDied => Exit::NodeDied,
            Verdict::OutOfTime => Exit::OutOfTime,
            Verdict::Interrupted => Exit::Interrupted,
        }
    }
}

impl Run {
    /// All figures, as one JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.summary).expect("a summary has no maps with keys other than text")
    }
}

/// Prints tree, reorgs and verdict, and, of a run that failed, what helps to see why.
pub(crate) fn print(run: &Run, folder: &Path, repeat: &str) {
    let (plan, world) = (run.collector.plan(), run.collector.world());
    let history = run.collector.history();
    let passed = run.exit() == Exit::Passed;
    if !passed {
        section("Nodes", &text::nodes(world, plan));
    }
    section("Blocks", &text::tree(world, plan, View::default()));
    let reorgs = text::reorgs(history.reorgs(), world, plan, &run.director.labels());
    if !reorgs.is_empty() {
        section("Reorgs", &reorgs);
    }
    if !passed {
        for node in standing_out(run) {
            let events = text::last_events(history, plan, node, 8);
            if !events.is_empty() {
                section(&format!("Last events of {}", plan.name_of(node)), &events);
            }
        }
    }
    // Blocks on demand come when a step says so: rates and shares of them say nothing.
    let is_mined_at_a_rate = plan.nodes.iter().any(|node| node.hashrate > HashRate::ZERO);
    let statistics = text::statistics(&run.summary);
    if is_mined_at_a_rate && !statistics.is_empty() {
        section("Figures", &statistics);
    }
    print_verdict(run, folder);
    if !passed {
        say::line(format_args!("Repeat  {repeat}"));
    }
}

fn section(title: &str, body: &str) {
    say::line(format_args!("\n{}", paint::strong(title)));
    for line in body.lines() {
        say::line(format_args!("  {line}"));
    }
}

fn print_verdict(run: &Run, folder: &Path) {
    say::line("");
    for violation in &run.summary.violations {
        say::line(format_args!("{} {violation}", paint::bad("broken:")));
    }
    let plan = run.collector.plan();
    let summary = format!(
        "{}, seed {}: {}, {}, {}",
        plan.name,
        plan.seed,
        words::count(plan.steps.len() as u64, "step"),
        words::count(run.collector.forks().len() as u64, "fork"),
        words::count(run.collector.history().reorgs_seen(), "reorg"),
    );
    if run.exit() == Exit::Passed {
        say::line(format_args!("{}  {summary}", paint::good("PASSED")));
    } else {
        say::line(format_args!(
            "{}  {summary}",
            paint::bad(run.summary.verdict.words().to_uppercase())
        ));
    }
    if let Some(error) = run.collector.log_error() {
        say::line(format_args!(
            "{} the log is incomplete: {error}",
            paint::warning("warning:")
        ));
    }
    say::line(format_args!(
        "Log     {}\n        {} events",
        folder.display(),
        run.collector.events(),
    ));
    if let Some(digest) = run.summary.digest {
        say::line(format_args!("Digest  {digest}"));
    }
}

/// Nodes that do not follow what most of the network follows, and those that are down: at most four.
fn standing_out(run: &Run) -> Vec<NodeId> {
    let (plan, world): (&Plan, _) = (run.collector.plan(), run.collector.world());
    let followers = |node: NodeId| {
        let tip = world.node(node).tip.block;
        world
            .nodes()
            .iter()
            .filter(|other| other.running && other.tip.block == tip)
            .count()
    };
    let most = plan.node_ids().map(followers).max().unwrap_or(0);
    let stands_out = |&node: &NodeId| !world.node(node).running || followers(node) < most;
    let mut nodes: Vec<NodeId> = plan.node_ids().filter(stands_out).collect();
    nodes.truncate(4);
    nodes
}
