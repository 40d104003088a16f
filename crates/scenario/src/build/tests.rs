//! Whole files, sound and broken.

use super::*;

const SAMPLE: &str = include_str!("../../../../scenarios/double-spend-across-a-partition.toml");

#[test]
fn the_sample_is_sound() {
    let plan = parse("scenarios/sample.toml", SAMPLE, &Overrides::default());
    let plan = plan.unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| format!("{e}\n")).collect::<String>()));
    assert_eq!(plan.name, "double-spend-across-a-partition");
    assert_eq!(plan.warnings, Vec::<String>::new());
    println!("{plan:#?}");
}
