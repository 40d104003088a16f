//! What a run is: told once.

use base::NodeId;
use observe::model::Model;
use observe::told::KINDS;
use serde::Serialize;

/// What a run is.
#[derive(Debug, Serialize)]
pub(crate) struct RunView {
    scenario: String,
    file: String,
    seed: String,
    engine: String,
    detail: String,
    tool_version: String,
    participants: Vec<ParticipantView>,
    kinds: &'static [&'static str],
    control: bool,
}

#[derive(Debug, Serialize)]
struct ParticipantView {
    name: String,
    hashrate: String,
    strategy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl RunView {
    /// None before the log's first event.
    pub(crate) fn of(model: &Model, control: bool) -> Option<Self> {
        let run = model.run()?;
        Some(Self {
            scenario: run.scenario.clone(),
            file: run.file.clone(),
            seed: run.seed.clone(),
            engine: run.engine.clone(),
            detail: run.detail.clone(),
            tool_version: run.tool_version.clone(),
            participants: run
                .participants
                .iter()
                .enumerate()
                .map(|(place, node)| ParticipantView {
                    name: node.name.clone(),
                    hashrate: node.hashrate.clone(),
                    strategy: node.strategy.clone(),
                    region: model.cast().region(NodeId::at(place)).map(str::to_owned),
                })
                .collect(),
            kinds: &KINDS,
            control,
        })
    }
}
