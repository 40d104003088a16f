//! A node and the [`Reference`] are told the same, and must keep, ask, give up and offer to miners the same.

use std::sync::Arc;
use std::time::Duration;

use chain::{Amount, Block, Coin, Height, OutPoint, Params, Transaction, TxOutput, Txid};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::check_links;
use super::reference::{History, Offered, Reference};
use crate::limits::OPEN_COINBASE_BYTES;
use crate::testing::{Ledgers, World, forge, key, params, solve};
use crate::{Command, Event};

/// Room for a dozen payments in a block beside its coinbase.
const ROOM: u32 = 2_400;
const MIN_RELAY_FEE: u64 = 1_000;
const MATURITY: u32 = 3;
/// Blocks at the start.
const BLOCKS: u32 = 14;

/// What happens next. Numbers pick among what there is.
#[derive(Clone, Debug)]
enum Op {
    /// A payment that spends these coins, whoever has spent them before.
    Pay {
        coins: Vec<u16>,
        outputs: u64,
        fee: u64,
        flaw: Flaw,
    },
    /// Payments each of which spends the one before.
    Chain { coin: u16, length: u8, fee: u64 },
    /// One that was made before.
    Again { made: u16 },
    /// A block of what the miner's template holds.
    Mine,
    /// A block of some that were made before.
    MineThese { made: Vec<u16> },
    /// A branch from so many blocks below the tip, one block longer; its first block has some that were made before.
    Reorg { depth: usize, made: Vec<u16> },
    /// Hours.
    Wait { hours: u64 },
}

#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    /// Another key signs.
    Signature,
    /// It pays more than it has.
    Overspend,
}

fn op() -> impl Strategy<Value = Op> {
    let fee = prop_oneof![4 => 150..1_200_u64, 3 => 1_000..20_000_u64, 1 => 0..150_u64];
    let flaw = prop_oneof![30 => Just(Flaw::None), 1 => Just(Flaw::Signature), 1 => Just(Flaw::Overspend)];
    let coins = prop::collection::vec(any::<u16>(), 1..4);
    let made = || prop::collection::vec(any::<u16>(), 0..8);
    prop_oneof![
        12 => (coins, 1..5_u64, fee.clone(), flaw)
            .prop_map(|(coins, outputs, fee, flaw)| Op::Pay { coins, outputs, fee, flaw }),
        1 => (any::<u16>(), 2..30_u8, fee).prop_map(|(coin, length, fee)| Op::Chain { coin, length, fee }),
        2 => any::<u16>().prop_map(|made| Op::Again { made }),
        1 => Just(Op::Mine),
        1 => made().prop_map(|made| Op::MineThese { made }),
        1 => (1..4_usize, made()).prop_map(|(depth, made)| Op::Reorg { depth, made }),
        1 => prop_oneof![Just(1), Just(13), Just(170)].prop_map(|hours| Op::Wait { hours }),
    ]
}

/// The node, the reference, and what was made for them.
struct Pair {
    world: World,
    reference: Reference,
    /// Every output that ever was; all are key 0's.
    coins: Vec<(OutPoint, TxOutput)>,
    made: Vec<Offered>,
    blocks: u64,
}

impl Pair {
    fn new(limit_bytes: usize) -> Self {
        let room = u32::try_from(OPEN_COINBASE_BYTES).expect("few") + ROOM;
        let params = Params {
            coinbase_maturity: MATURITY,
            max_block_bytes: room,
            ..params()
        };
        let mut world = World::with(1, &params, Ledgers::Own);
        world.set_up(0, |config| {
            config.mempool_bytes = limit_bytes;
            config.min_relay_fee = MIN_RELAY_FEE;
        });
        world.mine(0, BLOCKS);
        let blocks: Vec<Arc<Block>> = (1..=BLOCKS).map(|height| world.block(0, height)).collect();
        let mut pair = Self {
            world,
            reference: Reference::new(
                History {
                    blocks: Vec::new(),
                    maturity: MATURITY,
                },
                limit_bytes,
                MIN_RELAY_FEE,
            ),
            coins: Vec::new(),
            made: Vec::new(),
            blocks: 0,
        };
        for block in blocks {
            pair.learn(&block.transactions[0]);
            pair.reference.extend(&block);
        }
        pair
    }

    fn learn(&mut self, transaction: &Transaction) {
        let outputs = (0..).zip(transaction.outputs());
        let coins = outputs.map(|(index, output)| (transaction.outpoint(index), *output));
        self.coins.extend(coins);
    }

    fn act(&mut self, op: Op) -> TestCaseResult {
        match op {
            Op::Pay {
                coins,
                outputs,
                fee,
                flaw,
            } => {
                let offered = self.payment(&coins, outputs, fee, flaw);
                self.submit(&offered)
            }
            Op::Chain { coin, length, fee } => {
                let mut coin = self.picked(coin);
                for _ in 0..length {
                    let offered = self.spend(vec![coin], 1, fee, Flaw::None);
                    self.submit(&offered)?;
                    if self.reference.find(&offered.transaction.txid()).is_none() {
                        break;
                    }
                    coin = (offered.transaction.outpoint(0), offered.transaction.outputs()[0]);
                }
                Ok(())
            }
            Op::Again { made } => match pick(&self.made, made).cloned() {
                Some(offered) => self.submit(&offered),
                None => Ok(()),
            },
            Op::Mine => {
                let template = self.world.nodes[0]
                    .view()
                    .template(self.world.ledger(0), self.world.now);
                self.extend(template.draft.transactions)
            }
            Op::MineThese { made } => {
                let transactions = self.fitting(&self.reference.history, &made);
                self.extend(transactions)
            }
            Op::Reorg { depth, made } => self.reorg(depth, &made),
            Op::Wait { hours } => {
                self.world.run(Duration::from_secs(hours * 3_600));
                self.reference.expire(self.world.now);
                Ok(())
            }
        }
    }

    /// One of the coins: most often one that can be spent, then one that a waiting transaction spends already, seldom any at all.
    fn picked(&self, number: u16) -> (OutPoint, TxOutput) {
        let waiting = |outpoint: &OutPoint| self.reference.spender(outpoint).is_some();
        let there = self.coins.iter().filter(|(outpoint, _)| self.reference.has(outpoint));
        let (contested, free): (Vec<_>, Vec<_>) = there.partition(|(outpoint, _)| waiting(outpoint));
        let among = match number % 16 {
            0 => None,
            1..6 => pick(&contested, number / 16),
            _ => pick(&free, number / 16),
        };
        **among.unwrap_or(&pick(&self.coins, number / 16).expect("there are coins from the start"))
    }

    fn payment(&mut self, picks: &[u16], outputs: u64, fee: u64, flaw: Flaw) -> Offered {
        let mut coins: Vec<(OutPoint, TxOutput)> = picks.iter().map(|number| self.picked(*number)).collect();
        coins.sort_by_key(|(outpoint, _)| *outpoint);
        coins.dedup_by_key(|(outpoint, _)| *outpoint);
        self.spend(coins, outputs, fee, flaw)
    }

    fn spend(&mut self, coins: Vec<(OutPoint, TxOutput)>, outputs: u64, fee: u64, flaw: Flaw) -> Offered {
        let total: u64 = coins.iter().map(|(_, output)| output.value.units()).sum();
        let rest = match flaw {
            Flaw::Overspend => total + outputs,
            Flaw::None | Flaw::Signature => total.saturating_sub(fee).max(outputs),
        };
        let output = TxOutput {
            value: Amount::from_units(rest / outputs),
            owner: key(0).owner(),
        };
        let (inputs, spent): (Vec<OutPoint>, Vec<TxOutput>) = coins.into_iter().unzip();
        let coin = |output| Coin {
            output,
            height: Height(0),
            coinbase: false,
        };
        let spent: Vec<Coin> = spent.into_iter().map(coin).collect();
        let is_signed = !matches!(flaw, Flaw::Signature);
        let ledger = self.world.ledger(0);
        let genesis = ledger.id(ledger.genesis());
        let outputs = vec![output; usize::try_from(outputs).expect("few")];
        let unsigned = Transaction::payment(inputs, outputs, b"");
        let signed = unsigned.sign(&key(usize::from(!is_signed)), genesis, &spent);
        let offered = Offered {
            transaction: Arc::new(signed),
            is_signed,
        };
        self.learn(&offered.transaction);
        self.made.push(offered.clone());
        offered
    }

    fn submit(&mut self, offered: &Offered) -> TestCaseResult {
        let expected = self.reference.submit(offered, self.world.now);
        self.world.clear_log();
        self.world.submit(0, &offered.transaction);
        let mut verdicts = self.world.events(0).filter_map(|event| {
            if let Event::TxRejected { reason, .. } = event {
                Some(Err(*reason))
            } else {
                matches!(event, Event::TxAccepted { .. }).then_some(Ok(()))
            }
        });
        prop_assert_eq!(verdicts.next(), Some(expected));
        Ok(())
    }

    fn fitting(&self, history: &History, made: &[u16]) -> Vec<Arc<Transaction>> {
        let mut places: Vec<usize> = made
            .iter()
            .filter(|_| !self.made.is_empty())
            .map(|number| usize::from(*number) % self.made.len())
            .collect();
        places.sort_unstable();
        let offered: Vec<&Offered> = places.iter().map(|place| &self.made[*place]).collect();
        history.fitting(&offered, u64::from(ROOM))
    }

    /// A block on the chain's block at a height, handed to the node.
    fn mine(&mut self, parent: &Block, transactions: Vec<Arc<Transaction>>) -> Arc<Block> {
        self.blocks += 1;
        let number = self.blocks;
        let ledger = self.world.ledger(0);
        let at = ledger.find(&parent.id()).expect("the node has it");
        let block = forge(ledger, at, |draft| {
            draft.extra_nonce = number;
            draft.coinbase_outputs[0].owner = key(0).owner();
            draft.transactions = transactions;
        });
        self.learn(&block.transactions[0]);
        self.world.command(0, Command::SubmitBlock(Arc::clone(&block)));
        block
    }

    fn extend(&mut self, transactions: Vec<Arc<Transaction>>) -> TestCaseResult {
        let tip = Arc::clone(self.reference.history.blocks.last().expect("some at the start"));
        let block = self.mine(&tip, transactions);
        prop_assert_eq!(self.world.tip(0), block.id());
        self.reference.extend(&block);
        Ok(())
    }

    fn reorg(&mut self, depth: usize, made: &[u16]) -> TestCaseResult {
        let height = self.reference.history.blocks.len() - depth;
        let below = History {
            blocks: self.reference.history.blocks[..height].to_vec(),
            maturity: MATURITY,
        };
        let mut transactions = self.fitting(&below, made);
        let mut branch = vec![Arc::clone(&below.blocks[height - 1])];
        for _ in 0..=depth {
            let block = self.mine(&branch[branch.len() - 1].clone(), std::mem::take(&mut transactions));
            branch.push(block);
        }
        prop_assert_eq!(self.world.tip(0), branch[depth + 1].id());
        self.reference.reorg(height, &branch[1..], self.world.now);
        Ok(())
    }

    /// Everything that can be seen of both mempools is the same.
    fn compare(&self) -> TestCaseResult {
        let (view, reference) = (self.world.nodes[0].view(), &self.reference);
        let pool = &self.world.nodes[0].pool;
        check_links(pool);
        let order: Vec<Txid> = reference.pool.iter().map(|one| one.transaction.txid()).collect();
        let named = |wtxid| pool.get_by_wtxid(&wtxid).expect("it waits").txid();
        let found: Vec<Txid> = pool.by_arrival().into_iter().map(named).collect();
        prop_assert_eq!(&found, &order);
        prop_assert_eq!(view.mempool_bytes(), reference.bytes());
        prop_assert!(view.mempool_bytes() <= reference.limit_bytes);
        prop_assert_eq!(view.mempool_min_fee(self.world.now), reference.min_fee(self.world.now));
        prop_assert_eq!(view.mempool_fees().units(), reference.fees(&order));
        for txid in &order {
            let one = reference.find(txid).expect("it waits");
            let pooled = view.pooled(txid).expect("it waits");
            prop_assert_eq!((pooled.fee.units(), pooled.added), (one.fee, one.added));
            for (package, mut txids) in [
                (pooled.ancestors, reference.ancestors(txid)),
                (pooled.descendants, reference.descendants(txid)),
            ] {
                prop_assert_eq!(package.bytes, reference.size(&txids));
                prop_assert_eq!(package.fees.units(), reference.fees(&txids));
                txids.sort_unstable();
                prop_assert_eq!(package.txids.into_iter().collect::<Vec<Txid>>(), txids);
            }
        }
        Ok(())
    }

    /// THREATS C14: the template holds what the reference would take, and its block passes the full validation.
    fn check_template(&mut self) -> TestCaseResult {
        let block = self.template()?;
        let (now, ledger) = (self.world.now, &mut self.world.ledgers[0]);
        prop_assert_eq!(self.world.nodes[0].propose(ledger, now, &block), Ok(()));
        Ok(())
    }

    fn template(&self) -> Result<Block, TestCaseError> {
        let open = self.world.nodes[0]
            .view()
            .template(self.world.ledger(0), self.world.now);
        let taken: Vec<Txid> = open.draft.transactions.iter().map(|one| one.txid()).collect();
        prop_assert_eq!(&taken, &self.reference.select(u64::from(ROOM)));
        let subsidy = self.world.ledger(0).subsidy(open.draft.height);
        let reward = subsidy.units() + self.reference.fees(&taken);
        prop_assert_eq!(open.reward.units(), reward);
        let mut draft = open.draft;
        draft.coinbase_outputs = vec![TxOutput {
            value: open.reward,
            owner: key(0).owner(),
        }];
        Ok(draft.assemble())
    }
}

fn pick<T>(among: &[T], number: u16) -> Option<&T> {
    among.get(usize::from(number).checked_rem(among.len())?)
}

/// A quarter of the usual number, as each case looks at some twenty mempools; `PROPTEST_CASES` sets it.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases / 4,
        ..usual
    }
}

proptest! {
    #![proptest_config(cases())]

    /// `PROPTEST_CASES=4000 cargo test --release -p node --lib -- mempool::tests::differential` looks at ten thousand mempools and more.
    #[test]
    fn threat_c14_the_mempool_is_that_of_the_reference_and_every_template_is_valid(
        // Room for about a dozen transactions, or for more than there are.
        limit_bytes in prop_oneof![Just(18_000), Just(1_000_000)],
        ops in prop::collection::vec(op(), 1..48),
    ) {
        let mut pair = Pair::new(limit_bytes);
        for op in ops {
            pair.act(op)?;
            pair.compare()?;
            pair.check_template()?;
        }
        let block = solve(pair.template()?);
        pair.world.command(0, Command::SubmitBlock(Arc::clone(&block)));
        prop_assert_eq!(pair.world.tip(0), block.id());
    }
}
