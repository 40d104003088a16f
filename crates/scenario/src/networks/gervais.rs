//! The Bitcoin network of Gervais et al., "On the Security and Performance of Proof of Work Blockchains" (CCS 2016).
//!
//! The figures are those of their simulator (github.com/arthurgervais/Bitcoin-Simulator, commit dd866b55): `bitcoin-topology-helper.cc`,
//! `bitcoin-test.cc` and `bitcoin-node.cc`.

use std::time::Duration;

use super::{
    Bandwidth, DegreeBin, Line, LinkBounds, Mining, Network, PerRegion, Pool, Quantiles, Redraw, Region, Upload, Wiring,
};

/// Bitcoin in 2015 to 2016: 16 pools and 5,984 other nodes.
pub(super) const BITCOIN: Network = Network {
    name: "gervais-bitcoin",
    source: "Gervais et al. 2016, Bitcoin",
    nodes: 6_000,
    interval: Duration::from_secs(600),
    // `averageBlockSizeBytes` and `averageValidationTimeSeconds` of `bitcoin-node.cc`. Sizes vary in the published runs, and grow with
    // the interval.
    block_bytes: 458_263,
    processing: Duration::from_millis(174),
    message_overhead: Duration::ZERO,
    redraw: Redraw::EachLink,
    // `m_sendBlockTimes` of `bitcoin-node.cc`.
    upload: Upload::Pipelined,
    shares: [0.3869, 0.5159, 0.0113, 0.0574, 0.0119, 0.0166],
    latency: &LATENCY,
    bandwidth: Bandwidth::Drawn {
        regions: &BANDWIDTH,
        // `m_minerDownloadSpeed` and `m_minerUploadSpeed`.
        pools: 100_000_000,
    },
    wiring: Wiring::Bounded {
        bins: &DEGREES,
        // `m_minConnectionsPerMiner` and `m_maxConnectionsPerMiner`.
        pools: LinkBounds {
            least: 700,
            greatest: 800,
        },
    },
    mining: Mining::Pools(&POOLS),
};

/// `regionLatencies`, in milliseconds.
const LATENCY: PerRegion<PerRegion<f64>> = [
    [35.5, 119.49, 254.79, 310.11, 154.36, 207.91],
    [119.49, 11.61, 221.08, 241.9, 266.45, 350.07],
    [254.79, 221.08, 137.09, 346.65, 255.95, 268.91],
    [310.11, 241.9, 346.65, 99.46, 172.24, 277.8],
    [154.36, 266.45, 255.95, 172.24, 8.76, 162.59],
    [207.91, 350.07, 268.91, 277.8, 162.59, 21.72],
];

/// `connectionsDistributionIntervals`, each less its place, and `connectionsDistributionWeights`.
const DEGREES: [DegreeBin; 6] = [
    bin(1, 4, 1, 10.0),
    bin(4, 8, 2, 40.0),
    bin(8, 12, 3, 30.0),
    bin(12, 16, 4, 13.0),
    bin(16, 25, 5, 6.0),
    bin(25, 119, 6, 1.0),
];

const fn bin(low: usize, high: usize, slack: usize, percent: f64) -> DegreeBin {
    DegreeBin {
        low,
        high,
        slack,
        percent,
    }
}

/// `bitcoinMinersHash` and `bitcoinMinersRegions`. As published they add up to 1.001.
const POOLS: [Pool; 16] = [
    pool(0.289, Region::AsiaPacific),
    pool(0.196, Region::AsiaPacific),
    pool(0.159, Region::AsiaPacific),
    pool(0.133, Region::NorthAmerica),
    pool(0.066, Region::AsiaPacific),
    pool(0.054, Region::NorthAmerica),
    pool(0.029, Region::Europe),
    pool(0.016, Region::Europe),
    pool(0.012, Region::NorthAmerica),
    pool(0.012, Region::NorthAmerica),
    pool(0.012, Region::NorthAmerica),
    pool(0.009, Region::Europe),
    pool(0.005, Region::NorthAmerica),
    pool(0.005, Region::NorthAmerica),
    pool(0.002, Region::NorthAmerica),
    pool(0.002, Region::NorthAmerica),
];

const fn pool(share: f64, region: Region) -> Pool {
    Pool { share, region }
}

/// The means and quantiles of the histograms `*DownloadWeights` and `*UploadWeights`, in Mbit/s.
const BANDWIDTH: PerRegion<Line<Quantiles>> = [
    Line {
        download: quantiles(24.704, [0.394, 0.740, 2.876, 12.300, 29.700, 56.975, 84.933]),
        upload: quantiles(4.634, [0.183, 0.306, 0.774, 2.379, 5.622, 9.767, 14.200]),
    },
    Line {
        download: quantiles(23.766, [0.473, 1.029, 3.969, 10.933, 28.322, 59.100, 93.600]),
        upload: quantiles(8.149, [0.202, 0.403, 1.108, 3.747, 9.480, 21.700, 32.150]),
    },
    Line {
        download: quantiles(6.590, [0.231, 0.361, 0.879, 2.900, 7.471, 15.433, 24.850]),
        upload: quantiles(1.786, [0.138, 0.177, 0.331, 0.760, 2.419, 4.017, 5.471]),
    },
    Line {
        download: quantiles(10.123, [0.299, 0.498, 1.510, 4.071, 10.687, 24.600, 40.100]),
        upload: quantiles(5.379, [0.148, 0.195, 0.609, 2.206, 6.836, 14.440, 23.600]),
    },
    Line {
        download: quantiles(17.530, [0.245, 0.391, 1.097, 4.052, 21.788, 65.850, 81.267]),
        upload: quantiles(3.475, [0.174, 0.273, 0.811, 2.155, 4.989, 7.175, 10.467]),
    },
    Line {
        download: quantiles(14.035, [0.314, 0.527, 1.573, 5.677, 14.908, 34.433, 74.100]),
        upload: quantiles(5.202, [0.195, 0.309, 0.663, 1.015, 4.136, 22.640, 25.367]),
    },
];

const fn quantiles(mean: f64, at: [f64; 7]) -> Quantiles {
    Quantiles { mean, at }
}
