//! A fork's story: its branches, who was on which, for how long, what the loser lost, and why.

use std::time::Duration;

use base::Time;
use chain::{BlockId, Txid};
use scenario::words::{count, duration};

use super::{counted, letter, moment, wrapped};
use crate::model::{BranchCard, ForkStory, Model, ReorgStory, Rivals, Side, TransactionDifference, Unshared};
use crate::told::{Dropped, Spend};

/// Transactions and blocks that are listed; the rest is counted.
const MAX_LISTED: usize = 12;

/// All there is to say of a fork, in some lines.
#[must_use]
pub fn fork(story: &ForkStory, model: &Model) -> String {
    let card = &story.card;
    let micros = |micros: u64| moment(Time::from_micros(micros));
    let mut text = format!("fork {} above {} {}", card.fork, card.height, card.fork_point.short());
    match (&card.resolution, card.ended_us) {
        (Some(end), Some(ended)) => {
            let lasted = duration(Duration::from_micros(end.told.lasted_us));
            text.push_str(&format!(
                ", {lasted}: {} to {}\n",
                micros(card.opened_us),
                micros(ended)
            ));
        }
        (_, _) => text.push_str(&format!(", open since {}\n", micros(card.opened_us))),
    }
    for branch in &card.branches {
        text.push_str(&branch_lines(branch, story));
    }
    if let Some(end) = &card.resolution {
        text.push_str(&wrapped("  ended      ", words_of(&format!("because {}", end.because))));
        if !end.told.nodes_reorged.is_empty() {
            let depth = count(u64::from(end.told.deepest_reorg), "block");
            text.push_str(&wrapped("  went over  ", end.told.nodes_reorged.clone()));
            text.push_str(&format!("             leaving up to {depth} behind\n"));
        }
    }
    for difference in &story.differences {
        text.push_str(&difference_lines(difference, story));
    }
    for reorg in &story.reorgs {
        for dropped in reorg.dropped.iter().take(MAX_LISTED) {
            text.push_str(&wrapped("  dropped    ", words_of(&dropped_words(dropped, model))));
        }
    }
    text
}

fn branch_lines(branch: &BranchCard, story: &ForkStory) -> String {
    let end = story.card.resolution.as_ref();
    let fate = match end.map(|end| end.told.winner) {
        Some(Some(winner)) if winner == branch.told.id => ", won",
        Some(_) => ", lost",
        None => "",
    };
    let blocks = counted(branch.told.blocks as usize, "block");
    let head = format!(
        "{blocks} to {} {}, mined by {}{fate}",
        branch.told.tip_height,
        branch.told.tip.short(),
        or_nobody(&branch.told.miners).join(" "),
    );
    let mut text = wrapped(&format!("  branch {:<2}  ", letter(branch.told.id)), words_of(&head));
    let Some(side) = story.series.sides.iter().find(|side| side.branch == branch.told.id) else {
        return text;
    };
    text.push_str(&wrapped("    first on it  ", or_nobody(&side.first_here)));
    text.push_str(&format!("    followed     {}\n", time_followed(side)));
    if end.is_none() {
        let share = branch
            .hash_share
            .map_or_else(String::new, |share| format!(", {} of the hash power", percent(share)));
        let head = format!(
            "{}, {} of all{share}",
            counted(branch.node_count, "node"),
            percent(branch.node_share)
        );
        text.push_str(&wrapped("    now          ", words_of(&head)));
    }
    text
}

fn time_followed(side: &Side) -> String {
    let micros = |micros: u64| moment(Time::from_micros(micros));
    let most = format!("by {} at most", counted(side.most_nodes as usize, "node"));
    match (side.from_us, side.until_us) {
        (None, _) => "by nobody".to_owned(),
        (Some(from), None) => format!("from {} on, {most}", micros(from)),
        (Some(from), Some(until)) => {
            let lasted = duration(Duration::from_micros(until.saturating_sub(from)));
            format!("{lasted}: {} to {}, {most}", micros(from), micros(until))
        }
    }
}

fn difference_lines(difference: &TransactionDifference, story: &ForkStory) -> String {
    let mut text = String::new();
    for (branch, only) in difference.branches.iter().zip(&difference.only) {
        if !only.is_empty() {
            let mut listed: Vec<String> = only.iter().take(MAX_LISTED).map(unshared).collect();
            if only.len() > MAX_LISTED {
                listed.push(format!("and {} more", only.len() - MAX_LISTED));
            }
            text.push_str(&wrapped(
                &format!("  only on {}  ", letter(*branch)),
                words_of(&listed.join(", ")),
            ));
        }
    }
    for rivals in difference.rivals.iter().take(MAX_LISTED) {
        text.push_str(&wrapped(
            "  one coin   ",
            words_of(&rival_words(rivals, difference, story)),
        ));
    }
    text
}

fn rival_words(rivals: &Rivals, difference: &TransactionDifference, story: &ForkStory) -> String {
    let [one, other] = &rivals.spenders;
    let winner = story.card.resolution.as_ref().and_then(|end| end.told.winner);
    let verb = if winner == Some(difference.branches[0]) {
        "beat"
    } else {
        "competes with"
    };
    format!(
        "{} spent twice: {} {verb} {}",
        coin(&rivals.coin),
        labelled(one),
        labelled(other)
    )
}

fn labelled(unshared: &Unshared) -> String {
    let name = unshared.txid.0.leading();
    unshared
        .label
        .as_ref()
        .map_or(name.clone(), |label| format!("{label} ({name})"))
}

fn unshared(unshared: &Unshared) -> String {
    format!(
        "{} in {} {}",
        labelled(unshared),
        unshared.height,
        unshared.block.short()
    )
}

/// A reorg that nodes went through alike, in some lines.
#[must_use]
pub fn reorg(story: &ReorgStory, model: &Model) -> String {
    let depth = counted(story.depth, "block");
    let mut text = format!("reorg of {depth} above {} {}\n", story.height, story.fork_point.short());
    text.push_str(&wrapped("  nodes         ", story.nodes.clone()));
    let when = if story.first == story.last {
        moment(story.first)
    } else {
        format!("{} to {}", moment(story.first), moment(story.last))
    };
    text.push_str(&format!("  when          {when}\n"));
    text.push_str(&wrapped("  disconnected  ", blocks(&story.disconnected, model)));
    text.push_str(&wrapped("  connected     ", blocks(&story.connected, model)));
    if !story.returned.is_empty() {
        let listed = story.returned.iter().map(|txid| transaction(txid, model));
        text.push_str(&wrapped("  returned      ", limited(listed, story.returned.len())));
    }
    for dropped in story.dropped.iter().take(MAX_LISTED) {
        text.push_str(&wrapped("  dropped       ", words_of(&dropped_words(dropped, model))));
    }
    if story.dropped.len() > MAX_LISTED {
        text.push_str(&format!(
            "                and {} more\n",
            story.dropped.len() - MAX_LISTED
        ));
    }
    text
}

fn blocks(blocks: &[BlockId], model: &Model) -> Vec<String> {
    let word = |block: &BlockId| format!("{},", block_with_miner(block, model));
    let mut words = limited(blocks.iter().map(word), blocks.len());
    if let Some(last) = words.last_mut() {
        last.truncate(last.trim_end_matches(',').len());
    }
    words
}

/// A block's height and name, and who mined it: `12 aabbccdd (n0)`.
fn block_with_miner(block: &BlockId, model: &Model) -> String {
    let facts = model.chain().number(block).map(|number| model.chain().block(number));
    let miner = facts
        .and_then(|facts| facts.miner)
        .map_or("?", |miner| model.cast().name(miner));
    format!("{} ({miner})", place(block, model))
}

/// A block's height and name: `12 aabbccdd`.
pub(super) fn place(block: &BlockId, model: &Model) -> String {
    let height = model
        .chain()
        .number(block)
        .map(|number| model.chain().block(number).height);
    let height = height.map_or_else(|| "?".to_owned(), |height| height.to_string());
    format!("{height} {}", block.short())
}

/// What a transaction is called, and the eight digits its name begins with.
pub(super) fn transaction(txid: &Txid, model: &Model) -> String {
    let name = txid.0.leading();
    let label = model.transactions().label_of(txid);
    label.map_or(name.clone(), |label| format!("{label} ({name})"))
}

/// A coin: `aabbccdd:0`.
pub(super) fn coin(coin: &Spend) -> String {
    format!("{}:{}", coin.txid.0.leading(), coin.index)
}

fn dropped_words(dropped: &Dropped, model: &Model) -> String {
    let lost = transaction(&dropped.txid, model);
    let Some(conflict) = &dropped.conflicts_with else {
        return format!("{lost}: {}", dropped.reason);
    };
    let where_to = conflict
        .block
        .map_or("the mempool".to_owned(), |block| place(&block, model));
    let rival = transaction(&conflict.txid, model);
    format!(
        "{lost}: {}, {} is spent by {rival} in {where_to}",
        dropped.reason,
        coin(&conflict.outpoint)
    )
}

/// The words of a sentence, to be wrapped.
pub(super) fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(' ').map(str::to_owned)
}

fn or_nobody(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        vec!["nobody".to_owned()]
    } else {
        names.to_vec()
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The first of the words, and how many more there are.
fn limited(words: impl Iterator<Item = String>, count: usize) -> Vec<String> {
    let mut listed: Vec<String> = words.take(MAX_LISTED).collect();
    if count > MAX_LISTED {
        listed.push(format!("and {} more", count - MAX_LISTED));
    }
    listed
}
