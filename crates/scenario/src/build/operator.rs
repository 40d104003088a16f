//! A step that an operator hands in while a run goes on: the same grammar, checked against what is so now.

use std::collections::{BTreeMap, BTreeSet};

use base::NodeId;
use chain::{Amount, Params, ProofOfWork};
use toml::de::DeValue;

use super::network::Network;
use super::state::{Register, State, Surroundings};
use super::steps;
use crate::Plan;
use crate::diagnostic::{Diagnostic, Report, Source};
use crate::limits::{MAX_INSTRUCTION_BYTES, MAX_RUN_NAMES};
use crate::names::Names;
use crate::plan::{CutId, PaymentId, Step, StepKind, WalletId};
use crate::read::{RawStep, Reader};

/// What is so when an operator's step begins.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) running: Vec<bool>,
    pub(crate) paused: BTreeSet<NodeId>,
    /// The pairs that are to be connected.
    pub(crate) linked: BTreeSet<(NodeId, NodeId)>,
    /// The cuts in force.
    pub(crate) open_cuts: BTreeSet<CutId>,
    /// The wallets whose load goes on.
    pub(crate) loading: BTreeSet<WalletId>,
    /// The wallets that have been funded or paid.
    pub(crate) paid: BTreeSet<WalletId>,
    /// What the next block of a node pays.
    pub(crate) pending: BTreeMap<NodeId, Amount>,
    /// The payees of each double spend that the run knows.
    pub(crate) doubles: BTreeMap<PaymentId, [WalletId; 2]>,
    /// How many loads the run knows.
    pub(crate) loads: u64,
}

/// A step that was read, and the names of the run with those that it brings.
#[derive(Debug)]
pub(crate) struct Instructed {
    pub(crate) step: Step,
    pub(crate) action: &'static str,
    pub(crate) wallets: Vec<String>,
    pub(crate) payments: Vec<String>,
    pub(crate) cuts: Vec<String>,
}

/// Reads one step, with its braces or without. `who` is what messages call the text.
pub(crate) fn step((who, text): (&str, &str), plan: &Plan, standing: Standing) -> Result<Instructed, Vec<Diagnostic>> {
    let braced = braced(text);
    let mut report = Report::new(Source::new(who, &braced));
    if text.len() > MAX_INSTRUCTION_BYTES {
        let message = format!(
            "the step has {} bytes, at most {MAX_INSTRUCTION_BYTES} are allowed",
            text.len()
        );
        report = Report::new(Source::new(who, ""));
        report.error(&(0..0), message);
        return Err(report.into_errors());
    }
    let Some(raw) = raw(&braced, &mut report) else {
        return Err(report.into_errors());
    };
    let network = Network {
        nodes: plan.nodes.clone(),
        links: Vec::new(),
        conditions: plan.conditions,
        attachment: None,
        model: None,
        names: Names::of(plan),
    };
    let around = Surroundings {
        network: &network,
        subsidy: Some(plan.params.initial_subsidy),
        oracle: plan.params.proof_of_work == ProofOfWork::Oracle,
        on_demand: plan.params.initial_bits == Params::EASIEST,
        limit: Some(plan.limit),
    };
    let mut state = State::standing(&around, plan, standing);
    let kind = steps::kind(&raw, &[], &mut state, &mut report);
    let span = &raw.fields.span;
    if matches!(kind, Some(StepKind::Never(_))) {
        let message = "`never` watches to the end of a run, and a step of an operator has an end";
        report.error_with_help(span, message, "put it into the scenario file");
    }
    let names = [&state.wallets, &state.payments, &state.cuts];
    if names.iter().map(|register| register.names.len()).sum::<usize>() > MAX_RUN_NAMES {
        report.error(
            span,
            format!("a run knows at most {MAX_RUN_NAMES} wallets, payments and cuts"),
        );
    }
    match kind.filter(|_| report.is_clean()) {
        Some(kind) => Ok(Instructed {
            step: Step {
                line: 0,
                text: steps::one_line(&braced),
                kind,
            },
            action: raw.action.verb.name,
            wallets: state.wallets.names,
            payments: state.payments.names,
            cuts: state.cuts.names,
        }),
        None => Err(report.into_errors()),
    }
}

/// The text as an inline table.
fn braced(text: &str) -> String {
    let text = text.trim().trim_end_matches(',');
    if text.starts_with('{') {
        text.to_owned()
    } else {
        format!("{{ {text} }}")
    }
}

/// The fields of the step, if it fits the grammar.
fn raw(text: &str, report: &mut Report) -> Option<RawStep> {
    let value = match DeValue::parse(text) {
        Ok(value) => value,
        Err(fault) => {
            let place = fault.span().unwrap_or(0..0);
            report.broken_toml(&place, fault.message().replace('\n', "; "));
            return None;
        }
    };
    let span = value.span();
    let Some(table) = value.get_ref().as_table() else {
        report.error(&span, "a step is an inline table, as { mine = 1, on = \"n0\" }");
        return None;
    };
    let mut reader = Reader { report, complete: true };
    let raw = reader.step(table, &span)?;
    report.is_clean().then_some(raw)
}

impl<'a> State<'a> {
    /// What is known to an operator: every name of the run, those of steps to come among them.
    fn standing(around: &'a Surroundings<'a>, plan: &Plan, standing: Standing) -> Self {
        let Standing {
            running,
            paused,
            linked,
            open_cuts,
            loading,
            paid,
            pending,
            doubles,
            loads,
        } = standing;
        Self {
            wallets: Register::of(&plan.wallets),
            payments: Register::of(&plan.payments),
            cuts: Register::of(&plan.cuts),
            doubles,
            paid,
            pending,
            loads,
            loading,
            open_cuts,
            running,
            paused,
            linked,
            ..State::new(around)
        }
    }
}
