//! What is told of the run as a whole, and of its steps.

use chain::{BlockId, Txid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Digits;

/// The run began: what tells it from another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The version of this program.
    pub tool_version: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its file, as the user gave it.
    pub file: String,
    /// SHA-256 of the file.
    pub scenario_sha256: String,
    /// The seed.
    pub seed: String,
    /// What the command line changed: keys and values.
    pub set: Vec<(String, String)>,
    /// `cluster` or `sim`.
    pub engine: String,
    /// `full`, `compact` or `summary`.
    pub detail: String,
    /// Every node, in order.
    pub participants: Vec<Participant>,
    /// The network's rules.
    pub parameters: Value,
    /// The genesis block.
    #[schemars(with = "Digits")]
    pub genesis: BlockId,
}

/// A node as the scenario has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Its name.
    pub name: String,
    /// Its hash power at the start, in hashes per second.
    pub hashrate: String,
    /// How it behaves.
    pub strategy: String,
}

/// The run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunEnded {
    /// The verdict.
    pub reason: String,
    /// Whether all was well.
    pub ok: bool,
    /// What there was in all.
    pub totals: Totals,
}

/// What there was in a run in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Blocks that some node found valid, the genesis block aside.
    pub blocks: u64,
    /// Those that are not on the chain with the most work.
    pub stale: u64,
    /// Forks.
    pub forks: u64,
    /// Reorgs of all nodes.
    pub reorgs: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// News of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Which, from 0.
    pub step: usize,
    /// The line of the scenario it begins on.
    pub line: u32,
    /// The step as a scenario file has it, on one line, without the braces.
    pub text: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepStateTold,
    /// The transactions it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentTold>,
    /// How long it has taken so far, in microseconds.
    pub took_us: u64,
}

/// News of a step that an operator handed in while the run went on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// Which of the run, from 0.
    pub control: u64,
    /// By what way it came: `console`, `page`.
    pub who: String,
    /// The action's word: `partition`.
    pub action: String,
    /// The step as a scenario file has it, on one line, without the braces.
    pub text: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepStateTold,
    /// The transactions it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentTold>,
    /// How long it has taken so far, in microseconds.
    pub took_us: u64,
}

/// Where a step stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepStateTold {
    /// It has begun.
    Started,
    /// It is done.
    Passed {
        /// What was seen, in words.
        found: String,
    },
    /// It failed, and so did the run.
    Failed {
        /// What was expected, in words.
        expected: String,
        /// What was found, in words.
        found: String,
    },
}

/// A transaction that a step made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PaymentTold {
    /// The transaction.
    #[schemars(with = "Digits")]
    pub txid: Txid,
    /// What it is called: the payment's name and whom it pays.
    pub label: String,
}
