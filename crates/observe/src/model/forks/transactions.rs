//! What two branches spend differently.

use std::collections::{BTreeMap, BTreeSet};

use base::Time;
use chain::{BlockId, Height, Txid};
use serde::Serialize;

use crate::arrivals::BlockNumber;
use crate::model::Model;
use crate::told::Spend;

/// The transactions of two branches that differ. Coinbases, which always do, are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TransactionDifference {
    /// The two branches.
    pub branches: [usize; 2],
    /// What only each of them confirms.
    pub only: [Vec<Unshared>; 2],
    /// How many both confirm.
    pub shared: usize,
    /// Pairs that spend the same coin: at most one of each can ever be confirmed.
    pub rivals: Vec<Rivals>,
}

/// A transaction that only one of two branches confirms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Unshared {
    /// The transaction.
    pub txid: Txid,
    /// What the scenario calls it.
    pub label: Option<String>,
    /// The block it is in.
    pub block: BlockId,
    /// That block's height.
    pub height: Height,
}

/// Two transactions that spend the same coin, one on each branch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rivals {
    /// The coin.
    pub coin: Spend,
    /// Its spender on either branch.
    pub spenders: [Unshared; 2],
}

impl Model {
    /// What two branches of a fork spend differently, as far as they had grown at a time; none when there are no such branches.
    #[must_use]
    pub fn transaction_difference(&self, fork: usize, branches: [usize; 2], at: Time) -> Option<TransactionDifference> {
        let fork = self.fork(fork)?;
        let members = self.members(fork, at);
        let tips = self.branch_tips(&members);
        let [one, other] = branches.map(|branch| tips.get(branch).map(|tip| self.spent_on(fork.point, *tip)));
        let (one, other) = (one?, other?);
        let only = |mine: &Branch, theirs: &Branch| {
            let unshared = mine
                .transactions
                .iter()
                .filter(|(txid, _)| !theirs.transactions.contains_key(*txid));
            unshared.map(|(_, unshared)| unshared.clone()).collect()
        };
        let coins: BTreeSet<&Spend> = one
            .spenders
            .keys()
            .filter(|coin| other.spenders.contains_key(coin))
            .collect();
        let rivals = coins.into_iter().filter_map(|coin| {
            let spenders = [one.spenders[coin], other.spenders[coin]];
            (spenders[0] != spenders[1]).then(|| Rivals {
                coin: *coin,
                spenders: [
                    one.transactions[&spenders[0]].clone(),
                    other.transactions[&spenders[1]].clone(),
                ],
            })
        });
        Some(TransactionDifference {
            branches,
            only: [only(&one, &other), only(&other, &one)],
            shared: one
                .transactions
                .keys()
                .filter(|txid| other.transactions.contains_key(txid))
                .count(),
            rivals: rivals.collect(),
        })
    }

    fn spent_on(&self, below: BlockNumber, tip: BlockNumber) -> Branch {
        let mut branch = Branch::default();
        for number in self.chain.path(below, tip) {
            let block = self.chain.block(number);
            for transaction in self.chain.transactions(number) {
                let unshared = Unshared {
                    txid: transaction.txid,
                    label: self.transactions.label_of(&transaction.txid).map(str::to_owned),
                    block: block.id,
                    height: block.height,
                };
                branch.transactions.insert(transaction.txid, unshared);
                branch
                    .spenders
                    .extend(transaction.inputs.iter().map(|coin| (*coin, transaction.txid)));
            }
        }
        branch
    }
}

/// What a branch confirms and spends.
#[derive(Default)]
struct Branch {
    transactions: BTreeMap<Txid, Unshared>,
    spenders: BTreeMap<Spend, Txid>,
}
