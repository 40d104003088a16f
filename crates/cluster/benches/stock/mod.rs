//! Chains for benches, and nodes' folders that hold them.

use std::path::Path;
use std::sync::Arc;

use base::Seed;
use chain::{Amount, Block, Coin, Draft, Height, Ledger, Params, SigningKey, Transaction, TxOutput, mining};
use cluster::Store;

/// Who is paid, and pays.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&Seed::from_number(1).child("payer", 0))
}

/// The rules.
pub(crate) fn params() -> Params {
    Params {
        coinbase_maturity: 1,
        ..Params::instant()
    }
}

/// So many blocks, the first two aside with so many payments each, every one of which spends a payment of the block before.
pub(crate) fn chain(blocks: usize, transactions: usize) -> Vec<Arc<Block>> {
    let params = params();
    let genesis = params.genesis_block();
    let (id, owner) = (genesis.id(), key().owner());
    let mut ledger = Ledger::new(params);
    let mut tip = ledger.genesis();
    let mut coins: Vec<(chain::OutPoint, Coin)> = Vec::new();
    let mut chain = Vec::new();
    for height in 1..=u32::try_from(blocks).expect("few") {
        let spent = std::mem::take(&mut coins);
        let payments: Vec<Arc<Transaction>> = match height {
            1 => Vec::new(),
            // Everything that block 1 created, in as many parts as there are to be payments.
            2 if transactions > 0 => vec![pay(id, &spent, transactions)],
            _ => spent
                .iter()
                .map(|coin| pay(id, std::slice::from_ref(coin), 1))
                .collect(),
        };
        let draft = ledger.draft(tip, ledger.header(tip).time + 1);
        let subsidy = ledger.subsidy(draft.height);
        let block = Draft {
            coinbase_outputs: vec![TxOutput { value: subsidy, owner }],
            transactions: payments,
            ..draft
        };
        let mut block = block.assemble();
        block.header = mining::solve(&block.header, u32::MAX)
            .expect("one hash in two will do")
            .into();
        let from = match height {
            1 if transactions > 0 => 0..1,
            _ => 1..block.transactions.len(),
        };
        for transaction in &block.transactions[from] {
            for (index, output) in (0..).zip(transaction.outputs()) {
                let coin = Coin {
                    output: *output,
                    height: Height(height),
                    coinbase: transaction.is_coinbase(),
                };
                coins.push((transaction.outpoint(index), coin));
            }
        }
        let block = Arc::new(block);
        ledger.add_header(&block.header).expect("a valid header");
        tip = ledger.add_body(&block).expect("a valid block");
        chain.push(block);
    }
    chain
}

/// Pays everything to the payer again, in so many equal parts; what does not divide is a fee.
fn pay(genesis: chain::BlockId, coins: &[(chain::OutPoint, Coin)], parts: usize) -> Arc<Transaction> {
    let (inputs, coins): (Vec<_>, Vec<_>) = coins.iter().copied().unzip();
    let total: u64 = coins.iter().map(|coin| coin.output.value.units()).sum();
    let output = TxOutput {
        value: Amount::from_units(total / parts as u64),
        owner: key().owner(),
    };
    let payment = Transaction::payment(inputs, vec![output; parts], b"");
    Arc::new(payment.sign(&key(), genesis, &coins))
}

/// Gives a node a chain.
pub(crate) fn fill(folder: &Path, chain: &[Arc<Block>]) {
    let mut store = Store::open(folder, params().genesis_block().id()).expect("a new folder");
    for blocks in chain.chunks(1_000) {
        store.append(blocks).expect("the disk works");
    }
    store.close().expect("the disk works");
}
