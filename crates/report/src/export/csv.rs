//! Blocks as a table: names and numbers only, so that nothing needs quotes.

use std::fmt::Display;

use observe::model::{BlockNumber, Model, Moment};

use super::on_best_chain;

fn maybe(field: Option<impl Display>) -> String {
    field.map(|field| field.to_string()).unwrap_or_default()
}

/// One row for each block, in the order they were seen.
pub(super) fn blocks(model: &Model, end: &Moment<'_>) -> String {
    let chain = model.chain();
    let best = on_best_chain(model, end);
    let followers = end.followers();
    let mut table = String::from(
        "block,parent,height,chain_work,miner,mined_us,seen_us,transactions,bytes,stale,reached,p50_us,p90_us,last_us,followers\n",
    );
    for (place, block) in chain.blocks().iter().enumerate() {
        let number = BlockNumber::at(place);
        let spread = chain.spread_of(number);
        let row = [
            block.id.to_string(),
            maybe(block.parent.map(|parent| chain.block(parent).id)),
            block.height.to_string(),
            block.chain_work.to_string(),
            maybe(block.miner.map(|miner| model.cast().name(miner))),
            maybe(block.mined.map(base::Time::as_micros)),
            block.seen.as_micros().to_string(),
            block.transactions.to_string(),
            block.bytes.to_string(),
            (!best[place]).to_string(),
            maybe(spread.map(|spread| spread.seen)),
            maybe(spread.and_then(|spread| spread.p50_us)),
            maybe(spread.and_then(|spread| spread.p90_us)),
            maybe(spread.and_then(|spread| spread.last_us)),
            followers.get(&number).map_or(0, Vec::len).to_string(),
        ];
        table += &row.join(",");
        table.push('\n');
    }
    table
}
