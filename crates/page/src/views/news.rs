//! How far the log has been read, and what stands out of the time that has come since.

use std::collections::BTreeSet;

use base::NodeId;
use observe::model::{ForkFacts, MarkKind, Model};
use scenario::words;
use serde::Serialize;

use super::letters::letter;
use crate::limits::MAX_MARKS;
use crate::reading::Reading;

/// How far the log has been read: small enough to be sent on every change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Cursor {
    revision: u64,
    end_us: u64,
    ended: Option<Ended>,
    /// Why the log cannot be read on.
    trouble: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Ended {
    reason: String,
    ok: bool,
}

impl Cursor {
    pub(crate) fn of(reading: &Reading) -> Self {
        let model = reading.model();
        Self {
            trouble: reading.trouble().map(str::to_owned),
            revision: model.revision(),
            end_us: model.now().as_micros(),
            ended: model.ended().map(|(_, ended)| Ended {
                reason: ended.reason.clone(),
                ok: ended.ok,
            }),
        }
    }
}

/// What is new since a time.
#[derive(Debug, Serialize)]
pub(crate) struct NewsView {
    #[serde(flatten)]
    cursor: Cursor,
    marks: Vec<MarkView>,
    marks_left_out: usize,
}

/// A tick of the scrubber, or a span.
#[derive(Debug, Serialize)]
struct MarkView {
    kind: &'static str,
    from_us: u64,
    to_us: Option<u64>,
    words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<usize>,
}

impl MarkView {
    /// What is left out first when there are too many: reorgs tell what forks tell already.
    fn rank(&self) -> usize {
        let order = ["partition", "failed", "control", "stopped", "fork", "step", "reorg"];
        order.iter().position(|kind| *kind == self.kind).unwrap_or(order.len())
    }

    fn tick(kind: &'static str, at: u64, words: String) -> Self {
        Self {
            kind,
            from_us: at,
            to_us: Some(at),
            words,
            fork: None,
        }
    }
}

impl NewsView {
    /// The marks that began, went on or ended at a time or later.
    pub(crate) fn since(reading: &Reading, since: u64) -> Self {
        Self::of(Cursor::of(reading), reading.model(), since)
    }

    pub(super) fn of(cursor: Cursor, model: &Model, since: u64) -> Self {
        let mut marks = spans(model);
        marks.extend(reorgs(model));
        marks.extend(ticks(model));
        marks.retain(|mark| mark.to_us.is_none_or(|to| to >= since));
        let left_out = marks.len().saturating_sub(MAX_MARKS);
        marks.sort_by_key(|mark| (mark.rank(), std::cmp::Reverse(mark.from_us)));
        marks.truncate(MAX_MARKS);
        marks.sort_by_key(|mark| mark.from_us);
        Self {
            cursor,
            marks,
            marks_left_out: left_out,
        }
    }
}

fn spans(model: &Model) -> Vec<MarkView> {
    let fork = |fork: &ForkFacts| MarkView {
        kind: "fork",
        from_us: fork.opened.as_micros(),
        to_us: fork.end.as_ref().map(|(end, _)| end.as_micros()),
        words: fork_words(model, fork),
        fork: Some(fork.id),
    };
    let cut = |cut: &observe::model::Cut| MarkView {
        kind: "partition",
        from_us: cut.from.as_micros(),
        to_us: cut.until.map(base::Time::as_micros),
        words: format!("cut by {}", cut.id),
        fork: None,
    };
    model
        .forks()
        .iter()
        .map(fork)
        .chain(model.cuts().iter().map(cut))
        .collect()
}

fn fork_words(model: &Model, fork: &ForkFacts) -> String {
    let height = model.chain().block(fork.point).height;
    let Some((_, end)) = &fork.end else {
        return format!("a fork above block {height}, open still");
    };
    let lasted = words::duration(std::time::Duration::from_micros(end.end.lasted_us));
    match end.end.winner {
        Some(winner) => format!(
            "a fork above block {height} for {lasted}, branch {} won",
            letter(winner)
        ),
        None => format!("a fork above block {height} for {lasted}, all its branches lost"),
    }
}

/// Reorgs of one kind are one tick, at the first of them.
fn reorgs(model: &Model) -> Vec<MarkView> {
    let mut kinds: Vec<(&observe::model::ReorgFacts, BTreeSet<NodeId>)> = Vec::new();
    for reorg in model.reorgs() {
        // What is like it came shortly before, if at all.
        match kinds.iter_mut().rev().take(8).find(|(other, _)| other.is_like(reorg)) {
            Some((_, nodes)) => {
                nodes.insert(reorg.node);
            }
            None => kinds.push((reorg, BTreeSet::from([reorg.node]))),
        }
    }
    let mark = |(reorg, nodes): (&observe::model::ReorgFacts, BTreeSet<NodeId>)| {
        let names = model.cast().ranges(nodes).join(", ");
        let depth = words::count(reorg.disconnected.len() as u64, "block");
        MarkView::tick("reorg", reorg.at.as_micros(), format!("reorg: {names} gave up {depth}"))
    };
    kinds.into_iter().map(mark).collect()
}

fn ticks(model: &Model) -> Vec<MarkView> {
    let tick = |mark: &observe::model::Mark| {
        let (kind, words) = match mark.kind {
            MarkKind::StepStarted => ("step", format!("step: {}", mark.what)),
            MarkKind::StepFailed => ("failed", format!("failed: {}", mark.what)),
            MarkKind::Control => ("control", format!("by hand: {}", mark.what)),
            MarkKind::NodeDown => ("stopped", format!("{} went down", mark.what)),
            MarkKind::NodePaused => ("stopped", format!("{} was paused", mark.what)),
            MarkKind::ForkOpened
            | MarkKind::ForkResolved
            | MarkKind::Reorg
            | MarkKind::Partition
            | MarkKind::Heal
            | MarkKind::Link
            | MarkKind::NodeUp
            | MarkKind::NodeResumed
            | MarkKind::StepPassed
            | MarkKind::Ended => return None,
        };
        Some(MarkView::tick(kind, mark.at.as_micros(), words))
    };
    model.marks().iter().filter_map(tick).collect()
}
