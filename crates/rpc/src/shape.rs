//! Blocks, transactions and numbers as Bitcoin Core shows them in JSON.

mod transaction;

use chain::{Amount, BlockRef, CompactTarget, Height, Work};
use serde_json::{Map, Value, json};

pub(crate) use transaction::{Spent, WithCoins, coinbase, output_script, transaction};

use crate::Scene;

/// An amount in coins. Exact: no amount has more digits than a double keeps.
#[expect(clippy::cast_precision_loss, reason = "at most 2.1e15 base units, below 2^53")]
pub(crate) fn coins(amount: Amount) -> Value {
    json!(amount.units() as f64 / Amount::COIN.units() as f64)
}

/// Bits as eight hexadecimal digits.
pub(crate) fn bits(bits: CompactTarget) -> String {
    format!("{:08x}", bits.0)
}

/// The 64 hexadecimal digits of the target that bits stand for; zeros when they are no target.
pub(crate) fn target(bits: CompactTarget) -> String {
    bits.target().map_or_else(|| "0".repeat(64), |target| target.0.to_hex())
}

/// How many times harder than Bitcoin's first target (Core's `GetDifficulty`).
pub(crate) fn difficulty(bits: CompactTarget) -> f64 {
    let exponent = i32::try_from(bits.0 >> 24).expect("eight bits");
    let mantissa = f64::from(bits.0 & 0x00ff_ffff);
    if mantissa == 0.0 {
        return 0.0;
    }
    f64::from(0xffff) / mantissa * 256_f64.powi(29 - exponent)
}

/// Work as a number that may be rounded.
#[expect(clippy::cast_precision_loss, reason = "it is for rates, which are estimates")]
pub(crate) fn hashes(work: Work) -> f64 {
    let Work(chain::uint::U256(limbs)) = work;
    limbs
        .iter()
        .rev()
        .fold(0.0, |sum, limb| sum * 2_f64.powi(64) + *limb as f64)
}

/// How deep a block is below the tip, itself counted; -1 on a branch that is not followed.
pub(crate) fn confirmations(scene: &Scene<'_>, block: BlockRef) -> i64 {
    let tip = scene.node.tip();
    if scene.ledger.is_ancestor(block, tip) {
        i64::from(scene.ledger.height(tip).0) - i64::from(scene.ledger.height(block).0) + 1
    } else {
        -1
    }
}

/// The block above on the chain that is followed.
pub(crate) fn next(scene: &Scene<'_>, block: BlockRef) -> Option<BlockRef> {
    let tip = scene.node.tip();
    let above = Height(scene.ledger.height(block).0.checked_add(1)?);
    let is_followed = scene.ledger.is_ancestor(block, tip);
    scene.ledger.ancestor(tip, above).filter(|_| is_followed)
}

/// A header with all that is known of its place.
pub(crate) fn header(scene: &Scene<'_>, block: BlockRef) -> Map<String, Value> {
    let ledger = scene.ledger;
    let header = ledger.header(block);
    let transactions = ledger.body(block).map_or(0, |body| body.transactions.len());
    let mut shown = Map::new();
    let mut show = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    show("hash", json!(ledger.id(block).to_string()));
    show("confirmations", json!(confirmations(scene, block)));
    show("height", json!(ledger.height(block).0));
    show("version", json!(header.version));
    show("versionHex", json!(format!("{:08x}", header.version)));
    show("merkleroot", json!(header.merkle_root.to_string()));
    show("time", json!(header.time));
    show("mediantime", json!(ledger.median_time_past(block)));
    show("nonce", json!(header.nonce));
    show("bits", json!(bits(header.bits)));
    show("target", json!(target(header.bits)));
    show("difficulty", json!(difficulty(header.bits)));
    show("chainwork", json!(ledger.work(block).to_string()));
    show("nTx", json!(transactions));
    if let Some(parent) = ledger.parent(block) {
        show("previousblockhash", json!(ledger.id(parent).to_string()));
    }
    if let Some(next) = next(scene, block) {
        show("nextblockhash", json!(ledger.id(next).to_string()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difficulty_is_bitcoins() {
        for (bits, expected) in [
            (0x1d00_ffff, 1.0),
            (0x1b04_04cb, 16_307.420_938_523_983),
            (0x207f_ffff, 4.656_542_373_906_925e-10),
            (0x1cf8_8f6f, 1.029_916),
            (0x1234_5678, 5_913_134_931_067_755_359_633_408.0),
        ] {
            let found = difficulty(CompactTarget(bits));
            assert!((found / expected - 1.0).abs() < 1e-6, "{bits:x}: {found}");
        }
        assert!(difficulty(CompactTarget(0)).abs() < f64::EPSILON);
    }

    #[test]
    fn amounts_and_work_are_numbers() {
        assert_eq!(coins(Amount::from_units(1)).to_string(), "1e-8");
        assert_eq!(coins(Amount::from_units(5_000_000_000)).to_string(), "50.0");
        assert_eq!(
            coins(Amount::from_units(2_099_999_999_999_999)).to_string(),
            "20999999.99999999"
        );
        let work = Work::from_be_hex(&format!("{:0>64}", "100010001")).expect("hex");
        assert!((hashes(work) - f64::from(0x1_0001) * 65_536.0 - 1.0).abs() < 1.0);
    }
}
