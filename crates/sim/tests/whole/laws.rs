//! The simulator against closed forms and, in release, published networks of thousands of nodes; with small samples. `nakanet laws` takes
//! large ones.

use sim::laws::{Effort, Judgement, Law};

fn check(id: &str) {
    let law = Law::named(id).expect("a law of this name");
    let findings = law.check(Effort::Quick).expect("a simulation starts");
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(
            finding.judgement(),
            Judgement::Holds,
            "{id}, {}: {finding:?}",
            law.source
        );
    }
}

#[test]
fn two_miners_fork_as_their_delay_says() {
    check("F1");
}

#[test]
fn many_miners_fork_as_their_delay_says() {
    check("F2");
}

#[test]
fn any_network_forks_as_its_measured_spread_says() {
    check("F3");
}

#[test]
fn waits_for_blocks_are_exponential_and_their_counts_poisson() {
    check("B1");
    check("B2");
}

#[test]
fn bitcoins_retarget_is_one_part_in_a_thousand_slow_and_as_noisy_as_one_window() {
    check("D2");
    check("D3");
}

#[cfg(not(debug_assertions))]
#[test]
fn blocks_spread_as_simblock_and_gervais_published() {
    check("M1");
    check("M3");
    check("G1");
}

/// The time that a window takes has twice the variance of what it asks for.
#[test]
fn a_law_whose_expectation_is_wrong_is_broken() {
    let law = Law::named("d3").expect("names are known in any case");
    let mut finding = law.check(Effort::Quick).expect("it needs no run").remove(0);
    finding.expected *= std::f64::consts::SQRT_2;
    assert_eq!(finding.judgement(), Judgement::Broken);
    finding.reason = Some("a window that was measured twice");
    assert_eq!(finding.judgement(), Judgement::DiffersOnPurpose);
}
