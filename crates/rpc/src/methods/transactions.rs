//! Transactions in hex: shown, examined, sent.

use std::sync::Arc;

use base::hex;
use chain::{Amount, BlockRef, Transaction, Txid};
use node::{Command, Event, Refused};
use serde_json::{Value, json};

use super::{Category, Method, Run, may, needs};
use crate::arguments::{self, Arguments, Kind};
use crate::error::Answer;
use crate::limits::MAX_EXAMINED;
use crate::office::Office;
use crate::shape::{self, Spent, WithCoins};
use crate::{Code, RpcError, Scene, raw};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getrawtransaction",
        category: Category::Rawtransactions,
        parameters: &[
            needs("txid", Kind::Text),
            may("verbosity", Kind::Level),
            may("blockhash", Kind::Text),
        ],
        summary: "A transaction, unconfirmed or of the chain that is followed, or of any block that is named: 0 its hex, 1 its parts, 2 what it spends too.",
        run: Run::Look(raw_transaction),
    },
    Method {
        name: "decoderawtransaction",
        category: Category::Rawtransactions,
        parameters: &[needs("hexstring", Kind::Text), may("iswitness", Kind::Flag)],
        summary: "The parts of a transaction in hex.",
        run: Run::Look(decode),
    },
    Method {
        name: "sendrawtransaction",
        category: Category::Rawtransactions,
        parameters: &[
            needs("hexstring", Kind::Text),
            may("maxfeerate", Kind::Amount),
            may("maxburnamount", Kind::Amount),
        ],
        summary: "Hands a signed transaction to the node, which keeps it and tells its peers. Gives its txid.",
        run: Run::Task(|office, arguments| Box::pin(send(office, arguments))),
    },
    Method {
        name: "testmempoolaccept",
        category: Category::Rawtransactions,
        parameters: &[needs("rawtxs", Kind::List), may("maxfeerate", Kind::Amount)],
        summary: "Whether each of some signed transactions would get into the mempool by itself.",
        run: Run::Task(|office, arguments| Box::pin(examine(office, arguments))),
    },
];

/// The transaction of a hex argument.
pub(super) fn read(text: &str) -> Result<Transaction, RpcError> {
    let refuse = || {
        let message = "TX decode failed. Make sure the tx has at least one input.";
        RpcError::new(Code::Deserialization, message)
    };
    let bytes = hex::decode(text).ok_or_else(refuse)?;
    raw::read_transaction(&bytes).ok_or_else(refuse)
}

fn decode(_: &Scene<'_>, arguments: &Arguments) -> Answer {
    let transaction = read(arguments.text(0).unwrap_or_default())?;
    let mut shown = shape::transaction(&transaction, None, WithCoins::No);
    shown.remove("hex");
    Ok(Value::Object(shown))
}

fn raw_transaction(scene: &Scene<'_>, arguments: &Arguments) -> Answer {
    let txid = arguments.txid(0, "parameter 1")?;
    let level = arguments.level(1, 0)?;
    let named = match arguments.text(2) {
        Some(_) => Some(find_block(scene, arguments)?),
        None => None,
    };
    let (transaction, block) = find(scene, txid, named)?;
    if level <= 0 {
        return Ok(json!(hex::encode(&raw::transaction(&transaction))));
    }
    let spent = spent(scene, &transaction, block).filter(|_| level > 1);
    let mut shown = shape::transaction(&transaction, spent.as_ref(), WithCoins::Yes);
    if named.is_some() {
        let tip = scene.node.tip();
        let is_active = named.is_some_and(|block| scene.ledger.is_ancestor(block, tip));
        shown.insert("in_active_chain".to_owned(), json!(is_active));
    }
    if let Some(block) = block {
        let time = json!(scene.ledger.header(block).time);
        let confirmations = shape::confirmations(scene, block).max(0);
        shown.insert("blockhash".to_owned(), json!(scene.ledger.id(block).to_string()));
        shown.insert("confirmations".to_owned(), json!(confirmations));
        if confirmations > 0 {
            shown.insert("time".to_owned(), time.clone());
            shown.insert("blocktime".to_owned(), time);
        }
    }
    Ok(Value::Object(shown))
}

fn find_block(scene: &Scene<'_>, arguments: &Arguments) -> Result<BlockRef, RpcError> {
    let id = arguments.block_id(2, "parameter 3")?;
    super::blocks::find(scene, id).map_err(|_| RpcError::new(Code::InvalidAddressOrKey, "Block hash not found"))
}

/// A transaction and its block, which is none when it is unconfirmed.
pub(crate) fn find(
    scene: &Scene<'_>,
    txid: Txid,
    named: Option<BlockRef>,
) -> Result<(Arc<Transaction>, Option<BlockRef>), RpcError> {
    let missing = |message| RpcError::new(Code::InvalidAddressOrKey, message);
    let ledger = scene.ledger;
    let inside = |block: BlockRef| {
        let body = ledger.body(block).filter(|_| scene.node.has_block(block))?;
        body.transactions.iter().find(|one| one.txid() == txid).map(Arc::clone)
    };
    if let Some(block) = named {
        let found = inside(block).ok_or_else(|| missing("No such transaction found in the provided block"))?;
        return Ok((found, Some(block)));
    }
    if let Some(unconfirmed) = scene.node.unconfirmed(&txid) {
        return Ok((Arc::clone(unconfirmed), None));
    }
    let block = ledger.confirmation(&txid, scene.node.tip());
    match block.and_then(inside) {
        Some(found) => Ok((found, block)),
        None => Err(missing("No such mempool or blockchain transaction")),
    }
}

/// The coins that a transaction spends: of its block's chain, or of the mempool and the tip's.
fn spent(scene: &Scene<'_>, transaction: &Transaction, block: Option<BlockRef>) -> Option<Spent> {
    if let Some(block) = block {
        return super::blocks::spent_in_block(scene, block, transaction);
    }
    let tip = scene.node.tip();
    let unconfirmed = |outpoint: &chain::OutPoint| {
        let creator = scene.node.unconfirmed(&outpoint.txid)?;
        let output = creator.outputs().get(usize::try_from(outpoint.index).ok()?)?;
        Some(chain::Coin {
            output: *output,
            height: scene.ledger.height(tip).next(),
            coinbase: false,
        })
    };
    let coin = |outpoint: &chain::OutPoint| scene.ledger.coin(outpoint, tip).or_else(|| unconfirmed(outpoint));
    Some(Spent(transaction.inputs().iter().map(coin).collect()))
}

/// The highest fee rate that is let through unless told otherwise, in base units for 1,000 bytes (Core's `DEFAULT_MAX_RAW_TX_FEE_RATE`).
const USUAL_MAX_RATE: u64 = 10_000_000;

/// The highest fee that a transaction may pay; none when there is no limit.
fn max_fee(arguments: &Arguments, transaction: &Transaction) -> Result<Option<Amount>, RpcError> {
    let rate = arguments.amount(1)?.map_or(USUAL_MAX_RATE, Amount::units);
    let fee = u128::from(rate) * u128::from(transaction.bytes()) / 1_000;
    Ok((rate > 0).then(|| Amount::from_units(u64::try_from(fee).unwrap_or(u64::MAX))))
}

async fn send(office: Arc<Office>, arguments: Arguments) -> Answer {
    let transaction = Arc::new(read(arguments.text(0).unwrap_or_default())?);
    if let Some(most) = max_fee(&arguments, &transaction)? {
        let examined = office.clerk.examine(Arc::clone(&transaction)).await?;
        if examined.is_ok_and(|fee| fee > most) {
            let message = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)";
            return Err(RpcError::new(Code::Verify, message));
        }
    }
    submit(&office, transaction).await.map(|txid| json!(txid.to_string()))
}

/// Hands a transaction to the node.
pub(super) async fn submit(office: &Office, transaction: Arc<Transaction>) -> Result<Txid, RpcError> {
    let txid = transaction.txid();
    let told = office.clerk.order(Command::Submit(transaction)).await?;
    let refusal = told.into_iter().find_map(|event| {
        if let Event::TxRejected {
            txid: refused,
            reason,
            detail,
            ..
        } = event
            && refused == txid
        {
            Some(Refused { reason, detail })
        } else {
            None
        }
    });
    match refusal {
        // Sent again: as in Core, that is no mistake.
        None
        | Some(Refused {
            reason: "txn-already-in-mempool",
            ..
        }) => Ok(txid),
        Some(Refused {
            reason: "txn-already-known",
            ..
        }) => {
            let message = "Transaction outputs already in utxo set";
            Err(RpcError::new(Code::AlreadyConfirmed, message))
        }
        Some(Refused {
            reason: "missing-inputs",
            ..
        }) => Err(RpcError::new(Code::Verify, "bad-txns-inputs-missingorspent")),
        Some(Refused { reason, detail }) => Err(RpcError::new(Code::Rejected, format!("{reason}, {detail}"))),
    }
}

async fn examine(office: Arc<Office>, arguments: Arguments) -> Answer {
    let list = arguments.at(0).as_array().map_or(&[][..], Vec::as_slice);
    if list.is_empty() || list.len() > MAX_EXAMINED {
        let message = format!("Array must contain between 1 and {MAX_EXAMINED} transactions.");
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let mut results = Vec::new();
    for text in list {
        let text = text
            .as_str()
            .ok_or_else(|| RpcError::new(Code::Type, "JSON value is not a string as expected"))?;
        let transaction = Arc::new(read(text)?);
        let most = max_fee(&arguments, &transaction)?;
        let verdict = office.clerk.examine(Arc::clone(&transaction)).await?;
        results.push(verdict_json(&transaction, &verdict, most));
    }
    Ok(json!(results))
}

fn verdict_json(transaction: &Transaction, verdict: &Result<Amount, Refused>, most: Option<Amount>) -> Value {
    let mut shown = json!({ "txid": transaction.txid().to_string(), "wtxid": transaction.wtxid().to_string() });
    match verdict {
        Ok(fee) if most.is_some_and(|most| *fee > most) => {
            shown["allowed"] = json!(false);
            shown["reject-reason"] = json!("max-fee-exceeded");
        }
        Ok(fee) => {
            let rate = u128::from(fee.units()) * 1_000 / u128::from(transaction.bytes().max(1));
            shown["allowed"] = json!(true);
            shown["vsize"] = json!(transaction.bytes());
            shown["fees"] = json!({
                "base": shape::coins(*fee),
                "effective-feerate": super::mempool::rate(u64::try_from(rate).unwrap_or(u64::MAX)),
                "effective-includes": [transaction.wtxid().to_string()],
            });
        }
        Err(refused) => {
            shown["allowed"] = json!(false);
            shown["reject-reason"] = json!(refused.reason);
            shown["reject-details"] = json!(format!("{}, {}", refused.reason, refused.detail));
        }
    }
    shown
}

/// The bytes of a header, or of a block.
pub(super) fn bytes(text: &str, what: &str) -> Result<Vec<u8>, RpcError> {
    arguments::bytes(text, what)
}
