//! From fields to a plan: resolves every name and checks what no single table can tell.

mod actions;
mod expectation;
mod load;
mod model;
mod network;
mod nodes;
pub(crate) mod operator;
mod rules;
mod state;
mod steps;

use std::path::Path;

use chain::ProofOfWork;
use toml::de::DeTable;

use crate::Plan;
use crate::diagnostic::{Diagnostic, Report, Source};
use crate::grammar::FILE;
use crate::limits::{MAX_FILE_BYTES, MAX_NAME_BYTES};
use crate::overrides::Overrides;
use crate::read::{Fields, Reader};

/// How a scenario gets the text of a file in its folder, by the file's name; why it cannot be had, in words.
pub type Beside<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// [`parse_beside`] for a scenario that has no folder.
///
/// # Errors
/// As there.
pub fn parse(file: &str, source: &str, overrides: &Overrides) -> Result<Plan, Vec<Diagnostic>> {
    parse_beside(file, source, overrides, &|_| {
        Err("the scenario is in no folder".to_owned())
    })
}

/// Reads a scenario: `file` is what messages call it, `source` its text, `beside` gives the other files of its folder.
///
/// # Errors
/// Every fault of the file and of the overrides, in the order of their places.
pub fn parse_beside(
    file: &str,
    source: &str,
    overrides: &Overrides,
    beside: Beside<'_>,
) -> Result<Plan, Vec<Diagnostic>> {
    if source.len() > MAX_FILE_BYTES {
        let mut report = Report::new(Source::new(file, ""));
        let message = format!(
            "the file has {} bytes, at most {MAX_FILE_BYTES} are allowed",
            source.len()
        );
        report.error(&(0..0), message);
        return Err(report.into_errors());
    }
    let mut report = Report::new(Source::new(file, source));
    let (table, faults) = DeTable::parse_recoverable(source);
    for fault in &faults {
        let place = fault.span().unwrap_or(0..0);
        report.broken_toml(&place, fault.message().replace('\n', "; "));
    }
    let span = table.span();
    let mut table = table.into_inner();
    overrides.apply(&mut table, &mut report);
    let mut reader = Reader {
        report: &mut report,
        complete: faults.is_empty(),
    };
    let fields = reader.section(&FILE, &table, span);
    // Where the TOML is broken, what is left of it may mean anything.
    let plan = if faults.is_empty() {
        plan(&fields, (overrides, beside), &mut report)
    } else {
        None
    };
    match plan {
        Some(plan) if report.is_clean() => Ok(Plan {
            file: file.to_owned(),
            source: source.into(),
            set: overrides.set.clone(),
            description: description(source),
            warnings: report.into_warnings(),
            ..plan
        }),
        Some(_) | None => Err(report.into_errors()),
    }
}

/// Builds what the fields say; `None` when a part is missing, which has been told.
fn plan(file: &Fields, (overrides, beside): (&Overrides, Beside<'_>), report: &mut Report) -> Option<Plan> {
    let seed = overrides.seed.or_else(|| file.integer("seed").copied());
    let network = network::build(file.table("network"), (seed.unwrap_or(0), beside), report);
    let rates = network.nodes.iter().map(|node| node.hashrate).sum();
    let rules = file
        .table("chain")
        .and_then(|chain| rules::build(chain, (rates, network.model.as_ref()), report));
    let limit = file.duration("limit").copied();
    let around = state::Surroundings {
        network: &network,
        subsidy: rules.as_ref().map(|rules| rules.params.initial_subsidy),
        oracle: rules
            .as_ref()
            .is_some_and(|rules| rules.params.proof_of_work == ProofOfWork::Oracle),
        on_demand: rules.as_ref().is_some_and(|rules| rules.on_demand),
        limit,
    };
    let raw_steps = file.table("steps").and_then(|steps| steps.steps("run"));
    let story = steps::build(raw_steps.map_or(&[], Vec::as_slice), &around, report);
    // A step may only be missing for a fault that has been told.
    assert!(!report.is_clean() || raw_steps.map_or(0, Vec::len) == story.steps.len());
    steps::warn(&story, &network, report);
    let (rules, limit, seed) = (rules?, limit?, seed?);
    Some(Plan {
        name: file
            .text("name")
            .map_or_else(|| name_of_file(report.source.file()), |name| name.text.clone()),
        description: String::new(),
        file: String::new(),
        source: "".into(),
        set: Vec::new(),
        seed,
        limit,
        params: rules.params,
        tie: rules.tie,
        groups: network.names.groups(),
        nodes: network.nodes,
        links: network.links,
        conditions: network.conditions,
        lines: network.model.as_ref().map(model::lines),
        block_size: rules.block_size,
        steps: story.steps,
        wallets: story.wallets,
        payments: story.payments,
        cuts: story.cuts,
        attachment: network.attachment,
        warnings: Vec::new(),
    })
}

/// A name for a scenario that has none: its file's, as far as it is one.
fn name_of_file(file: &str) -> String {
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || "_.-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = stem.chars().take(MAX_NAME_BYTES).map(fit).collect();
    if name.is_empty() { "scenario".to_owned() } else { name }
}

/// The comment that a scenario file opens with, on one line: what it shows.
#[must_use]
pub fn description(source: &str) -> String {
    let comments = source.lines().map_while(|line| line.strip_prefix('#'));
    let words = comments
        .filter(|line| !line.starts_with(':'))
        .flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
