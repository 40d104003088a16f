//! The table of statistics.

use std::collections::BTreeMap;
use std::time::Duration;

use gossip::MessageKind;
use scenario::words;

use super::{clip, wrapped};
use crate::Summary;
use crate::history::Traffic;
use crate::stats::{Delays, Proportion, Revenue};

/// Blocks below which shares and percentiles say nothing.
const MIN_BLOCKS: u64 = 10;
/// Miners that the table shows; the rest is counted.
const MAX_MINERS: usize = 8;
/// How wide the names of rows are.
const NAME: usize = 10;

/// What all blocks together say, in a few lines; nothing of a run of few blocks.
#[must_use]
pub fn statistics(summary: &Summary) -> String {
    let figures = &summary.statistics;
    if figures.stale.of < MIN_BLOCKS {
        return String::new();
    }
    let mut rows = vec![
        ("stale", format!("{} blocks", proportion(&figures.stale))),
        ("forks", format!("{} heights", proportion(&figures.forks_per_block))),
    ];
    if let Some(intervals) = &figures.intervals {
        let deviation = intervals
            .deviation_us
            .map_or(String::new(), |deviation| format!(", deviation {}", time(deviation)));
        let [p50, p90, p99] = [intervals.p50_us, intervals.p90_us, intervals.p99_us].map(time);
        let mean = time(intervals.mean_us);
        rows.push((
            "interval",
            format!("mean {mean}{deviation}; p50 {p50}, p90 {p90}, p99 {p99}"),
        ));
    }
    if let Some(delays) = &figures.spread_by_block {
        rows.push(("spread", format!("{} over nodes, mean over blocks", shares(delays))));
    }
    if let Some(delays) = &figures.spread_by_node {
        rows.push(("", format!("{} over nodes, of each one's mean", shares(delays))));
    }
    let mut text: String = rows.iter().map(|(name, row)| line(name, row)).collect();
    text.push_str(&traffic(summary));
    text.push_str(&reorgs(&figures.reorg_depths));
    text.push_str(&miners(&figures.revenue));
    text
}

fn line(name: &str, row: &str) -> String {
    clip(&format!("{name:NAME$}{row}")) + "\n"
}

/// As `2.50 % (0.70 to 8.50 % at 99 %): 3 of 120`.
fn proportion(proportion: &Proportion) -> String {
    let Proportion {
        count, of, low, high, ..
    } = proportion;
    let share = proportion.share.unwrap_or(0.0);
    format!(
        "{} % ({} to {} at 99 %): {count} of {of}",
        percent(share),
        percent(*low),
        percent(*high)
    )
}

fn percent(share: f64) -> String {
    format!("{:.2}", share * 100.0)
}

fn time(micros: u64) -> String {
    words::duration(Duration::from_micros(micros))
}

fn shares(delays: &Delays) -> String {
    let [p50, p90, p99] = [delays.p50_us, delays.p90_us, delays.p99_us].map(time);
    format!("p50 {p50}, p90 {p90}, p99 {p99}")
}

/// What nodes sent, the kinds with the most bytes first.
fn traffic(summary: &Summary) -> String {
    let bytes = summary.statistics.bytes_sent;
    if bytes.total == 0 {
        return String::new();
    }
    let mut kinds: Vec<(&MessageKind, &Traffic)> = summary.messages.iter().collect();
    kinds.sort_by_key(|(kind, traffic)| (std::cmp::Reverse(traffic.bytes), **kind));
    let kind = |(kind, traffic): &(&MessageKind, &Traffic)| format!("{} {},", word(**kind), size(traffic.bytes));
    let mut parts = vec![format!("{} a node (most {});", size(bytes.mean), size(bytes.most))];
    parts.extend(kinds.iter().map(kind));
    if let Some(last) = parts.last_mut() {
        last.pop();
    }
    wrapped(&format!("{:NAME$}", "sent"), parts)
}

/// The kind as the log calls it.
fn word(kind: MessageKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .expect("a kind of message is a word")
}

fn reorgs(depths: &BTreeMap<usize, u64>) -> String {
    if depths.is_empty() {
        return String::new();
    }
    let words = depths.iter().map(|(depth, count)| format!("{count} of depth {depth},"));
    let mut words: Vec<String> = words.collect();
    if let Some(last) = words.last_mut() {
        last.pop();
    }
    wrapped(&format!("{:NAME$}", "reorgs"), words)
}

fn miners(revenue: &[Revenue]) -> String {
    let mut text = String::new();
    for (index, miner) in revenue.iter().take(MAX_MINERS).enumerate() {
        let name = if index == 0 { "revenue" } else { "" };
        let Proportion { share, low, high, .. } = miner.blocks;
        let row = format!(
            "{} {} % of blocks ({} to {} at 99 %), {} % of hash power",
            miner.node,
            percent(share.unwrap_or(0.0)),
            percent(low),
            percent(high),
            percent(miner.hash_share)
        );
        text.push_str(&line(name, &row));
    }
    if revenue.len() > MAX_MINERS {
        text.push_str(&line(
            "",
            &format!("... {} more miners ...", revenue.len() - MAX_MINERS),
        ));
    }
    text
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}
