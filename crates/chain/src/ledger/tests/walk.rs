//! Walks say of every header what the ledger says, and keep none of it.

use proptest::prelude::*;

use crate::testing::Sandbox;
use crate::{CompactTarget, HashedHeader, Header, Params, Reject, Retarget, mining};

/// What is wrong with a header.
#[derive(Clone, Copy, Debug)]
enum Defect {
    Bits,
    Time,
    Version,
    Work,
}

fn params() -> impl Strategy<Value = Params> {
    let retarget = prop_oneof![
        Just(Retarget::Fixed),
        any::<bool>().prop_map(|timewarp_rule| Retarget::Bitcoin {
            window: 8,
            timewarp_rule
        }),
        Just(Retarget::Asert { half_life: 7_200 }),
    ];
    retarget.prop_map(|retarget| Params {
        retarget,
        ..Params::instant()
    })
}

/// Seconds after the earliest time allowed, and maybe what is wrong.
fn steps() -> impl Strategy<Value = Vec<(u32, Option<Defect>)>> {
    let defect = prop_oneof![
        Just(Defect::Bits),
        Just(Defect::Time),
        Just(Defect::Version),
        Just(Defect::Work)
    ];
    prop::collection::vec((0..1_500_u32, prop::option::weighted(0.2, defect)), 1..40)
}

fn spoil(header: &mut Header, defect: Defect) {
    match defect {
        Defect::Bits => header.bits = CompactTarget(header.bits.0 - 1),
        Defect::Time => header.time -= 1_501,
        Defect::Version => header.version = 0,
        Defect::Work => {}
    }
}

/// A nonce that is, or is not, proof of work.
fn search(header: Header, wanted: bool) -> HashedHeader {
    if wanted {
        return HashedHeader::from(mining::solve(&header, u32::MAX).expect("few hashes are asked for"));
    }
    let target = header.bits.target().expect("a target");
    let mut tried = (0..).map(|nonce| HashedHeader::from(Header { nonce, ..header }));
    tried
        .find(|header| !target.is_met_by(&header.id()))
        .expect("half of all")
}

proptest! {
    #[test]
    fn a_walk_says_what_the_ledger_says(params in params(), steps in steps(), begin in 0..12_usize) {
        let mut sandbox = Sandbox::new(params);
        let mut tip = sandbox.ledger.genesis();
        let mut walk = sandbox.ledger.walk(tip);
        for (at, (secs, defect)) in steps.into_iter().enumerate() {
            // From here on, so that walks begin at every height.
            if at == begin {
                walk = sandbox.ledger.walk(tip);
            }
            let time = sandbox.ledger.earliest_time(tip) + secs;
            let mut header = Header::from(sandbox.ledger.draft(tip, time).assemble().header);
            if let Some(defect) = defect {
                spoil(&mut header, defect);
            }
            let header = search(header, !matches!(defect, Some(Defect::Work)));
            let before = sandbox.ledger.len();
            let stepped = walk.step(&sandbox.ledger, &header);
            prop_assert_eq!(sandbox.ledger.len(), before, "a walk keeps nothing");
            let added = sandbox.ledger.add_hashed_header(&header);
            prop_assert_eq!(stepped, added.clone().map(|_| ()));
            if let Ok(block) = added {
                tip = block;
            }
            prop_assert_eq!(walk.last(), sandbox.ledger.id(tip));
            prop_assert_eq!(walk.height(), sandbox.ledger.height(tip));
            prop_assert_eq!(walk.work(), sandbox.ledger.work(tip));
        }
    }
}

#[test]
fn a_header_that_stands_elsewhere_is_no_step() {
    let (mut sandbox, tip) = Sandbox::instant(3);
    let mut walk = sandbox.ledger.walk(sandbox.ledger.genesis());
    let header = sandbox.block(tip, &[]).header;
    assert_eq!(walk.step(&sandbox.ledger, &header), Err(Reject::PrevBlkNotFound));
    assert_eq!(walk.last(), sandbox.ledger.id(sandbox.ledger.genesis()));
}
