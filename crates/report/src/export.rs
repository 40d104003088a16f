//! A run for other programs.

mod csv;
mod graph;
mod perfetto;
mod scenario;

use std::path::Path;

use observe::model::{BlockNumber, Model, Moment};

use crate::html::ReportError;
use crate::svg;

pub use self::scenario::{ByHand, NoScenario};

/// What a run is written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Its blocks as a table.
    Csv,
    /// Its tree for Graphviz.
    Dot,
    /// Its tree for graph editors.
    GraphMl,
    /// Its tree for texts that draw Mermaid; the newest blocks only.
    Mermaid,
    /// Its tree as a picture.
    Svg,
    /// What happened on a time line, for Perfetto and other viewers of Chrome's traces.
    Perfetto,
}

/// A run in another form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// The file's text.
    pub text: String,
    /// What there was no room for, in words; none when all of it is there.
    pub left_out: Option<String>,
}

impl Exported {
    const fn whole(text: String) -> Self {
        Self { text, left_out: None }
    }
}

/// Writes a run as something else.
///
/// # Errors
/// When the log of `folder`, which the model was built from, cannot be read back.
pub fn export(model: &Model, folder: &Path, format: Format) -> Result<Exported, ReportError> {
    let end = model.at(model.now())?;
    Ok(match format {
        Format::Csv => Exported::whole(csv::blocks(model, &end)),
        Format::Dot => graph::dot(model, &end),
        Format::GraphMl => graph::graphml(model, &end),
        Format::Mermaid => graph::mermaid(model, &end),
        Format::Svg => {
            let picture = end.tree(observe::layout::View::default());
            let left_out = match (picture.rows_left_out, picture.branches_left_out) {
                (0, 0) => None,
                (rows, branches) => Some(format!("the picture leaves out {rows} rows and {branches} branches")),
            };
            Exported {
                text: svg::tree(&picture).file(),
                left_out,
            }
        }
        Format::Perfetto => perfetto::trace(model, folder)?,
    })
}

/// Which blocks are on the chain with the most work, by number.
fn on_best_chain(model: &Model, end: &Moment<'_>) -> Vec<bool> {
    let chain = model.chain();
    let mut on = vec![false; chain.len()];
    let mut at = end.best();
    while let Some(number) = at {
        on[number.index()] = true;
        at = chain.block(number).parent;
    }
    on
}

/// What stands in a graph: the newest blocks, at most so many.
fn newest(model: &Model, most: usize) -> (Vec<BlockNumber>, Option<String>) {
    let chain = model.chain();
    let left = chain.len().saturating_sub(most);
    let numbers = (left..chain.len()).map(BlockNumber::at).collect();
    let left_out = (left > 0).then(|| format!("the graph has the newest {most} of {} blocks", chain.len()));
    (numbers, left_out)
}

#[cfg(test)]
mod tests;
