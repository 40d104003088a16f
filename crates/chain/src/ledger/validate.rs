//! The rules of bodies and transactions that need no more than themselves, the coins they spend and a height.

use rustc_hash::FxHashSet;

use crate::limits::{MAX_MEMO_BYTES, MAX_TAG_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_SLOTS};
use crate::{Amount, Block, Coin, Height, Params, Reject, Transaction};

/// The rules of a body on its own: size, one coinbase in the first place, the structure of every transaction.
pub(super) fn body(block: &Block, params: &Params) -> Result<(), Reject> {
    let (bytes, limit) = (block.bytes(), params.max_block_bytes);
    let too_long = || Reject::BadBlkLength { bytes, limit };
    let (coinbase, others) = block.transactions.split_first().ok_or_else(too_long)?;
    if bytes > u64::from(limit) {
        return Err(too_long());
    }
    if !coinbase.is_coinbase() || !coinbase.inputs().is_empty() {
        return Err(Reject::BadCbMissing);
    }
    if let Some(other) = others.iter().position(|transaction| transaction.is_coinbase()) {
        return Err(Reject::BadCbMultiple { position: other + 1 });
    }
    block
        .transactions
        .iter()
        .try_for_each(|transaction| structure(transaction))
}

/// The rules of a transaction on its own (Bitcoin Core's `CheckTransaction`).
pub(crate) fn structure(transaction: &Transaction) -> Result<(), Reject> {
    let (inputs, outputs) = (transaction.inputs(), transaction.outputs());
    if inputs.is_empty() && !transaction.is_coinbase() {
        return Err(Reject::BadTxnsVinEmpty);
    }
    if outputs.is_empty() {
        return Err(Reject::BadTxnsVoutEmpty);
    }
    let (bytes, slots) = (transaction.bytes(), inputs.len() + outputs.len());
    if bytes > MAX_TRANSACTION_BYTES || slots > MAX_TRANSACTION_SLOTS {
        return Err(Reject::BadTxnsOversize { bytes, slots });
    }
    let parts = transaction.parts();
    if parts.memo.len() > MAX_MEMO_BYTES {
        return Err(Reject::BadMemoLength {
            bytes: parts.memo.len(),
        });
    }
    if let Some(coinbase) = parts.coinbase.as_ref().filter(|it| it.tag.len() > MAX_TAG_BYTES) {
        return Err(Reject::BadCbLength {
            bytes: coinbase.tag.len(),
        });
    }
    if parts.signatures.len() != inputs.len() {
        return Err(Reject::BadWitnessCount {
            signatures: parts.signatures.len(),
            inputs: inputs.len(),
        });
    }
    output_values(transaction)?;
    distinct_inputs(transaction)
}

/// No output, and no sum of outputs, is above the money limit (CVE-2010-5139).
fn output_values(transaction: &Transaction) -> Result<(), Reject> {
    let values = || transaction.outputs().iter().map(|output| output.value);
    if let Some((index, value)) = values().enumerate().find(|(_, value)| !value.is_money()) {
        return Err(Reject::BadTxnsVoutToolarge { index, value });
    }
    let sum = Amount::total(values());
    sum.map(|_| ()).ok_or(Reject::BadTxnsTxouttotalToolarge)
}

/// No output is spent twice by one transaction (CVE-2018-17144).
fn distinct_inputs(transaction: &Transaction) -> Result<(), Reject> {
    let mut seen = FxHashSet::default();
    match transaction.inputs().iter().find(|input| !seen.insert(**input)) {
        Some(outpoint) => Err(Reject::BadTxnsInputsDuplicate { outpoint: *outpoint }),
        None => Ok(()),
    }
}

/// The rules of a transaction in a block at `height`, given the coins it spends (Bitcoin Core's `CheckTxInputs`); gives its fee.
pub(super) fn spending(
    transaction: &Transaction,
    coins: &[Coin],
    height: Height,
    params: &Params,
) -> Result<Amount, Reject> {
    for (outpoint, coin) in transaction.inputs().iter().zip(coins) {
        let spendable = Height(coin.height.0.saturating_add(params.coinbase_maturity));
        if coin.coinbase && height < spendable {
            return Err(Reject::BadTxnsPrematureSpendOfCoinbase {
                outpoint: *outpoint,
                created: coin.height,
                spendable,
                height,
            });
        }
    }
    let inputs = Amount::total(coins.iter().map(|coin| coin.output.value));
    let inputs = inputs.ok_or(Reject::BadTxnsInputvaluesOutofrange)?;
    let outputs = Amount::total(transaction.outputs().iter().map(|output| output.value));
    let outputs = outputs.ok_or(Reject::BadTxnsTxouttotalToolarge)?;
    inputs
        .checked_sub(outputs)
        .ok_or(Reject::BadTxnsInBelowout { inputs, outputs })
}

/// The coinbase names the block's height (BIP34).
pub(super) fn coinbase_height(block: &Block, expected: Height) -> Result<(), Reject> {
    let first = block.transactions.first().and_then(|it| it.parts().coinbase.as_ref());
    let found = first.ok_or(Reject::BadCbMissing)?.height;
    if found != expected {
        return Err(Reject::BadCbHeight { found, expected });
    }
    Ok(())
}

/// The coinbase creates at most subsidy and fees; less is allowed, and the rest is burned. Gives what it creates.
pub(super) fn coinbase_amount(block: &Block, subsidy: Amount, fees: Amount) -> Result<Amount, Reject> {
    let allowed = subsidy.checked_add(fees).ok_or(Reject::BadTxnsInputvaluesOutofrange)?;
    let outputs = block.transactions.first().ok_or(Reject::BadCbMissing)?.outputs();
    let found = Amount::total(outputs.iter().map(|output| output.value));
    let found = found.ok_or(Reject::BadTxnsTxouttotalToolarge)?;
    if found > allowed {
        return Err(Reject::BadCbAmount { found, allowed });
    }
    Ok(found)
}
