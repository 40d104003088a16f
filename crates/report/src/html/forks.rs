//! The forks that cost the most, each by itself.

use std::cmp::Reverse;

use base::Time;
use chain::{BlockId, Height};
use maud::{Markup, html};
use observe::layout::View;
use observe::model::{BranchCard, ForkCard, ForkFacts, ForkSeries, Model, TransactionDifference, Unshared};
use observe::text::letter;

use super::ReportError;
use crate::limits::{MAX_BRANCHES, MAX_FORKS, MAX_ROWS_OF_FORK, MAX_TRANSACTIONS};
use crate::svg;
use crate::words::{clipped, listed, moment, percent, span};

/// The forks that a report shows, in the order of their opening: those open at the end, and those with the most stale blocks.
pub(super) fn chosen(model: &Model) -> Vec<&ForkFacts> {
    let cost = |fork: &&ForkFacts| match &fork.end {
        None => (u32::MAX, u32::MAX, u64::MAX),
        Some((_, end)) => (end.end.deepest_reorg, end.end.stale_blocks, end.end.lasted_us),
    };
    let mut forks: Vec<&ForkFacts> = model.forks().iter().collect();
    forks.sort_by_key(|fork| Reverse(cost(fork)));
    forks.truncate(MAX_FORKS);
    forks.sort_by_key(|fork| fork.id);
    forks
}

/// When a fork opened and was over, or what is known of it ends, in microseconds.
pub(super) fn lasted(model: &Model, fork: &ForkFacts) -> (u64, u64) {
    let end = fork.end.as_ref().map_or(model.now(), |(end, _)| *end);
    (fork.opened.as_micros(), end.as_micros())
}

pub(super) fn section(model: &Model) -> Result<Markup, ReportError> {
    let all = model.forks().len();
    if all == 0 {
        return Ok(html! {
            section { h2 { "Forks" } p class="hint" { "None: no two blocks had the same parent." } }
        });
    }
    let mut cards = Vec::new();
    for fork in chosen(model) {
        cards.push(card(model, fork)?);
    }
    Ok(html! {
        section {
            h2 { "Forks" }
            @if cards.len() < all {
                p class="hint" { "The " (cards.len()) " of " (all) " that cost the most blocks; all of them are in " code { "forks.csv" } "." }
            }
            @for card in &cards { (card) }
        }
    })
}

fn card(model: &Model, fork: &ForkFacts) -> Result<Markup, ReportError> {
    let (opened, ended) = lasted(model, fork);
    let over = model.at(Time::from_micros(ended))?;
    let Some(card) = over.fork(fork.id) else {
        return Ok(html! {});
    };
    let series = model.fork_series(fork.id)?;
    let widest = series.as_ref().and_then(ForkSeries::widest).unwrap_or(fork.opened);
    let at_odds = model.at(widest)?;
    let view = View {
        from: Height(card.height.0.saturating_sub(1)),
        to: card
            .branches
            .iter()
            .map(|branch| branch.told.tip_height.next())
            .max()
            .unwrap_or(card.height),
        rows: MAX_ROWS_OF_FORK,
    };
    let rivals = losers(&card).into_iter().filter_map(|(winner, loser)| {
        model.transaction_difference(
            fork.id,
            [winner.min(loser), winner.max(loser)],
            Time::from_micros(ended),
        )
    });
    Ok(html! {
        div class="fork" {
            h3 { "Fork " (fork.id) " above height " (card.height) }
            p class="story" { (story(&card, opened)) }
            (branches(&card, series.as_ref()))
            @if let Some(series) = &series {
                p class="hint" { "Who was on which branch, over the time since the fork opened; grey: on neither." }
                div class="wide" { (svg::share(series, (opened, ended)).inline()) }
            }
            @for difference in rivals { (transactions(&card, &difference)) }
            p class="hint" { "The tree at " (moment(widest)) ", when nodes were most at odds, and who followed what:" }
            div class="wide" { (svg::tree_of_fork(&at_odds.tree(view), &|block| branch_of(model, fork, block)).inline()) }
        }
    })
}

/// The branch that a block is on.
fn branch_of(model: &Model, fork: &ForkFacts, block: &BlockId) -> Option<usize> {
    let chain = model.chain();
    let mut at = chain.number(block)?;
    // The parent of a block has the smaller number.
    while at > fork.point {
        let parent = chain.block(at).parent?;
        if parent == fork.point {
            return chain.children(fork.point).iter().position(|child| *child == at);
        }
        at = parent;
    }
    None
}

/// Pairs of branches to compare: the winner with each loser, or the first two of a fork without a winner.
fn losers(card: &ForkCard) -> Vec<(usize, usize)> {
    match &card.resolution {
        Some(end) => match end.told.winner {
            Some(winner) => end
                .told
                .losers
                .iter()
                .take(MAX_BRANCHES)
                .map(|loser| (winner, *loser))
                .collect(),
            None => vec![(0, 1)],
        },
        None => vec![(0, 1)],
    }
}

/// The fork in two or three sentences.
fn story(card: &ForkCard, opened: u64) -> Markup {
    let open = moment(Time::from_micros(opened));
    html! {
        "Opened at " b { (open) } " with " (card.branches.len()) " branches above block " code { (card.fork_point.short()) } ". "
        @match &card.resolution {
            None => { span class="open" { "Still open at the end." } },
            Some(end) => {
                "Over after " b { (span(end.told.lasted_us)) } ", because " (end.because) ". "
                @if let Some(winner) = end.told.winner { "Branch " b { (letter(winner)) } " won; " } @else { "No branch won; " }
                (end.told.stale_blocks) @if end.told.stale_blocks == 1 { " block was" } @else { " blocks were" } " in vain"
                @if end.told.deepest_reorg > 0 {
                    ", and " (listed(&end.told.nodes_reorged)) " gave up as many as " (end.told.deepest_reorg) " at once"
                }
                "."
            }
        }
    }
}

fn branches(card: &ForkCard, series: Option<&ForkSeries>) -> Markup {
    let winner = card.resolution.as_ref().and_then(|end| end.told.winner);
    html! {
        div class="wide" { table {
            tr {
                th {} th { "tip" } th class="n" { "height" } th class="n" { "blocks" } th { "mined by" } th { "who stood here first" } th class="n" { "most" } th { "from, until" } th {}
            }
            @for branch in card.branches.iter().take(MAX_BRANCHES) { (row(branch, series, winner)) }
        } }
        @if card.branches.len() > MAX_BRANCHES {
            p class="more" { "and " (card.branches.len() - MAX_BRANCHES) " more branches" }
        }
    }
}

fn row(branch: &BranchCard, series: Option<&ForkSeries>, winner: Option<usize>) -> Markup {
    let side = series.and_then(|series| series.sides.iter().find(|side| side.branch == branch.told.id));
    let at = |micros: Option<u64>| micros.map(|micros| moment(Time::from_micros(micros)));
    html! {
        tr {
            td { span class=(format!("nk swatch c{}", branch.told.id.min(5))) { (letter(branch.told.id)) } }
            td { code title=(branch.told.tip) { (branch.told.tip.short()) } }
            td class="n" { (branch.told.tip_height) }
            td class="n" { (branch.told.blocks) }
            td { (listed(&branch.told.miners)) }
            @if let Some(side) = side {
                td { (listed(&side.first_here)) }
                td class="n" { (side.most_nodes) }
                td { (at(side.from_us).unwrap_or_else(|| "never".to_owned())) @if let Some(until) = at(side.until_us) { " – " (until) } @else { " on" } }
            } @else {
                td { (listed(&branch.told.nodes)) } td class="n" { (branch.node_count) } td { (percent(branch.node_share)) }
            }
            td { @if winner == Some(branch.told.id) { b class="good" { "won" } } @else if winner.is_some() { span class="faint" { "lost" } } }
        }
    }
}

/// What two branches spend differently.
fn transactions(card: &ForkCard, difference: &TransactionDifference) -> Markup {
    let [one, other] = difference.branches;
    let lost = |branch: usize| {
        let winner = card.resolution.as_ref().and_then(|end| end.told.winner);
        winner.is_some_and(|winner| winner != branch)
    };
    let alone = difference.only[0].len() + difference.only[1].len();
    if alone == 0 {
        return html! { p class="hint" { "Branches " (letter(one)) " and " (letter(other)) " confirm the same transactions." } };
    }
    html! {
        @if !difference.rivals.is_empty() {
            p class="hint" { "Branches " (letter(one)) " and " (letter(other)) " spend the same coins differently: at most one of each pair can last." }
            div class="wide" { table {
                tr { th { "on " (letter(one)) } th { "on " (letter(other)) } th { "coin" } }
                @for rivals in difference.rivals.iter().take(MAX_TRANSACTIONS) {
                    tr {
                        td { (payment(&rivals.spenders[0], lost(one))) }
                        td { (payment(&rivals.spenders[1], lost(other))) }
                        td { code { (format!("{}:{}", &rivals.coin.txid.to_string()[..12], rivals.coin.index)) } }
                    }
                }
            } }
        }
        p class="more" {
            "Only on " (letter(one)) ": " (difference.only[0].len()) ", only on " (letter(other)) ": " (difference.only[1].len()) ", on both: " (difference.shared) " transactions."
        }
    }
}

fn payment(unshared: &Unshared, lost: bool) -> Markup {
    let name = unshared
        .label
        .as_deref()
        .map_or_else(|| unshared.txid.to_string(), clipped);
    html! {
        @if lost { s class="faint" { (name) } } @else { b { (name) } }
        " " span class="faint" { "in " code { (unshared.block.short()) } " at height " (unshared.height) }
    }
}
