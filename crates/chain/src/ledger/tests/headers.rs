//! Headers with one defect each, and 1,111 real ones without.

use std::time::Duration;

use super::facts;
use crate::limits::MAX_TIMEWARP;
use crate::testing::{Sandbox, reference};
use crate::{BlockId, BlockRef, CompactTarget, Header, Height, Ledger, Params, Reject, Retarget, Status, mining};

fn solved(header: Header) -> Header {
    mining::solve(&header, u32::MAX).expect("tests ask for few hashes")
}

/// A solved header on top of `tip` after `change`.
fn changed(sandbox: &mut Sandbox, tip: BlockRef, change: impl FnOnce(&mut Header)) -> Header {
    let mut header = *sandbox.draft(tip).assemble().header;
    change(&mut header);
    solved(header)
}

/// The header must be refused and leave no trace, and the honest block that follows must connect.
fn refused(sandbox: &mut Sandbox, tip: BlockRef, header: &Header, reject: &Reject) {
    let before = facts(sandbox, tip);
    assert_eq!(sandbox.ledger.add_header(header).as_ref(), Err(reject));
    assert_eq!(facts(sandbox, tip), before);
    assert_eq!(sandbox.ledger.find(&header.id()), None);
    let _ = sandbox.child(tip, &[]);
}

#[test]
fn b47_a_hash_above_the_target_is_refused() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let mut header = *sandbox.draft(tip).assemble().header;
    let target = header.bits.target().expect("a valid target");
    header.nonce = (0..)
        .find(|nonce| {
            !target.is_met_by(
                &Header {
                    nonce: *nonce,
                    ..header
                }
                .id(),
            )
        })
        .expect("half of all");
    let bits = header.bits;
    refused(&mut sandbox, tip, &header, &Reject::HighHash { bits });
}

#[test]
fn proof_of_work_is_asked_for_before_anything_else() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let mut header = *sandbox.draft(tip).assemble().header;
    (header.parent, header.version, header.time) = (BlockId::ZERO, 0, 0);
    let target = header.bits.target().expect("a valid target");
    header.nonce = (0..)
        .find(|nonce| {
            !target.is_met_by(
                &Header {
                    nonce: *nonce,
                    ..header
                }
                .id(),
            )
        })
        .expect("half of all");
    let bits = header.bits;
    refused(&mut sandbox, tip, &header, &Reject::HighHash { bits });
}

#[test]
fn bits_that_are_no_target_or_easier_than_the_limit_are_refused() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let header = *sandbox.draft(tip).assemble().header;
    for bits in [0, 0x1d80_ffff, 0x2101_0000, 0xffff_ffff, 0x2080_0000, 0x2100_8000] {
        let bits = CompactTarget(bits);
        refused(
            &mut sandbox,
            tip,
            &Header { bits, ..header },
            &Reject::BadTarget { bits },
        );
    }
}

#[test]
fn b50_bits_other_than_the_retarget_rule_demands_are_refused() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let found = CompactTarget(0x207f_fffe);
    let header = changed(&mut sandbox, tip, |header| header.bits = found);
    let expected = Params::EASIEST;
    refused(&mut sandbox, tip, &header, &Reject::BadDiffbits { found, expected });
}

#[test]
fn a_header_whose_parent_is_not_known_is_not_yet() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let header = changed(&mut sandbox, tip, |header| header.parent = BlockId::ZERO);
    refused(&mut sandbox, tip, &header, &Reject::PrevBlkNotFound);
}

#[test]
fn b53_b54_b55_a_time_must_be_above_the_median_of_the_last_eleven() {
    let (mut sandbox, tip) = Sandbox::instant(20);
    // Times rise by one interval a block, so the median is that of the sixth block from the tip.
    let sixth = sandbox.ledger.ancestor(tip, Height(15)).expect("a height of the chain");
    let median = sandbox.ledger.header(sixth).time;
    assert_eq!(sandbox.ledger.median_time_past(tip), median);
    for time in [0, median - 1, median] {
        let header = changed(&mut sandbox, tip, |header| header.time = time);
        refused(&mut sandbox, tip, &header, &Reject::TimeTooOld { time, median });
    }
    let header = changed(&mut sandbox, tip, |header| header.time = median + 1);
    assert!(sandbox.ledger.add_header(&header).is_ok());
    let header = changed(&mut sandbox, tip, |header| header.time = u32::MAX);
    assert!(
        sandbox.ledger.add_header(&header).is_ok(),
        "b48: the future is for the node to judge"
    );
}

#[test]
fn a_header_known_already_is_no_error_and_adds_nothing() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let before = facts(&sandbox, tip);
    let header = *sandbox.ledger.header(tip);
    assert_eq!(sandbox.ledger.add_header(&header), Ok(tip));
    let genesis = *sandbox.ledger.header(sandbox.ledger.genesis());
    assert_eq!(sandbox.ledger.add_header(&genesis), Ok(sandbox.ledger.genesis()));
    assert_eq!(facts(&sandbox, tip), before);
}

/// A chain with windows of four blocks, whose next block begins one.
fn window(timewarp_rule: bool) -> (Sandbox, BlockRef) {
    let mut sandbox = Sandbox::new(Params {
        retarget: Retarget::Bitcoin {
            window: 4,
            timewarp_rule,
        },
        ..Params::instant()
    });
    let tip = sandbox.grow(sandbox.ledger.genesis(), 15);
    (sandbox, tip)
}

#[test]
fn the_first_block_of_a_window_may_be_600_seconds_early_under_bip94_and_no_more() {
    let (mut sandbox, tip) = window(true);
    let parent = sandbox.ledger.header(tip).time;
    let header = changed(&mut sandbox, tip, |header| header.time = parent - MAX_TIMEWARP - 1);
    let reject = Reject::TimeTimewarpAttack {
        time: parent - MAX_TIMEWARP - 1,
        parent,
    };
    refused(&mut sandbox, tip, &header, &reject);
    let header = changed(&mut sandbox, tip, |header| header.time = parent - MAX_TIMEWARP);
    let first = sandbox.ledger.add_header(&header).expect("exactly the limit");

    let second = solved(Header {
        parent: sandbox.ledger.id(first),
        time: header.time - 601,
        ..header
    });
    assert!(
        sandbox.ledger.add_header(&second).is_ok(),
        "the rule is about a window's first block alone"
    );
    let (mut sandbox, tip) = window(false);
    let header = changed(&mut sandbox, tip, |header| header.time = parent - MAX_TIMEWARP - 1);
    assert!(sandbox.ledger.add_header(&header).is_ok(), "the rule is an option");
}

/// The work that a block takes after five windows in which all times but each window's last are as early as the median allows.
fn work_after_time_warp(timewarp_rule: bool) -> [crate::Work; 2] {
    let (window, windows) = (16, 5);
    let params = Params {
        initial_bits: CompactTarget::from_expected_hashes(1 << 10),
        retarget: Retarget::Bitcoin { window, timewarp_rule },
        ..Params::instant()
    };
    let mut sandbox = Sandbox::new(params);
    let mut tip = sandbox.ledger.genesis();
    for height in 1..window * windows {
        let now = Params::instant().genesis_time + height * 600;
        let earliest = sandbox.ledger.median_time_past(tip) + 1;
        let allowed = if timewarp_rule && height.is_multiple_of(window) {
            now - 1_200
        } else {
            0
        };
        let time = if (height + 1).is_multiple_of(window) {
            now
        } else {
            earliest.max(allowed)
        };
        let header = changed(&mut sandbox, tip, |header| header.time = time);
        tip = sandbox.ledger.add_header(&header).expect("a valid header");
    }
    let bits = [sandbox.ledger.params().initial_bits, sandbox.ledger.next_bits(tip)];
    bits.map(|bits| bits.target().expect("a valid target").work())
}

#[test]
fn threat_c4_the_time_warp_attack_collapses_difficulty_unless_bip94_forbids_it() {
    let [initial, warped] = work_after_time_warp(false);
    assert!(warped < crate::Work(initial.0 >> 5), "{warped}");
    let [initial, guarded] = work_after_time_warp(true);
    assert!(guarded > crate::Work(initial.0 >> 1), "{guarded}");
}

#[test]
fn windows_retarget_by_the_time_of_their_last_intervals() {
    let (mut sandbox, tip) = window(false);
    let easiest = Params::EASIEST;
    // Three of four intervals are measured: at one interval a block, targets shrink by a quarter.
    let three_quarters = |bits: CompactTarget| {
        let target = bits.target().expect("a valid target").0;
        crate::Target(target.checked_mul_div(1_800, 2_400).expect("smaller")).compact()
    };
    let bits = |sandbox: &Sandbox, height| {
        let block = sandbox
            .ledger
            .ancestor(tip, Height(height))
            .expect("a height of the chain");
        sandbox.ledger.header(block).bits
    };
    assert_eq!(bits(&sandbox, 3), easiest);
    assert_eq!(bits(&sandbox, 4), three_quarters(easiest));
    assert_eq!(bits(&sandbox, 7), bits(&sandbox, 4));
    assert_eq!(bits(&sandbox, 8), three_quarters(bits(&sandbox, 7)));
    assert_eq!(sandbox.ledger.next_bits(tip), three_quarters(bits(&sandbox, 15)));
    let _ = sandbox.child(tip, &[]);
}

#[test]
fn an_asert_schedule_begins_with_block_one_on_its_own_fork() {
    let mut sandbox = Sandbox::new(Params {
        initial_bits: CompactTarget(0x2000_ffff),
        interval: Duration::from_secs(2),
        ..Params::cluster()
    });
    let genesis = sandbox.ledger.genesis();
    let [early, late] = [2, 1_000_000].map(|delay| {
        let time = Params::cluster().genesis_time + delay;
        let header = changed(&mut sandbox, genesis, |header| header.time = time);
        sandbox.ledger.add_header(&header).expect("a valid header")
    });
    let initial = sandbox.ledger.params().initial_bits;
    for first in [early, late] {
        assert_eq!(sandbox.ledger.header(first).bits, initial);
        assert_eq!(
            sandbox.ledger.next_bits(first),
            initial,
            "mining begins when block 1 is found"
        );
        let time = sandbox.ledger.header(first).time;
        for (delay, expected) in [(2, 0x2000_ffff), (62, 0x2001_fffe), (1, 0x2000_fd10)] {
            let header = changed(&mut sandbox, first, |header| header.time = time + delay);
            let second = sandbox.ledger.add_header(&header).expect("a valid header");
            assert_eq!(
                sandbox.ledger.next_bits(second),
                CompactTarget(expected),
                "after {delay} s"
            );
        }
    }
}

#[test]
fn threat_c1_forged_headers_take_no_memory() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let target = Params::EASIEST.target().expect("a valid target");
    let header = *sandbox.draft(tip).assemble().header;
    let forged = (0..).map(|nonce| Header { nonce, ..header });
    let before = facts(&sandbox, tip);
    for header in forged.filter(|header| !target.is_met_by(&header.id())).take(1_000) {
        assert!(sandbox.ledger.add_header(&header).is_err());
    }
    assert_eq!(facts(&sandbox, tip), before);
}

/// The first 1,111 blocks of Bitcoin, and the work that its nodes report for the last.
#[test]
fn bitcoins_headers_are_accepted() {
    let Some(file) = reference("bitcoin_headers.bin") else {
        return;
    };
    let genesis = Header {
        version: 1,
        parent: BlockId::ZERO,
        merkle_root: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
            .parse()
            .expect("a hash"),
        time: 1_231_006_505,
        bits: CompactTarget(0x1d00_ffff),
        nonce: 2_083_236_893,
    };
    let params = Params {
        min_version: 1,
        ..Params::mainnet_like()
    };
    let mut ledger = Ledger::from_genesis_header(params, &genesis);
    let mut tip = ledger.genesis();
    for bytes in file.chunks_exact(Header::BYTES) {
        let header = Header::from_bytes(bytes.try_into().expect("eighty bytes"));
        assert_eq!(header.to_bytes(), bytes);
        assert_eq!(header.parent, ledger.id(tip));
        tip = ledger.add_header(&header).expect("a real header");
        assert_eq!(ledger.status(tip), Status::HeaderOnly);
    }
    assert_eq!(ledger.height(tip), Height(1_111));
    let work = crate::uint::U256::from(0x0001_0001_0001_u64).widening_mul(1_112).0;
    assert_eq!(ledger.work(tip), crate::Work(work));
    let first = ledger.ancestor(tip, Height(1)).expect("a height of the chain");
    assert_eq!(
        ledger.id(first).to_string(),
        "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"
    );
}
