//! A network of the literature as nodes and links of a plan.

use base::{Rng, Seed};
use chain::HashRate;
use node::{Relay, Strategy};

use crate::diagnostic::Report;
use crate::limits::MAX_DELAY;
use crate::link::Conditions;
use crate::networks;
use crate::plan::{LinkPlan, NodePlan};
use crate::read::Fields;
use crate::uplink::{Line, Lines};

/// The hash power of a network of the literature unless said otherwise: Bitcoin's at the beginning of 2016.
const HASH_POWER: HashRate = HashRate(1_000_000_000_000_000_000);

/// The model that a file names. Keys that a model settles, or that are of no use without one, are told.
pub(super) fn chosen(network: &Fields, report: &mut Report) -> Option<networks::Network> {
    let Some(preset) = network.text("preset") else {
        if network.gives("hashrate") {
            let message = "`hashrate` is of no use without `preset`: groups say what their nodes hash";
            report.error(network.place("hashrate"), message);
        }
        return None;
    };
    for key in ["group", "topology", "link"] {
        if network.gives(key) {
            report.error(network.place(key), format!("`{key}` and `preset` exclude each other"));
        }
    }
    networks::Network::preset(&preset.text)
}

/// The nodes of a model, drawn from the seed, and their links.
///
/// A latency is drawn once for each link and holds in both directions. Gervais et al. do so; SimBlock draws for each message anew, which
/// transports that keep the order of messages would undo.
pub(super) fn draw(model: &networks::Network, fields: &Fields, seed: &Seed) -> (Vec<NodePlan>, Vec<LinkPlan>) {
    let nodes = fields.count("nodes").unwrap_or(model.nodes);
    let power = fields.hash_rate("hashrate").copied().unwrap_or(HASH_POWER);
    let sampled = model.sample(nodes, seed);
    let relay = relay(fields).unwrap_or_default();
    let node = |(number, node): (usize, &networks::SampledNode)| NodePlan {
        name: format!("n{number}"),
        hashrate: part(power, node.hash_share),
        strategy: Strategy::Honest,
        relay,
        region: Some(node.region),
        line: Some(Line {
            download: node.download,
            upload: node.upload,
        }),
        started: true,
    };
    let mut latencies = seed.child("latencies", 0).rng();
    let links = sampled.edges.iter().map(|(a, b)| {
        let regions = [a, b].map(|node| sampled.nodes[node.index()].region);
        LinkPlan {
            a: *a,
            b: *b,
            conditions: conditions(model, regions, &mut latencies),
        }
    });
    (sampled.nodes.iter().enumerate().map(node).collect(), links.collect())
}

fn conditions(model: &networks::Network, [a, b]: [networks::Region; 2], rng: &mut Rng) -> Conditions {
    Conditions {
        // The tail of the distribution is long: what is beyond an hour is as good as lost.
        latency: model.latency(a, b, rng).min(MAX_DELAY),
        ..Conditions::default()
    }
}

/// How the nodes of a model use their lines.
pub(super) const fn lines(model: &networks::Network) -> Lines {
    Lines {
        upload: model.upload,
        processing: model.processing,
        message_overhead: model.message_overhead,
    }
}

/// How nodes tell of new blocks, when the table says so.
pub(super) fn relay(fields: &Fields) -> Option<Relay> {
    let relay = fields.text("relay")?;
    Some(match relay.text.as_str() {
        "headers" => Relay::Headers,
        "announce" => Relay::Announce,
        "compact" => Relay::Compact,
        "push" => Relay::Push,
        "mesh" => Relay::Mesh,
        unknown => unreachable!("the grammar has no relay `{unknown}`"),
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of what 64 bits hold, to 53 bits"
)]
fn part(power: HashRate, share: f64) -> HashRate {
    HashRate((power.0 as f64 * share) as u64)
}
