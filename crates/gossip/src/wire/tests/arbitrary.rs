//! Arbitrary messages, small enough to shrink well.

use std::sync::Arc;

use base::Hash;
use chain::transaction::TransactionParts;
use chain::{
    Amount, Block, BlockId, Coinbase, CompactTarget, Header, Height, OutPoint, Owner, Signature, Transaction, TxOutput,
    Txid, Wtxid,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::compact::{CompactBlock, Prefilled, ShortId};
use crate::{Hello, Item, Message};

/// Any message that the wire lets through.
pub(in crate::wire) fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        hello().prop_map(|hello| Message::Hello(Box::new(hello))),
        vec(block_id(), 0..8).prop_map(|locator| Message::GetHeaders { locator }),
        vec(header(), 0..8).prop_map(Message::headers),
        vec(hash().prop_map(Wtxid), 0..8).prop_map(|wtxids| Message::Announce(wtxids.into())),
        vec(item(), 0..8).prop_map(Message::Get),
        (header(), vec(transaction().prop_map(Arc::new), 0..4)).prop_map(|(header, transactions)| {
            let header = header.into();
            Message::Block(Arc::new(Block { header, transactions }))
        }),
        transaction().prop_map(|transaction| Message::Transaction(Arc::new(transaction))),
        vec(item(), 0..8).prop_map(Message::NotFound),
        vec(block_id(), 0..8).prop_map(Message::AnnounceBlocks),
        Just(Message::Graft),
        any::<u32>().prop_map(|back_off_secs| Message::Prune { back_off_secs }),
        any::<bool>().prop_map(|high_bandwidth| Message::SendCompact { high_bandwidth }),
        compact_block().prop_map(|compact| Message::CompactBlock(Arc::new(compact))),
        (block_id(), vec(any::<u32>(), 0..8))
            .prop_map(|(block, indexes)| Message::GetBlockTransactions { block, indexes }),
        (block_id(), vec(transaction().prop_map(Arc::new), 0..4))
            .prop_map(|(block, transactions)| Message::BlockTransactions { block, transactions }),
    ]
}

fn hello() -> impl Strategy<Value = Hello> {
    (any::<u32>(), block_id(), "[ -~]{0,64}", block_id(), any::<u32>()).prop_map(
        |(version, genesis, agent, tip, height)| Hello {
            version,
            genesis,
            agent,
            tip,
            height: Height(height),
        },
    )
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn block_id() -> impl Strategy<Value = BlockId> {
    hash().prop_map(BlockId)
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        block_id().prop_map(Item::Block),
        hash().prop_map(|hash| Item::Transaction(Wtxid(hash))),
        hash().prop_map(|hash| Item::Parent(Txid(hash))),
        block_id().prop_map(Item::CompactBlock),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    (any::<i32>(), block_id(), hash(), any::<[u32; 3]>()).prop_map(
        |(version, parent, merkle_root, [time, bits, nonce])| Header {
            version,
            parent,
            merkle_root,
            time,
            bits: CompactTarget(bits),
            nonce,
        },
    )
}

fn compact_block() -> impl Strategy<Value = CompactBlock> {
    let prefilled = (any::<u32>(), transaction().prop_map(Arc::new))
        .prop_map(|(index, transaction)| Prefilled { index, transaction });
    let short_id = any::<[u8; 6]>().prop_map(ShortId);
    (header(), any::<u64>(), vec(short_id, 0..8), vec(prefilled, 0..3)).prop_map(
        |(header, nonce, short_ids, prefilled)| CompactBlock {
            header,
            nonce,
            short_ids,
            prefilled,
        },
    )
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let coinbase =
        (any::<u32>(), any::<u64>(), vec(any::<u8>(), 0..8)).prop_map(|(height, extra_nonce, tag)| Coinbase {
            height: Height(height),
            extra_nonce,
            tag,
        });
    let input = (hash(), any::<u32>()).prop_map(|(hash, index)| OutPoint {
        txid: Txid(hash),
        index,
    });
    let output = (any::<u64>(), any::<[u8; 32]>()).prop_map(|(units, owner)| TxOutput {
        value: Amount::from_units(units),
        owner: Owner(owner),
    });
    let signature = any::<[[u8; 32]; 2]>().prop_map(|halves| {
        let bytes = halves.concat().try_into().expect("two halves of 32 make 64");
        Signature(bytes)
    });
    (
        any::<u32>(),
        option::of(coinbase),
        vec(input, 0..3),
        vec(output, 0..3),
        vec(any::<u8>(), 0..8),
        vec(signature, 0..3),
    )
        .prop_map(|(version, coinbase, inputs, outputs, memo, signatures)| {
            Transaction::new(TransactionParts {
                version,
                coinbase,
                inputs,
                outputs,
                memo,
                signatures,
            })
        })
}
