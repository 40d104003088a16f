//! The `[chain]` table: a preset and what differs from it.

use std::time::Duration;

use chain::{Amount, CompactTarget, HashRate, Params, ProofOfWork, Retarget};
use node::config::Tie;
use node::{BlockSize, Distribution};

use crate::diagnostic::Report;
use crate::networks;
use crate::read::Fields;

/// The rules of a network, and what its nodes do at equal work.
pub(super) struct Rules {
    pub(super) params: Params,
    pub(super) tie: Tie,
    /// What blocks stand for.
    pub(super) block_size: Option<BlockSize>,
    /// Whether a block takes next to no hashes, so that a hash rate would make a flood.
    pub(super) on_demand: bool,
}

/// The warning at a hash rate where blocks are for the asking.
pub(super) const FLOOD: &str = "a block of the preset `instant` takes two hashes, so this makes a flood of blocks: set `difficulty`, or another preset";

/// Builds the rules; `rates` is what all nodes hash together at the start, `model` the network of the literature that they are part of.
pub(super) fn build(
    chain: &Fields,
    (rates, model): (HashRate, Option<&networks::Network>),
    report: &mut Report,
) -> Option<Rules> {
    let preset = &chain.text("preset")?.text;
    let on_demand = preset == "instant" && model.is_none();
    let preset = match model {
        Some(model) if !chain.gives("preset") => of_model(model),
        Some(_) | None => Params::preset(preset).expect("the grammar has the presets' own names"),
    };
    let interval = chain.duration("interval").copied().unwrap_or(preset.interval);
    let retarget = retarget(chain, &preset, interval, report)?;
    let most_future = Params::mainnet_like().max_future;
    // Header times rise by a second in six blocks at least, so blocks that come faster than the clock's seconds outrun it.
    let outruns_the_clock = on_demand || interval < Duration::from_secs(1);
    let usual_future = if outruns_the_clock {
        most_future
    } else {
        most_future.min(interval * 12)
    };
    let params = Params {
        name: chain.text("name").map_or(preset.name, |name| name.text.clone()),
        // A network starts at the difficulty its hash power needs, so every target must be allowed.
        limit: Params::EASIEST,
        initial_bits: initial_bits(chain, on_demand, (rates, interval)),
        interval,
        retarget,
        proof_of_work: proof_of_work(chain, model),
        halving_interval: chain.small("halving").unwrap_or(preset.halving_interval),
        coinbase_maturity: chain.small("maturity").unwrap_or(preset.coinbase_maturity),
        initial_subsidy: chain.amount("subsidy").copied().unwrap_or(preset.initial_subsidy),
        max_block_bytes: chain.small("max-block-bytes").unwrap_or(preset.max_block_bytes),
        max_future: chain.duration("max-future").copied().unwrap_or(usual_future),
        genesis_time: preset.genesis_time,
        min_version: preset.min_version,
    };
    if !schedule_is_money(&params) {
        let message = format!("subsidy and halving would create more than {} coins", Amount::MAX_MONEY);
        let key = if chain.gives("subsidy") { "subsidy" } else { "halving" };
        report.error(chain.place(key), message);
        return None;
    }
    let tie = match chain.text("tie")?.text.as_str() {
        "random" => Tie::Random,
        _ => Tie::FirstSeen,
    };
    let on_demand = on_demand && !chain.gives("difficulty");
    if on_demand && rates > HashRate::ZERO {
        report.warn(chain.place("preset"), FLOOD);
    }
    Some(Rules {
        params,
        tie,
        block_size: block_size(chain, model, report),
        on_demand,
    })
}

/// The rules of a network of the literature: Bitcoin's, but for the model's interval, at a difficulty that stays.
fn of_model(model: &networks::Network) -> Params {
    Params {
        name: model.name.to_owned(),
        interval: model.interval,
        retarget: Retarget::Fixed,
        ..Params::mainnet_like()
    }
}

/// Nobody can hash at the difficulty of a network of the literature.
fn proof_of_work(chain: &Fields, model: Option<&networks::Network>) -> ProofOfWork {
    match chain.text("proof-of-work").map(|word| word.text.as_str()) {
        Some("oracle") => ProofOfWork::Oracle,
        None if model.is_some() => ProofOfWork::Oracle,
        Some(_) | None => ProofOfWork::Sha256d,
    }
}

/// What blocks stand for: what the file says, or the model.
fn block_size(chain: &Fields, model: Option<&networks::Network>, report: &mut Report) -> Option<BlockSize> {
    let mean = chain.small("block-size").or(model.map(|model| model.block_bytes));
    if mean.is_none() && chain.gives("block-sizes") {
        let message = "`block-sizes` is of no use without `block-size`: blocks are as large as what is in them";
        report.error(chain.place("block-sizes"), message);
    }
    let distribution = match chain.text("block-sizes")?.text.as_str() {
        "exponential" => Distribution::Exponential,
        "uniform" => Distribution::Uniform,
        _ => Distribution::Constant,
    };
    Some(BlockSize {
        mean: mean?,
        distribution,
    })
}

/// Whether all that the schedule ever creates is within the money limit.
fn schedule_is_money(params: &Params) -> bool {
    let halvings = (0..64_u32).map(|halving| params.initial_subsidy.units() >> halving);
    let total: u128 = halvings
        .map(|subsidy| u128::from(subsidy) * u128::from(params.halving_interval))
        .sum();
    total <= u128::from(Amount::MAX_MONEY.units())
}

/// The rule by which the target follows the hash power.
fn retarget(chain: &Fields, preset: &Params, interval: Duration, report: &mut Report) -> Option<Retarget> {
    let of_preset = match preset.retarget {
        Retarget::Fixed => "fixed",
        Retarget::Bitcoin { .. } => "bitcoin",
        Retarget::Asert { .. } => "asert",
    };
    let rule = chain.text("retarget").map_or(of_preset, |rule| rule.text.as_str());
    let mut sound = true;
    for (key, of_rule) in [
        ("window", "bitcoin"),
        ("timewarp-rule", "bitcoin"),
        ("half-life", "asert"),
    ] {
        if chain.gives(key) && rule != of_rule {
            report.error(
                chain.place(key),
                format!("`{key}` is of no use with the retarget rule `{rule}`"),
            );
            sound = false;
        }
    }
    if rule != "fixed" && interval.subsec_nanos() != 0 {
        let message = format!("the retarget rule `{rule}` needs an interval of whole seconds, as header times are");
        report.error(chain.place("interval"), message);
        sound = false;
    }
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).expect("the grammar bounds it by 100 days");
    let retarget = match rule {
        "bitcoin" => {
            let window = chain.small("window").unwrap_or(2016);
            if window.checked_mul(seconds(interval)).is_none() {
                report.error(chain.place("window"), "a window must take less than 2^32 seconds");
                sound = false;
            }
            let timewarp_rule = chain.is_set("timewarp-rule");
            Retarget::Bitcoin { window, timewarp_rule }
        }
        "asert" => {
            let half_life = chain.duration("half-life").copied().unwrap_or(interval * 30);
            if half_life.subsec_nanos() != 0 {
                report.error(
                    chain.place("half-life"),
                    "`half-life` must be whole seconds, as header times are",
                );
                sound = false;
            }
            let half_life = u32::try_from(half_life.as_secs()).unwrap_or(u32::MAX);
            Retarget::Asert { half_life }
        }
        _ => Retarget::Fixed,
    };
    sound.then_some(retarget)
}

/// The bits of the first block.
fn initial_bits(chain: &Fields, on_demand: bool, (rates, interval): (HashRate, Duration)) -> CompactTarget {
    if let Some(hashes) = chain.integer("difficulty") {
        return CompactTarget::from_expected_hashes(u128::from(*hashes));
    }
    if on_demand {
        return Params::EASIEST;
    }
    // Real networks try more than 64 bits of hashes in an interval.
    CompactTarget::from_expected_hashes(u128::from(rates.0) * interval.as_micros() / 1_000_000)
}
