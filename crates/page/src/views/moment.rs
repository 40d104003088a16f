//! The network at a time: every node, the histories they follow, who is connected, what is cut.

use std::collections::{BTreeMap, BTreeSet};

use base::NodeId;
use chain::BlockId;
use observe::model::{Model, Moment, NodeState};
use serde::Serialize;

use super::letters::{Letters, heads};
use super::steps::{StepView, steps};

/// The network at a time.
#[derive(Debug, Serialize)]
pub(crate) struct MomentView {
    t_us: u64,
    tips: Vec<TipView>,
    nodes: NodeColumns,
    sides: Vec<SideView>,
    /// For each node, those after it that it is connected to.
    links: Vec<Vec<u32>>,
    cuts: Vec<String>,
    open_forks: Vec<usize>,
    step: Option<RunningStep>,
    best_height: u32,
}

/// Every node, a column for each thing: with a thousand nodes, names of fields would be most of the answer.
#[derive(Debug, Default, Serialize)]
struct NodeColumns {
    /// 0 down, 1 up, 2 up and far behind the best, 3 standing still.
    state: Vec<u8>,
    /// A place in `tips`.
    tip: Vec<usize>,
    /// A place in `sides`; none for nodes that are down, or on what several sides have in common.
    side: Vec<Option<usize>>,
    /// Which part of the network it is in; none while nothing is cut.
    group: Vec<Option<usize>>,
    peers: Vec<usize>,
    mined: Vec<u32>,
    reorgs: Vec<u32>,
    /// Hash power, in thousandths of all.
    power: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct TipView {
    block: BlockId,
    height: u32,
}

#[derive(Debug, Serialize)]
struct SideView {
    letter: String,
    tip: BlockId,
    height: u32,
    nodes: usize,
    ranges: Vec<String>,
    hash_share: f64,
}

#[derive(Debug, Serialize)]
struct RunningStep {
    number: usize,
    of: usize,
    text: String,
    state: &'static str,
}

impl MomentView {
    pub(crate) fn of(model: &Model, moment: &Moment<'_>) -> Self {
        let chain = model.chain();
        let letters = Letters::at(model, moment.time());
        let heads = heads(moment, &letters);
        let side_of: BTreeMap<NodeId, usize> = heads
            .iter()
            .enumerate()
            .flat_map(|(side, head)| head.nodes.iter().map(move |node| (*node, side)))
            .collect();
        let states = moment.nodes();
        let powers: Vec<f64> = states.iter().map(power).collect();
        let all: f64 = powers.iter().sum();
        let share = |power: f64| if all > 0.0 { power / all } else { 0.0 };
        let sides = heads.iter().map(|head| SideView {
            letter: head.letter.clone(),
            tip: chain.block(head.tip).id,
            height: chain.block(head.tip).height.0,
            nodes: head.nodes.len(),
            ranges: model.cast().ranges(head.nodes.iter().copied().collect::<BTreeSet<_>>()),
            hash_share: share(head.nodes.iter().map(|node| powers[node.index()]).sum()),
        });
        let cuts: BTreeSet<&str> = states
            .iter()
            .flat_map(|state| &state.groups)
            .map(|(cut, _)| cut.as_str())
            .collect();
        // Groups of several cuts at a time divide each other.
        let groups: BTreeSet<&Vec<(String, usize)>> = states.iter().map(|state| &state.groups).collect();
        let whole = groups.iter().all(|group| group.is_empty());
        let (mut tips, mut nodes) = (Vec::new(), NodeColumns::default());
        let mut places: BTreeMap<BlockId, usize> = BTreeMap::new();
        for (state, power) in states.iter().zip(&powers) {
            let tip = *places.entry(state.tip).or_insert_with(|| {
                let (block, height) = (state.tip, state.height.0);
                tips.push(TipView { block, height });
                tips.len() - 1
            });
            nodes.state.push(match (state.running, state.paused, state.behind) {
                (false, _, _) => 0,
                (true, false, false) => 1,
                (true, false, true) => 2,
                (true, true, _) => 3,
            });
            nodes.tip.push(tip);
            nodes.side.push(side_of.get(&state.node).copied());
            nodes
                .group
                .push(groups.iter().position(|group| !whole && **group == state.groups));
            nodes.peers.push(state.peers.len());
            nodes.mined.push(state.mined);
            nodes.reorgs.push(state.reorgs);
            nodes.power.push(thousandths(share(*power)));
        }
        Self {
            t_us: moment.time().as_micros(),
            sides: sides.collect(),
            links: links(&states),
            cuts: cuts.into_iter().map(str::to_owned).collect(),
            open_forks: moment.open_forks().iter().map(|fork| fork.fork).collect(),
            step: running(steps(model, moment)),
            best_height: moment.best().map_or(0, |best| chain.block(best).height.0),
            tips,
            nodes,
        }
    }
}

/// What a node hashes; nothing when it is down.
fn power(state: &NodeState) -> f64 {
    let told = state.hash_power.parse().unwrap_or(0.0);
    if state.running { told } else { 0.0 }
}

/// Each connection once, as either end of it sees it: at the end that comes first.
fn links(states: &[NodeState]) -> Vec<Vec<u32>> {
    let mut links = vec![BTreeSet::new(); states.len()];
    for state in states {
        for peer in &state.peers {
            links[state.node.min(*peer).index()].insert(state.node.max(*peer).0);
        }
    }
    links.into_iter().map(|after| after.into_iter().collect()).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is from 0 to 1"
)]
fn thousandths(share: f64) -> u32 {
    (share * 1_000.0).round() as u32
}

/// The last step that has begun and not ended.
fn running(steps: Vec<StepView>) -> Option<RunningStep> {
    let of = steps.len();
    let step = steps.into_iter().rfind(|step| step.state == "started")?;
    Some(RunningStep {
        number: step.number,
        of,
        text: step.text,
        state: step.state,
    })
}
