//! Signed payments for stories: chains of them, some that spend the same coin, some that pay too little or that nobody signed rightly.

use std::sync::Arc;

use base::{Rng, Seed};
use chain::{Amount, Block, BlockRef, Coin, Height, Ledger, OutPoint, Transaction, TxOutput};

use crate::testing::{forge, key, params};

/// Who owns all coins.
const OWNER: usize = 500;

/// How payments hang together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) payments: usize,
    /// Of a hundred payments, so many spend what another spends.
    pub(super) rivals: u64,
    /// So many spend of another payment.
    pub(super) chained: u64,
    /// Of how many of the last ones they then spend.
    pub(super) near: u64,
    /// So many pay too little.
    pub(super) low: u64,
}

/// Payments and what they spend.
pub(super) struct Bank {
    /// The blocks that hold the coins.
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) payments: Vec<Arc<Transaction>>,
    /// Which of them each spends of.
    pub(super) parents: Vec<Vec<usize>>,
    /// Whether somebody could take it in.
    pub(super) valid: Vec<bool>,
}

/// An output that may be spent.
#[derive(Clone, Copy)]
struct Output {
    outpoint: OutPoint,
    value: u64,
    /// The payment that made it.
    of: Option<usize>,
}

impl Bank {
    pub(super) fn new(number: u64, kind: Kind) -> Self {
        let mut rng = Seed::from_number(number).child("bank", 0).rng();
        let mut ledger = Ledger::new(params());
        let (blocks, mut fresh) = coins(&mut ledger, kind.payments as u64);
        let mut bank = Self {
            blocks,
            payments: Vec::new(),
            parents: Vec::new(),
            valid: Vec::new(),
        };
        let mut spent: Vec<Output> = Vec::new();
        for _ in 0..kind.payments {
            let mut inputs = vec![pick(&mut rng, kind, (&mut fresh, &mut spent))];
            if rng.below(8) == 0 {
                inputs.push(pick(&mut rng, kind, (&mut fresh, &mut spent)));
            }
            let is_repeated = inputs.len() == 2 && inputs[0].outpoint == inputs[1].outpoint;
            inputs.truncate(if is_repeated { 1 } else { 2 });
            bank.pay(&mut rng, kind, &inputs, (&ledger, &mut fresh));
        }
        bank
    }

    fn pay(&mut self, rng: &mut Rng, kind: Kind, inputs: &[Output], (ledger, fresh): (&Ledger, &mut Vec<Output>)) {
        let total: u64 = inputs.iter().map(|input| input.value).sum();
        let fee = if rng.below(100) < kind.low {
            rng.below(2)
        } else {
            1_000 + rng.below(8) * 1_000
        };
        let outputs = [1, 1, 1, 2, 3][usize::try_from(rng.below(5)).expect("below five")];
        let value = total.saturating_sub(fee) / outputs;
        let output = TxOutput {
            value: Amount::from_units(value),
            owner: key(OWNER).owner(),
        };
        let coins: Vec<Coin> = inputs
            .iter()
            .map(|input| Coin {
                output: TxOutput {
                    value: Amount::from_units(input.value),
                    owner: key(OWNER).owner(),
                },
                height: Height(0),
                coinbase: false,
            })
            .collect();
        let outpoints = inputs.iter().map(|input| input.outpoint).collect();
        let count = usize::try_from(outputs).expect("a few");
        let payment = Transaction::payment(outpoints, vec![output; count], b"");
        let is_valid = rng.below(200) > 0;
        let signer = key(if is_valid { OWNER } else { OWNER + 1 });
        let payment = payment.sign(&signer, ledger.id(ledger.genesis()), &coins);
        let of = self.payments.len();
        for at in 0..outputs {
            let outpoint = payment.outpoint(u32::try_from(at).expect("a few"));
            let of = Some(of);
            fresh.push(Output { outpoint, value, of });
        }
        let parents: Vec<usize> = inputs.iter().filter_map(|input| input.of).collect();
        self.valid
            .push(is_valid && parents.iter().all(|parent| self.valid[*parent]));
        self.parents.push(parents);
        self.payments.push(Arc::new(payment));
    }
}

/// What a payment spends.
fn pick(rng: &mut Rng, kind: Kind, (fresh, spent): (&mut Vec<Output>, &mut Vec<Output>)) -> Output {
    let any = |rng: &mut Rng, near: u64, of: &[Output]| {
        let len = of.len() as u64;
        usize::try_from(len - 1 - rng.below(near.min(len))).expect("below the length")
    };
    if rng.below(100) < kind.rivals && !spent.is_empty() {
        return spent[any(rng, kind.near * 4, spent)];
    }
    let is_chained = rng.below(100) < kind.chained;
    let at = if is_chained {
        any(rng, kind.near, fresh)
    } else {
        // Those that blocks made come first.
        0
    };
    let output = fresh.remove(at);
    spent.push(output);
    output
}

/// Two blocks, of which the first makes many coins.
fn coins(ledger: &mut Ledger, count: u64) -> (Vec<Arc<Block>>, Vec<Output>) {
    let mut blocks = Vec::new();
    let mut tip = ledger.genesis();
    for number in 0..2 {
        let block = forge(ledger, tip, |draft| {
            draft.extra_nonce = number;
            if number == 0 {
                let value = Amount::from_units(draft.coinbase_outputs[0].value.units() / count);
                let owner = key(OWNER).owner();
                draft.coinbase_outputs = (0..count).map(|_| TxOutput { value, owner }).collect();
            }
        });
        tip = add(ledger, &block);
        blocks.push(block);
    }
    let coinbase = &blocks[0].transactions[0];
    let outputs = coinbase.outputs().iter().zip(0..);
    let fresh = outputs
        .map(|(output, at)| Output {
            outpoint: coinbase.outpoint(at),
            value: output.value.units(),
            of: None,
        })
        .collect();
    (blocks, fresh)
}

/// A valid block becomes known.
pub(super) fn add(ledger: &mut Ledger, block: &Arc<Block>) -> BlockRef {
    let at = ledger.record_hashed_header(&block.header).expect("a valid header");
    ledger.add_body(block).expect("a valid block");
    at
}
