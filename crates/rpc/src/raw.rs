//! Transactions and blocks in Bitcoin's serialisation, for the hex of the interface.
//!
//! An output is `OP_1` and the owner's key (BIP341), a signature the only item of its input's witness, a memo a last output of no value that
//! begins with `OP_RETURN`. So every Bitcoin library reads them; but ids are hashes of our own preimages, not of these bytes.
//! Only the one canonical form is read.

use std::sync::Arc;

use base::Hash;
use chain::limits::{MAX_MEMO_BYTES, MAX_TAG_BYTES, MAX_TRANSACTION_SLOTS};
use chain::transaction::TransactionParts;
use chain::{Amount, Block, Coinbase, Header, Height, OutPoint, Owner, Signature, Transaction, TxOutput, Txid};

/// What a coinbase's input names instead of an output.
const NO_OUTPUT: OutPoint = OutPoint {
    txid: Txid(Hash::ZERO),
    index: u32::MAX,
};
const FINAL: u32 = u32::MAX;
const OP_RETURN: u8 = 0x6a;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_1: u8 = 0x51;

/// The script of an output of this owner, as Bitcoin would write it.
#[must_use]
pub(crate) fn script(owner: &Owner) -> Vec<u8> {
    [&[OP_1, 32][..], &owner.0].concat()
}

/// The script of an output that carries a memo.
#[must_use]
pub(crate) fn memo_script(memo: &[u8]) -> Vec<u8> {
    let mut script = vec![OP_RETURN];
    push(&mut script, memo);
    script
}

/// The script of a coinbase's input: height (BIP34), extra nonce, tag.
#[must_use]
pub(crate) fn coinbase_script(coinbase: &Coinbase) -> Vec<u8> {
    let mut script = height_push(coinbase.height);
    push(&mut script, &coinbase.extra_nonce.to_le_bytes());
    push(&mut script, &coinbase.tag);
    script
}

/// The bytes of a transaction.
#[must_use]
pub fn transaction(transaction: &Transaction) -> Vec<u8> {
    let parts = transaction.parts();
    let mut out = Vec::with_capacity(64 + parts.inputs.len() * 108 + parts.outputs.len() * 43);
    out.extend(parts.version.to_le_bytes());
    let is_signed = !parts.signatures.is_empty();
    if is_signed {
        out.extend([0, 1]);
    }
    if let Some(coinbase) = &parts.coinbase {
        count(&mut out, 1);
        input(&mut out, &NO_OUTPUT, &coinbase_script(coinbase));
    } else {
        count(&mut out, parts.inputs.len());
        for outpoint in &parts.inputs {
            input(&mut out, outpoint, &[]);
        }
    }
    count(&mut out, parts.outputs.len() + usize::from(!parts.memo.is_empty()));
    for created in &parts.outputs {
        output(&mut out, created.value, &script(&created.owner));
    }
    if !parts.memo.is_empty() {
        output(&mut out, Amount::ZERO, &memo_script(&parts.memo));
    }
    if is_signed {
        for Signature(signature) in &parts.signatures {
            count(&mut out, 1);
            count(&mut out, signature.len());
            out.extend(signature);
        }
    }
    out.extend(0_u32.to_le_bytes());
    out
}

/// The bytes of a block.
#[must_use]
pub fn block(block: &Block) -> Vec<u8> {
    let mut out = block.header.to_bytes().to_vec();
    count(&mut out, block.transactions.len());
    for one in &block.transactions {
        out.extend(transaction(one));
    }
    out
}

fn input(out: &mut Vec<u8>, outpoint: &OutPoint, script: &[u8]) {
    out.extend(outpoint.txid.0.0);
    out.extend(outpoint.index.to_le_bytes());
    count(out, script.len());
    out.extend(script);
    out.extend(FINAL.to_le_bytes());
}

fn output(out: &mut Vec<u8>, value: Amount, script: &[u8]) {
    out.extend(value.units().to_le_bytes());
    count(out, script.len());
    out.extend(script);
}

/// Bitcoin's variable-length count.
fn count(out: &mut Vec<u8>, count: usize) {
    match u16::try_from(count) {
        Ok(small @ 0..0xfd) => out.extend(&small.to_le_bytes()[..1]),
        Ok(medium) => {
            out.push(0xfd);
            out.extend(medium.to_le_bytes());
        }
        Err(_) => {
            out.push(0xfe);
            let large = u32::try_from(count).expect("lists held in memory are shorter than 2^32");
            out.extend(large.to_le_bytes());
        }
    }
}

/// Pushes at most 255 bytes in the shortest way that needs no opcode of its own.
fn push(script: &mut Vec<u8>, data: &[u8]) {
    let length = u8::try_from(data.len()).expect("tags and memos are below 256 bytes");
    if length >= OP_PUSHDATA1 {
        script.push(OP_PUSHDATA1);
    }
    script.push(length);
    script.extend(data);
}

/// A height as BIP34 has it: a number in its shortest form.
fn height_push(height: Height) -> Vec<u8> {
    match u8::try_from(height.0) {
        Ok(0) => vec![0],
        Ok(small @ 1..=16) => vec![OP_1 - 1 + small],
        Ok(_) | Err(_) => {
            let mut bytes = height.0.to_le_bytes().to_vec();
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            // The highest bit is a sign.
            if bytes.last().is_some_and(|last| *last >= 0x80) {
                bytes.push(0);
            }
            let mut script = Vec::new();
            push(&mut script, &bytes);
            script
        }
    }
}

/// The transaction of these bytes, all of them; none when they are no canonical form of one.
#[must_use]
pub fn read_transaction(bytes: &[u8]) -> Option<Transaction> {
    let mut reader = Reader(bytes);
    let transaction = reader.transaction()?;
    reader.0.is_empty().then_some(transaction)
}

/// The block of these bytes, all of them; none when they are no canonical form of one.
#[must_use]
pub fn read_block(bytes: &[u8]) -> Option<Block> {
    let mut reader = Reader(bytes);
    let header = Header::from_bytes(reader.array()?).into();
    let length = reader.count()?;
    let mut transactions = Vec::new();
    for _ in 0..length {
        transactions.push(Arc::new(reader.transaction()?));
    }
    reader.0.is_empty().then_some(Block { header, transactions })
}

/// The header of these bytes, all of them.
#[must_use]
pub(crate) fn read_header(bytes: &[u8]) -> Option<Header> {
    bytes.try_into().ok().map(Header::from_bytes)
}

/// Bytes that are still to be read. Nothing is allocated before the bytes for it are there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| *byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().copied().map(u32::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        let (count, least) = match self.u8()? {
            0xff => return None,
            0xfe => (self.u32()?, 0x1_0000),
            0xfd => (u32::from(u16::from_le_bytes(*self.array()?)), 0xfd),
            small => (u32::from(small), 0),
        };
        (count >= least)
            .then_some(count)
            .and_then(|count| count.try_into().ok())
    }

    fn script(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        self.take(length)
    }

    /// The pushed bytes at the front of a script, pushed in the shortest way.
    fn pushed(&mut self) -> Option<&'a [u8]> {
        let length = match self.u8()? {
            OP_PUSHDATA1 => self.u8().filter(|length| *length >= OP_PUSHDATA1)?,
            short => Some(short).filter(|length| *length < OP_PUSHDATA1)?,
        };
        self.take(usize::from(length))
    }

    fn transaction(&mut self) -> Option<Transaction> {
        let start = self.0;
        let version = self.u32()?;
        let is_signed = self.0.starts_with(&[0, 1]);
        if is_signed {
            self.take(2)?;
        }
        let (inputs, coinbase) = self.inputs()?;
        let (outputs, memo) = self.outputs()?;
        let mut signatures = Vec::new();
        for _ in 0..if is_signed { inputs.len() } else { 0 } {
            let is_single = self.count()? == 1 && self.count()? == 64;
            signatures.push(Signature(*is_single.then(|| self.array())??));
        }
        let lock_time = self.u32()?;
        if lock_time != 0 || is_signed && signatures.is_empty() {
            return None;
        }
        let read = Transaction::new(TransactionParts {
            version,
            coinbase,
            inputs,
            outputs,
            memo,
            signatures,
        });
        // The second lock on the door: what is read is what would be written.
        let length = start.len() - self.0.len();
        (transaction(&read) == start[..length]).then_some(read)
    }

    fn inputs(&mut self) -> Option<(Vec<OutPoint>, Option<Coinbase>)> {
        let length = self.count().filter(|length| *length <= MAX_TRANSACTION_SLOTS)?;
        let (mut inputs, mut coinbase) = (Vec::new(), None);
        for _ in 0..length {
            let outpoint = OutPoint {
                txid: Txid(Hash(*self.array()?)),
                index: self.u32()?,
            };
            let script = self.script()?;
            if self.u32()? != FINAL {
                return None;
            }
            if outpoint == NO_OUTPUT && length == 1 {
                coinbase = Some(Reader(script).coinbase()?);
            } else if script.is_empty() {
                inputs.push(outpoint);
            } else {
                return None;
            }
        }
        Some((inputs, coinbase))
    }

    fn outputs(&mut self) -> Option<(Vec<TxOutput>, Vec<u8>)> {
        let length = self.count().filter(|length| *length <= MAX_TRANSACTION_SLOTS + 1)?;
        let (mut outputs, mut memo) = (Vec::new(), Vec::new());
        for place in 0..length {
            let value = Amount::from_units(u64::from_le_bytes(*self.array()?));
            let mut script = Reader(self.script()?);
            match script.u8()? {
                OP_1 => {
                    let owner = script.pushed()?.try_into().ok().map(Owner)?;
                    outputs.push(TxOutput { value, owner });
                }
                OP_RETURN if place + 1 == length && value == Amount::ZERO => {
                    let carried = script.pushed()?;
                    // Longer ones than the rules allow are read, so that they are refused by their name.
                    if carried.is_empty() || carried.len() > 2 * MAX_MEMO_BYTES {
                        return None;
                    }
                    memo = carried.to_vec();
                }
                _ => return None,
            }
            if !script.0.is_empty() {
                return None;
            }
        }
        Some((outputs, memo))
    }

    fn coinbase(&mut self) -> Option<Coinbase> {
        let height = match *self.0.first()? {
            0 => {
                self.take(1)?;
                0
            }
            small @ OP_1..=0x60 => {
                self.take(1)?;
                u32::from(small - OP_1) + 1
            }
            _ => {
                let bytes = self.pushed()?;
                let mut wide = [0; 8];
                wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
                u32::try_from(u64::from_le_bytes(wide)).ok()?
            }
        };
        let extra_nonce = self.pushed()?.try_into().ok().map(u64::from_le_bytes)?;
        let tag = self.pushed().filter(|tag| tag.len() <= 2 * MAX_TAG_BYTES)?.to_vec();
        let coinbase = Coinbase {
            height: Height(height),
            extra_nonce,
            tag,
        };
        self.0.is_empty().then_some(coinbase)
    }
}

#[cfg(test)]
mod tests;
