//! Tests of the retarget rules against the vectors of Bitcoin Core and Bitcoin Cash Node.

use proptest::prelude::*;

use super::*;
use crate::testing::reference;

const LIMIT: CompactTarget = CompactTarget(0x1d00_ffff);

/// The rows of a reference file, comments and the line of names left out.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.skip(1).map(|line| line.split(',').collect())
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn bits(text: &str) -> CompactTarget {
    let digits = text.trim_start_matches("0x");
    CompactTarget(u32::from_str_radix(digits, 16).expect("hexadecimal bits"))
}

#[test]
fn the_window_rule_gives_bitcoins_vectors() {
    let Some(file) = reference("retarget_vectors.csv") else {
        return;
    };
    let text = String::from_utf8(file).expect("text");
    let rule = Window {
        timespan: 2_016 * 600,
        limit: LIMIT,
    };
    let mut seen = 0;
    for row in rows(&text) {
        let next = rule.next(bits(row[4]), number(row[1]), number(row[3]));
        assert_eq!(next, bits(row[5]), "{row:?}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_asert_rule_gives_the_published_vectors() {
    let Some(file) = reference("asert_vectors.csv") else {
        return;
    };
    let text = String::from_utf8(file).expect("text");
    let mut seen = 0;
    for row in rows(&text) {
        let rule = Asert {
            anchor_bits: bits(row[3]),
            interval: 600,
            half_life: 172_800,
            limit: LIMIT,
        };
        let (anchor, height): (u32, u32) = (number(row[1]), number(row[5]));
        let time_diff = number::<i64>(row[6]) - number::<i64>(row[2]);
        let next = rule.next(time_diff, height - anchor);
        assert_eq!(next, bits(row[7]), "{row:?}");
        seen += 1;
    }
    assert_eq!(seen, 2_255);
}

fn asert() -> Asert {
    Asert {
        anchor_bits: CompactTarget(0x1e00_ffff),
        interval: 2,
        half_life: 60,
        limit: crate::Params::EASIEST,
    }
}

#[test]
fn a_chain_on_schedule_keeps_its_bits() {
    for height in [0, 1, 1_000, u32::MAX] {
        assert_eq!(asert().next(2 * (i64::from(height) + 1), height), asert().anchor_bits);
    }
}

#[test]
fn a_half_life_behind_doubles_the_target_and_one_ahead_halves_it() {
    let target = |bits: CompactTarget| bits.target().expect("a valid target").0;
    let anchor = target(asert().anchor_bits);
    assert_eq!(target(asert().next(2 + 60, 0)), anchor << 1);
    assert_eq!(target(asert().next(2 + 600, 0)), anchor << 10);
    assert_eq!(target(asert().next(2 - 60, 0)), anchor >> 1);
}

#[test]
fn the_far_ends_are_the_limit_and_one() {
    assert_eq!(asert().next(i64::MAX, 0), asert().limit);
    assert_eq!(asert().next(i64::MIN, u32::MAX), Target(U256::ONE).compact());
    let easiest = Asert {
        anchor_bits: crate::Params::EASIEST,
        ..asert()
    };
    assert_eq!(
        easiest.next(3, 0),
        easiest.limit,
        "easier than the limit, and wider than 256 bits"
    );
    assert!(easiest.next(1, 0) < easiest.limit);
}

#[test]
fn the_window_rule_stays_within_a_factor_of_four_and_the_limit() {
    let rule = Window {
        timespan: 1_000,
        limit: crate::Params::EASIEST,
    };
    let old = CompactTarget(0x1e10_0000);
    assert_eq!(rule.next(old, 500, 499), CompactTarget(0x1e04_0000));
    assert_eq!(rule.next(old, 0, u32::MAX), CompactTarget(0x1e40_0000));
    assert_eq!(rule.next(rule.limit, 0, u32::MAX), rule.limit);
}

proptest! {
    #[test]
    fn no_times_and_heights_make_the_rules_fail(time: i64, height: u32, first: u32, last: u32, mantissa in 1..0x7f_ffff_u32, size in 3..=32_u32) {
        let anchor_bits = CompactTarget(size << 24 | mantissa);
        prop_assume!(anchor_bits.target().is_some());
        let limit = crate::Params::EASIEST.target();
        let next = Asert { anchor_bits, ..asert() }.next(time, height);
        prop_assert!(next.target().is_some() && next.target() <= limit);
        let next = Window { timespan: 600, limit: crate::Params::EASIEST }.next(anchor_bits, first, last);
        prop_assert!(next.target().is_some() && next.target() <= limit);
    }
}
