//! How blocks spread.

use std::time::Duration;

use scenario::words::duration;

use super::{clip, counted, moment};
use crate::model::{BlockNumber, Model, Spread};
use crate::spread::percentile;

/// Blocks that the table shows, the newest; the rest is counted.
const MAX_BLOCKS: usize = 40;

/// One line for each of the newest blocks whose spread was measured: how long it took to reach half, nine tenths and all of the others, and
/// until all followed it, if it came to that.
#[must_use]
pub fn propagation(model: &Model) -> String {
    let chain = model.chain();
    let numbers = (0..chain.len()).map(BlockNumber::at);
    let measured: Vec<_> = numbers
        .filter_map(|number| Some((number, chain.spread_of(number)?)))
        .collect();
    if measured.is_empty() {
        return "no block's spread was measured\n".to_owned();
    }
    let left_out = measured.len().saturating_sub(MAX_BLOCKS);
    let width = model.cast().names().iter().map(String::len).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{:>7}  {:8}  {:width$}  {:>8}  {:>8}  {:>8}  {:>8}  {:>4}  {:>5}\n",
        "height", "block", "miner", "50 %", "90 %", "last", "agreed", "have", "never"
    );
    if left_out > 0 {
        text.push_str(&format!("... {} above ...\n", counted(left_out, "block")));
    }
    for (number, spread) in &measured[left_out..] {
        let block = chain.block(*number);
        let miner = block.miner.map_or("?", |miner| model.cast().name(miner));
        let agreed = chain.convergence_on(*number).and_then(|convergence| convergence.all_us);
        let [p50, p90, last, agreed] = [spread.p50_us, spread.p90_us, spread.last_us, agreed].map(delay);
        let line = format!(
            "{:>7}  {:8}  {miner:width$}  {p50:>8}  {p90:>8}  {last:>8}  {agreed:>8}  {:>4}  {:>5}",
            block.height,
            block.id.short(),
            spread.seen,
            spread.never,
        );
        text.push_str(&clip(&line));
        text.push('\n');
    }
    let mut medians: Vec<u64> = measured.iter().filter_map(|(_, spread)| spread.p50_us).collect();
    medians.sort_unstable();
    text.push_str(&format!(
        "{}; half of them reached half of the nodes within {}\n",
        counted(measured.len(), "block"),
        delay(percentile(&medians, 50))
    ));
    text
}

/// One line for each node that a block reached, in that order.
#[must_use]
pub fn spread(spread: &Spread, model: &Model) -> String {
    let name = |node| model.cast().name(node);
    let width = model.cast().names().iter().map(String::len).max().unwrap_or(0).max(4);
    let mut text = format!("{:>12}  {:>8}  {:width$}  from\n", "at", "after", "node");
    for arrival in &spread.arrivals {
        let from = arrival.from.map_or("-", name);
        let after = duration(Duration::from_micros(arrival.delay_us));
        let node = name(arrival.node);
        text.push_str(&format!(
            "{:>12}  {after:>8}  {node:width$}  {from}\n",
            moment(arrival.at)
        ));
    }
    let never = model.cast().len() - spread.arrivals.len();
    let reached = counted(spread.arrivals.len(), "node");
    text.push_str(&format!("it reached {reached}, and {never} not\n"));
    text
}

fn delay(micros: Option<u64>) -> String {
    micros.map_or("-".to_owned(), |micros| duration(Duration::from_micros(micros)))
}
