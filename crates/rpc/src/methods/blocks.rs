//! Single blocks, headers and coins.

use std::sync::Arc;

use base::hex;
use chain::{Block, BlockId, BlockRef, Coin, OutPoint, Transaction};
use serde_json::{Value, json};

use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Flag, Kind};
use crate::error::Answer;
use crate::shape::{self, Spent, WithCoins};
use crate::{Code, RpcError, Scene, raw};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getblock",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text), may("verbosity", Kind::Level)],
        summary: "A block: 0 its hex, 1 its header and txids, 2 its transactions, 3 what they spend too.",
        run: Run::Look(block),
    },
    Method {
        name: "getblockheader",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text), may("verbose", Kind::Flag)],
        summary: "A header and its place, or its hex.",
        run: Run::Look(header),
    },
    Method {
        name: "gettxout",
        category: Category::Blockchain,
        parameters: &[
            needs("txid", Kind::Text),
            needs("n", Kind::Number),
            may("include_mempool", Kind::Flag),
        ],
        summary: "A coin that is unspent; nothing for one that is not.",
        run: Run::Look(coin),
    },
    Method {
        name: "gettxoutsetinfo",
        category: Category::Blockchain,
        parameters: &[
            may("hash_type", Kind::Text),
            may("hash_or_height", Kind::Any),
            may("use_index", Kind::Flag),
        ],
        summary: "All coins that are unspent, at the tip or at another block. Goes through the whole chain.",
        run: Run::Look(coins),
    },
];

/// The block of this name, when the node has heard of it.
pub(crate) fn find(scene: &Scene<'_>, id: BlockId) -> Result<BlockRef, RpcError> {
    scene
        .node
        .find(scene.ledger, &id)
        .ok_or_else(|| RpcError::new(Code::InvalidAddressOrKey, "Block not found"))
}

/// The body of a block that the node has in full.
pub(crate) fn body<'a>(scene: &Scene<'a>, at: BlockRef) -> Result<&'a Arc<Block>, RpcError> {
    let missing = || RpcError::new(Code::Misc, "Block not available (not fully downloaded)");
    let is_here = scene.node.has_block(at);
    scene.ledger.body(at).filter(|_| is_here).ok_or_else(missing)
}

fn header(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let at = find(scene, arguments.block_id(0, "hash")?)?;
    if arguments.flag_or(1, Flag::Set) {
        return Ok(Value::Object(shape::header(scene, at)));
    }
    Ok(json!(hex::encode(&scene.ledger.header(at).to_bytes())))
}

fn block(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let at = find(scene, arguments.block_id(0, "blockhash")?)?;
    let level = arguments.level(1, 1)?;
    let body = body(scene, at)?;
    if level <= 0 {
        return Ok(json!(hex::encode(&raw::block(body))));
    }
    let detail = match level {
        1 => Detail::Names,
        2 => Detail::Transactions(WithCoins::No),
        _ => Detail::Transactions(WithCoins::Yes),
    };
    Ok(block_json(scene, at, detail))
}

/// How much of a block's transactions is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail {
    Names,
    Transactions(WithCoins),
}

/// A block that is here in full.
pub(crate) fn block_json(scene: &Scene<'_>, at: BlockRef, detail: Detail) -> Value {
    let mut shown = shape::header(scene, at);
    let Some(body) = scene.ledger.body(at) else {
        return Value::Object(shown);
    };
    let transactions: Vec<Value> = match detail {
        Detail::Names => body
            .transactions
            .iter()
            .map(|one| json!(one.txid().to_string()))
            .collect(),
        Detail::Transactions(with_coins) => {
            let show = |one: &Arc<Transaction>| {
                let spent = spent_in_block(scene, at, one);
                Value::Object(shape::transaction(one, spent.as_ref(), with_coins))
            };
            body.transactions.iter().map(show).collect()
        }
    };
    for name in ["strippedsize", "size"] {
        shown.insert(name.to_owned(), json!(body.bytes()));
    }
    shown.insert("weight".to_owned(), json!(body.bytes() * 4));
    if let Some(coinbase) = body.transactions.first() {
        shown.insert("coinbase_tx".to_owned(), shape::coinbase(coinbase));
    }
    shown.insert("tx".to_owned(), json!(transactions));
    Value::Object(shown)
}

/// The coins that a transaction of a block spends: of blocks below, or of the block itself. None for a coinbase.
pub(crate) fn spent_in_block(scene: &Scene<'_>, at: BlockRef, transaction: &Transaction) -> Option<Spent> {
    if transaction.is_coinbase() {
        return None;
    }
    let (ledger, parent) = (scene.ledger, scene.ledger.parent(at)?);
    let body = ledger.body(at)?;
    let inside = |outpoint: &OutPoint| {
        let creator = body.transactions.iter().find(|one| one.txid() == outpoint.txid)?;
        let output = creator.outputs().get(usize::try_from(outpoint.index).ok()?)?;
        Some(Coin {
            output: *output,
            height: ledger.height(at),
            coinbase: creator.is_coinbase(),
        })
    };
    let coin = |outpoint: &OutPoint| ledger.coin(outpoint, parent).or_else(|| inside(outpoint));
    Some(Spent(transaction.inputs().iter().map(coin).collect()))
}

fn coin(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let txid = arguments.txid(0, "txid")?;
    let index = arguments.number(1)?.unwrap_or_default();
    let outpoint = OutPoint { txid, index };
    let (ledger, tip) = (scene.ledger, scene.node.tip());
    let with_mempool = arguments.flag_or(2, Flag::Set);
    if with_mempool && scene.node.unconfirmed_spender(&outpoint).is_some() {
        return Ok(Value::Null);
    }
    let unconfirmed = scene.node.unconfirmed(&txid).filter(|_| with_mempool);
    let unconfirmed = unconfirmed.and_then(|one| one.outputs().get(usize::try_from(index).ok()?));
    let (output, confirmations, coinbase) = match (ledger.coin(&outpoint, tip), unconfirmed) {
        (Some(coin), _) => {
            let depth = ledger.height(tip).0.saturating_sub(coin.height.0) + 1;
            (coin.output, depth, coin.coinbase)
        }
        (None, Some(output)) => (*output, 0, false),
        (None, None) => return Ok(Value::Null),
    };
    Ok(json!({
        "bestblock": ledger.id(tip).to_string(),
        "confirmations": confirmations,
        "value": shape::coins(output.value),
        "scriptPubKey": shape::output_script(&output.owner),
        "coinbase": coinbase,
    }))
}

/// Bytes of a coin as Core counts them in `bogosize`, without its script.
const BOGUS_BYTES: usize = 32 + 4 + 4 + 8 + 2;
/// Bytes of the script that an output would have.
const SCRIPT_BYTES: usize = 34;

fn coins(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let hash_type = arguments.text(0).unwrap_or("hash_serialized_3");
    if !["hash_serialized_3", "none"].contains(&hash_type) {
        let message = format!("'{hash_type}' is not a valid hash_type");
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let ledger = scene.ledger;
    let at = match arguments.at(1) {
        Value::Null => scene.node.tip(),
        Value::Number(_) => super::chain::at_height(scene, arguments.number(1)?.unwrap_or(-1))
            .ok_or_else(|| RpcError::new(Code::InvalidParameter, "Target block height out of range"))?,
        Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            find(scene, arguments.block_id(1, "hash_or_height")?)?
        }
    };
    body(scene, at)?;
    if ledger.is_pruned(at) {
        return Err(RpcError::new(
            Code::InvalidParameter,
            "the coins at this block are forgotten",
        ));
    }
    let unspent = ledger.unspent(at);
    let mut creators: Vec<_> = unspent.keys().map(|outpoint| outpoint.txid).collect();
    creators.dedup();
    let total = chain::Amount::total(unspent.values().map(|coin| coin.output.value));
    let mut shown = json!({
        "height": ledger.height(at).0,
        "bestblock": ledger.id(at).to_string(),
        "txouts": unspent.len(),
        "bogosize": unspent.len() * (BOGUS_BYTES + SCRIPT_BYTES),
        "total_amount": shape::coins(total.expect("a valid chain holds no more than the money limit")),
        "transactions": creators.len(),
        "disk_size": 0,
    });
    if hash_type != "none" {
        shown["hash_serialized_3"] = json!(ledger.coins_digest(at).to_string());
    }
    Ok(shown)
}
