//! Proof of work by the mining oracle's word.

use super::facts;
use crate::testing::Sandbox;
use crate::{BlockRef, CompactTarget, Header, Ledger, Params, ProofOfWork, Reject, Retarget, Status, Work};

/// Bitcoin's target of 2024: some 2^78 hashes a block.
const REAL_WORLD: CompactTarget = CompactTarget(0x1703_1abe);

fn params() -> Params {
    Params {
        initial_bits: REAL_WORLD,
        proof_of_work: ProofOfWork::Oracle,
        ..Params::mainnet_like()
    }
}

#[test]
fn a_chain_of_real_world_difficulty_grows_by_seals() {
    let mut sandbox = Sandbox::new(params());
    let tip = sandbox.grow(sandbox.ledger.genesis(), 200);
    assert_eq!(sandbox.ledger.status(tip), Status::Valid);
    assert_eq!(sandbox.ledger.header(tip).bits, REAL_WORLD);
    let two_to_85 = Work::from_be_hex(&format!("{:0>64}", format!("2{}", "0".repeat(21)))).expect("64 digits");
    assert!(sandbox.ledger.work(tip) > two_to_85, "200 blocks of 2^78 hashes");
}

#[test]
fn without_a_seal_there_is_no_proof_of_work() {
    let mut sandbox = Sandbox::new(params());
    let tip = sandbox.grow(sandbox.ledger.genesis(), 3);
    let before = facts(&sandbox, tip);
    let header = *sandbox.draft(tip).assemble().header;
    let refused = Err(Reject::HighHash { bits: REAL_WORLD });
    assert_eq!(sandbox.ledger.add_header(&header), refused);
    assert_eq!(sandbox.ledger.record_header(&header), refused);
    assert_eq!(facts(&sandbox, tip), before);

    sandbox.ledger.seal(header.id());
    assert_eq!(sandbox.ledger.find(&header.id()), None, "a seal alone makes no block");
    let forged = Header { nonce: 1, ..header };
    assert_eq!(sandbox.ledger.add_header(&forged), refused);
    assert!(sandbox.ledger.add_header(&header).is_ok());
}

/// A hash that meets the target is worth nothing: attackers hash no better than the oracle lets them.
#[test]
fn hashing_makes_no_proof_of_work_where_an_oracle_does() {
    let mut sandbox = Sandbox::new(Params {
        proof_of_work: ProofOfWork::Oracle,
        ..Params::instant()
    });
    let tip = sandbox.grow(sandbox.ledger.genesis(), 3);
    let solved = crate::testing::solve(sandbox.draft(tip).assemble());
    let bits = Params::EASIEST;
    assert_eq!(
        sandbox.ledger.add_header(&solved.header),
        Err(Reject::HighHash { bits })
    );
}

#[test]
fn a_seal_stands_for_proof_of_work_and_for_nothing_else() {
    let mut sandbox = Sandbox::new(params());
    let tip = sandbox.grow(sandbox.ledger.genesis(), 12);
    let good = *sandbox.draft(tip).assemble().header;
    let easier = CompactTarget(0x1703_1abf);
    for (header, word) in [
        (Header { bits: easier, ..good }, "bad-diffbits"),
        (
            Header {
                bits: Params::EASIEST,
                ..good
            },
            "bad-target",
        ),
        (Header { time: 0, ..good }, "time-too-old"),
        (Header { version: 3, ..good }, "bad-version"),
        (
            Header {
                parent: good.id(),
                ..good
            },
            "prev-blk-not-found",
        ),
    ] {
        sandbox.ledger.seal(header.id());
        let reject = sandbox.ledger.add_header(&header).expect_err("a defect");
        assert_eq!(reject.word(), word);
    }
}

/// The retarget rules and the work see bits and times, never hashes.
#[test]
fn bits_and_work_are_the_same_with_hashes_and_with_seals() {
    let retargets = [
        Retarget::Bitcoin {
            window: 8,
            timewarp_rule: true,
        },
        Retarget::Asert { half_life: 1_200 },
    ];
    for retarget in retargets {
        let [hashes, seals] = [ProofOfWork::Sha256d, ProofOfWork::Oracle].map(|proof_of_work| {
            let params = Params {
                retarget,
                proof_of_work,
                ..Params::instant()
            };
            bits_and_work(params)
        });
        assert_eq!(hashes, seals);
        assert!(
            hashes.iter().any(|(bits, _)| *bits != Params::EASIEST),
            "{retarget:?} moves"
        );
    }
}

/// What 60 blocks that come too fast, then too slowly, have.
fn bits_and_work(params: Params) -> Vec<(CompactTarget, Work)> {
    let mut sandbox = Sandbox::new(params);
    let mut tip = BlockRef::GENESIS;
    (0..60)
        .map(|count| {
            let mut header = *sandbox.draft(tip).assemble().header;
            header.time -= if count < 40 { 400 } else { 0 };
            let header = match sandbox.ledger.params().proof_of_work {
                ProofOfWork::Sha256d => crate::mining::solve(&header, u32::MAX).expect("few hashes"),
                ProofOfWork::Oracle => {
                    sandbox.ledger.seal(header.id());
                    header
                }
            };
            tip = sandbox.ledger.add_header(&header).expect("a good header");
            (header.bits, sandbox.ledger.work(tip))
        })
        .collect()
}

#[test]
#[should_panic(expected = "only an oracle's network has seals")]
fn nobodys_word_is_proof_of_work_where_hashes_are() {
    let mut ledger = Ledger::new(Params::instant());
    let id = ledger.id(ledger.genesis());
    ledger.seal(id);
}
