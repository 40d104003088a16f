//! The bytes that are hashed: written by hand, fixed widths, little-endian, every list behind its length.
//!
//! No codec library takes part, so a change of codec can touch no name of a block or transaction.
//!
//! A transaction's content is hashed behind 64 bytes of tag (as in BIP340's tagged hashes: the tag's SHA-256, twice), so what is
//! hashed is always longer than an inner node of a merkle tree (64 bytes, CVE-2017-12842) and than a header (80).

use base::Hash;
use sha2::{Digest, Sha256};

use crate::transaction::TransactionParts;
use crate::{BlockId, Coin, OutPoint, Params, ProofOfWork, Retarget, Signature, TxOutput, Txid, Wtxid};

/// Bytes in the making.
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn length(&mut self, length: usize) -> &mut Self {
        self.u32(u32::try_from(length).expect("lists held in memory are shorter than 2^32"))
    }

    fn duration(&mut self, duration: std::time::Duration) -> &mut Self {
        self.u64(duration.as_secs()).u32(duration.subsec_nanos())
    }

    fn outpoint(&mut self, outpoint: &OutPoint) -> &mut Self {
        self.bytes(&outpoint.txid.0.0).u32(outpoint.index)
    }

    fn output(&mut self, output: &TxOutput) -> &mut Self {
        self.u64(output.value.units()).bytes(&output.owner.0)
    }
}

/// Content of a transaction without signatures: what its txid names.
#[must_use]
fn unsigned(parts: &TransactionParts) -> Writer {
    let slots = parts.inputs.len() * 36 + parts.outputs.len() * 40 + parts.signatures.len() * 64;
    let mut writer = Writer(Vec::with_capacity(160 + parts.memo.len() + slots));
    writer.u32(parts.version);
    match &parts.coinbase {
        None => writer.u8(0),
        Some(coinbase) => writer
            .u8(1)
            .u32(coinbase.height.0)
            .u64(coinbase.extra_nonce)
            .length(coinbase.tag.len())
            .bytes(&coinbase.tag),
    };
    writer.length(parts.inputs.len());
    for input in &parts.inputs {
        writer.outpoint(input);
    }
    writer.length(parts.outputs.len());
    for output in &parts.outputs {
        writer.output(output);
    }
    writer.length(parts.memo.len()).bytes(&parts.memo);
    writer
}

/// The names of a transaction, and how many bytes of content, signatures included, it has.
#[must_use]
pub(crate) fn names(parts: &TransactionParts) -> (Txid, Wtxid, u32) {
    let mut writer = unsigned(parts);
    let txid = tagged_double("nakanet/txid", &writer.0);
    writer.length(parts.signatures.len());
    for Signature(signature) in &parts.signatures {
        writer.bytes(signature);
    }
    let wtxid = tagged_double("nakanet/wtxid", &writer.0);
    let bytes = u32::try_from(writer.0.len()).unwrap_or(u32::MAX);
    (Txid(txid), Wtxid(wtxid), bytes)
}

/// SHA-256d behind 64 bytes of tag.
fn tagged_double(tag: &str, content: &[u8]) -> Hash {
    Hash(Sha256::digest(Hash::tagged(tag, &[content]).0).into())
}

/// The messages that the inputs of one transaction sign: a BIP340 tagged hash over genesis id, txid, every spent output, input index.
///
/// What all inputs share is hashed once, so the cost stays linear in their number.
#[must_use]
pub(crate) fn sighashes(genesis: &BlockId, txid: &Txid, coins: &[Coin]) -> Vec<Hash> {
    let tag = Sha256::digest(b"nakanet/sighash");
    let mut shared = Sha256::new_with_prefix(tag);
    shared.update(tag);
    shared.update(genesis.0.0);
    shared.update(txid.0.0);
    for coin in coins {
        let mut writer = Writer(Vec::with_capacity(40));
        shared.update(&writer.output(&coin.output).0);
    }
    let indices = 0..u32::try_from(coins.len()).expect("lists held in memory are shorter than 2^32");
    indices
        .map(|index| Hash(shared.clone().chain_update(index.to_le_bytes()).finalize().into()))
        .collect()
}

/// The hash of every parameter, which the genesis block's coinbase carries.
#[must_use]
pub(crate) fn params(params: &Params) -> Hash {
    let mut writer = Writer(Vec::new());
    writer.length(params.name.len()).bytes(params.name.as_bytes());
    writer
        .u32(params.limit.0)
        .u32(params.initial_bits.0)
        .duration(params.interval);
    match params.retarget {
        Retarget::Fixed => writer.u8(0),
        Retarget::Bitcoin { window, timewarp_rule } => writer.u8(1).u32(window).u8(u8::from(timewarp_rule)),
        Retarget::Asert { half_life } => writer.u8(2).u32(half_life),
    };
    writer
        .u32(params.halving_interval)
        .u32(params.coinbase_maturity)
        .u64(params.initial_subsidy.units())
        .u32(params.max_block_bytes)
        .duration(params.max_future)
        .u32(params.genesis_time)
        .u32(params.min_version.cast_unsigned());
    match params.proof_of_work {
        // Nothing, so that the ids of networks older than the choice stay what they are.
        ProofOfWork::Sha256d => {}
        ProofOfWork::Oracle => {
            writer.u8(1);
        }
    }
    Hash::tagged("nakanet/params", &[&writer.0])
}

/// The hash of coins in ascending order of their outpoints.
#[must_use]
pub(crate) fn coins<'a>(coins: impl IntoIterator<Item = (&'a OutPoint, &'a Coin)>) -> Hash {
    let tag = Sha256::digest(b"nakanet/coins");
    let mut hasher = Sha256::new_with_prefix(tag);
    hasher.update(tag);
    for (outpoint, coin) in coins {
        let mut writer = Writer(Vec::with_capacity(81));
        writer.outpoint(outpoint).output(&coin.output).u32(coin.height.0);
        hasher.update(&writer.u8(u8::from(coin.coinbase)).0);
    }
    Hash(hasher.finalize().into())
}

#[cfg(test)]
mod tests;
