//! Golden vectors: computed once by an independent program from the layout alone. A change here changes every name of every network.

use super::*;
use crate::{Amount, Coinbase, Height, Owner, ProofOfWork, Transaction};

fn parts() -> TransactionParts {
    let txid = Txid(Hash(std::array::from_fn(|i| u8::try_from(i).expect("below 32"))));
    TransactionParts {
        version: 1,
        coinbase: None,
        inputs: vec![OutPoint { txid, index: 2 }, OutPoint { txid, index: 3 }],
        outputs: vec![TxOutput {
            value: Amount::from_units(0x0102_0304_0506_0708),
            owner: Owner([0xaa; 32]),
        }],
        memo: b"memo".to_vec(),
        signatures: vec![Signature([0xbb; 64]), Signature([0xcc; 64])],
    }
}

fn coinbase() -> TransactionParts {
    TransactionParts {
        coinbase: Some(Coinbase {
            height: Height(7),
            extra_nonce: 9,
            tag: b"tag".to_vec(),
        }),
        inputs: Vec::new(),
        signatures: Vec::new(),
        ..parts()
    }
}

fn coins() -> [Coin; 2] {
    [1, 2].map(|units| Coin {
        output: TxOutput {
            value: Amount::from_units(units),
            owner: Owner([0xdd; 32]),
        },
        height: Height(5),
        coinbase: units == 2,
    })
}

#[test]
fn transactions_have_their_golden_names() {
    let (txid, wtxid, bytes) = names(&parts());
    assert_eq!(
        (txid.to_string(), wtxid.to_string(), bytes),
        (
            "62778c7990ba1d6283c611d9fb1cfeb319fb896764eeb022380145e36180b42f".to_owned(),
            "7a58f3734d209018c1995d52d721a5248cdc42a3db3cf9b768032123de6fc614".to_owned(),
            265
        )
    );
    let (txid, wtxid, bytes) = names(&coinbase());
    assert_eq!(
        (txid.to_string(), wtxid.to_string(), bytes),
        (
            "6aa2588a3baa3ae3027f794f90a26ec539da4bb6c3a9a375af500bd9765b3e8f".to_owned(),
            "16d5414189fed714995448741130dc102a7e02899fd1b31a452e5e8658dc253c".to_owned(),
            84
        )
    );
}

#[test]
fn messages_to_sign_have_their_golden_values() {
    let genesis = BlockId(Hash([0xee; 32]));
    let (txid, ..) = names(&parts());
    let messages = sighashes(&genesis, &txid, &coins())
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert_eq!(
        messages,
        [
            "2d4ca7a75ee1f4636819d9ed26f66a7d911cb4837f3c8a04065ee788133abaed",
            "82616d85441d0fcb533b0a77af83d8d47e3d972d5108e2ad020a8d877c88bbd6"
        ]
    );
}

#[test]
fn coins_have_their_golden_digest() {
    let [first, second] = coins();
    let entries = [(&parts().inputs[0], &first), (&parts().inputs[1], &second)];
    assert_eq!(
        super::coins(entries).to_string(),
        "fd6b173cce050f78abf54c4da699dabd793ceffbf41f0fca78b8a3cef0723425"
    );
}

#[test]
fn networks_have_their_golden_genesis_ids() {
    let id = |params: Params| params.genesis_block().id().to_string();
    assert_eq!(
        id(Params::mainnet_like()),
        "f07aacc8e7d01579b8e002b487cea66f5139a02f97a9ed8e84b59c161a55933c"
    );
    assert_eq!(
        id(Params::cluster()),
        "553b5d73bae458c35eb17febae40345bf0c36e7ea8e859f3647d6e8778f92dda"
    );
    assert_eq!(
        id(Params::instant()),
        "bf36dd74384208c9ee89902014905a02d654b50e9adad05cdf7ed5a368ff141e"
    );
    let by_oracle = Params {
        proof_of_work: ProofOfWork::Oracle,
        ..Params::mainnet_like()
    };
    assert_eq!(
        id(by_oracle),
        "0098dd7fe8f9d24bc7b6c4228a5865615f29f24c6ba10203e983a7f7a23ef1a9"
    );
}

/// The shortest thing that can be hashed as a transaction is longer than an inner node of a merkle tree and than a header, so none is
/// ever mistaken for the other, valid or not (CVE-2017-12842).
#[test]
fn no_transaction_is_as_short_as_an_inner_node_or_a_header() {
    let tag = Hash::tagged("nakanet/wtxid", &[]);
    let twice = [Sha256::digest(b"nakanet/wtxid"), Sha256::digest(b"nakanet/wtxid")].concat();
    assert_eq!(tag, Hash::sha256(&[&twice]), "64 bytes of tag stand before the content");
    let empty = TransactionParts {
        inputs: Vec::new(),
        outputs: Vec::new(),
        memo: Vec::new(),
        signatures: Vec::new(),
        ..parts()
    };
    let (.., bytes) = names(&empty);
    assert!(twice.len() + bytes as usize > crate::Header::BYTES);
}

#[test]
fn a_txid_commits_to_all_but_signatures_and_a_wtxid_to_those_too() {
    let changes: [fn(&mut TransactionParts); 10] = [
        |parts| parts.version = 2,
        |parts| parts.inputs[0].index = 4,
        |parts| parts.inputs[0].txid.0.0[0] ^= 1,
        |parts| parts.inputs.swap(0, 1),
        |parts| parts.outputs[0].value = Amount::ZERO,
        |parts| parts.outputs[0].owner.0[31] ^= 1,
        |parts| parts.memo.push(0),
        |parts| parts.coinbase = coinbase().coinbase,
        |parts| parts.inputs.truncate(1),
        |parts| parts.outputs.clear(),
    ];
    let original = Transaction::new(parts());
    for change in changes {
        let mut parts = parts();
        change(&mut parts);
        let changed = Transaction::new(parts);
        assert_ne!(changed.txid(), original.txid(), "{changed:?}");
        assert_ne!(changed.wtxid(), original.wtxid(), "{changed:?}");
    }
    let mut resigned = parts();
    resigned.signatures[1].0[63] ^= 1;
    let resigned = Transaction::new(resigned);
    assert_eq!(resigned.txid(), original.txid());
    assert_ne!(resigned.wtxid(), original.wtxid());
    let unsigned = Transaction::payment(parts().inputs, parts().outputs, b"memo");
    assert_ne!(unsigned.txid().0, unsigned.wtxid().0);
}

#[test]
fn a_message_commits_to_network_transaction_coins_and_place() {
    let (genesis, (txid, ..)) = (BlockId(Hash([0xee; 32])), names(&parts()));
    let original = sighashes(&genesis, &txid, &coins());
    assert_ne!(original[0], original[1]);
    let other_network = sighashes(&BlockId::ZERO, &txid, &coins());
    let other_transaction = sighashes(&genesis, &Txid(Hash::ZERO), &coins());
    let mut richer = coins();
    richer[1].output.value = Amount::from_units(3);
    let mut foreign = coins();
    foreign[1].output.owner.0[0] ^= 1;
    for other in [
        other_network,
        other_transaction,
        sighashes(&genesis, &txid, &richer),
        sighashes(&genesis, &txid, &foreign),
    ] {
        // A change of the second coin changes the first message too.
        assert_ne!(other[0], original[0]);
        assert_ne!(other[1], original[1]);
    }
}
