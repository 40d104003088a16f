//! Whole files, sound and broken.

mod caps;
mod diagnostics;
mod files;
mod models;
mod properties;

use super::*;

const SAMPLE: &str = include_str!("../../../../scenarios/double-spend-across-a-partition.toml");

fn read(source: &str) -> Result<Plan, Vec<Diagnostic>> {
    parse("x.toml", source, &Overrides::default())
}

fn sound(source: &str) -> Plan {
    read(source).unwrap_or_else(|errors| panic!("{}", shown(&errors)))
}

fn shown(errors: &[Diagnostic]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}
