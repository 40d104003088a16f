//! Digests of runs that were right: a change of what any scenario does shows here, wanted or not.

use crate::digests;
use crate::files::root;

#[test]
fn every_scenario_does_what_it_did() {
    let blessed = std::fs::read_to_string(root().join("tests/golden/digests.txt")).expect("goldens can be read");
    let found = digests::of_scenarios();
    let changed: Vec<&str> = found
        .lines()
        .filter(|line| !blessed.lines().any(|other| other == *line))
        .collect();
    let gone: Vec<&str> = blessed
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line))
        .collect();
    assert_eq!(
        blessed, found,
        "runs are not what they were:\nwas {gone:#?}\nis {changed:#?}\nWhen this is meant, `cargo xtask bless` writes the new digests into \
         tests/golden/digests.txt; commit them by themselves, and say why they changed."
    );
}
