//! Tests of the presets: what is drawn has the published shares, means and shapes, and is the same for the same seed.

use std::collections::BTreeSet;

use base::{Hash, Seed};

use super::*;

mod published;

fn preset(name: &str) -> Network {
    Network::preset(name).expect("a preset")
}

/// The network of the published runs.
fn sampled(network: &Network, seed: u64) -> Sampled {
    network.sample(network.nodes, &Seed::from_number(seed))
}

fn assert_near(value: f64, expected: f64, relative: f64, what: &str) {
    let distance = (value - expected).abs();
    assert!(
        distance <= relative * expected.abs(),
        "{what}: {value}, expected {expected}"
    );
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / count
}

/// Each node's links, whoever dialled.
fn degrees(sampled: &Sampled) -> Vec<usize> {
    let mut degrees = vec![0; sampled.nodes.len()];
    for (a, b) in &sampled.edges {
        degrees[a.index()] += 1;
        degrees[b.index()] += 1;
    }
    degrees
}

/// Every field of every node and every link, in order.
fn digest(sampled: &Sampled) -> String {
    let mut bytes = Vec::new();
    for node in &sampled.nodes {
        bytes.extend(node.region.name().bytes());
        bytes.extend(node.upload.to_le_bytes());
        bytes.extend(node.download.to_le_bytes());
        bytes.extend(node.hash_share.to_bits().to_le_bytes());
        bytes.extend((node.outbound as u64).to_le_bytes());
    }
    for (a, b) in &sampled.edges {
        bytes.extend(a.0.to_le_bytes());
        bytes.extend(b.0.to_le_bytes());
    }
    base::hex::encode(&Hash::sha256(&[&bytes]).0[..8])
}

#[test]
fn every_preset_is_found_by_its_name_and_nothing_else_is() {
    for network in Network::PRESETS {
        assert_eq!(Network::preset(network.name), Some(network));
    }
    assert_eq!(Network::preset("simblock"), None);
}

#[test]
fn region_shares_add_up_to_one() {
    for network in Network::PRESETS {
        let sum: f64 = Region::ALL.map(|region| network.share(region)).iter().sum();
        assert_near(sum, 1.0, 1e-9, network.name);
    }
}

#[test]
fn latencies_are_the_same_both_ways_and_above_the_spread() {
    for network in Network::PRESETS {
        for from in Region::ALL {
            for to in Region::ALL {
                let mean = network.mean_latency(from, to);
                assert_eq!(mean, network.mean_latency(to, from), "{}", network.name);
                assert!(mean > Duration::from_millis(5), "{}: {from:?} {to:?}", network.name);
            }
        }
    }
}

#[test]
fn simblocks_regions_have_their_shares_to_the_node() {
    for network in Network::PRESETS
        .iter()
        .filter(|network| network.name != "gervais-bitcoin")
    {
        let sampled = sampled(network, 1);
        for region in Region::ALL {
            let count = sampled.nodes.iter().filter(|node| node.region == region).count();
            let expected = network.share(region) * network.nodes as f64;
            assert!(
                (count as f64 - expected).abs() <= 1.0,
                "{region:?}: {count}, {expected}"
            );
        }
    }
}

#[test]
fn gervais_regions_have_their_shares_among_nodes_that_are_no_pools() {
    let network = preset("gervais-bitcoin");
    let sampled = network.sample(50_016, &Seed::from_number(1));
    for region in Region::ALL {
        let count = sampled.nodes[16..].iter().filter(|node| node.region == region).count();
        // Four standard deviations of the rarest region are a sixth of its share.
        assert_near(count as f64 / 50_000.0, network.share(region), 0.17, region.name());
    }
}

#[test]
fn simblocks_nodes_dial_as_many_as_the_distribution_says() {
    for network in Network::PRESETS {
        let Wiring::Outbound { at_most } = network.wiring else {
            continue;
        };
        let sampled = sampled(&network, 2);
        for (place, share) in at_most.iter().enumerate() {
            let count = sampled.nodes.iter().filter(|node| node.outbound <= place + 1).count();
            let expected = share * network.nodes as f64;
            assert!(
                (count as f64 - expected).abs() <= 1.0,
                "{}: {count} dial at most {}, expected {expected}",
                network.name,
                place + 1
            );
        }
    }
}

#[test]
fn mean_degrees_are_those_of_the_distributions() {
    let expected = [
        ("simblock-bitcoin-2015", 8.645),
        ("simblock-bitcoin-2019", 8.645),
        ("simblock-litecoin", 10.94),
        ("simblock-dogecoin", 8.0),
    ];
    for (name, expected) in expected {
        let sampled = sampled(&preset(name), 3);
        let mean = mean(sampled.nodes.iter().map(|node| node.outbound as f64));
        assert_near(mean, expected, 0.005, name);
    }
}

#[test]
fn gervais_pools_are_linked_to_each_other_and_to_hundreds_more() {
    let sampled = sampled(&preset("gervais-bitcoin"), 4);
    let between_pools = sampled.edges.iter().filter(|(_, b)| b.index() < 16).count();
    assert!(between_pools >= 16 * 15 / 2);
    for degree in &degrees(&sampled)[..16] {
        assert!((700..=800).contains(degree), "{degree}");
    }
}

#[test]
fn gervais_nodes_have_a_mean_degree_between_those_of_their_bounds() {
    let network = preset("gervais-bitcoin");
    let degrees = &degrees(&sampled(&network, 5))[16..];
    assert!(degrees.iter().all(|degree| *degree < 119 + 6));
    // The mean of the least degrees is 8.92, that of the greatest 11.53.
    let mean = mean(degrees.iter().map(|degree| *degree as f64));
    assert!((8.92..11.53).contains(&mean), "{mean}");
}

#[test]
fn hash_shares_add_up_to_one() {
    for network in Network::PRESETS {
        for nodes in [1, 2, 15, 16, 17, 600] {
            let sampled = network.sample(nodes, &Seed::from_number(6));
            let sum: f64 = sampled.nodes.iter().map(|node| node.hash_share).sum();
            assert_near(sum, 1.0, 1e-9, network.name);
        }
    }
}

#[test]
fn simblocks_hash_power_is_normally_distributed() {
    let sampled = sampled(&preset("simblock-bitcoin-2015"), 7);
    let shares: Vec<f64> = sampled.nodes.iter().map(|node| node.hash_share * 6_000.0).collect();
    let within = |deviations: f64| {
        mean(
            shares
                .iter()
                .map(|share| f64::from((share - 1.0).abs() < 0.25 * deviations)),
        )
    };
    assert_near(within(1.0), 0.6827, 0.03, "within one deviation");
    assert_near(within(2.0), 0.9545, 0.01, "within two deviations");
}

#[test]
fn gervais_pools_come_first_with_their_shares_and_regions() {
    let sampled = sampled(&preset("gervais-bitcoin"), 8);
    assert_near(sampled.nodes[0].hash_share, 0.289 / 1.001, 1e-9, "the largest pool");
    assert_eq!(sampled.nodes[0].region, Region::AsiaPacific);
    assert_eq!(sampled.nodes[6].region, Region::Europe);
    assert_eq!(
        (sampled.nodes[15].upload, sampled.nodes[15].download),
        (100_000_000, 100_000_000)
    );
    assert!(sampled.nodes[16..].iter().all(|node| node.hash_share == 0.0));
}

#[test]
fn latencies_have_their_floor_their_median_and_their_mean() {
    const DRAWS: usize = 5_000;
    for network in Network::PRESETS {
        let mut rng = Seed::from_number(9).rng();
        for from in Region::ALL {
            for to in Region::ALL {
                let millis = network.mean_latency(from, to).as_secs_f64() * 1_000.0;
                let mut draws: Vec<f64> = (0..DRAWS)
                    .map(|_| network.latency(from, to, &mut rng).as_secs_f64() * 1_000.0)
                    .collect();
                draws.sort_by(f64::total_cmp);
                let what = format!("{} {from:?} {to:?}", network.name);
                assert!(draws[0] >= millis - 5.0 - 1e-6, "{what}: {}", draws[0]);
                let median = (millis - 5.0) * 2_f64.powf(5.0 / millis);
                assert_near(draws[DRAWS / 2], median, 0.03, &what);
                // With a shape of four or less the mean of so many draws is still anything.
                if millis > 20.0 {
                    assert_near(mean(draws.iter().copied()), millis, 0.02, &what);
                }
            }
        }
    }
}

#[test]
fn drawn_bandwidths_have_their_quantiles_and_nearly_their_means() {
    const DRAWS: usize = 50_000;
    let Bandwidth::Drawn { regions, .. } = preset("gervais-bitcoin").bandwidth else {
        panic!("the bandwidths of Gervais et al. are drawn");
    };
    let mut rng = Seed::from_number(10).rng();
    for quantiles in regions.iter().flat_map(|line| [line.download, line.upload]) {
        let draw = |_| draw::bandwidth(&quantiles, &mut rng) as f64 / 1e6;
        let mut draws: Vec<f64> = (0..DRAWS).map(draw).collect();
        draws.sort_by(f64::total_cmp);
        assert_near(mean(draws.iter().copied()), quantiles.mean, 0.06, "mean");
        for (percent, value) in [5, 10, 25, 50, 75, 90, 95].into_iter().zip(quantiles.at) {
            assert_near(draws[DRAWS * percent / 100], value, 0.1, "quantile");
        }
        assert!(draws[0] >= 0.1 && draws[DRAWS - 1] <= 500.0);
    }
}

#[test]
fn a_block_goes_at_the_rate_of_the_narrowest_line_it_takes() {
    let node = |upload, download| SampledNode {
        region: Region::Europe,
        upload,
        download,
        hash_share: 0.0,
        outbound: 0,
    };
    let (from, to) = (node(30, 20), node(10, 25));
    assert_eq!(preset("simblock-litecoin").rate(&from, &to), 25);
    assert_eq!(preset("gervais-bitcoin").rate(&from, &to), 10);
}

#[test]
fn no_node_is_linked_to_itself_or_twice_to_another() {
    for network in Network::PRESETS {
        for nodes in [0, 1, 2, 5, 16, 24, 100, 1_000] {
            let sampled = network.sample(nodes, &Seed::from_number(11));
            assert_eq!(sampled.nodes.len(), nodes);
            let pairs: BTreeSet<_> = sampled.edges.iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            assert_eq!(pairs.len(), sampled.edges.len(), "{} of {nodes}", network.name);
            assert!(
                sampled
                    .edges
                    .iter()
                    .all(|(a, b)| a != b && a.index() < nodes && b.index() < nodes)
            );
            let dialled: usize = sampled.nodes.iter().map(|node| node.outbound).sum();
            assert_eq!(dialled, sampled.edges.len());
        }
    }
}

/// Neither model promises this; should a seed ever fail, it is the model that fell apart.
#[test]
fn the_networks_drawn_here_are_connected() {
    for network in Network::PRESETS {
        for nodes in [1, 2, 3, 10, 17, 100, 1_000] {
            for seed in 0..5 {
                let parts = network.sample(nodes, &Seed::from_number(seed)).parts();
                assert_eq!(parts, 1, "{} of {nodes}, seed {seed}", network.name);
            }
        }
    }
}

#[test]
fn a_network_that_fell_apart_is_seen() {
    let mut sampled = preset("simblock-dogecoin").sample(6, &Seed::from_number(1));
    sampled.edges = [(0, 1), (1, 2), (2, 0), (4, 3)]
        .map(|(a, b)| (NodeId(a), NodeId(b)))
        .to_vec();
    assert_eq!(sampled.parts(), 3);
}

#[test]
fn the_same_seed_draws_the_same_network_and_another_seed_another() {
    for network in Network::PRESETS {
        let draw = |seed| network.sample(100, &Seed::from_number(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1).edges, draw(2).edges);
    }
}

/// Pins what is drawn: recorded runs of presets hang on it.
#[test]
fn what_is_drawn_has_a_known_digest() {
    let digests = Network::PRESETS.map(|network| digest(&network.sample(300, &Seed::from_number(1))));
    assert_eq!(
        digests,
        [
            "4fff86cada45a5e3",
            "28cfa3e9f19e77da",
            "077dd2b56496f01a",
            "d365b63f1244a595",
            "7d91132298b7d71e"
        ]
    );
}
