//! The rules of headers.

use chain::{CompactTarget, HashedHeader, Header, Params, ProofOfWork, Retarget};

use super::Broken;
use super::big::Big;

/// The headers of a chain: the first two, and the last, as many as any rule looks back.
#[derive(Clone, Debug)]
pub(super) struct Headers {
    first: Vec<HashedHeader>,
    /// The height of the first of `last`.
    begin: usize,
    last: Vec<HashedHeader>,
}

impl Headers {
    pub(super) fn new(genesis: HashedHeader) -> Self {
        Self {
            first: vec![genesis],
            begin: 0,
            last: vec![genesis],
        }
    }

    pub(super) fn push(&mut self, header: HashedHeader) {
        if self.first.len() < 2 {
            self.first.push(header);
        }
        self.last.push(header);
    }

    /// How many there are, those that were forgotten among them.
    pub(super) fn len(&self) -> usize {
        self.begin + self.last.len()
    }

    pub(super) fn last(&self) -> &HashedHeader {
        self.last.last().expect("a chain begins with its genesis block")
    }

    /// The header at a height, which was not forgotten.
    fn at(&self, height: usize) -> &HashedHeader {
        &self.last[height - self.begin]
    }

    /// The block above the genesis block, if there is one.
    fn anchor(&self) -> Option<&HashedHeader> {
        self.first.get(1)
    }

    /// Forgets all but the first two and the last so many.
    pub(super) fn forget(&mut self, kept: usize) {
        let gone = self.last.len().saturating_sub(kept);
        self.last.drain(..gone);
        self.begin += gone;
    }
}

/// How many headers below a block the rules ask for: those whose times have a median, or those of a window.
pub(super) fn looks_back(params: &Params) -> usize {
    match params.retarget {
        Retarget::Bitcoin { window, .. } => (window as usize).max(MEDIAN_OF),
        Retarget::Fixed | Retarget::Asert { .. } => MEDIAN_OF,
    }
}

/// Of so many times a block's must be above the median.
const MEDIAN_OF: usize = 11;

/// Checks the header of a child of the last of `ancestors`, which begin with the genesis block.
pub(super) fn check(params: &Params, ancestors: &Headers, header: &Header) -> Result<(), Broken> {
    let parent = ancestors.last();
    // What an oracle sealed is not written in the header: only it can tell.
    let hashed = params.proof_of_work == ProofOfWork::Sha256d;
    // Bits that are the parent's were looked at there.
    if hashed || header.bits != parent.bits {
        let target = decode(header.bits).filter(|target| *target <= sound(params.limit));
        let Some(target) = target else {
            return Err(("bad-target", format!("bits {}", header.bits)));
        };
        if hashed && Big::from_bytes(&header.id().0.0) > target {
            return Err(("high-hash", format!("hash {} is above its target", header.id())));
        }
    }
    if header.parent != parent.id() {
        return Err((
            "prev-blk-not-found",
            format!("parent {} is not {}", header.parent, parent.id()),
        ));
    }
    let expected = next_bits(params, ancestors);
    if header.bits != expected {
        return Err(("bad-diffbits", format!("bits {} are not {expected}", header.bits)));
    }
    check_time(params, ancestors, header)?;
    if header.version < params.min_version {
        return Err(("bad-version", format!("version {}", header.version)));
    }
    Ok(())
}

/// The hashes that finding the header took on average: 2^256 / (target + 1).
pub(super) fn work(header: &Header) -> Big {
    Big::power_of_two(256).divided_by(&sound(header.bits).plus(&Big::from_u64(1)))
}

fn check_time(params: &Params, ancestors: &Headers, header: &Header) -> Result<(), Broken> {
    let mut last_eleven: Vec<u32> = ancestors
        .last
        .iter()
        .rev()
        .take(MEDIAN_OF)
        .map(|header| header.time)
        .collect();
    last_eleven.sort_unstable();
    let median = last_eleven[last_eleven.len() / 2];
    if header.time <= median {
        return Err(("time-too-old", format!("time {} is not above {median}", header.time)));
    }
    if let Retarget::Bitcoin {
        window,
        timewarp_rule: true,
    } = params.retarget
    {
        let parent = ancestors.last().time;
        let begins_window = ancestors.len().is_multiple_of(window as usize);
        if begins_window && u64::from(header.time) + 600 < u64::from(parent) {
            let detail = format!("time {} is over 600 s before {parent}", header.time);
            return Err(("time-timewarp-attack", detail));
        }
    }
    Ok(())
}

/// The bits that the child of a chain must have.
fn next_bits(params: &Params, chain: &Headers) -> CompactTarget {
    let height = chain.len();
    let last = chain.last();
    match params.retarget {
        Retarget::Fixed => last.bits,
        Retarget::Bitcoin { window, .. } => {
            if height.is_multiple_of(window as usize) {
                let first = chain.at(height - window as usize);
                window_bits(params, window, first, last)
            } else {
                last.bits
            }
        }
        Retarget::Asert { half_life } => match chain.anchor() {
            None => last.bits,
            Some(anchor) => asert_bits(params, half_life, (anchor, height - 2), last),
        },
    }
}

/// Bitcoin's rule: the old target, times the time that a window took, by the time that it should take.
fn window_bits(params: &Params, window: u32, first: &Header, last: &Header) -> CompactTarget {
    let should = u64::from(window) * params.interval.as_secs();
    let took = u64::from(last.time).saturating_sub(u64::from(first.time));
    let took = took.max(should / 4).min(should * 4);
    let target = sound(last.bits)
        .times(&Big::from_u64(took))
        .divided_by(&Big::from_u64(should));
    encode(&within_limit(params, target))
}

/// aserti3-2d, from its specification. `anchor` is the anchor block, and how far the last block stands above it.
fn asert_bits(params: &Params, half_life: u32, (anchor, above): (&Header, usize), last: &Header) -> CompactTarget {
    let interval = i128::from(params.interval.as_secs());
    let blocks = i128::try_from(above + 1).expect("a chain is shorter than 2^127");
    // Since one interval before the anchor, which stands in for the time of the anchor's parent.
    let took = i128::from(last.time) - i128::from(anchor.time) + interval;
    let exponent = (took - interval * blocks) * 65_536 / i128::from(half_life);
    let (doublings, fraction) = (exponent.div_euclid(65_536), exponent.rem_euclid(65_536));
    let cubic = 195_766_423_245_049 * fraction + 971_821_376 * fraction.pow(2) + 5_127 * fraction.pow(3) + (1 << 47);
    let factor = 65_536 + cubic / (1 << 48);
    let factor = Big::from_u64(u64::try_from(factor).expect("between 65,536 and 131,072"));
    let exact = sound(anchor.bits).times(&factor);
    let target = match usize::try_from(doublings) {
        Ok(times) => exact.doubled(times.min(512)),
        Err(_) => exact.halved(usize::try_from(-doublings).expect("negative").min(512)),
    };
    encode(&within_limit(params, target.halved(16)))
}

fn within_limit(params: &Params, target: Big) -> Big {
    target.max(Big::from_u64(1)).min(sound(params.limit))
}

/// The target that bits stand for: mantissa * 256^(exponent - 3).
fn decode(bits: CompactTarget) -> Option<Big> {
    let exponent = (bits.0 >> 24) as usize;
    let mantissa = Big::from_u64(u64::from(bits.0 & 0x007f_ffff));
    let negative = bits.0 & 0x0080_0000 != 0;
    let target = mantissa.doubled(8 * exponent).halved(24);
    let valid = !negative && (1..=256).contains(&target.length());
    valid.then_some(target)
}

/// The target that bits stand for which are known to be one.
fn sound(bits: CompactTarget) -> Big {
    decode(bits).expect("bits that passed the checks, or stand in sound parameters, are a target")
}

/// The bits of a target, rounded down to what three bytes hold. The first of them is never above 0x7f: its high bit is a sign.
fn encode(target: &Big) -> CompactTarget {
    let exponent = target.length() / 8 + 1;
    let mantissa = target.doubled(24).halved(8 * exponent).low_u32();
    CompactTarget(u32::try_from(exponent).expect("at most 33") << 24 | mantissa)
}
