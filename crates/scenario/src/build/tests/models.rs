//! Networks of the literature, and what blocks stand for.

use chain::{HashRate, ProofOfWork, Retarget};
use node::{BlockSize, Distribution, Relay};

use super::*;
use crate::networks::{Network, Region, Upload};

#[test]
fn every_preset_is_a_network_of_its_kind() {
    for model in Network::PRESETS {
        let plan = sound(&format!("[network]\npreset = \"{}\"\nnodes = 60\n", model.name));
        assert_eq!(plan.nodes.len(), 60, "{}", model.name);
        assert_eq!(plan.params.interval, model.interval);
        assert_eq!(plan.params.retarget, Retarget::Fixed);
        assert_eq!(plan.params.proof_of_work, ProofOfWork::Oracle);
        let size = plan.block_size.expect("of the model");
        assert_eq!(
            (size.mean, size.distribution),
            (model.block_bytes, Distribution::Constant)
        );
        assert_eq!(plan.lines.expect("of the model").upload, model.upload);
        let whereabouts: std::collections::BTreeSet<Region> =
            plan.nodes.iter().filter_map(|node| node.region).collect();
        assert!(whereabouts.len() >= 3, "{whereabouts:?}");
        assert!(plan.nodes.iter().all(|node| node.line.is_some() && node.started));
        assert!(plan.links.iter().all(|link| !link.conditions.latency.is_zero()));
        let total: HashRate = plan.nodes.iter().map(|node| node.hashrate).sum();
        let most = 1_000_000_000_000_000_000;
        assert!((most - 1_000_000..=most + 1_000_000).contains(&total.0), "{total:?}");
        // Such power finds a block every interval.
        let hashes = u128::from(total.0) * u128::from(model.interval.as_secs());
        let work = plan.params.initial_bits.target().expect("sound").work();
        let expected = chain::CompactTarget::from_expected_hashes(hashes);
        assert_eq!(expected.target().expect("sound").work(), work);
    }
}

#[test]
fn a_preset_is_drawn_from_the_seed_alone() {
    let plan = |seed: u32| {
        sound(&format!(
            "seed = {seed}\n[network]\npreset = \"gervais-bitcoin\"\nnodes = 40\n"
        ))
    };
    let (first, again, other) = (plan(1), plan(1), plan(2));
    assert_eq!((&first.nodes, &first.links), (&again.nodes, &again.links));
    assert_ne!(first.links, other.links);
    assert_eq!(first.lines.expect("of the model").upload, Upload::Pipelined);
}

#[test]
fn what_a_file_says_goes_before_its_model() {
    let plan = sound(
        "[chain]\ninterval = \"10s\"\nproof-of-work = \"sha256d\"\nblock-size = \"1MB\"\nblock-sizes = \"uniform\"\n\
         [network]\npreset = \"simblock-dogecoin\"\nnodes = 20\nhashrate = \"100H/s\"\nrelay = \"push\"\n",
    );
    assert_eq!(plan.params.proof_of_work, ProofOfWork::Sha256d);
    assert_eq!(plan.params.interval, std::time::Duration::from_secs(10));
    let size = BlockSize {
        mean: 1_000_000,
        distribution: Distribution::Uniform,
    };
    assert_eq!(plan.block_size, Some(size));
    assert!(plan.nodes.iter().all(|node| node.relay == Relay::Push));
    assert!(plan.nodes.iter().map(|node| node.hashrate.0).sum::<u64>() <= 100);
    assert_eq!(plan.node_config(base::NodeId(0)).block_size, Some(size));
}

#[test]
fn single_links_of_a_model_can_differ() {
    let file = "[network]\npreset = \"simblock-dogecoin\"\nnodes = 2\n\
                links = [{ between = [\"n0\", \"n1\"], bandwidth = \"1Mbit/s\" }]\n";
    let link = &sound(file).links[0];
    assert_eq!(link.conditions.bandwidth, Some(1_000_000));
    assert!(!link.conditions.latency.is_zero(), "the model's latency stays");
}

#[test]
fn groups_can_tell_of_blocks_in_their_own_way() {
    let plan = sound(
        "[network]\nrelay = \"compact\"\n[[network.group]]\ncount = 2\n[[network.group]]\nname = \"m\"\nrelay = \"mesh\"\n",
    );
    let relays: Vec<_> = plan.nodes.iter().map(|node| node.relay).collect();
    assert_eq!(relays, [Relay::Compact, Relay::Compact, Relay::Mesh]);
}

#[test]
fn what_does_not_go_with_a_model_is_told() {
    for (file, word) in [
        ("[network]\nnodes = 2\nhashrate = \"1H/s\"\n", "without `preset`"),
        (
            "[network]\npreset = \"simblock-litecoin\"\nlink = { latency = \"1s\" }\n",
            "`link` and `preset`",
        ),
        (
            "[network]\npreset = \"simblock-litecoin\"\ntopology = { kind = \"ring\" }\n",
            "`topology` and `preset`",
        ),
        (
            "[network]\npreset = \"simblock-litecoin\"\n[[network.group]]\n",
            "`group` and `preset`",
        ),
        (
            "[network]\npreset = \"simblok-litecoin\"\n",
            "did you mean `simblock-litecoin`?",
        ),
        (
            "[chain]\nblock-sizes = \"uniform\"\n[network]\nnodes = 2\n",
            "without `block-size`",
        ),
        (
            "[chain]\nblock-size = \"2GB\"\n[network]\nnodes = 2\n",
            "must be a size",
        ),
        (
            "[chain]\nproof-of-work = \"oracle\"\n[[network.group]]\n[[network.group]]\nname = \"m\"\n\
             strategy = \"hostile\"\n[steps]\nrun = [{ inject-block = \"bad-pow\", from = \"m0\", to = \"n0\" }]\n",
            "cannot make proof of work",
        ),
    ] {
        let errors = read(file).expect_err(word);
        assert!(shown(&errors).contains(word), "{}", shown(&errors));
    }
}
