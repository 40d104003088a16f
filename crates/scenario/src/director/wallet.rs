//! Wallets: which coins a wallet can spend at a node, and the transactions that spend them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::NodeId;
use chain::limits::MAX_TRANSACTION_SLOTS;
use chain::{Amount, Coin, OutPoint, Owner, Transaction, TxOutput, Txid};

use crate::plan::{PaymentId, Plan, WalletId};
use crate::world::World;

/// A payment that has been made: one transaction, or the two sides of a double spend.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    /// Each side's transaction and whom it pays.
    pub(super) sides: Vec<(Txid, WalletId)>,
}

/// What the wallets have done so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Wallets {
    payments: BTreeMap<PaymentId, Payment>,
    /// Coins that a payment spends; not offered again, so that two payments never conflict unless they are meant to.
    spent: BTreeSet<OutPoint>,
}

/// A coin and where it is.
type Spendable = (OutPoint, Coin);

impl Wallets {
    /// A signed transaction that pays `amount` to a wallet, with change; or why there is none.
    pub(super) fn pay(
        &mut self,
        book: &Book<'_>,
        (from, to): (WalletId, WalletId),
        (amount, fee): (Amount, Amount),
    ) -> Result<Arc<Transaction>, String> {
        let needed = amount
            .checked_add(fee)
            .ok_or("amount and fee are above the money limit")?;
        let mut chosen: Vec<Spendable> = Vec::new();
        let mut total = Amount::ZERO;
        for spendable in self.spendable(book, from)? {
            total = total
                .checked_add(spendable.1.output.value)
                .ok_or("coins add up to more than 64 bits")?;
            chosen.push(spendable);
            if total >= needed {
                break;
            }
        }
        let Some(change) = total.checked_sub(needed) else {
            return Err(format!(
                "{} can spend {total} coins at {}, {needed} are needed",
                book.plan.wallets[from.0],
                book.plan.name_of(book.via)
            ));
        };
        let mut outputs = vec![TxOutput {
            value: amount,
            owner: book.plan.wallet_key(to).owner(),
        }];
        if change > Amount::ZERO {
            outputs.push(TxOutput {
                value: change,
                owner: book.plan.wallet_key(from).owner(),
            });
        }
        Ok(self.signed(book, from, &chosen, outputs))
    }

    /// A signed transaction that divides all that the wallet can spend evenly among owners; or why there is none.
    pub(super) fn split(
        &mut self,
        book: &Book<'_>,
        from: WalletId,
        (owners, fee): (&[Owner], Amount),
    ) -> Result<Arc<Transaction>, String> {
        let mut chosen = self.spendable(book, from)?;
        chosen.truncate(MAX_TRANSACTION_SLOTS - owners.len());
        let total =
            Amount::total(chosen.iter().map(|(_, coin)| coin.output.value)).ok_or("coins above the money limit")?;
        // A large transaction pays as much by the byte as a small one.
        let outputs = owners.len() as u64;
        let shares = total.units().saturating_sub(fee.units().saturating_mul(outputs));
        let share = Amount::from_units(shares / outputs);
        if share <= fee {
            return Err(format!(
                "{} can spend {total} coins at {}, too little for {outputs} wallets that pay {fee} a payment",
                book.plan.wallets[from.0],
                book.plan.name_of(book.via)
            ));
        }
        let output = |owner: &Owner| TxOutput {
            value: share,
            owner: *owner,
        };
        Ok(self.signed(book, from, &chosen, owners.iter().map(output).collect()))
    }

    /// Two signed transactions that pay one coin to two wallets; or why there are none.
    pub(super) fn pay_twice(
        &mut self,
        book: &Book<'_>,
        from: WalletId,
        to: [WalletId; 2],
        fee: Amount,
    ) -> Result<[Arc<Transaction>; 2], String> {
        let largest = self
            .spendable(book, from)?
            .into_iter()
            .max_by_key(|(_, coin)| coin.output.value);
        let coin = largest.expect("spendable coins are never an empty list");
        let value = coin
            .1
            .output
            .value
            .checked_sub(fee)
            .ok_or("the fee is more than the coin")?;
        let pays = |to: WalletId| {
            vec![TxOutput {
                value,
                owner: book.plan.wallet_key(to).owner(),
            }]
        };
        Ok(to.map(|to| self.signed(book, from, &[coin], pays(to))))
    }

    /// The wallet's mature coins at the node, not spent by an earlier payment, the smallest first; or why there are none.
    pub(super) fn spendable(&self, book: &Book<'_>, wallet: WalletId) -> Result<Vec<Spendable>, String> {
        let owner = book.plan.wallet_key(wallet).owner();
        let tip = book.world.node(book.via).tip;
        let mut owned: Vec<Spendable> = book.world.coins(&tip.block).into_iter().collect();
        owned.retain(|(outpoint, coin)| coin.output.owner == owner && !self.spent.contains(outpoint));
        let matures = |coin: &Coin| {
            coin.height.0
                + if coin.coinbase {
                    book.plan.params.coinbase_maturity
                } else {
                    0
                }
        };
        let mut mature = owned.clone();
        mature.retain(|(_, coin)| matures(coin) <= tip.height.next().0);
        mature.sort_by_key(|(outpoint, coin)| (coin.output.value, *outpoint));
        if !mature.is_empty() {
            return Ok(mature);
        }
        let (name, node) = (&book.plan.wallets[wallet.0], book.plan.name_of(book.via));
        Err(match owned.iter().map(|(_, coin)| matures(coin)).min() {
            None => format!("{name} owns nothing in {node}'s chain"),
            Some(height) => format!(
                "the first coin of {name} can be spent at height {height}, {node} would mine height {}",
                tip.height.next()
            ),
        })
    }

    fn signed(
        &mut self,
        book: &Book<'_>,
        from: WalletId,
        chosen: &[Spendable],
        outputs: Vec<TxOutput>,
    ) -> Arc<Transaction> {
        let (inputs, coins): (Vec<OutPoint>, Vec<Coin>) = chosen.iter().copied().unzip();
        self.spent.extend(&inputs);
        let payment = Transaction::payment(inputs, outputs, b"");
        Arc::new(payment.sign(&book.plan.wallet_key(from), book.world.genesis(), &coins))
    }

    /// Remembers what a payment's name stands for.
    pub(super) fn record(&mut self, payment: PaymentId, sides: Vec<(Txid, WalletId)>) {
        self.payments.insert(payment, Payment { sides });
    }

    /// A payment that has been made.
    pub(super) fn payment(&self, payment: PaymentId) -> Option<&Payment> {
        self.payments.get(&payment)
    }

    /// What each transaction of a payment is called.
    pub(super) fn labels(&self, plan: &Plan) -> BTreeMap<Txid, String> {
        let payments = self.payments.iter();
        payments.flat_map(|(id, payment)| payment.labels(*id, plan)).collect()
    }
}

impl Payment {
    /// Its transactions, and what they are called.
    pub(super) fn labels<'a>(&'a self, id: PaymentId, plan: &'a Plan) -> impl Iterator<Item = (Txid, String)> + 'a {
        let label = move |to: &WalletId| format!("{} to {}", plan.payments[id.0], plan.wallets[to.0]);
        self.sides.iter().map(move |(txid, to)| (*txid, label(to)))
    }
}

/// Where a wallet looks its coins up: the chain of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Book<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
    pub(super) via: NodeId,
}

/// What a wallet owns at the end of a chain, mature or not.
pub(super) fn balance(plan: &Plan, world: &World, wallet: WalletId, node: NodeId) -> Amount {
    let owner = plan.wallet_key(wallet).owner();
    let coins = world.coins(&world.node(node).tip.block);
    let owned = coins
        .values()
        .filter(|coin| coin.output.owner == owner)
        .map(|coin| coin.output.value);
    Amount::total(owned).expect("a valid chain holds no more than the money limit")
}
