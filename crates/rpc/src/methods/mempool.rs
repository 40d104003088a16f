//! Unconfirmed transactions.

use chain::Txid;
use chain::limits::MAX_TRANSACTION_BYTES;
use node::Pooled;
use node::limits::MAX_DESCENDANTS;
use serde_json::{Map, Value, json};

use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Flag, Kind};
use crate::error::Answer;
use crate::shape;
use crate::{Code, RpcError, Scene};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getmempoolinfo",
        category: Category::Blockchain,
        parameters: &[],
        summary: "How full the mempool is, and what gets in.",
        run: Run::Look(info),
    },
    Method {
        name: "getrawmempool",
        category: Category::Blockchain,
        parameters: &[may("verbose", Kind::Flag), may("mempool_sequence", Kind::Flag)],
        summary: "The txids of all unconfirmed transactions, or all that is known of them.",
        run: Run::Look(raw_mempool),
    },
    Method {
        name: "getmempoolentry",
        category: Category::Blockchain,
        parameters: &[needs("txid", Kind::Text)],
        summary: "An unconfirmed transaction's place among the others.",
        run: Run::Look(entry),
    },
];

/// A fee rate in coins for 1,000 bytes.
pub(super) fn rate(units: u64) -> Value {
    shape::coins(chain::Amount::from_units(units))
}

fn info(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let (node, config) = (scene.node, scene.node.config());
    let mempool = node.mempool();
    let bytes: u64 = mempool.iter().map(|one| u64::from(one.bytes())).sum();
    Ok(json!({
        "loaded": true,
        "size": mempool.len(),
        "bytes": bytes,
        "usage": node.mempool_bytes(),
        "total_fee": shape::coins(node.mempool_fees()),
        "maxmempool": config.mempool_bytes,
        "mempoolminfee": rate(node.mempool_min_fee(scene.now)),
        "minrelaytxfee": rate(config.min_relay_fee),
        "incrementalrelayfee": rate(config.min_relay_fee),
        "unbroadcastcount": 0,
        "fullrbf": true,
        "permitbaremultisig": false,
        "maxdatacarriersize": chain::limits::MAX_MEMO_BYTES,
        "limitclustercount": MAX_DESCENDANTS,
        "limitclustersize": u64::from(MAX_TRANSACTION_BYTES) * MAX_DESCENDANTS as u64,
        "optimal": false,
    }))
}

fn raw_mempool(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let (is_verbose, with_sequence) = (arguments.flag_or(0, Flag::Unset), arguments.flag_or(1, Flag::Unset));
    let mempool = scene.node.mempool();
    let txids = mempool.iter().map(|one| one.txid());
    match (is_verbose, with_sequence) {
        (false, false) => Ok(json!(txids.map(|txid| txid.to_string()).collect::<Vec<_>>())),
        (true, false) => {
            let entries = txids.filter_map(|txid| {
                let pooled = scene.node.pooled(&txid)?;
                Some((txid.to_string(), entry_json(scene, &pooled)))
            });
            Ok(Value::Object(entries.collect::<Map<_, _>>()))
        }
        (_, true) => {
            let message = "mempool sequence values are not kept";
            Err(RpcError::new(Code::InvalidParameter, message))
        }
    }
}

fn entry(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let txid: Txid = arguments.txid(0, "txid")?;
    match scene.node.pooled(&txid) {
        Some(pooled) => Ok(entry_json(scene, &pooled)),
        None => Err(RpcError::new(Code::InvalidAddressOrKey, "Transaction not in mempool")),
    }
}

fn entry_json(scene: &Scene<'_>, pooled: &Pooled) -> Value {
    let bytes = pooled.transaction.bytes();
    let now = scene.node.unix_secs(scene.now);
    let names = |txids: &std::collections::BTreeSet<Txid>| txids.iter().map(Txid::to_string).collect::<Vec<_>>();
    json!({
        "vsize": bytes,
        "weight": u64::from(bytes) * 4,
        "time": now.saturating_sub(scene.now.since(pooled.added).as_secs()),
        "height": scene.ledger.height(scene.node.tip()).0,
        "descendantcount": pooled.descendants.txids.len(),
        "descendantsize": pooled.descendants.bytes,
        "ancestorcount": pooled.ancestors.txids.len(),
        "ancestorsize": pooled.ancestors.bytes,
        "chunkweight": u64::from(bytes) * 4,
        "wtxid": pooled.transaction.wtxid().to_string(),
        "fees": {
            "base": shape::coins(pooled.fee),
            "modified": shape::coins(pooled.fee),
            "ancestor": shape::coins(pooled.ancestors.fees),
            "descendant": shape::coins(pooled.descendants.fees),
            "chunk": shape::coins(pooled.fee),
        },
        "depends": names(&pooled.parents),
        "spentby": names(&pooled.children),
        "bip125-replaceable": true,
        "unbroadcast": false,
    })
}
