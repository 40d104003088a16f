//! The `[network]` table: nodes, links, and what links are like.

use std::collections::BTreeMap;

use base::{NodeId, Seed};
use chain::HashRate;
use node::{Relay, Strategy};

use super::{Beside, model};
use crate::diagnostic::Report;
use crate::graph;
use crate::limits::{MAX_GRAPH_BYTES, MAX_LINKS, MAX_NODES};
use crate::link::Conditions;
use crate::names::Names;
use crate::networks;
use crate::plan::{Attachment, LinkChange, LinkPlan, NodePlan};
use crate::read::{Fields, Text};
use crate::topology::Topology;

/// The nodes and links of a plan.
pub(super) struct Network {
    pub(super) nodes: Vec<NodePlan>,
    pub(super) links: Vec<LinkPlan>,
    pub(super) conditions: Conditions,
    /// The network of the literature that it is drawn from.
    pub(super) model: Option<networks::Network>,
    pub(super) names: Names,
    /// The file that its links are from.
    pub(super) attachment: Option<Attachment>,
}

impl Network {
    pub(super) fn is_hostile(&self, node: NodeId) -> bool {
        self.nodes[node.index()].strategy == Strategy::Hostile
    }

    pub(super) fn name_of(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }
}

/// Builds the network. When its nodes cannot be known, its names are broken.
pub(super) fn build(fields: Option<&Fields>, (seed, beside): (u64, Beside<'_>), report: &mut Report) -> Network {
    let mut network = Network {
        nodes: Vec::new(),
        links: Vec::new(),
        conditions: Conditions::default(),
        model: None,
        names: Names::default(),
        attachment: None,
    };
    let Some(fields) = fields else {
        network.names.broken = true;
        return network;
    };
    network.model = model::chosen(fields, report);
    if let Some(model) = network.model {
        draw(&model, fields, seed, &mut network, report);
        return network;
    }
    if nodes(fields, &mut network, report).is_none() {
        network.names.broken = true;
        return network;
    }
    network.conditions = fields
        .table("link")
        .map_or_else(Conditions::default, |link| Conditions {
            latency: link.duration("latency").copied().unwrap_or_default(),
            jitter: link.duration("jitter").copied().unwrap_or_default(),
            bandwidth: link.bandwidth("bandwidth").copied().unwrap_or_default(),
            cut: false,
        });
    network.attachment = attachment(fields, beside, report);
    if let Some(topology) = topology(fields, &network, report) {
        links(&topology, fields, seed, &mut network, report);
    }
    network
}

/// Draws the network from its model; single links may differ.
fn draw(model: &networks::Network, fields: &Fields, seed: u64, network: &mut Network, report: &mut Report) {
    let seed = Seed::from_number(seed).child("network", 0);
    (network.nodes, network.links) = model::draw(model, fields, &seed);
    let count = network.nodes.len();
    network.names.add("n", 0..count).expect("no other names are there yet");
    single_links(fields, network, report);
}

/// The nodes and their names; `None` when they cannot be known.
fn nodes(fields: &Fields, network: &mut Network, report: &mut Report) -> Option<()> {
    match (fields.gives("nodes"), fields.gives("group")) {
        (true, false) => {
            let count = fields.count("nodes")?;
            network.names.add("n", 0..count).expect("no other names are there yet");
            network.nodes.extend((0..count).map(|number| NodePlan {
                name: format!("n{number}"),
                relay: model::relay(fields).unwrap_or_default(),
                started: true,
                ..NodePlan::default()
            }));
            Some(())
        }
        (false, true) => groups(fields, network, report),
        (true, true) => {
            report.error(fields.place("nodes"), "`nodes` and groups exclude each other");
            None
        }
        (false, false) => {
            let begin = fields.span.start..fields.span.start + 1;
            report.error(&begin, "`[network]` needs `nodes`, or groups");
            None
        }
    }
}

fn groups(fields: &Fields, network: &mut Network, report: &mut Report) -> Option<()> {
    let groups = fields.tables("group")?;
    let usual = model::relay(fields).unwrap_or_default();
    let mut total = 0_usize;
    for group in groups {
        total += group.count("count")?;
        if total > MAX_NODES {
            let message = format!("`count`: with this group there are {total} nodes, at most {MAX_NODES} are allowed");
            report.error(group.place("count"), message);
            return None;
        }
    }
    // Groups without a name, or of the same name, go on counting where the last stopped.
    let mut next = BTreeMap::new();
    for group in groups {
        let name = group.text("name").map_or("n", |name| name.text.as_str());
        if let Some(fault) = unfit(name) {
            report.error(group.place("name"), fault);
            return None;
        }
        let first = *next.get(name).unwrap_or(&0);
        let numbers = first..first + group.count("count")?;
        next.insert(name, numbers.end);
        let place = network.names.count();
        if let Err(taken) = network.names.add(name, numbers.clone()) {
            report.error(
                group.place("name"),
                format!("another group already has a node `{taken}`"),
            );
            return None;
        }
        if first == 0 && group.gives("name") {
            network.names.add_group(name, place);
        }
        network
            .nodes
            .extend(numbers.map(|number| member(group, usual, format!("{name}{number}"))));
        let hostile = network
            .nodes
            .last()
            .is_some_and(|node| node.strategy == Strategy::Hostile);
        if hostile && group.hash_rate("hashrate").is_some_and(|rate| *rate > HashRate::ZERO) {
            report.error(group.place("hashrate"), "hostile nodes do not mine");
        }
    }
    Some(())
}

/// Why a group cannot have this name.
fn unfit(name: &str) -> Option<String> {
    let longest = name.len() + MAX_NODES.to_string().len();
    if name == "all" || name.contains("..") {
        return Some(format!(
            "no group can be called `{name}`: it would stand for several nodes"
        ));
    }
    (longest > crate::limits::MAX_NAME_BYTES)
        .then(|| format!("`{name}` is too long: a number is put behind it, and names have at most 32 bytes"))
}

fn member(group: &Fields, usual: Relay, name: String) -> NodePlan {
    let hostile = group
        .text("strategy")
        .is_some_and(|strategy| strategy.text == "hostile");
    NodePlan {
        name,
        hashrate: group.hash_rate("hashrate").copied().unwrap_or_default(),
        strategy: if hostile { Strategy::Hostile } else { Strategy::Honest },
        relay: model::relay(group).unwrap_or(usual),
        region: None,
        line: None,
        started: group.flag("start").is_none_or(|start| *start),
    }
}

/// The file that the topology names; when it cannot be had, tells so.
fn attachment(fields: &Fields, beside: Beside<'_>, report: &mut Report) -> Option<Attachment> {
    let file = fields.table("topology")?.text("file")?;
    let text = beside(&file.text).and_then(|text| {
        let fits = text.len() <= MAX_GRAPH_BYTES;
        let too_large = || format!("it has {} bytes, at most {MAX_GRAPH_BYTES} are allowed", text.len());
        if fits { Ok(text) } else { Err(too_large()) }
    });
    match text {
        Ok(text) => Some(Attachment {
            name: file.text.clone(),
            text: text.into(),
        }),
        Err(reason) => {
            report.error(&file.span, format!("cannot read `{}`: {reason}", file.text));
            None
        }
    }
}

/// The links of the file that the topology names.
fn from_file(topology: &Fields, network: &Network, report: &mut Report) -> Option<Topology> {
    let Some(file) = topology.text("file") else {
        if !topology.gives("file") {
            report.error(topology.place("kind"), "the topology `file` needs `file`");
        }
        return None;
    };
    match graph::links(&network.attachment.as_ref()?.text, &network.names) {
        Ok(links) => Some(Topology::Edges(links)),
        Err(fault) => {
            let line = fault.line.map_or_else(String::new, |line| format!(", line {line}"));
            report.error(&file.span, format!("`{}`{line}: {}", file.text, fault.message));
            None
        }
    }
}

fn topology(fields: &Fields, network: &Network, report: &mut Report) -> Option<Topology> {
    let names = &network.names;
    let Some(topology) = fields.table("topology") else {
        return Some(Topology::default_for(names.count()));
    };
    let kind = topology.text("kind")?.text.as_str();
    let used: &[&str] = match kind {
        "random" => &["outbound"],
        "tree" | "scale-free" => &["degree"],
        "small-world" => &["degree", "rewire"],
        "edges" => &["edges"],
        "file" => &["file"],
        _ => &[],
    };
    for key in ["outbound", "degree", "rewire", "edges", "file"] {
        if topology.gives(key) && !used.contains(&key) {
            report.error(
                topology.place(key),
                format!("`{key}` is of no use with the topology `{kind}`"),
            );
        }
    }
    let degree = |usual| topology.count("degree").unwrap_or(usual);
    Some(match kind {
        "full" => Topology::Full,
        "ring" => Topology::Ring,
        "line" => Topology::Line,
        "star" => Topology::Star,
        "tree" => Topology::Tree { degree: degree(2) },
        "grid" => Topology::Grid,
        "small-world" => Topology::SmallWorld {
            degree: degree(4),
            rewire: topology.share("rewire").copied().unwrap_or(100_000),
        },
        "scale-free" => Topology::ScaleFree { degree: degree(3) },
        "random" => Topology::Random {
            outbound: topology.count("outbound").unwrap_or(8),
        },
        "edges" => Topology::Edges(edges(
            topology.lists("edges").map_or(&[], Vec::as_slice),
            names,
            report,
        )?),
        "file" => from_file(topology, network, report)?,
        "none" => Topology::None,
        unknown => unreachable!("the grammar has no topology `{unknown}`"),
    })
}

/// Pairs of nodes; a pair that is there twice is a mistake.
fn edges(pairs: &[Vec<Text>], names: &Names, report: &mut Report) -> Option<Vec<(NodeId, NodeId)>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut edges = Vec::new();
    let mut sound = true;
    for pair in pairs {
        match names.pair(pair, report) {
            Some([a, b]) if seen.insert((a.min(b), a.max(b))) => edges.push((a, b)),
            Some(_) => {
                report.error(&pair[0].span, "this pair is linked twice");
                sound = false;
            }
            None => sound = false,
        }
    }
    sound.then_some(edges)
}

/// Links the nodes.
fn links(topology: &Topology, fields: &Fields, seed: u64, network: &mut Network, report: &mut Report) {
    let most = topology.most_links(network.nodes.len());
    if most > MAX_LINKS {
        let message = format!("this topology may have {most} links, at most {MAX_LINKS} are allowed");
        report.error(fields.place("topology"), message);
        return;
    }
    let seed = Seed::from_number(seed).child("topology", 0);
    network.links = topology
        .links(network.nodes.len(), &seed)
        .into_iter()
        .map(|(a, b)| LinkPlan {
            a,
            b,
            conditions: network.conditions,
        })
        .collect();
    single_links(fields, network, report);
}

/// Gives single links their own conditions.
fn single_links(fields: &Fields, network: &mut Network, report: &mut Report) {
    let places: BTreeMap<_, _> = network
        .links
        .iter()
        .enumerate()
        .map(|(at, link)| (pair(link.a, link.b), at))
        .collect();
    for single in fields.tables("links").map_or(&[] as &[_], Vec::as_slice) {
        let Some([a, b]) = single
            .list("between")
            .and_then(|names| network.names.pair(names, report))
        else {
            continue;
        };
        match places.get(&pair(a, b)) {
            Some(at) => {
                let link = &mut network.links[*at];
                link.conditions = change(single).applied_to(link.conditions);
            }
            None => {
                let message = format!("`{}` and `{}` are not linked", network.name_of(a), network.name_of(b));
                report.error_with_help(single.place("between"), message, "link them in `[network.topology]`");
            }
        }
    }
}

/// A pair, whoever dials.
pub(super) fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}

/// What a table of link conditions changes.
pub(super) fn change(fields: &Fields) -> LinkChange {
    LinkChange {
        latency: fields.duration("latency").copied(),
        jitter: fields.duration("jitter").copied(),
        bandwidth: fields.bandwidth("bandwidth").copied(),
        cut: fields.flag("cut").copied(),
    }
}
