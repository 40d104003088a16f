//! Steps, reorgs and nodes.

use maud::{Markup, html};
use observe::model::{Model, Moment, NodeState, ReorgFacts, StepFacts};
use observe::told::StepStateTold;

use crate::limits::{MAX_TABLE_ROWS, MAX_TRANSACTIONS};
use crate::words::{clipped, listed, moment, span};

pub(super) fn steps(model: &Model) -> Markup {
    let steps = model.steps();
    if steps.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Steps" }
            div class="wide" { table {
                @for step in first(steps) { (self::step(step)) }
            } }
            (more(steps.len(), "steps"))
        }
    }
}

fn step(step: &StepFacts) -> Markup {
    let took = step
        .ended
        .map(|ended| span(ended.since(step.started).as_micros().try_into().unwrap_or(u64::MAX)));
    html! {
        tr {
            td class="n faint" { (step.step + 1) }
            td {
                @match &step.state {
                    StepStateTold::Started => { span class="open" { "…" } },
                    StepStateTold::Passed { .. } => { span class="good" { "✓" } },
                    StepStateTold::Failed { .. } => { b class="bad" { "✗" } },
                }
            }
            td { code { (clipped(&step.text)) } }
            td class="n faint" { (moment(step.started)) }
            td class="n" { @if let Some(took) = took { (took) } }
            td class="faint" {
                @match &step.state {
                    StepStateTold::Started => {},
                    StepStateTold::Passed { found } => { (clipped(found)) },
                    StepStateTold::Failed { expected, found } => {
                        span class="bad" { "expected " (clipped(expected)) ", found " (clipped(found)) }
                    },
                }
            }
        }
    }
}

/// Reorgs, those that several nodes went through alike in one row.
pub(super) fn reorgs(model: &Model) -> Markup {
    let mut rows: Vec<(&ReorgFacts, Vec<&ReorgFacts>)> = Vec::new();
    for reorg in model.reorgs() {
        // Nodes that go through the same do so at about the same time.
        let recent = rows.iter_mut().rev().take(8).find(|(first, _)| first.is_like(reorg));
        match recent {
            Some((_, others)) => others.push(reorg),
            None => rows.push((reorg, Vec::new())),
        }
    }
    if rows.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Reorgs" }
            p class="hint" { "Nodes that left a chain for one with more work, and what that did to transactions." }
            div class="wide" { table {
                tr { th { "when" } th { "who" } th class="n" { "depth" } th { "gave up" } th { "took" } th class="n" { "returned" } th { "dropped" } }
                @for (reorg, others) in first(&rows) { (self::reorg(model, reorg, others)) }
            } }
            (more(rows.len(), "reorgs"))
        }
    }
}

fn reorg(model: &Model, reorg: &ReorgFacts, others: &[&ReorgFacts]) -> Markup {
    let nodes = std::iter::once(reorg).chain(others.iter().copied());
    let last = others.last().map_or(reorg.at, |last| last.at);
    let tip = |blocks: &[observe::model::BlockNumber]| {
        blocks
            .last()
            .map_or(String::new(), |last| model.chain().block(*last).id.short().to_string())
    };
    html! {
        tr {
            td class="faint" { (moment(reorg.at)) @if last > reorg.at { " – " (moment(last)) } }
            td { (listed(&model.cast().ranges(nodes.map(|reorg| reorg.node)))) }
            td class="n" { (reorg.disconnected.len()) }
            td { code { ".." (tip(&reorg.disconnected)) } }
            td { code { ".." (tip(&reorg.connected)) } }
            td class="n" { (reorg.returned.len()) }
            td {
                @for dropped in reorg.dropped.iter().take(MAX_TRANSACTIONS) {
                    div {
                        (model.transactions().label_of(&dropped.txid).map_or_else(|| dropped.txid.to_string(), clipped))
                        " " span class="faint" { (clipped(&dropped.reason)) }
                    }
                }
                @if reorg.dropped.len() > MAX_TRANSACTIONS { "… " (reorg.dropped.len() - MAX_TRANSACTIONS) " more" }
            }
        }
    }
}

pub(super) fn nodes(model: &Model, end: &Moment<'_>) -> Markup {
    let nodes = end.nodes();
    let hashes = nodes.iter().any(|node| node.hash_power != "0");
    let best = end.best().map(|best| model.chain().block(best).id);
    html! {
        section {
            h2 { "Nodes at the end" }
            div class="wide" { table {
                tr {
                    th { "node" } th {} th class="n" { "height" } th { "tip" } th class="n" { "mined" } th class="n" { "reorgs" } th class="n" { "peers" }
                    @if hashes { th class="n" { "hashes a second" } }
                }
                @for node in first(&nodes) {
                    tr {
                        td { b { (clipped(&node.name)) } @if node.strategy != "honest" { " " span class="open" { (clipped(&node.strategy)) } } }
                        td { (state(node)) }
                        td class="n" { (node.height) }
                        td { code title=(node.tip) { (node.tip.short()) } @if best.is_some_and(|best| best != node.tip) { " " span class="faint" { "not the best" } } }
                        td class="n" { (node.mined) }
                        td class="n" { (node.reorgs) }
                        td class="n" { (node.peers.len()) }
                        @if hashes { td class="n" { (node.hash_power) } }
                    }
                }
            } }
            (more(nodes.len(), "nodes"))
        }
    }
}

fn state(node: &NodeState) -> Markup {
    let class = match (node.running, node.paused || node.behind) {
        (true, false) => "good",
        (true, true) => "open",
        (false, _) => "bad",
    };
    html! { span class=(class) { (node.state_words()) } }
}

fn first<T>(rows: &[T]) -> &[T] {
    &rows[..rows.len().min(MAX_TABLE_ROWS)]
}

fn more(rows: usize, what: &str) -> Markup {
    html! {
        @if rows > MAX_TABLE_ROWS { p class="more" { "… " (rows - MAX_TABLE_ROWS) " more " (what) "; the log has them all" } }
    }
}
