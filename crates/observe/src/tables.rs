//! The run folder's tables, as CSV: names and numbers only, lists with spaces between, so that nothing needs quotes.

use std::fmt::Display;

use scenario::{Plan, World};

use crate::best::BestChain;
use crate::forks::Fork;
use crate::history::ReorgRecord;
use crate::spread::SpreadMeter;

/// A table in the making.
struct Table(String);

impl Table {
    fn new(columns: &[&str]) -> Self {
        Self(columns.join(",") + "\n")
    }

    fn row(&mut self, fields: &[&dyn Display]) {
        let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        self.0.push_str(&fields.join(","));
        self.0.push('\n');
    }
}

/// An optional field, empty when there is nothing.
fn maybe(field: Option<impl Display>) -> String {
    field.map(|field| field.to_string()).unwrap_or_default()
}

/// `forks.csv`: one row for each fork, in the order of opening.
#[must_use]
pub fn forks(forks: &[Fork], plan: &Plan) -> String {
    let mut table = Table::new(&[
        "id",
        "fork_point",
        "height",
        "opened_us",
        "lasted_us",
        "branches",
        "winner_tip",
        "stale_blocks",
        "deepest_reorg",
        "nodes_reorged",
    ]);
    for fork in forks {
        let end = fork.resolution.as_ref();
        let winner = end.and_then(|end| end.winner).map(|winner| fork.branches[winner].tip);
        table.row(&[
            &fork.id,
            &fork.point,
            &fork.height,
            &fork.opened.as_micros(),
            &maybe(end.map(|end| end.lasted_us)),
            &fork.branches.len(),
            &maybe(winner),
            &maybe(end.map(|end| end.stale_blocks)),
            &fork.deepest_reorg,
            &plan.ranges(fork.reorged.iter().copied()).join(" "),
        ]);
    }
    table.0
}

/// `reorgs.csv`: one row for each reorg of each node.
#[must_use]
pub fn reorgs(reorgs: &[ReorgRecord], plan: &Plan) -> String {
    let mut table = Table::new(&[
        "t_us",
        "node",
        "fork_point",
        "depth",
        "old_tip",
        "new_tip",
        "connected",
        "txs_returned",
        "txs_dropped",
    ]);
    for ReorgRecord { at, node, reorg } in reorgs {
        table.row(&[
            &at.as_micros(),
            &plan.name_of(*node),
            &reorg.fork_point,
            &reorg.disconnected.len(),
            &maybe(reorg.disconnected.last()),
            &maybe(reorg.connected.last()),
            &reorg.connected.len(),
            &reorg.returned.len(),
            &reorg.dropped.len(),
        ]);
    }
    table.0
}

/// `blocks.csv`: one row for each block, by height and name.
#[must_use]
pub fn blocks(world: &World, plan: &Plan, spread: &SpreadMeter) -> String {
    let mut table = Table::new(&[
        "block",
        "parent",
        "height",
        "miner",
        "first_seen_us",
        "transactions",
        "bytes",
        "stale",
        "seen",
        "never",
        "p50_us",
        "p90_us",
        "last_us",
    ]);
    let best = BestChain::of(world);
    let mut blocks: Vec<_> = world.blocks().iter().collect();
    blocks.sort_by_key(|(id, facts)| (facts.height, **id));
    for (id, facts) in blocks {
        let spread = spread.of(id);
        table.row(&[
            id,
            &facts.parent,
            &facts.height,
            &maybe(facts.miner.map(|miner| plan.name_of(miner))),
            &facts.first_seen.as_micros(),
            &maybe(facts.body.as_ref().map(|body| body.transactions.len())),
            &maybe(facts.body.as_ref().map(|body| body.bytes())),
            &u8::from(!best.contains(id)),
            &maybe(spread.map(|spread| spread.seen)),
            &maybe(spread.map(|spread| spread.never)),
            &maybe(spread.and_then(|spread| spread.p50_us)),
            &maybe(spread.and_then(|spread| spread.p90_us)),
            &maybe(spread.and_then(|spread| spread.last_us)),
        ]);
    }
    table.0
}

/// `nodes.csv`: one row for each node, in order.
#[must_use]
pub fn nodes(world: &World, plan: &Plan) -> String {
    let mut table = Table::new(&[
        "node", "running", "height", "tip", "peers", "mempool", "mined", "stale", "reorgs",
    ]);
    let stale = BestChain::of(world).stale_by_miner();
    for node in plan.node_ids() {
        let facts = world.node(node);
        table.row(&[
            &plan.name_of(node),
            &u8::from(facts.running),
            &facts.tip.height,
            &facts.tip.block,
            &facts.peers.len(),
            &world.mempool_len(node),
            &facts.mined,
            &stale.get(&node).copied().unwrap_or(0),
            &facts.reorgs.len(),
        ]);
    }
    table.0
}
