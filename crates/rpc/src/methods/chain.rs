//! The chain as a whole: tips, work, rates.

use std::time::Duration;

use chain::{BlockRef, Height};
use serde_json::{Value, json};

use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Kind};
use crate::error::Answer;
use crate::office::Office;
use crate::shape;
use crate::{Code, RpcError, Scene};

pub(super) const METHODS: &[Method] = &[
    look("getbestblockhash", "The hash of the tip.", best_block_hash),
    Method {
        name: "getblockchaininfo",
        category: Category::Blockchain,
        parameters: &[],
        summary: "The state of the chain.",
        run: Run::Task(|office, _| Box::pin(async move { blockchain_info(&office).await })),
    },
    look(
        "getblockcount",
        "The height of the tip; the genesis block has 0.",
        block_count,
    ),
    look("getchaintips", "The ends of all branches that are known.", chain_tips),
    look(
        "getdifficulty",
        "How many times harder than Bitcoin's first target the tip's is.",
        |scene, _| Ok(json!(shape::difficulty(scene.ledger.header(scene.node.tip()).bits))),
    ),
    Method {
        name: "getchaintxstats",
        category: Category::Blockchain,
        parameters: &[may("nblocks", Kind::Number), may("blockhash", Kind::Text)],
        summary: "How many transactions the chain has, and how many came in a window of blocks.",
        run: Run::Look(chain_tx_stats),
    },
    Method {
        name: "getblockhash",
        category: Category::Blockchain,
        parameters: &[needs("height", Kind::Number)],
        summary: "The hash of the block at this height of the chain that is followed.",
        run: Run::Look(block_hash),
    },
    Method {
        name: "getnetworkhashps",
        category: Category::Mining,
        parameters: &[may("nblocks", Kind::Number), may("height", Kind::Number)],
        summary: "The hashes a second that the last blocks took; -1 takes those since the target last could change.",
        run: Run::Look(network_hash_rate),
    },
];

/// A method without parameters that looks at the chain.
const fn look(name: &'static str, summary: &'static str, look: fn(&Scene<'_>, &Arguments) -> Answer) -> Method {
    Method {
        name,
        category: Category::Blockchain,
        parameters: &[],
        summary,
        run: Run::Look(look),
    }
}

fn best_block_hash(scene: &Scene<'_>, _: &Arguments) -> Answer {
    Ok(json!(scene.ledger.id(scene.node.tip()).to_string()))
}

fn block_count(scene: &Scene<'_>, _: &Arguments) -> Answer {
    Ok(json!(scene.ledger.height(scene.node.tip()).0))
}

/// The chain's state, for JSON-RPC and `/rest/chaininfo` alike.
pub(crate) async fn blockchain_info(office: &Office) -> Answer {
    let mut info = office.clerk.look(state).await?;
    let file = tokio::fs::metadata(&office.database).await;
    info["size_on_disk"] = json!(file.map_or(0, |file| file.len()));
    Ok(info)
}

fn state(scene: &Scene<'_>) -> Value {
    let (ledger, tip, best) = (scene.ledger, scene.node.tip(), scene.node.best_header());
    let header = ledger.header(tip);
    let (blocks, headers) = (ledger.height(tip).0, ledger.height(best).0);
    let behind = headers.saturating_sub(blocks);
    json!({
        "chain": ledger.params().name,
        "blocks": blocks,
        "headers": headers,
        "bestblockhash": ledger.id(tip).to_string(),
        "bits": shape::bits(header.bits),
        "target": shape::target(header.bits),
        "difficulty": shape::difficulty(header.bits),
        "time": header.time,
        "mediantime": ledger.median_time_past(tip),
        "verificationprogress": (f64::from(blocks) + 1.0) / (f64::from(blocks.max(headers)) + 1.0),
        "initialblockdownload": behind > node::limits::SYNCING_BEHIND,
        "chainwork": ledger.work(tip).to_string(),
        "pruned": false,
        "warnings": Vec::from_iter(&scene.network.trouble),
    })
}

fn chain_tips(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let (node, ledger, tip) = (scene.node, scene.ledger, scene.node.tip());
    let mut ends: Vec<BlockRef> = node.tips(ledger);
    ends.extend(node.header_tips(ledger));
    ends.extend(node.invalid_tips());
    // A tip with known descendants that are not here in full is no end, but a tip it is.
    ends.sort_by_key(|end| (std::cmp::Reverse(ledger.height(*end)), ledger.id(*end)));
    ends.dedup();
    let is_inside = |end: &BlockRef| {
        *end != tip
            && ends
                .iter()
                .any(|other| other != end && ledger.is_ancestor(*end, *other))
    };
    let shown = ends.iter().filter(|end| !is_inside(end)).map(|end| {
        let fork = ledger.fork_point(*end, tip);
        let status = if *end == tip {
            "active"
        } else if node.is_invalid(ledger, *end) {
            "invalid"
        } else if node.has_block(*end) {
            "valid-fork"
        } else {
            "headers-only"
        };
        json!({
            "height": ledger.height(*end).0,
            "hash": ledger.id(*end).to_string(),
            "branchlen": ledger.height(*end).0 - ledger.height(fork).0,
            "status": status,
        })
    });
    Ok(json!(shown.collect::<Vec<Value>>()))
}

fn block_hash(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let wanted: i32 = arguments.number(0)?.unwrap_or_default();
    let at =
        at_height(scene, wanted).ok_or_else(|| RpcError::new(Code::InvalidParameter, "Block height out of range"))?;
    Ok(json!(scene.ledger.id(at).to_string()))
}

/// The block at a height of the chain that is followed, however absurd the height.
pub(crate) fn at_height(scene: &Scene<'_>, height: i32) -> Option<BlockRef> {
    let height = u32::try_from(height).ok().map(Height)?;
    scene.ledger.ancestor(scene.node.tip(), height)
}

fn chain_tx_stats(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let (ledger, tip) = (scene.ledger, scene.node.tip());
    let refuse = |message: &str| Err(RpcError::new(Code::InvalidParameter, message));
    let last = match arguments.text(1) {
        None => tip,
        Some(_) => {
            let at = super::blocks::find(scene, arguments.block_id(1, "blockhash")?)?;
            if !ledger.is_ancestor(at, tip) {
                return refuse("Block is not in main chain");
            }
            at
        }
    };
    let height = i64::from(ledger.height(last).0);
    let interval = i64::try_from(ledger.params().interval.as_secs().max(1)).unwrap_or(i64::MAX);
    let window = match arguments.number::<i32>(0)?.map(i64::from) {
        None => (MONTH / interval).clamp(0, (height - 1).max(0)),
        Some(blocks) if blocks < 0 || blocks > 0 && blocks >= height => {
            return refuse("Invalid block count: should be between 0 and the block's height - 1");
        }
        Some(blocks) => blocks,
    };
    let first = at_height_below(scene, last, height - window).expect("a window within the chain");
    let transactions = |blocks: &[BlockRef]| -> usize {
        let bodies = blocks.iter().filter_map(|block| ledger.body(*block));
        bodies.map(|body| body.transactions.len()).sum()
    };
    let elapsed = i64::from(ledger.median_time_past(last)) - i64::from(ledger.median_time_past(first));
    let mut stats = json!({
        "time": ledger.header(last).time,
        "txcount": transactions(&ledger.path(ledger.genesis(), last)) + 1,
        "window_final_block_hash": ledger.id(last).to_string(),
        "window_final_block_height": height,
        "window_block_count": window,
    });
    if window > 0 {
        let count = transactions(&ledger.path(first, last));
        stats["window_interval"] = json!(elapsed);
        stats["window_tx_count"] = json!(count);
        if elapsed > 0 {
            stats["txrate"] = json!(as_f64(count) / f64::from(u32::try_from(elapsed).unwrap_or(u32::MAX)));
        }
    }
    Ok(stats)
}

/// The window that Core takes by default, in seconds.
const MONTH: i64 = 30 * 24 * 60 * 60;

#[expect(clippy::cast_precision_loss, reason = "a count of what is in memory, for a rate")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

fn network_hash_rate(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let blocks: i32 = arguments.number(0)?.unwrap_or(120);
    let height: i32 = arguments.number(1)?.unwrap_or(-1);
    if blocks < -1 || blocks == 0 {
        let message = "Invalid nblocks. Must be a positive number or -1.";
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let last = match height {
        -1 => Some(scene.node.tip()),
        _ => at_height(scene, height),
    };
    let last = last.ok_or_else(|| RpcError::new(Code::InvalidParameter, "Block does not exist at specified height"))?;
    Ok(json!(hash_rate(scene, last, blocks.into())))
}

/// The hashes a second that it took to get to a block from so many blocks below it (Core's `GetNetworkHashPS`).
pub(crate) fn hash_rate(scene: &Scene<'_>, last: BlockRef, blocks: i64) -> f64 {
    let ledger = scene.ledger;
    let height = i64::from(ledger.height(last).0);
    let since_a_change = match ledger.params().retarget {
        chain::Retarget::Bitcoin { window, .. } => height % i64::from(window) + 1,
        chain::Retarget::Asert { .. } => 1,
        chain::Retarget::Fixed => height,
    };
    let wanted = if blocks == -1 { since_a_change } else { blocks };
    let count = wanted.min(height);
    let Some(first) = at_height_below(scene, last, height - count).filter(|_| count > 0) else {
        return 0.0;
    };
    let mut times = vec![ledger.header(first).time];
    times.extend(ledger.path(first, last).iter().map(|block| ledger.header(*block).time));
    let (Some(earliest), Some(latest)) = (times.iter().min(), times.iter().max()) else {
        return 0.0;
    };
    let elapsed = Duration::from_secs(u64::from(latest - earliest)).as_secs_f64();
    if elapsed == 0.0 {
        return 0.0;
    }
    shape::hashes(ledger.work(last).saturating_sub(ledger.work(first))) / elapsed
}

fn at_height_below(scene: &Scene<'_>, block: BlockRef, height: i64) -> Option<BlockRef> {
    scene.ledger.ancestor(block, Height(u32::try_from(height).ok()?))
}
