//! The reference and the ledger agree: on random trees, under every retarget rule, and on the word for every defect.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Rng, Seed};
use chain::block::Draft;
use chain::{Amount, BlockRef, Coin, Ledger, OutPoint, Retarget, SigningKey, Transaction, TxOutput, mining};
use proptest::prelude::*;

use super::*;

/// Grows a tree of blocks on a ledger.
struct Grower {
    ledger: Ledger,
    bodies: BTreeMap<BlockId, Arc<Block>>,
    key: SigningKey,
    rng: Rng,
}

impl Grower {
    fn new(params: Params, seed: u64) -> Self {
        let genesis = Arc::new(params.genesis_block());
        Self {
            ledger: Ledger::new(params),
            bodies: BTreeMap::from([(genesis.id(), genesis)]),
            key: SigningKey::from_seed(&Seed::from_number(1)),
            rng: Seed::from_number(seed).rng(),
        }
    }

    /// A valid draft on `parent` that spends some of what may be spent, at a time around the due one.
    fn draft(&mut self, parent: BlockRef) -> Draft {
        let earliest = self.ledger.median_time_past(parent) + 1;
        let time = earliest.max(self.ledger.header(parent).time + u32::try_from(self.rng.below(1_500)).expect("small"));
        let mut draft = self.ledger.draft(parent, time);
        let mut fees = 0;
        for (outpoint, coin) in self.ledger.unspent(parent) {
            let maturity = if coin.coinbase {
                self.ledger.params().coinbase_maturity
            } else {
                0
            };
            let mature = draft.height.0 >= coin.height.0 + maturity;
            if mature && coin.output.owner == self.key.owner() && self.rng.chance(0.5) {
                let fee = self.rng.below(coin.output.value.units().min(1_000) + 1);
                fees += fee;
                draft.transactions.push(Arc::new(self.payment(outpoint, &coin, fee)));
            }
        }
        let reward = self.ledger.subsidy(draft.height).units() + fees;
        let burned = self.rng.below(3).min(reward);
        draft.coinbase_outputs = vec![self.output(reward - burned)];
        draft.extra_nonce = self.rng.next_u64();
        draft
    }

    fn output(&self, units: u64) -> TxOutput {
        TxOutput {
            value: Amount::from_units(units),
            owner: self.key.owner(),
        }
    }

    /// Splits a coin in two.
    fn payment(&self, outpoint: OutPoint, coin: &Coin, fee: u64) -> Transaction {
        let rest = coin.output.value.units() - fee;
        let outputs = vec![self.output(rest / 2), self.output(rest - rest / 2)];
        self.sign(Transaction::payment(vec![outpoint], outputs, b""), &[*coin])
    }

    fn sign(&self, payment: Transaction, coins: &[Coin]) -> Transaction {
        payment.sign(&self.key, self.ledger.id(self.ledger.genesis()), coins)
    }

    /// Mines the block, and gives it to the ledger.
    fn add(&mut self, block: Block) -> Result<BlockRef, (&'static str, Arc<Block>)> {
        let block = Arc::new(solved(block));
        self.bodies.insert(block.id(), Arc::clone(&block));
        let added = self
            .ledger
            .add_header(&block.header)
            .and_then(|_| self.ledger.add_body(&block));
        added.map_err(|reject| (reject.word(), block))
    }

    fn chain(&self, tip: BlockRef) -> Vec<Arc<Block>> {
        let mut refs = vec![self.ledger.genesis()];
        refs.extend(self.ledger.path(self.ledger.genesis(), tip));
        refs.iter()
            .map(|at| Arc::clone(&self.bodies[&self.ledger.id(*at)]))
            .collect()
    }

    /// A chain of this many blocks.
    fn grow(&mut self, blocks: usize) -> BlockRef {
        let mut tip = self.ledger.genesis();
        for _ in 0..blocks {
            let block = self.draft(tip).assemble();
            tip = self.add(block).expect("a valid block");
        }
        tip
    }
}

fn solved(block: Block) -> Block {
    let header = mining::solve(&block.header, u32::MAX).expect("easy targets");
    changed(block, |old| *old = header)
}

fn changed(mut block: Block, change: impl FnOnce(&mut chain::Header)) -> Block {
    let mut header = *block.header;
    change(&mut header);
    block.header = header.into();
    block
}

fn params(retarget: Retarget) -> Params {
    Params {
        retarget,
        coinbase_maturity: 2,
        halving_interval: 9,
        interval: Duration::from_secs(600),
        ..Params::instant()
    }
}

fn any_retarget() -> impl Strategy<Value = Retarget> {
    prop_oneof![
        Just(Retarget::Fixed),
        (2..6_u32, any::<bool>()).prop_map(|(window, timewarp_rule)| Retarget::Bitcoin { window, timewarp_rule }),
        (60..20_000_u32).prop_map(|half_life| Retarget::Asert { half_life }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_chain_of_a_random_tree_adds_up_alike(retarget in any_retarget(), seed: u64, parents in proptest::collection::vec(0..4_usize, 1..24)) {
        let mut grower = Grower::new(params(retarget), seed);
        let mut blocks = vec![grower.ledger.genesis()];
        for back in parents {
            let parent = blocks[blocks.len().saturating_sub(1 + back)];
            let block = grower.draft(parent).assemble();
            blocks.push(grower.add(block).expect("a valid block"));
        }
        for tip in blocks {
            let checked = check_chain(grower.ledger.params(), &grower.chain(tip));
            let checked = checked.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            prop_assert_eq!(checked.tip, grower.ledger.id(tip));
            prop_assert_eq!(checked.height, grower.ledger.height(tip));
            prop_assert_eq!(checked.work, grower.ledger.work(tip));
            prop_assert_eq!(checked.supply, grower.ledger.supply(tip));
        }
    }
}

/// A defect: what makes a block invalid, given the grower, the tip it stands on, and a valid draft.
type Defect = fn(&mut Grower, BlockRef, Draft) -> Block;

fn spendable(grower: &Grower, tip: BlockRef) -> (OutPoint, Coin) {
    let coins = grower.ledger.unspent(tip);
    let mature = |coin: &Coin| !coin.coinbase || coin.height.0 + 2 <= grower.ledger.height(tip).0 + 1;
    let mine = |coin: &Coin| coin.output.owner == grower.key.owner() && coin.output.value.units() > 10;
    let found = coins.into_iter().find(|(_, coin)| mature(coin) && mine(coin));
    found.expect("a long enough chain")
}

fn with(mut draft: Draft, transactions: Vec<Transaction>) -> Block {
    draft.transactions = transactions.into_iter().map(Arc::new).collect();
    draft.assemble()
}

const DEFECTS: [(&str, Defect); 16] = [
    ("bad-diffbits", |_, _, draft| {
        Draft {
            bits: chain::CompactTarget(0x2000_ffff),
            ..draft
        }
        .assemble()
    }),
    ("bad-target", |_, _, draft| {
        Draft {
            bits: chain::CompactTarget(0x2100_ffff),
            ..draft
        }
        .assemble()
    }),
    ("time-too-old", |grower, tip, draft| {
        Draft {
            time: grower.ledger.median_time_past(tip),
            ..draft
        }
        .assemble()
    }),
    ("bad-version", |_, _, draft| {
        changed(draft.assemble(), |header| header.version = 0)
    }),
    ("bad-txnmrklroot", |_, _, draft| {
        changed(draft.assemble(), |header| header.merkle_root = base::Hash::ZERO)
    }),
    ("bad-txns-duplicate", |grower, tip, draft| {
        let (outpoint, coin) = spendable(grower, tip);
        let first = grower.payment(outpoint, &coin, 0);
        let second = Transaction::payment(vec![first.outpoint(0)], vec![grower.output(1)], b"");
        let mut block = with(draft, vec![first, second]);
        let last = Arc::clone(&block.transactions[2]);
        block.transactions.push(last);
        let root = block.merkle_root().hash;
        changed(block, |header| header.merkle_root = root)
    }),
    ("bad-cb-missing", |_, _, draft| {
        let mut block = draft.assemble();
        block.transactions.remove(0);
        let payment = Transaction::payment(
            vec![
                block
                    .transactions
                    .first()
                    .map_or_else(Default::default, |tx| tx.outpoint(0)),
            ],
            Vec::new(),
            b"",
        );
        block.transactions = vec![Arc::new(payment)];
        let root = block.merkle_root().hash;
        changed(block, |header| header.merkle_root = root)
    }),
    ("bad-cb-multiple", |_, _, draft| {
        let other = Draft {
            extra_nonce: 77,
            ..draft.clone()
        }
        .assemble();
        with(draft, vec![(*other.transactions[0]).clone()])
    }),
    ("bad-cb-height", |_, _, mut draft| {
        draft.height = draft.height.next();
        draft.assemble()
    }),
    ("bad-cb-amount", |grower, _, mut draft| {
        draft.transactions.clear();
        draft.coinbase_outputs = vec![grower.output(grower.ledger.subsidy(draft.height).units() + 1)];
        draft.assemble()
    }),
    ("bad-cb-length", |_, _, draft| {
        Draft {
            tag: vec![0; 33],
            ..draft
        }
        .assemble()
    }),
    ("bad-txns-inputs-missingorspent", |grower, tip, draft| {
        let (outpoint, coin) = spendable(grower, tip);
        let twice = [0, 1].map(|fee| grower.payment(outpoint, &coin, fee));
        with(draft, twice.to_vec())
    }),
    ("bad-txns-inputs-duplicate", |grower, tip, draft| {
        let (outpoint, coin) = spendable(grower, tip);
        let payment = Transaction::payment(vec![outpoint; 2], vec![grower.output(1)], b"");
        with(draft, vec![grower.sign(payment, &[coin, coin])])
    }),
    ("bad-txns-premature-spend-of-coinbase", |grower, tip, draft| {
        let coins = grower.ledger.unspent(tip);
        let tip_height = grower.ledger.height(tip);
        let (outpoint, coin) = coins
            .into_iter()
            .find(|(_, coin)| coin.coinbase && coin.height == tip_height)
            .expect("its coinbase");
        with(draft, vec![grower.payment(outpoint, &coin, 0)])
    }),
    ("bad-txns-in-belowout", |grower, tip, draft| {
        let (outpoint, coin) = spendable(grower, tip);
        let payment = Transaction::payment(vec![outpoint], vec![grower.output(coin.output.value.units() + 1)], b"");
        with(draft, vec![grower.sign(payment, &[coin])])
    }),
    ("bad-signature", |grower, tip, draft| {
        let (outpoint, coin) = spendable(grower, tip);
        let wrong = Coin {
            output: grower.output(coin.output.value.units() + 1),
            ..coin
        };
        with(
            draft,
            vec![grower.sign(
                Transaction::payment(vec![outpoint], vec![grower.output(1)], b""),
                &[wrong],
            )],
        )
    }),
];

#[test]
fn every_defect_has_the_same_word() {
    for (word, defect) in DEFECTS {
        let mut params = params(Retarget::Fixed);
        params.initial_subsidy = Amount::COIN;
        let mut grower = Grower::new(params, 3);
        let tip = grower.grow(6);
        let mut draft = grower.draft(tip);
        draft.transactions.clear();
        draft.coinbase_outputs = vec![grower.output(1)];
        let block = defect(&mut grower, tip, draft);
        let mut chain = grower.chain(tip);
        check_chain(grower.ledger.params(), &chain).expect("a valid chain");
        let Err((refused, block)) = grower.add(block) else {
            panic!("the ledger took a block with {word}");
        };
        assert_eq!(refused, word);
        chain.push(block);
        let fault = check_chain(grower.ledger.params(), &chain).expect_err(word);
        assert_eq!((fault.word, fault.height), (word, Height(7)), "{fault}");
    }
}

#[test]
fn a_hash_above_its_target_is_no_proof_of_work() {
    let mut grower = Grower::new(params(Retarget::Fixed), 4);
    let tip = grower.grow(2);
    let mut block = grower.draft(tip).assemble();
    let target = block.header.bits.target().expect("sound");
    while target.is_met_by(&block.id()) {
        block = changed(block, |header| header.nonce += 1);
    }
    let mut chain = grower.chain(tip);
    chain.push(Arc::new(block));
    let fault = check_chain(grower.ledger.params(), &chain).expect_err("no proof of work");
    assert_eq!(fault.word, "high-hash");
}

#[test]
fn a_chain_begins_with_its_genesis_block_and_links() {
    let mut grower = Grower::new(params(Retarget::Fixed), 5);
    let tip = grower.grow(3);
    let mut chain = grower.chain(tip);
    let fault = check_chain(&Params::cluster(), &chain).expect_err("another network");
    assert_eq!(fault.word, "bad-genesis");
    assert_eq!(
        check_chain(&Params::cluster(), &[]).expect_err("no chain").word,
        "bad-genesis"
    );
    chain.remove(2);
    let fault = check_chain(grower.ledger.params(), &chain).expect_err("a gap");
    assert_eq!(fault.word, "prev-blk-not-found");
}

/// The published vectors of Bitcoin's chain: difficulty 1 takes 4,295,032,833 hashes.
#[test]
fn work_is_bitcoins() {
    let genesis = Params::mainnet_like().genesis_block();
    assert_eq!(headers::work(&genesis.header), Big::from_u64(4_295_032_833));
}
