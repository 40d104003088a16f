//! The reason words that a node's events tell: what they are read back into.

use serde::de::{Deserialize, Deserializer, Error};

/// Every one: of refused headers and blocks, of refused transactions, of those that left the mempool.
const WORDS: &[&str] = &[
    "bad-blk-length",
    "bad-cb-amount",
    "bad-cb-height",
    "bad-cb-length",
    "bad-cb-missing",
    "bad-cb-multiple",
    "bad-diffbits",
    "bad-memo-length",
    "bad-prevblk",
    "bad-signature",
    "bad-target",
    "bad-txnmrklroot",
    "bad-txns-BIP30",
    "bad-txns-duplicate",
    "bad-txns-in-belowout",
    "bad-txns-inputs-duplicate",
    "bad-txns-inputs-missingorspent",
    "bad-txns-inputvalues-outofrange",
    "bad-txns-oversize",
    "bad-txns-premature-spend-of-coinbase",
    "bad-txns-txouttotal-toolarge",
    "bad-txns-vin-empty",
    "bad-txns-vout-empty",
    "bad-txns-vout-toolarge",
    "bad-version",
    "bad-witness-count",
    "coinbase",
    "conflict",
    "expiry",
    "high-hash",
    "insufficient-fee",
    "invalidated",
    "mempool-full",
    "mempool-min-fee-not-met",
    "missing-inputs",
    "prev-blk-not-found",
    "prev-blk-pruned",
    "reorg",
    "time-timewarp-attack",
    "time-too-new",
    "time-too-old",
    "too-little-chainwork",
    "too-long-mempool-chain",
    "txn-already-in-mempool",
    "txn-already-known",
    "txn-mempool-conflict",
];

/// A word as it was told.
///
/// # Errors
/// For any other text.
pub(crate) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let found = WORDS.binary_search(&text.as_ref());
    let place = found.map_err(|_| D::Error::custom(format_args!("`{text}` is no reason word")))?;
    Ok(WORDS[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words stand in the sources where they are given; one that is missing here would be told and not understood.
    #[test]
    fn every_word_of_the_sources_is_known() {
        let arms = [
            include_str!("../../chain/src/reject.rs"),
            include_str!("mempool/refusal.rs"),
        ];
        let evictions = [
            include_str!("mempool.rs"),
            include_str!("mempool/admit.rs"),
            include_str!("reorg.rs"),
        ];
        let quoted = |line: &&str| line.split('"').nth(1).map(str::to_owned);
        let of_arms = arms.iter().flat_map(|source| source.lines());
        let of_arms = of_arms
            .filter(|line| line.contains("Self::") && line.contains("=> \""))
            .collect::<Vec<_>>();
        let of_evictions = evictions.iter().flat_map(|source| source.lines());
        let of_evictions = of_evictions
            .filter(|line| line.contains("Evicted::new(") && line.contains('"'))
            .collect::<Vec<_>>();
        assert!(of_arms.len() > 35 && of_evictions.len() > 3);
        for word in of_arms.iter().chain(&of_evictions).filter_map(quoted) {
            assert!(WORDS.contains(&word.as_str()), "{word}");
        }
    }

    #[test]
    fn words_are_sorted_and_read_back_and_others_are_refused() {
        assert!(WORDS.is_sorted());
        let read = |text: &str| known(&mut serde_json::Deserializer::from_str(text));
        assert_eq!(read("\"high-hash\"").ok(), Some("high-hash"));
        let error = read("\"low-hash\"").expect_err("no word of ours");
        assert!(error.to_string().contains("`low-hash` is no reason word"), "{error}");
    }
}
