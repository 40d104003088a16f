//! Blocks from outside, and templates for those who look for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::hex;
use chain::{Block, BlockId, Transaction, Txid};
use node::{Command, Event, OpenTemplate};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Kind};
use crate::error::Answer;
use crate::limits::LONG_POLL;
use crate::office::Office;
use crate::shape;
use crate::{Code, RpcError, Scene, raw};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getmininginfo",
        category: Category::Mining,
        parameters: &[],
        summary: "What the next block takes.",
        run: Run::Look(info),
    },
    Method {
        name: "getblocktemplate",
        category: Category::Mining,
        parameters: &[may("template_request", Kind::Object)],
        summary: "A block to look for (BIP22), with a coinbase that pays the node's owner.",
        run: Run::Task(|office, arguments| Box::pin(template(office, arguments))),
    },
    Method {
        name: "submitblock",
        category: Category::Mining,
        parameters: &[needs("hexdata", Kind::Text), may("dummy", Kind::Any)],
        summary: "Hands a block to the node. Nothing comes back when it is valid and on disk; or why it is refused (BIP22).",
        run: Run::Task(|office, arguments| Box::pin(submit_block(office, arguments))),
    },
    Method {
        name: "submitheader",
        category: Category::Mining,
        parameters: &[needs("hexdata", Kind::Text)],
        summary: "Hands a header to the node.",
        run: Run::Task(|office, arguments| Box::pin(submit_header(office, arguments))),
    },
];

fn info(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let (ledger, tip) = (scene.ledger, scene.node.tip());
    let header = ledger.header(tip);
    let next = ledger.next_bits(tip);
    Ok(json!({
        "blocks": ledger.height(tip).0,
        "bits": shape::bits(header.bits),
        "difficulty": shape::difficulty(header.bits),
        "target": shape::target(header.bits),
        "networkhashps": super::chain::hash_rate(scene, tip, 120),
        "pooledtx": scene.node.mempool().len(),
        "blockmintxfee": super::mempool::rate(scene.node.config().min_relay_fee),
        "chain": ledger.params().name,
        "next": {
            "height": ledger.height(tip).next().0,
            "bits": shape::bits(next),
            "difficulty": shape::difficulty(next),
            "target": shape::target(next),
        },
        "warnings": Vec::from_iter(&scene.network.trouble),
    }))
}

async fn template(office: Arc<Office>, arguments: Arguments) -> Answer {
    let request = arguments.at(0);
    match request.get("mode").unwrap_or(&Value::Null) {
        Value::Null => {}
        Value::String(mode) if mode == "template" => {}
        Value::String(mode) if mode == "proposal" => return proposal(&office, request).await,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            return Err(RpcError::new(Code::InvalidParameter, "Invalid mode"));
        }
    }
    if let Some(seen) = request.get("longpollid").and_then(Value::as_str) {
        let seen = seen.get(..64).and_then(|id| id.parse::<BlockId>().ok());
        let seen = seen.ok_or_else(|| RpcError::new(Code::InvalidParameter, "longpollid is none of ours"))?;
        let until = Instant::now() + LONG_POLL;
        super::waiting::wait(&office, Some(until), |tip| tip.block != seen).await?;
    }
    office.clerk.look(template_json).await?
}

/// Whether a block would be valid once its nonce is found (BIP23): nothing when it would be, or why not, in the words of BIP22.
async fn proposal(office: &Office, request: &Value) -> Answer {
    let Some(data) = request.get("data").and_then(Value::as_str) else {
        return Err(RpcError::new(Code::Type, "Missing data String key for proposal"));
    };
    let block = Arc::new(read_block(data)?);
    let id = block.id();
    let settled = office.clerk.look(move |scene| {
        let is_header_known = scene.node.find(scene.ledger, &id).is_some();
        known(scene, id).or(is_header_known.then_some("duplicate-inconclusive"))
    });
    if let Some(word) = settled.await? {
        return Ok(json!(word));
    }
    let checked = office.clerk.propose(block).await?;
    Ok(checked.map_or_else(|refused| json!(refused.reason), |()| Value::Null))
}

fn template_json(scene: &Scene<'_>) -> Answer {
    let open = scene.node.template(scene.ledger, scene.now);
    let params = scene.ledger.params();
    let target = shape::target(open.draft.bits);
    let transactions = listed(&open);
    let mut draft = open.draft;
    draft.coinbase_outputs = vec![chain::TxOutput {
        value: open.reward,
        owner: scene.node.config().payee.owner(),
    }];
    let (height, bits, time) = (draft.height, draft.bits, draft.time);
    let block = draft.assemble();
    Ok(json!({
        "capabilities": ["coinbasetxn", "proposal"],
        "version": block.header.version,
        "rules": [],
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": block.header.parent.to_string(),
        "transactions": transactions,
        "coinbaseaux": {},
        "coinbasevalue": open.reward.units(),
        "coinbasetxn": listed_one(&block.transactions[0], 0, &[]),
        "merkleroot": block.header.merkle_root.to_string(),
        "longpollid": format!("{}{}", block.header.parent, scene.node.mempool().len()),
        "target": target,
        "mintime": open.earliest_time,
        "mutable": ["time"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": chain::limits::MAX_TRANSACTION_SLOTS,
        "sizelimit": params.max_block_bytes,
        "weightlimit": u64::from(params.max_block_bytes) * 4,
        "curtime": time,
        "bits": shape::bits(bits),
        "height": height.0,
    }))
}

/// The transactions of a template, each with the places, from 1, of those before it that it spends.
fn listed(open: &OpenTemplate) -> Vec<Value> {
    let transactions = &open.draft.transactions;
    let places: BTreeMap<Txid, usize> = (1..)
        .zip(transactions)
        .map(|(place, one)| (one.txid(), place))
        .collect();
    let listed = transactions.iter().zip(&open.fees).map(|(transaction, fee)| {
        let mut depends: Vec<usize> = transaction
            .inputs()
            .iter()
            .filter_map(|outpoint| places.get(&outpoint.txid).copied())
            .collect();
        depends.sort_unstable();
        depends.dedup();
        listed_one(transaction, fee.units(), &depends)
    });
    listed.collect()
}

fn listed_one(transaction: &Transaction, fee: u64, depends: &[usize]) -> Value {
    json!({
        "data": hex::encode(&raw::transaction(transaction)),
        "txid": transaction.txid().to_string(),
        "hash": transaction.wtxid().to_string(),
        "depends": depends,
        "fee": fee,
        "sigops": transaction.inputs().len(),
        "weight": u64::from(transaction.bytes()) * 4,
    })
}

async fn submit_block(office: Arc<Office>, arguments: Arguments) -> Answer {
    let block = read_block(arguments.text(0).unwrap_or_default())?;
    Ok(match submit(&office, Arc::new(block)).await? {
        Submitted::Connected => Value::Null,
        Submitted::Refused { word, .. } => json!(word),
    })
}

fn read_block(data: &str) -> Result<Block, RpcError> {
    let bytes = super::transactions::bytes(data, "Block")?;
    raw::read_block(&bytes).ok_or_else(|| RpcError::new(Code::Deserialization, "Block decode failed"))
}

/// What became of a block.
pub(super) enum Submitted {
    /// It is valid, and on disk.
    Connected,
    /// It is not taken in: the word, and the detail.
    Refused { word: &'static str, detail: String },
}

/// Hands a block to the node.
pub(super) async fn submit(office: &Office, block: Arc<Block>) -> Result<Submitted, RpcError> {
    let id = block.id();
    let settled = office.clerk.look(move |scene| known(scene, id)).await?;
    if let Some(word) = settled {
        let detail = String::new();
        return Ok(Submitted::Refused { word, detail });
    }
    let told = office.clerk.order(Command::SubmitBlock(block)).await?;
    for event in told {
        if let Event::BlockConnected { block, .. } = &event
            && *block == id
        {
            return Ok(Submitted::Connected);
        }
        if let Event::BlockRejected {
            block, reason, detail, ..
        } = event
            && block == id
        {
            return Ok(Submitted::Refused { word: reason, detail });
        }
    }
    // Somebody else's copy was faster.
    let word = office.clerk.look(move |scene| known(scene, id)).await?;
    Ok(Submitted::Refused {
        word: word.unwrap_or("inconclusive"),
        detail: String::new(),
    })
}

/// What BIP22 calls a block that was settled before.
fn known(scene: &Scene<'_>, id: BlockId) -> Option<&'static str> {
    let at = scene.node.find(scene.ledger, &id)?;
    if scene.node.has_block(at) {
        Some("duplicate")
    } else if scene.node.is_invalid(scene.ledger, at) {
        Some("duplicate-invalid")
    } else {
        None
    }
}

async fn submit_header(office: Arc<Office>, arguments: Arguments) -> Answer {
    let bytes = super::transactions::bytes(arguments.text(0).unwrap_or_default(), "Block header")?;
    let Some(header) = raw::read_header(&bytes) else {
        return Err(RpcError::new(Code::Deserialization, "Block header decode failed"));
    };
    let (id, parent) = (header.id(), header.parent);
    let is_parent_known = office
        .clerk
        .look(move |scene| scene.node.find(scene.ledger, &parent).is_some())
        .await?;
    if !is_parent_known {
        let message = format!("Must submit previous header ({parent}) first");
        return Err(RpcError::new(Code::Verify, message));
    }
    let told = office.clerk.order(Command::SubmitHeader(header)).await?;
    let refusal = told.into_iter().find_map(|event| {
        if let Event::BlockRejected { block, reason, .. } = event
            && block == id
        {
            Some(reason)
        } else {
            None
        }
    });
    match refusal {
        None => Ok(Value::Null),
        Some(reason) => Err(RpcError::new(Code::Verify, reason)),
    }
}
