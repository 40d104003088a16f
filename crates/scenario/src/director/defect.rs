//! Blocks that are broken on purpose, for hostile nodes to offer.

use std::sync::Arc;

use base::{Hash, NodeId};
use chain::block::Draft;
use chain::{Amount, Block, Header, Ledger, SigningKey, Transaction, TxOutput, mining};

use super::wallet::{Book, Wallets};
use crate::limits::MAX_DEFECT_HASHES;
use crate::plan::{BlockDefect, Plan, WalletId};
use crate::world::World;

/// A block on top of `victim`'s tip that is right in everything but its defect; or why it cannot be made.
pub(super) fn block(
    plan: &Plan,
    world: &World,
    wallets: &Wallets,
    (defect, victim): (BlockDefect, NodeId),
) -> Result<Block, String> {
    let mut ledger = Ledger::new(plan.params.clone());
    let mut tip = ledger.genesis();
    for facts in &world.chain(&world.node(victim).tip.block)[1..] {
        let body = facts.body.as_ref().ok_or("blocks of the chain were let go")?;
        ledger
            .add_header(&body.header)
            .map_err(|reject| format!("{victim}'s chain: {reject}"))?;
        tip = ledger
            .add_body(body)
            .map_err(|reject| format!("{victim}'s chain: {reject}"))?;
    }
    let height = ledger.height(tip).next();
    let reward = ledger.subsidy(height);
    let draft = |reward: Amount, transactions: Vec<Arc<Transaction>>| Draft {
        parent: ledger.id(tip),
        height,
        time: ledger.median_time_past(tip) + 1,
        bits: ledger.next_bits(tip),
        coinbase_outputs: vec![TxOutput {
            value: reward,
            owner: SigningKey::from_seed(&plan.root_seed().child("defects", 0)).owner(),
        }],
        tag: Vec::new(),
        extra_nonce: 0,
        transactions,
    };
    match defect {
        BlockDefect::BadPow => {
            let mut block = draft(reward, Vec::new()).assemble();
            block.header = unsolved(*block.header)?.into();
            Ok(block)
        }
        BlockDefect::BadMerkleRoot => {
            let mut block = draft(reward, Vec::new()).assemble();
            let merkle_root = Hash::sha256(&[b"not the root", &block.header.merkle_root.0]);
            let header = Header {
                merkle_root,
                ..*block.header
            };
            block.header = header.into();
            solved(block)
        }
        BlockDefect::InflatedCoinbase => {
            let inflated = reward
                .checked_add(Amount::from_units(1))
                .expect("a subsidy is far below 64 bits");
            solved(draft(inflated, Vec::new()).assemble())
        }
        BlockDefect::DoubleSpend => {
            let sides = double_spend(plan, world, wallets, victim)?;
            solved(draft(reward, sides.to_vec()).assemble())
        }
    }
}

/// Two signed transactions that spend one mature coin of whichever wallet has one.
fn double_spend(
    plan: &Plan,
    world: &World,
    wallets: &Wallets,
    victim: NodeId,
) -> Result<[Arc<Transaction>; 2], String> {
    let book = Book {
        plan,
        world,
        via: victim,
    };
    let rich = (0..plan.wallets.len())
        .map(WalletId)
        .find(|&wallet| wallets.spendable(&book, wallet).is_ok());
    let wallet = rich.ok_or("no wallet has a mature coin to spend twice; fund one and let it mature first")?;
    // Each side is made by a copy of the wallets, so both choose the same coin and the real wallets have not spent it.
    let side = |units| {
        wallets
            .clone()
            .pay(&book, (wallet, wallet), (Amount::from_units(units), Amount::ZERO))
    };
    Ok([side(1)?, side(2)?])
}

fn solved(block: Block) -> Result<Block, String> {
    solved_within(block, MAX_DEFECT_HASHES)
}

fn solved_within(mut block: Block, hashes: u32) -> Result<Block, String> {
    let header = mining::solve(&block.header, hashes)
        .ok_or_else(|| format!("no proof of work found in {hashes} hashes; use an easier chain"))?;
    block.header = header.into();
    Ok(block)
}

/// The header with a nonce whose hash is above the target.
fn unsolved(mut header: Header) -> Result<Header, String> {
    let target = header.bits.target().ok_or("the chain's bits are no target")?;
    for nonce in 0..MAX_DEFECT_HASHES {
        header.nonce = nonce;
        if !target.is_met_by(&header.id()) {
            return Ok(header);
        }
    }
    Err("every hash meets the target".to_owned())
}

#[cfg(test)]
mod tests {
    use chain::{CompactTarget, Params};

    use super::*;

    fn block(expected_hashes: u128) -> Block {
        let block = Params::instant().genesis_block();
        let header = Header {
            bits: CompactTarget::from_expected_hashes(expected_hashes),
            ..*block.header
        };
        Block {
            header: header.into(),
            ..block
        }
    }

    /// A step never searches for long, and long enough for chains that are mined on demand: in 2^24 hashes a block of 2^16 fails once in e^256 times.
    #[test]
    fn the_search_for_a_broken_blocks_nonce_ends() {
        let found = solved(block(1 << 8)).expect("2^24 hashes for 2^8");
        assert!(u64::from(found.header.nonce) < u64::from(MAX_DEFECT_HASHES));
        let refused = solved_within(block(1 << 60), 100).expect_err("a hundred hashes for 2^60");
        assert_eq!(refused, "no proof of work found in 100 hashes; use an easier chain");
    }
}
