//! A network drawn from its model. Each trait has its own stream of randomness: more draws for one change no other.

use base::{NodeId, Rng, Seed};

use super::{
    Bandwidth, DegreeBin, LinkBounds, Mining, Network, Pool, Region, Sampled, SampledNode, Wiring, draw, wiring,
};

impl Network {
    /// A network of so many nodes: the same seed, the same network.
    ///
    /// Pools are the first nodes. A network with fewer nodes than pools has the largest pools only; their shares then add up to one.
    #[must_use]
    pub fn sample(&self, nodes: usize, seed: &Seed) -> Sampled {
        let regions = self.draw_regions(nodes, &mut seed.child("regions", 0).rng());
        let mut bandwidth = seed.child("bandwidth", 0).rng();
        let shares = self.draw_hash_shares(nodes, &mut seed.child("power", 0).rng());
        let edges = self.draw_edges(nodes, seed);
        let pools = self.pools(nodes).len();
        let node = |(place, (region, hash_share)): (usize, (Region, f64))| {
            let (download, upload) = self.draw_line(region, place < pools, &mut bandwidth);
            SampledNode {
                region,
                upload,
                download,
                hash_share,
                outbound: 0,
            }
        };
        let mut nodes: Vec<_> = regions.into_iter().zip(shares).enumerate().map(node).collect();
        for (dialler, _) in &edges {
            nodes[dialler.index()].outbound += 1;
        }
        Sampled { nodes, edges }
    }

    /// The pools that a network of so many nodes has.
    fn pools(&self, nodes: usize) -> &'static [Pool] {
        match self.mining {
            Mining::Everybody { .. } => &[],
            Mining::Pools(pools) => &pools[..nodes.min(pools.len())],
        }
    }

    /// SimBlock gives each region its exact share, Gervais et al. draw for each node that is no pool.
    fn draw_regions(&self, nodes: usize, rng: &mut Rng) -> Vec<Region> {
        match self.mining {
            Mining::Everybody { .. } => {
                let places = draw::quotas(&draw::cumulative(&self.shares), nodes, rng);
                places.into_iter().map(|place| Region::ALL[place]).collect()
            }
            Mining::Pools(_) => {
                let pools = self.pools(nodes);
                let others = (pools.len()..nodes).map(|_| Region::ALL[draw::pick(self.shares.iter().copied(), rng)]);
                pools.iter().map(|pool| pool.region).chain(others).collect()
            }
        }
    }

    /// Bits per second down and up.
    fn draw_line(&self, region: Region, is_pool: bool, rng: &mut Rng) -> (u64, u64) {
        match self.bandwidth {
            Bandwidth::Nominal(lines) => (lines[region.index()].download, lines[region.index()].upload),
            Bandwidth::Drawn { pools, .. } if is_pool => (pools, pools),
            Bandwidth::Drawn { regions, .. } => {
                let line = &regions[region.index()];
                (draw::bandwidth(&line.download, rng), draw::bandwidth(&line.upload, rng))
            }
        }
    }

    fn draw_hash_shares(&self, nodes: usize, rng: &mut Rng) -> Vec<f64> {
        let power: Vec<f64> = match self.mining {
            Mining::Everybody { mean, deviation } => {
                let whole = |power: f64| libm::trunc(power).max(1.0);
                (0..nodes).map(|_| whole(draw::normal(mean, deviation, rng))).collect()
            }
            Mining::Pools(_) => {
                let pools = self.pools(nodes).iter().map(|pool| pool.share);
                pools.chain(std::iter::repeat(0.0)).take(nodes).collect()
            }
        };
        let total: f64 = power.iter().sum();
        power.into_iter().map(|power| power / total).collect()
    }

    fn draw_edges(&self, nodes: usize, seed: &Seed) -> Vec<(NodeId, NodeId)> {
        let (mut degrees, mut links) = (seed.child("degrees", 0).rng(), seed.child("links", 0).rng());
        match self.wiring {
            Wiring::Outbound { at_most } => {
                let places = draw::quotas(at_most, nodes, &mut degrees);
                let degrees: Vec<usize> = places.into_iter().map(|place| place + 1).collect();
                wiring::outbound(&degrees, &mut links)
            }
            Wiring::Bounded { bins, pools: of_pools } => {
                let pools = self.pools(nodes).len();
                let others = (pools..nodes).map(|_| draw_bounds(bins, &mut degrees));
                let bounds: Vec<LinkBounds> = std::iter::repeat_n(of_pools, pools).chain(others).collect();
                wiring::bounded(&bounds, pools, &mut links)
            }
        }
    }
}

fn draw_bounds(bins: &[DegreeBin], rng: &mut Rng) -> LinkBounds {
    let bin = bins[draw::pick(bins.iter().map(|bin| bin.percent), rng)];
    let least = bin.low + rng.index(bin.high - bin.low);
    LinkBounds {
        least,
        greatest: least + bin.slack,
    }
}

impl Sampled {
    /// How many parts it falls into that no link joins.
    ///
    /// Neither model promises one part: nodes that dial few may find only each other. It is unlikely: of 10,720 networks drawn, half of them
    /// of each model and of 2 to 6,000 nodes, none fell apart.
    #[must_use]
    pub fn parts(&self) -> usize {
        wiring::parts(self.nodes.len(), &self.edges)
    }
}
