//! Core's REST paths: what anybody on this machine may read, without a password.

use std::sync::Arc;

use base::hex;
use chain::{BlockId, BlockRef, Txid};
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::reply::{Body, text, with_type};
use crate::limits::MAX_REST_HEADERS;
use crate::methods::{self, blocks, chain as chain_methods, transactions};
use crate::office::Office;
use crate::shape::WithCoins;
use crate::{RpcError, Scene, raw, shape};

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Binary,
    Hex,
    Json,
}

/// Something that can be had in every format; JSON is made when it is wanted.
struct Found {
    bytes: Vec<u8>,
    json: Value,
}

/// Why a path gives nothing.
struct Refused(StatusCode, String);

impl From<RpcError> for Refused {
    fn from(error: RpcError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.message)
    }
}

/// Answers a path behind `/rest/`.
pub(super) async fn answer(office: &Arc<Office>, path: &str, query: Option<&str>) -> Response<Body> {
    match find(office, path, query).await {
        Ok((format, found)) => match format {
            Format::Binary => with_type(StatusCode::OK, "application/octet-stream", Bytes::from(found.bytes)),
            Format::Hex => text(StatusCode::OK, &format!("{}\n", hex::encode(&found.bytes))),
            Format::Json => with_type(
                StatusCode::OK,
                "application/json",
                Bytes::from(format!("{}\n", found.json)),
            ),
        },
        Err(Refused(status, words)) => text(status, &format!("{words}\r\n")),
    }
}

async fn find(office: &Arc<Office>, path: &str, query: Option<&str>) -> Result<(Format, Found), Refused> {
    let (path, format) = split_format(path)?;
    let parts: Vec<&str> = path.split('/').collect();
    let found = match parts[..] {
        ["block", hash] => block(office, hash, (format, true)).await?,
        ["block", "notxdetails", hash] => block(office, hash, (format, false)).await?,
        ["headers", hash] => headers(office, hash, count_of(query)).await?,
        ["headers", count, hash] => headers(office, hash, count).await?,
        ["blockhashbyheight", height] => hash_at(office, height).await?,
        ["tx", txid] => transaction(office, txid).await?,
        ["chaininfo"] => only_json(format, chain_methods::blockchain_info(office).await?)?,
        ["mempool", "info"] => only_json(format, methods::call(office, "getmempoolinfo", json!([])).await?)?,
        ["mempool", "contents"] => only_json(format, methods::call(office, "getrawmempool", json!([true])).await?)?,
        _ => return Err(Refused(StatusCode::NOT_FOUND, "no such path".to_owned())),
    };
    Ok((format, found))
}

/// The path without the format at its end.
fn split_format(path: &str) -> Result<(&str, Format), Refused> {
    let unknown = || {
        let words = "output format not found (available: .bin, .hex, .json)";
        Refused(StatusCode::NOT_FOUND, words.to_owned())
    };
    let (path, format) = path.rsplit_once('.').ok_or_else(unknown)?;
    match format {
        "bin" => Ok((path, Format::Binary)),
        "hex" => Ok((path, Format::Hex)),
        "json" => Ok((path, Format::Json)),
        _ => Err(unknown()),
    }
}

fn only_json(format: Format, json: Value) -> Result<Found, Refused> {
    if format == Format::Json {
        let bytes = Vec::new();
        return Ok(Found { bytes, json });
    }
    let words = "output format not found (available: json)";
    Err(Refused(StatusCode::NOT_FOUND, words.to_owned()))
}

fn block_id(hash: &str) -> Result<BlockId, Refused> {
    hash.parse()
        .map_err(|_| Refused(StatusCode::BAD_REQUEST, format!("Invalid hash: {hash}")))
}

fn find_block(scene: &Scene<'_>, id: BlockId) -> Result<BlockRef, Refused> {
    blocks::find(scene, id).map_err(|_| Refused(StatusCode::NOT_FOUND, format!("{id} not found")))
}

async fn block(office: &Office, hash: &str, (format, with_details): (Format, bool)) -> Result<Found, Refused> {
    let id = block_id(hash)?;
    let question = move |scene: &Scene<'_>| {
        let at = find_block(scene, id)?;
        let missing = |_| {
            Refused(
                StatusCode::NOT_FOUND,
                format!("{id} not available (not fully downloaded)"),
            )
        };
        let body = Arc::clone(blocks::body(scene, at).map_err(missing)?);
        let json = match (format, with_details) {
            (Format::Json, true) => blocks::block_json(scene, at, blocks::Detail::Transactions(WithCoins::Yes)),
            (Format::Json, false) => blocks::block_json(scene, at, blocks::Detail::Names),
            (Format::Binary | Format::Hex, _) => Value::Null,
        };
        Ok::<_, Refused>((body, json))
    };
    let (body, json) = office.clerk.look(question).await??;
    let bytes = raw::block(&body);
    Ok(Found { bytes, json })
}

/// The `count` of a query; five when it names none.
fn count_of(query: Option<&str>) -> &str {
    let pairs = query.unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.strip_prefix("count="))
        .next_back()
        .unwrap_or("5")
}

async fn headers(office: &Office, hash: &str, count: &str) -> Result<Found, Refused> {
    let id = block_id(hash)?;
    let count = count
        .parse::<usize>()
        .ok()
        .filter(|count| (1..=MAX_REST_HEADERS).contains(count));
    let count = count.ok_or_else(|| {
        let words = format!("Header count is invalid or out of acceptable range (1-{MAX_REST_HEADERS})");
        Refused(StatusCode::BAD_REQUEST, words)
    })?;
    let question = move |scene: &Scene<'_>| {
        let tip = scene.node.tip();
        // Nothing is told of other branches, nor of a block that is unknown.
        let first = blocks::find(scene, id).ok();
        let first = first.filter(|first| scene.ledger.is_ancestor(*first, tip));
        let chain = std::iter::successors(first, |at| shape::next(scene, *at)).take(count);
        let mut found = Found {
            bytes: Vec::new(),
            json: Value::Null,
        };
        let mut shown = Vec::new();
        for at in chain {
            found.bytes.extend(scene.ledger.header(at).to_bytes());
            shown.push(Value::Object(shape::header(scene, at)));
        }
        found.json = json!(shown);
        found
    };
    Ok(office.clerk.look(question).await?)
}

async fn hash_at(office: &Office, height: &str) -> Result<Found, Refused> {
    let wanted = height.parse::<i32>().ok().filter(|height| *height >= 0);
    let wanted = wanted.ok_or_else(|| Refused(StatusCode::BAD_REQUEST, format!("Invalid height: {height}")))?;
    let question = move |scene: &Scene<'_>| {
        let at = chain_methods::at_height(scene, wanted)?;
        Some(scene.ledger.id(at))
    };
    let id = office.clerk.look(question).await?;
    let id = id.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "Block height out of range".to_owned()))?;
    Ok(Found {
        bytes: id.0.0.to_vec(),
        json: json!({ "blockhash": id.to_string() }),
    })
}

async fn transaction(office: &Office, txid: &str) -> Result<Found, Refused> {
    let txid: Txid = txid
        .parse()
        .map_err(|_| Refused(StatusCode::BAD_REQUEST, format!("Invalid hash: {txid}")))?;
    let question = move |scene: &Scene<'_>| {
        let missing = |_| Refused(StatusCode::NOT_FOUND, format!("{txid} not found"));
        let (found, block) = transactions::find(scene, txid, None).map_err(missing)?;
        let mut json = shape::transaction(&found, None, WithCoins::No);
        if let Some(block) = block {
            json.insert("blockhash".to_owned(), json!(scene.ledger.id(block).to_string()));
        }
        let bytes = raw::transaction(&found);
        Ok(Found {
            bytes,
            json: Value::Object(json),
        })
    };
    office.clerk.look(question).await?
}
