//! A run as figures for Prometheus, in its text form (OpenMetrics).

use std::fmt;

use base::Time;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::limits::MAX_METRIC_NODES;
use crate::model::{Model, Moment};

/// What a server says this text is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures of a run as it is now. Those of single nodes are of the first [`MAX_METRIC_NODES`].
#[must_use]
pub fn text(model: &Model) -> String {
    let mut registry = Registry::with_prefix("nakanet");
    if model.run().is_some()
        && let Ok(moment) = model.at(model.now())
    {
        registry.register_collector(Box::new(Figures::of(model, &moment)));
    }
    let mut text = String::new();
    // Strings take all that is written.
    let _ = text::encode(&mut text, &registry);
    text
}

/// What is told, gathered before it is written.
#[derive(Debug)]
struct Figures {
    seconds: f64,
    ended: bool,
    passed: bool,
    blocks: u64,
    stale: u64,
    forks: u64,
    open_forks: i64,
    reorgs: u64,
    deepest_reorg: i64,
    cuts: i64,
    height: i64,
    running: i64,
    branches: i64,
    /// By name.
    nodes: Vec<NodeFigures>,
}

/// One node's.
#[derive(Debug)]
struct NodeFigures {
    name: String,
    up: i64,
    height: i64,
    peers: i64,
    mined: u64,
    reorgs: u64,
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Figures {
    fn of(model: &Model, moment: &Moment<'_>) -> Self {
        let chain = model.chain();
        let best = moment.best();
        let on_best = best.map_or(0, |best| chain.block(best).height.0);
        let blocks = chain.len().saturating_sub(1) as u64;
        let states = moment.nodes();
        let node = |node: &crate::model::NodeState| NodeFigures {
            name: node.name.clone(),
            up: i64::from(node.running),
            height: i64::from(node.height.0),
            peers: signed(node.peers.len()),
            mined: u64::from(node.mined),
            reorgs: u64::from(node.reorgs),
        };
        Self {
            seconds: moment.time().as_secs_f64(),
            ended: model.ended().is_some(),
            passed: model.ended().is_some_and(|(_, ended)| ended.ok),
            blocks,
            stale: blocks.saturating_sub(u64::from(on_best)),
            forks: model.forks().len() as u64,
            open_forks: signed(model.forks().iter().filter(|fork| fork.end.is_none()).count()),
            reorgs: model.reorgs().len() as u64,
            deepest_reorg: signed(
                model
                    .reorgs()
                    .iter()
                    .map(|reorg| reorg.disconnected.len())
                    .max()
                    .unwrap_or(0),
            ),
            cuts: signed(model.cuts().iter().filter(|cut| cut.holds_at(Time::MAX)).count()),
            height: i64::from(on_best),
            running: signed(moment.running().count()),
            branches: signed(moment.followers().len()),
            nodes: states.iter().take(MAX_METRIC_NODES).map(node).collect(),
        }
    }

    /// The figures of the run as a whole that go up and down: name, what it is, value.
    fn gauges(&self) -> [(&'static str, &'static str, i64); 8] {
        [
            ("run_ended", "Whether the run is over", i64::from(self.ended)),
            (
                "run_passed",
                "Whether it is over and all was well",
                i64::from(self.passed),
            ),
            ("forks_open", "Forks that are not resolved", self.open_forks),
            (
                "reorg_depth_max",
                "The most blocks that a node gave up at once",
                self.deepest_reorg,
            ),
            ("cuts", "Partitions and isolations across the network", self.cuts),
            ("height", "The height of the chain with the most work", self.height),
            ("nodes_running", "Nodes that run", self.running),
            (
                "tips",
                "Blocks that running nodes follow: more than one is disagreement",
                self.branches,
            ),
        ]
    }

    /// Those that only go up.
    const fn counters(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("blocks", "Blocks that some node found valid", self.blocks),
            (
                "stale_blocks",
                "Blocks that are not on the chain with the most work",
                self.stale,
            ),
            ("forks", "Forks", self.forks),
            ("reorgs", "Reorgs of all nodes", self.reorgs),
        ]
    }
}

type NodeGauge = (&'static str, &'static str, fn(&NodeFigures) -> i64);
type NodeCounter = (&'static str, &'static str, fn(&NodeFigures) -> u64);

/// The figures of single nodes.
const NODE_GAUGES: [NodeGauge; 3] = [
    ("node_up", "Whether the node runs", |node| node.up),
    ("node_height", "The height of the block that it follows", |node| {
        node.height
    }),
    ("node_peers", "Whom it is connected to", |node| node.peers),
];
const NODE_COUNTERS: [NodeCounter; 2] = [
    ("node_blocks_mined", "Blocks that it mined", |node| node.mined),
    ("node_reorgs", "Reorgs that it went through", |node| node.reorgs),
];

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let time = ConstGauge::new(self.seconds);
        let words = "How far the run's own time has come";
        time.encode(encoder.encode_descriptor("run_time", words, Some(&Unit::Seconds), time.metric_type())?)?;
        for (name, words, value) in self.gauges() {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, words, None, gauge.metric_type())?)?;
        }
        for (name, words, value) in self.counters() {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, words, None, counter.metric_type())?)?;
        }
        for (name, words, value) in NODE_GAUGES {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut family = encoder.encode_descriptor(name, words, None, kind)?;
            for node in &self.nodes {
                ConstGauge::new(value(node)).encode(family.encode_family(&[("node", node.name.as_str())])?)?;
            }
        }
        for (name, words, value) in NODE_COUNTERS {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, words, None, kind)?;
            for node in &self.nodes {
                ConstCounter::new(value(node)).encode(family.encode_family(&[("node", node.name.as_str())])?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Follow;
    use crate::testing::{Sketch, plan};
    use crate::{Collector as RunCollector, Engine};

    #[test]
    fn a_run_is_told_in_figures_that_prometheus_reads() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let collector = RunCollector::new(Arc::new(plan(2)), Engine::Sim, Some(folder.path())).expect("a new folder");
        let mut sketch = Sketch::observed_by(collector);
        sketch.mine(0, "a1");
        sketch.mine(1, "b1");
        sketch.collector.flush();
        let follow = Follow::open(folder.path()).expect("a log");
        let text = text(follow.model());
        for line in [
            "# TYPE nakanet_blocks counter",
            "nakanet_blocks_total 2",
            "nakanet_stale_blocks_total 1",
            "nakanet_forks_open 1",
            "nakanet_tips 2",
            "nakanet_nodes_running 2",
            "nakanet_run_ended 0",
            "nakanet_node_height{node=\"n1\"} 1",
            "nakanet_node_blocks_mined_total{node=\"n0\"} 1",
            "# UNIT nakanet_run_time_seconds seconds",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn so_many_nodes_have_figures_of_their_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plan = Arc::new(plan(MAX_METRIC_NODES + 1));
        let collector = RunCollector::new(plan, Engine::Sim, Some(folder.path())).expect("a new folder");
        let mut sketch = Sketch::observed_by(collector);
        sketch.collector.flush();
        let text = text(Follow::open(folder.path()).expect("a log").model());
        assert_eq!(text.matches("nakanet_node_up{").count(), MAX_METRIC_NODES);
        assert!(text.contains(&format!("nakanet_nodes_running {}\n", MAX_METRIC_NODES + 1)));
    }

    #[test]
    fn a_run_that_has_not_begun_has_no_figures() {
        assert_eq!(text(&Model::new()).trim_end(), "# EOF");
    }
}
