//! Transactions (Core's `TxToUniv`).

use base::hex;
use chain::{Coin, OutPoint, Owner, Transaction, TxOutput};
use serde_json::{Map, Value, json};

use super::coins;
use crate::{address, raw};

/// The coins that a transaction's inputs name, in that order, as far as they are known.
pub(crate) struct Spent(pub(crate) Vec<Option<Coin>>);

/// A transaction. With what it spends known, its fee is shown; and, when asked for, each of those coins.
pub(crate) fn transaction(
    transaction: &Transaction,
    spent: Option<&Spent>,
    with_coins: WithCoins,
) -> Map<String, Value> {
    let parts = transaction.parts();
    let bytes = transaction.bytes();
    let mut shown = Map::new();
    let mut show = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    show("txid", json!(transaction.txid().to_string()));
    show("hash", json!(transaction.wtxid().to_string()));
    show("version", json!(parts.version));
    show("size", json!(bytes));
    show("vsize", json!(bytes));
    show("weight", json!(u64::from(bytes) * 4));
    show("locktime", json!(0));
    let vin: Vec<Value> = match &parts.coinbase {
        Some(coinbase) => {
            let script = hex::encode(&raw::coinbase_script(coinbase));
            vec![json!({ "coinbase": script, "sequence": u32::MAX })]
        }
        None => {
            let coin = |place| spent.and_then(|Spent(coins)| coins.get(place).copied().flatten());
            let places = parts.inputs.iter().enumerate();
            let inputs = places.map(|(place, outpoint)| {
                let witness = parts.signatures.get(place).map(|signature| hex::encode(&signature.0));
                input(outpoint, witness, coin(place).filter(|_| with_coins == WithCoins::Yes))
            });
            inputs.collect()
        }
    };
    show("vin", json!(vin));
    show("vout", json!(outputs(transaction)));
    if let Some(fee) = spent.and_then(|spent| fee(transaction, spent)) {
        show("fee", fee);
    }
    show("hex", json!(hex::encode(&raw::transaction(transaction))));
    shown
}

/// A block's coinbase in short.
pub(crate) fn coinbase(transaction: &Transaction) -> Value {
    let parts = transaction.parts();
    let script = parts.coinbase.as_ref().map(raw::coinbase_script);
    json!({
        "version": parts.version,
        "locktime": 0,
        "sequence": u32::MAX,
        "coinbase": hex::encode(&script.unwrap_or_default()),
    })
}

/// Whether the coins that are spent are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WithCoins {
    Yes,
    No,
}

fn input(outpoint: &OutPoint, witness: Option<String>, coin: Option<Coin>) -> Value {
    let mut shown = json!({
        "txid": outpoint.txid.to_string(),
        "vout": outpoint.index,
        "scriptSig": { "asm": "", "hex": "" },
        "txinwitness": witness.into_iter().collect::<Vec<_>>(),
        "sequence": u32::MAX,
    });
    if let Some(coin) = coin {
        shown["prevout"] = json!({
            "generated": coin.coinbase,
            "height": coin.height.0,
            "value": coins(coin.output.value),
            "scriptPubKey": output_script(&coin.output.owner),
        });
    }
    shown
}

fn outputs(transaction: &Transaction) -> Vec<Value> {
    let output = |(place, output): (usize, &TxOutput)| json!({ "value": coins(output.value), "n": place, "scriptPubKey": output_script(&output.owner) });
    let mut shown: Vec<Value> = transaction.outputs().iter().enumerate().map(output).collect();
    let memo = &transaction.parts().memo;
    if !memo.is_empty() {
        let script = json!({
            "asm": format!("OP_RETURN {}", hex::encode(memo)),
            "desc": descriptor(&format!("raw({})", hex::encode(&raw::memo_script(memo)))),
            "hex": hex::encode(&raw::memo_script(memo)),
            "type": "nulldata",
        });
        shown.push(json!({ "value": 0.0, "n": shown.len(), "scriptPubKey": script }));
    }
    shown
}

/// What the outputs leave of the inputs.
fn fee(transaction: &Transaction, Spent(spent): &Spent) -> Option<Value> {
    if transaction.is_coinbase() || spent.len() != transaction.inputs().len() {
        return None;
    }
    let spent: Vec<Coin> = spent.iter().copied().collect::<Option<_>>()?;
    let inputs = chain::Amount::total(spent.iter().map(|coin| coin.output.value))?;
    let outputs = chain::Amount::total(transaction.outputs().iter().map(|output| output.value))?;
    inputs.checked_sub(outputs).map(coins)
}

/// What an output to this owner demands, as the script that Bitcoin would have.
pub(crate) fn output_script(owner: &Owner) -> Value {
    json!({
        "asm": format!("1 {owner}"),
        "desc": descriptor(&format!("rawtr({owner})")),
        "hex": hex::encode(&raw::script(owner)),
        "address": address::of(owner),
        "type": "witness_v1_taproot",
    })
}

/// A descriptor behind its checksum (BIP380).
fn descriptor(text: &str) -> String {
    const LETTERS: &[u8] =
        b"0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
    const CHECKSUM: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let (mut check, mut group, mut grouped) = (1_u64, 0_u64, 0);
    for letter in text.bytes() {
        let place = LETTERS
            .iter()
            .position(|known| *known == letter)
            .expect("descriptors are of these letters");
        let place = u64::try_from(place).expect("less than a hundred");
        check = descriptor_step(check, place & 31);
        group = group * 3 + (place >> 5);
        grouped += 1;
        if grouped == 3 {
            check = descriptor_step(check, group);
            (group, grouped) = (0, 0);
        }
    }
    if grouped > 0 {
        check = descriptor_step(check, group);
    }
    for _ in 0..8 {
        check = descriptor_step(check, 0);
    }
    check ^= 1;
    let letter = |place: u32| {
        let value = (check >> (5 * (7 - place))) & 31;
        char::from(CHECKSUM[usize::try_from(value).expect("five bits")])
    };
    format!("{text}#{}", (0..8).map(letter).collect::<String>())
}

const fn descriptor_step(check: u64, value: u64) -> u64 {
    const GENERATORS: [u64; 5] = [
        0xf5_dee5_1989,
        0xa9_fdca_3312,
        0x1b_ab10_e32d,
        0x37_06b1_677a,
        0x64_4d62_6ffd,
    ];
    let top = check >> 35;
    let mut next = ((check & 0x7_ffff_ffff) << 5) ^ value;
    let mut place = 0;
    while place < GENERATORS.len() {
        if top >> place & 1 == 1 {
            next ^= GENERATORS[place];
        }
        place += 1;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BIP380's own example.
    #[test]
    fn descriptors_have_the_checksum_of_bip380() {
        assert_eq!(descriptor("raw(deadbeef)"), "raw(deadbeef)#89f8spxm");
    }
}
