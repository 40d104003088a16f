//! Tests of parameters: sound presets, and a genesis id for each set of rules.

use std::collections::BTreeSet;

use super::*;
use crate::Ledger;

#[test]
fn presets_are_sound_and_found_by_name() {
    for name in Params::PRESETS {
        let params = Params::preset(name).expect("a preset");
        assert_eq!(params.name, name);
        assert_eq!(params.check(), Ok(()));
    }
    assert_eq!(Params::preset("testnet"), None);
}

#[test]
fn every_parameter_is_part_of_the_genesis_id() {
    let changes: [fn(&mut Params); 18] = [
        |_| {},
        |params| params.name.push('!'),
        |params| params.limit = CompactTarget(0x207f_fffe),
        |params| params.initial_bits = CompactTarget(0x207f_fffe),
        |params| params.interval = Duration::from_secs(601),
        |params| params.interval = Duration::from_millis(600_001),
        |params| params.retarget = Retarget::Asert { half_life: 60 },
        |params| params.retarget = Retarget::Asert { half_life: 61 },
        |params| params.retarget = bitcoin(2_016, false),
        |params| params.retarget = bitcoin(2_017, false),
        |params| params.retarget = bitcoin(2_016, true),
        |params| params.halving_interval += 1,
        |params| params.coinbase_maturity += 1,
        |params| params.initial_subsidy = Amount::COIN,
        |params| params.max_block_bytes += 1,
        |params| params.max_future = Duration::from_secs(1),
        |params| params.min_version = 1,
        |params| params.proof_of_work = ProofOfWork::Oracle,
    ];
    let ids = changes.map(|change| {
        let mut params = Params::instant();
        change(&mut params);
        params.genesis_block().id()
    });
    let time = Params {
        genesis_time: 0,
        ..Params::instant()
    };
    let distinct: BTreeSet<_> = ids.into_iter().chain([time.genesis_block().id()]).collect();
    assert_eq!(distinct.len(), 19);
}

fn bitcoin(window: u32, timewarp_rule: bool) -> Retarget {
    Retarget::Bitcoin { window, timewarp_rule }
}

#[test]
fn the_genesis_block_creates_nothing_that_can_be_spent() {
    let ledger = Ledger::new(Params::instant());
    let genesis = ledger.genesis();
    let block = Params::instant().genesis_block();
    assert_eq!(ledger.id(genesis), block.id());
    assert_eq!(ledger.supply(genesis), Amount::ZERO);
    assert_eq!(ledger.coin(&block.transactions[0].outpoint(0), genesis), None);
    assert_eq!(ledger.body(genesis).map(|body| body.id()), Some(block.id()));
}

#[test]
fn unsound_parameters_are_named() {
    let check = |change: fn(&mut Params)| {
        let mut params = Params::mainnet_like();
        change(&mut params);
        params.check().expect_err("unsound")
    };
    let zero = CompactTarget(0);
    assert_eq!(
        check(|params| params.limit = CompactTarget(0)),
        UnsoundParams::Limit { limit: zero }
    );
    for bits in [zero, Params::EASIEST] {
        let params = Params {
            initial_bits: bits,
            ..Params::mainnet_like()
        };
        let limit = params.limit;
        assert_eq!(params.check(), Err(UnsoundParams::InitialBits { bits, limit }));
    }
    assert_eq!(
        check(|params| params.name = "x".repeat(33)),
        UnsoundParams::Name { bytes: 33 }
    );
    let retarget = UnsoundParams::Retarget;
    assert_eq!(check(|params| params.retarget = bitcoin(0, false)), retarget);
    assert_eq!(check(|params| params.retarget = bitcoin(1, false)), retarget);
    assert_eq!(check(|params| params.retarget = bitcoin(u32::MAX, false)), retarget);
    assert_eq!(check(|params| params.interval = Duration::from_millis(1_500)), retarget);
    assert_eq!(check(|params| params.interval = Duration::ZERO), retarget);
    assert_eq!(
        check(|params| params.retarget = Retarget::Asert { half_life: 0 }),
        retarget
    );
    assert_eq!(check(|params| params.halving_interval = 0), UnsoundParams::Issue);
    assert_eq!(check(|params| params.halving_interval = 210_001), UnsoundParams::Issue);
}

#[test]
#[should_panic(expected = "no chain can run by these parameters")]
fn no_ledger_is_made_of_unsound_parameters() {
    let _ = Ledger::new(Params {
        halving_interval: 0,
        ..Params::instant()
    });
}

#[test]
fn a_name_is_bounded() {
    let named = |bytes: usize| Params {
        name: "n".repeat(bytes),
        ..Params::instant()
    };
    assert_eq!(named(MAX_NAME_BYTES).check(), Ok(()));
    let bytes = MAX_NAME_BYTES + 1;
    assert_eq!(named(bytes).check(), Err(UnsoundParams::Name { bytes }));
}
