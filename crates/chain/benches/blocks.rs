//! How fast blocks full of payments are connected, beside what libsecp256k1 takes for their signatures alone on the same cores; and that
//! neither the depth of a reorg nor the size of the worst blocks costs more than in proportion.
//!
//! Run with `cargo bench -p chain --bench blocks`. It prints figures and judges nothing: they are the machine's.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::{Hash, Seed};
use chain::{
    Amount, Block, BlockRef, Coin, Draft, Height, Ledger, OutPoint, Params, SigningKey, Transaction, TxOutput, mining,
};
use rayon::prelude::*;
use secp256k1::{XOnlyPublicKey, schnorr};

mod measure;

use measure::{cpu_time, race};

/// Payments in a block, as in the measurements of Bitcoin Core that ours are compared with.
const PAYMENTS: usize = 2_001;
/// Blocks full of payments.
const BLOCKS: usize = 3;
/// Outputs that one transaction can split a coin into.
const SPLIT: u64 = 1_900;
const DEPTH: u32 = 10_000;

/// A coin: the transaction that makes it, and which of its outputs it is.
type Place = (Arc<Transaction>, u32);
/// How the transactions of a block spend these coins.
type Shape = fn(&Chain, &[Place]) -> Vec<Arc<Transaction>>;

fn main() {
    connect();
    reorgs();
    for shape in [one_input_each, one_giant, one_chain] {
        grow(shape);
    }
}

/// A chain that is grown by hand, whose coins all belong to one key.
struct Chain {
    ledger: Ledger,
    key: SigningKey,
    tip: BlockRef,
    blocks: Vec<Arc<Block>>,
    /// Goes into the coinbases, so that no two blocks are alike.
    drafts: u64,
}

impl Chain {
    fn new() -> Self {
        let params = Params {
            coinbase_maturity: 1,
            ..Params::instant()
        };
        let ledger = Ledger::new(params);
        Self {
            key: SigningKey::from_seed(&Seed::from_number(0)),
            tip: ledger.genesis(),
            blocks: Vec::new(),
            drafts: 0,
            ledger,
        }
    }

    fn output(&self, units: u64) -> TxOutput {
        TxOutput {
            value: Amount::from_units(units),
            owner: self.key.owner(),
        }
    }

    fn block(&mut self, transactions: &[Arc<Transaction>]) -> Arc<Block> {
        self.drafts += 1;
        let draft = self.ledger.draft(self.tip, self.ledger.median_time_past(self.tip) + 1);
        let draft = Draft {
            coinbase_outputs: vec![self.output(self.ledger.subsidy(draft.height).units())],
            transactions: transactions.to_vec(),
            extra_nonce: self.drafts,
            ..draft
        };
        let block = draft.assemble();
        let header = mining::solve(&block.header, u32::MAX).expect("two hashes");
        Arc::new(Block {
            header: header.into(),
            ..block
        })
    }

    fn mine(&mut self, transactions: &[Arc<Transaction>]) -> Arc<Block> {
        let block = self.block(transactions);
        self.tip = self.ledger.add_header(&block.header).expect("a good header");
        self.ledger.add_body(&block).expect("a good block");
        self.blocks.push(Arc::clone(&block));
        block
    }

    /// Spends the outputs that these transactions have in the first places, into outputs of one unit and the rest.
    fn pay(&self, spent: &[(&Transaction, u32)], outputs: u64) -> Arc<Transaction> {
        let inputs: Vec<OutPoint> = spent.iter().map(|(from, index)| from.outpoint(*index)).collect();
        let coins: Vec<Coin> = spent
            .iter()
            .map(|(from, index)| Coin {
                output: from.outputs()[*index as usize],
                height: Height(0),
                coinbase: false,
            })
            .collect();
        let total: u64 = coins.iter().map(|coin| coin.output.value.units()).sum();
        let each = total / outputs;
        let outputs = (0..outputs).map(|_| self.output(each)).collect();
        let genesis = self.ledger.id(self.ledger.genesis());
        Arc::new(Transaction::payment(inputs, outputs, b"").sign(&self.key, genesis, &coins))
    }

    /// Splits new coins until there are so many of one size, and gives where they are.
    fn coins(&mut self, count: usize) -> Vec<Place> {
        let mut coins = Vec::new();
        while coins.len() < count {
            let reward = self.mine(&[]);
            let split = self.pay(&[(&reward.transactions[0], 0)], SPLIT);
            self.mine(&[Arc::clone(&split)]);
            coins.extend((0..).zip(split.outputs()).map(|(index, _)| (Arc::clone(&split), index)));
        }
        coins.truncate(count);
        coins
    }
}

/// Takes in all blocks.
fn take_in(params: &Params, blocks: &[Arc<Block>]) {
    let mut ledger = Ledger::new(params.clone());
    for block in blocks {
        ledger.add_header(&block.header).expect("a good header");
        ledger.add_body(block).expect("a good block");
    }
}

fn connect() {
    let mut chain = Chain::new();
    let mut coins = chain.coins(PAYMENTS);
    for _ in 0..BLOCKS {
        let payments: Vec<Arc<Transaction>> = coins
            .iter()
            .map(|(from, index)| chain.pay(&[(from, *index)], 1))
            .collect();
        chain.mine(&payments);
        coins = payments.into_iter().map(|payment| (payment, 0)).collect();
    }
    let params = chain.ledger.params().clone();
    let signed: Vec<(Hash, schnorr::Signature)> = (0..BLOCKS * PAYMENTS)
        .map(|number| Hash::sha256(&[&number.to_le_bytes()]))
        .map(|message| (message, schnorr::Signature::from_byte_array(chain.key.sign(&message).0)))
        .collect();
    let owner = chain.key.owner();
    let verify = |(message, signature): &(Hash, schnorr::Signature)| {
        let key = XOnlyPublicKey::from_byte_array(owner.0).expect("a key");
        assert!(signature.verify(&message.0, &key).is_ok());
    };
    let pools = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started")
    });
    for pool in &pools {
        race(
            &format!(
                "blocks of {PAYMENTS} payments connected, threads: {}",
                pool.current_num_threads()
            ),
            u32::try_from(signed.len()).expect("few"),
            || pool.install(|| take_in(&params, &chain.blocks)),
            || pool.install(|| signed.par_iter().for_each(verify)),
        );
    }
}

/// Two branches of 10,000 blocks: what the ledger takes to say which is the better one, and what the two have not in common.
fn reorgs() {
    let mut chain = Chain::new();
    let mut branch = |blocks: u32| {
        chain.tip = chain.ledger.genesis();
        for _ in 0..blocks {
            chain.mine(&[]);
        }
        chain.tip
    };
    let (old, new) = (branch(DEPTH), branch(DEPTH + 1));
    let begin = Instant::now();
    let fork = chain.ledger.fork_point(old, new);
    assert!(chain.ledger.work(new) > chain.ledger.work(old));
    let path = black_box(chain.ledger.path(fork, new));
    println!("reorg of {DEPTH} blocks to {}: {:?}", path.len(), begin.elapsed());
}

/// A block whose every transaction spends one coin.
fn one_input_each(chain: &Chain, coins: &[Place]) -> Vec<Arc<Transaction>> {
    coins
        .iter()
        .map(|(from, index)| chain.pay(&[(from, *index)], 1))
        .collect()
}

/// A block of one transaction that spends all of them.
fn one_giant(chain: &Chain, coins: &[Place]) -> Vec<Arc<Transaction>> {
    let spent: Vec<(&Transaction, u32)> = coins.iter().map(|(from, index)| (&**from, *index)).collect();
    spent.chunks(900).map(|spent| chain.pay(spent, 1)).collect()
}

/// A block whose every transaction spends what the one before it made.
fn one_chain(chain: &Chain, coins: &[Place]) -> Vec<Arc<Transaction>> {
    let mut payments: Vec<Arc<Transaction>> = Vec::new();
    for _ in coins {
        let (from, index) = match payments.last() {
            Some(last) => (&**last, 0),
            None => (&*coins[0].0, coins[0].1),
        };
        payments.push(chain.pay(&[(from, index)], 1));
    }
    payments
}

/// Prints the CPU time that a block takes, and that of one of twice the size in parts of it.
fn grow(shape: Shape) {
    let [once, twice] = [PAYMENTS, 2 * PAYMENTS].map(|count| {
        let mut chain = Chain::new();
        let coins = chain.coins(count);
        let before = chain.blocks.len();
        let payments = shape(&chain, &coins);
        let block = chain.mine(&payments);
        let best = (0..5).map(|_| {
            let mut ledger = Ledger::new(chain.ledger.params().clone());
            for block in &chain.blocks[..before] {
                ledger.add_header(&block.header).expect("a good header");
                ledger.add_body(block).expect("a good block");
            }
            ledger.add_header(&block.header).expect("a good header");
            let begin = cpu_time();
            ledger.add_body(&block).expect("a good block");
            cpu_time() - begin
        });
        (payments.len(), best.min().expect("five runs"))
    });
    let show = |(count, time): (usize, Duration)| format!("{count} transactions {time:?}");
    let ratio = twice.1.as_secs_f64() / once.1.as_secs_f64();
    println!("{}, {}: ratio {ratio:.2}", show(once), show(twice));
}
