//! The block tree, as the layout has it.

use chain::{BlockId, Height};
use observe::layout::{Cell, Content, View};
use observe::model::{Model, Moment, TreeRow};
use serde::Serialize;

use super::letters::Letters;

/// A drawing of the tree.
#[derive(Debug, Serialize)]
pub(crate) struct TreeView {
    rows: Vec<RowView>,
    rows_left_out: usize,
    branches_left_out: usize,
}

/// A row: `kind` says what it is when it is no block's. What is usual is left out: with a thousand rows it would be half of the answer.
#[derive(Debug, Serialize)]
struct RowView {
    /// A character for each lane.
    cells: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    block: Option<BlockView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<usize>,
}

#[derive(Debug, Serialize)]
struct BlockView {
    block: BlockId,
    height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    miner: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    /// More than its coinbase.
    #[serde(skip_serializing_if = "is_none")]
    payments: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tips: Vec<String>,
    #[serde(skip_serializing_if = "is_none")]
    tip_count: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// Ranges of nodes that stand beside a block; further ones are counted with it.
const MAX_RANGES: usize = 8;

impl TreeView {
    /// The last rows of the tree as it was.
    pub(crate) fn of(model: &Model, moment: &Moment<'_>, rows: usize) -> Self {
        let to = Height(u32::MAX);
        let picture = moment.tree(View {
            from: Height(0),
            to,
            rows,
        });
        let letters = Letters::at(model, moment.time());
        Self {
            rows: picture
                .rows
                .into_iter()
                .map(|row| RowView::of(model, &letters, row))
                .collect(),
            rows_left_out: picture.rows_left_out,
            branches_left_out: picture.branches_left_out,
        }
    }
}

impl RowView {
    fn of(model: &Model, letters: &Letters<'_>, row: TreeRow) -> Self {
        let (kind, block, blocks) = match row.content {
            Content::Block { block, height, stale } => {
                let number = model.chain().number(&block);
                let facts = number.map(|number| model.chain().block(number));
                let genesis = facts.is_some_and(|facts| facts.parent.is_none());
                let view = BlockView {
                    block,
                    height: height.0,
                    miner: row.miner.or_else(|| genesis.then(|| "genesis".to_owned())),
                    stale,
                    side: number.and_then(|number| letters.of(number)),
                    payments: facts.map_or(0, |facts| facts.transactions.saturating_sub(1)),
                    tips: row.nodes.into_iter().take(MAX_RANGES).collect(),
                    tip_count: row.node_count,
                };
                (None, Some(view), None)
            }
            Content::Fork => (Some("fork"), None, None),
            Content::Fold { blocks } => (Some("fold"), None, Some(blocks)),
        };
        Self {
            cells: row.cells.into_iter().map(character).collect(),
            kind,
            block,
            blocks,
        }
    }
}

/// One lane's part of a row, as `docs/PAGE.md` lists them.
const fn character(cell: Cell) -> char {
    match cell {
        Cell::Empty => ' ',
        Cell::Block => 'o',
        Cell::Through => '|',
        Cell::Folded => ':',
        Cell::Leave => '+',
        Cell::Across => '-',
        Cell::Cross => 'x',
        Cell::Begin => 'T',
        Cell::BeginLast => '7',
    }
}
