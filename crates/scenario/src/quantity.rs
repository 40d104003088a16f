//! Quantities as people write them: coins, durations, bandwidths, hash rates. Exact: no number goes through a float.

use std::time::Duration;

use chain::{Amount, HashRate};

/// A unit's name and how many of the smallest it is.
type Unit = (&'static str, u64);

const TIME: [Unit; 6] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

const BITS: [Unit; 4] = [
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
];

const BYTES: [Unit; 3] = [("B", 1), ("kB", 1_000), ("MB", 1_000_000)];

const HASHES: [Unit; 7] = [
    ("H/s", 1),
    ("kH/s", 1_000),
    ("MH/s", 1_000_000),
    ("GH/s", 1_000_000_000),
    ("TH/s", 1_000_000_000_000),
    ("PH/s", 1_000_000_000_000_000),
    ("EH/s", 1_000_000_000_000_000_000),
];

/// A decimal number of coins; `None` when it is not one, has more than eight decimals, or is above the money limit.
pub(crate) fn amount(text: &str) -> Option<Amount> {
    let units = scaled(text, Amount::COIN.units())?;
    Some(Amount::from_units(units)).filter(|amount| amount.is_money())
}

/// As `50ms`, `1.5s`, `3m`; to the microsecond. None when the text is no time.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    with_unit(text, &TIME).map(Duration::from_micros)
}

/// Bits per second, as `20Mbit/s`.
pub(crate) fn bandwidth(text: &str) -> Option<u64> {
    with_unit(text, &BITS)
}

/// Bytes, as `500kB`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    with_unit(text, &BYTES)
}

/// The time between two of what happens as often as `7/s`, `30/m` or `100/h`, rounded down to the microsecond.
pub(crate) fn pause(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_once('/')?;
    let (_, micros) = TIME.iter().find(|(name, _)| *name == unit.trim_start())?;
    let millionths = scaled(number.trim_end(), 1_000_000)?;
    let pause = (u128::from(*micros) * 1_000_000).checked_div(u128::from(millionths))?;
    u64::try_from(pause).ok().map(Duration::from_micros)
}

/// Hashes per second, as `5kH/s` or `2000`; none when the text is no rate.
#[must_use]
pub fn hash_rate(text: &str) -> Option<HashRate> {
    with_unit(text, &HASHES).map(HashRate)
}

/// A share between 0 and 1, in millionths.
pub(crate) fn millionths(text: &str) -> Option<u32> {
    let share = scaled(text, 1_000_000)?;
    u32::try_from(share).ok().filter(|share| *share <= 1_000_000)
}

/// A decimal number with one of these units behind it.
fn with_unit(text: &str, units: &[Unit]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, name) = text.split_at(end);
    let (_, factor) = units.iter().find(|(unit, _)| *unit == name.trim_start())?;
    scaled(number, *factor)
}

/// A decimal number times a factor; `None` unless that is a whole number of 64 bits.
fn scaled(text: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction = fraction.trim_end_matches('0');
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let parts = u128::from(parts) * u128::from(factor);
    if !parts.is_multiple_of(u128::from(scale)) {
        return None;
    }
    let parts = u64::try_from(parts / u128::from(scale)).expect("below the factor");
    whole.checked_mul(factor)?.checked_add(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_are_exact_to_the_last_unit() {
        for (text, units) in [
            ("10", 1_000_000_000),
            ("0.1", 10_000_000),
            ("0.00000001", 1),
            ("20999999.99999999", 2_099_999_999_999_999),
            ("1.50000000000000", 150_000_000),
        ] {
            assert_eq!(amount(text), Some(Amount::from_units(units)), "{text}");
        }
        let too_fine_or_too_much = ["0.000000001", "21000000.00000001", "99999999999999999999"];
        let malformed = ["", ".", "1.", ".5", "-1", "+1", "1e3", "inf", "nan", "1 "];
        for text in too_fine_or_too_much.iter().chain(&malformed) {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, micros) in [
            ("50ms", 50_000),
            ("1.5s", 1_500_000),
            ("3m", 180_000_000),
            ("1h", 3_600_000_000),
            ("2 s", 2_000_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_micros(micros)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "5 minutes",
            "1h30m",
            "0.0000001s",
            "-1s",
            "99999999999999h",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn rates_keep_their_case() {
        assert_eq!(bandwidth("20Mbit/s"), Some(20_000_000));
        assert_eq!(bandwidth("0.5kbit/s"), Some(500));
        assert_eq!(bandwidth("20mbit/s"), None);
        assert_eq!(hash_rate("5kH/s"), Some(HashRate(5_000)));
        assert_eq!(hash_rate("1.2 MH/s"), Some(HashRate(1_200_000)));
        assert_eq!(hash_rate("100EH/s"), None);
    }

    #[test]
    fn rates_are_pauses() {
        assert_eq!(pause("7/s"), Some(Duration::from_micros(142_857)));
        assert_eq!(pause("0.5/s"), Some(Duration::from_secs(2)));
        assert_eq!(pause("30/m"), Some(Duration::from_secs(2)));
        for text in ["0/s", "7", "7/", "/s", "7/y", "-1/s"] {
            assert_eq!(pause(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_in_decimal_units() {
        assert_eq!(bytes("535kB"), Some(535_000));
        assert_eq!(bytes("1.5 MB"), Some(1_500_000));
        assert_eq!(bytes("1MiB"), None);
    }

    #[test]
    fn shares_lie_between_none_and_all() {
        assert_eq!(millionths("0.25"), Some(250_000));
        assert_eq!(millionths("1"), Some(1_000_000));
        assert_eq!(millionths("1.1"), None);
    }
}
