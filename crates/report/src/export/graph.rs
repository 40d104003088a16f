//! The tree of blocks for tools that draw graphs. Edges lead from a block to its parent.

use observe::model::{BlockNumber, Model, Moment};

use super::{Exported, newest, on_best_chain};
use crate::limits::{MAX_GRAPH_BLOCKS, MAX_MERMAID_BLOCKS};
use crate::words::listed;

/// A block as a graph shows it.
struct Vertex {
    number: BlockNumber,
    parent: Option<BlockNumber>,
    id: String,
    short: String,
    height: u32,
    miner: String,
    stale: bool,
    /// The running nodes that follow it.
    followers: Vec<String>,
}

fn vertices(model: &Model, end: &Moment<'_>, most: usize) -> (Vec<Vertex>, Option<String>) {
    let (numbers, left_out) = newest(model, most);
    let best = on_best_chain(model, end);
    let followers = end.followers();
    let first = numbers.first().copied();
    let vertex = |number: BlockNumber| {
        let block = model.chain().block(number);
        let nodes = followers.get(&number).map_or(&[][..], Vec::as_slice);
        Vertex {
            number,
            parent: block.parent.filter(|parent| Some(*parent) >= first),
            id: block.id.to_string(),
            short: block.id.short().to_string(),
            height: block.height.0,
            miner: block
                .miner
                .map_or(String::new(), |miner| model.cast().name(miner).to_owned()),
            stale: !best[number.index()],
            followers: model.cast().ranges(nodes.iter().copied()),
        }
    };
    (numbers.into_iter().map(vertex).collect(), left_out)
}

impl Vertex {
    /// Height, last digits, miner, and who follows it, on lines of their own.
    fn label(&self, line_end: &str) -> String {
        let mut label = format!("{} ..{}", self.height, self.short);
        if !self.miner.is_empty() {
            label += &format!("{line_end}{}", self.miner);
        }
        if !self.followers.is_empty() {
            label += &format!("{line_end}<- {}", listed(&self.followers));
        }
        label
    }
}

/// For Graphviz: `dot -Tsvg`.
pub(super) fn dot(model: &Model, end: &Moment<'_>) -> Exported {
    let (vertices, left_out) = vertices(model, end, MAX_GRAPH_BLOCKS);
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = String::from(
        "digraph blocks {\n  rankdir=RL;\n  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=10];\n",
    );
    for vertex in &vertices {
        // Graphviz's own escape for a line's end must not be escaped.
        let label = quoted(&vertex.label("\n")).replace('\n', "\\n");
        let style = if vertex.stale { ", style=\"rounded,dashed\"" } else { "" };
        text += &format!(
            "  b{} [label=\"{label}\", tooltip=\"{}\"{style}];\n",
            vertex.number.index(),
            vertex.id
        );
    }
    for vertex in &vertices {
        if let Some(parent) = vertex.parent {
            text += &format!("  b{} -> b{};\n", vertex.number.index(), parent.index());
        }
    }
    text += "}\n";
    Exported { text, left_out }
}

/// For yEd, Gephi, networkx.
pub(super) fn graphml(model: &Model, end: &Moment<'_>) -> Exported {
    let (vertices, left_out) = vertices(model, end, MAX_GRAPH_BLOCKS);
    let escaped = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        text.replace('>', "&gt;").replace('"', "&quot;")
    };
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (key, kind) in [
        ("height", "int"),
        ("miner", "string"),
        ("stale", "boolean"),
        ("followers", "string"),
    ] {
        text += &format!("  <key id=\"{key}\" for=\"node\" attr.name=\"{key}\" attr.type=\"{kind}\"/>\n");
    }
    text += "  <graph id=\"blocks\" edgedefault=\"directed\">\n";
    for vertex in &vertices {
        text += &format!("    <node id=\"{}\">", vertex.id);
        let data = [
            ("height", vertex.height.to_string()),
            ("miner", escaped(&vertex.miner)),
            ("stale", vertex.stale.to_string()),
            ("followers", escaped(&vertex.followers.join(" "))),
        ];
        for (key, value) in data {
            text += &format!("<data key=\"{key}\">{value}</data>");
        }
        text += "</node>\n";
    }
    for vertex in &vertices {
        if let Some(parent) = vertex.parent {
            let parent = model.chain().block(parent).id;
            text += &format!("    <edge source=\"{}\" target=\"{parent}\"/>\n", vertex.id);
        }
    }
    text += "  </graph>\n</graphml>\n";
    Exported { text, left_out }
}

/// For Markdown that draws Mermaid.
pub(super) fn mermaid(model: &Model, end: &Moment<'_>) -> Exported {
    let (vertices, left_out) = vertices(model, end, MAX_MERMAID_BLOCKS);
    // Names are of letters, digits and `_.-`; what is not would end the quotes.
    let quoted = |text: &str| text.replace('"', "'").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = String::from("graph LR\n");
    for vertex in &vertices {
        let label = quoted(&vertex.label("\n")).replace('\n', "<br>");
        let (open, close) = if vertex.stale { ("(", ")") } else { ("[", "]") };
        text += &format!("  b{}{open}\"{label}\"{close}\n", vertex.number.index());
    }
    for vertex in &vertices {
        if let Some(parent) = vertex.parent {
            text += &format!("  b{} --> b{}\n", parent.index(), vertex.number.index());
        }
    }
    let stale: Vec<String> = vertices
        .iter()
        .filter(|vertex| vertex.stale)
        .map(|vertex| format!("b{}", vertex.number.index()))
        .collect();
    if !stale.is_empty() {
        text += "  classDef stale stroke-dasharray: 4 3\n";
        text += &format!("  class {} stale\n", stale.join(","));
    }
    Exported { text, left_out }
}
