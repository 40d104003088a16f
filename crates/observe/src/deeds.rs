//! What steps do to the network, and what blocks spend, as the log tells it.

use std::time::Duration;

use base::NodeId;
use chain::{Block, BlockId};
use scenario::plan::LinkChange;
use scenario::{Deed, Plan};

use crate::record::Derived;
use crate::told::{BlockTransactions, HashRateChanged, Heal, LinkChanged, Partition, Spend, TransactionInBlock};

/// What is told of a deed beside its step.
pub(crate) fn told(deed: &Deed, plan: &Plan) -> Option<Derived> {
    let name = |node: NodeId| plan.name_of(node).to_owned();
    let link = |a: NodeId, b: NodeId| LinkChanged {
        a: name(a),
        b: name(b),
        ..LinkChanged::default()
    };
    Some(match deed {
        Deed::Cut {
            name, groups, silent, ..
        } => Derived::Partition(Partition {
            id: name.clone(),
            groups: groups.iter().map(|group| plan.ranges(group.iter().copied())).collect(),
            silent: *silent,
            confirmed: true,
        }),
        Deed::Healed { name } => Derived::Heal(Heal {
            id: name.clone(),
            confirmed: true,
        }),
        Deed::LinkChanged { a, b, change, one_way } => Derived::LinkChanged(changed(link(*a, *b), *change, *one_way)),
        Deed::LinkWanted { a, b, wanted } => Derived::LinkChanged(LinkChanged {
            wanted: Some(*wanted),
            ..link(*a, *b)
        }),
        Deed::HashRates(rates) => Derived::HashRateChanged(HashRateChanged {
            rates: rates
                .iter()
                .map(|(node, rate)| (name(*node), rate.0.to_string()))
                .collect(),
        }),
        // Their names stand beside the step, and nodes tell the rest.
        Deed::Paid(_) => return None,
    })
}

fn changed(link: LinkChanged, change: LinkChange, one_way: bool) -> LinkChanged {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let rate = |rate: Option<u64>| rate.map_or("unlimited".to_owned(), |rate| rate.to_string());
    LinkChanged {
        one_way,
        latency_us: change.latency.map(micros),
        jitter_us: change.jitter.map(micros),
        bandwidth: change.bandwidth.map(rate),
        cut: change.cut,
        ..link
    }
}

/// What a block spends; none when it has only a coinbase.
pub(crate) fn transactions(block: BlockId, body: &Block) -> Option<BlockTransactions> {
    let paying = body
        .transactions
        .iter()
        .filter(|transaction| !transaction.is_coinbase());
    let listed: Vec<TransactionInBlock> = paying
        .map(|transaction| TransactionInBlock {
            txid: transaction.txid(),
            inputs: transaction
                .inputs()
                .iter()
                .map(|coin| Spend {
                    txid: coin.txid,
                    index: coin.index,
                })
                .collect(),
        })
        .collect();
    (!listed.is_empty()).then_some(BlockTransactions {
        block,
        transactions: listed,
    })
}
