//! The networks that SimBlock comes with (Aoki et al., "SimBlock: A Blockchain Network Simulator", 2019; github.com/dsg-titech/simblock).
//!
//! The figures are those of `NetworkConfiguration.java` and `SimulationConfiguration.java` at commit 5fc7f9f7. The sixth megabit "between
//! regions" that the tables there end with is left out: no rate is computed from it.

use std::time::Duration;

use super::{Bandwidth, Line, Mining, Network, PerRegion, Redraw, Upload, Wiring};

/// Bitcoin in 2015: `LATENCY_2015`, `*_BANDWIDTH_2015`, `REGION_DISTRIBUTION_BITCOIN_2015`, `DEGREE_DISTRIBUTION_BITCOIN_2015`.
pub(super) const BITCOIN_2015: Network = Network {
    name: "simblock-bitcoin-2015",
    source: "SimBlock (Aoki et al. 2019), Bitcoin in 2015",
    nodes: 6_000,
    interval: Duration::from_secs(600),
    block_bytes: 535_000,
    // `Node.processingTime`.
    processing: Duration::from_millis(2),
    // `AbstractMessageTask.getInterval`; a block (`BlockMessageTask`) overrides it and goes without.
    message_overhead: Duration::from_millis(10),
    // `Network.getLatency`.
    redraw: Redraw::EachMessage,
    // `BlockMessageTask.run` asks for the next block of the queue, and it runs when the block arrives.
    upload: Upload::StopAndWait,
    shares: [0.3869, 0.5159, 0.0113, 0.0574, 0.0119, 0.0166],
    latency: &LATENCY_2015,
    bandwidth: Bandwidth::Nominal(&BANDWIDTH_2015),
    wiring: Wiring::Outbound {
        at_most: &DEGREES_BITCOIN_2015,
    },
    // `Main.genMiningPower`.
    mining: Mining::Everybody {
        mean: 400_000.0,
        deviation: 100_000.0,
    },
};

/// Bitcoin in 2019: `LATENCY_2019`, `*_BANDWIDTH_2019`, `REGION_DISTRIBUTION_BITCOIN_2019`. SimBlock has no later degrees than those of 2015.
pub(super) const BITCOIN_2019: Network = Network {
    name: "simblock-bitcoin-2019",
    source: "SimBlock (Aoki et al. 2019), Bitcoin in 2019",
    shares: [0.3316, 0.4998, 0.0090, 0.1177, 0.0224, 0.0195],
    latency: &LATENCY_2019,
    bandwidth: Bandwidth::Nominal(&BANDWIDTH_2019),
    ..BITCOIN_2015
};

/// Litecoin, on the lines of 2015: `REGION_DISTRIBUTION_LITECOIN`, `DEGREE_DISTRIBUTION_LITECOIN`.
pub(super) const LITECOIN: Network = Network {
    name: "simblock-litecoin",
    source: "SimBlock (Aoki et al. 2019), Litecoin",
    nodes: 800,
    interval: Duration::from_secs(150),
    block_bytes: 6_110,
    shares: [0.3661, 0.4791, 0.0149, 0.1022, 0.0238, 0.0139],
    wiring: Wiring::Outbound {
        at_most: &DEGREES_LITECOIN,
    },
    ..BITCOIN_2015
};

/// Dogecoin, on the lines of 2015: `REGION_DISTRIBUTION_DOGECOIN`, `DEGREE_DISTRIBUTION_DOGECOIN`.
pub(super) const DOGECOIN: Network = Network {
    name: "simblock-dogecoin",
    source: "SimBlock (Aoki et al. 2019), Dogecoin",
    nodes: 600,
    interval: Duration::from_secs(60),
    block_bytes: 8_000,
    shares: [0.3924, 0.4879, 0.0212, 0.0697, 0.0106, 0.0182],
    wiring: Wiring::Outbound {
        at_most: &DEGREES_DOGECOIN,
    },
    ..BITCOIN_2015
};

/// `LATENCY_2015`, in milliseconds.
const LATENCY_2015: PerRegion<PerRegion<f64>> = [
    [36.0, 119.0, 255.0, 310.0, 154.0, 208.0],
    [119.0, 12.0, 221.0, 242.0, 266.0, 350.0],
    [255.0, 221.0, 137.0, 347.0, 256.0, 269.0],
    [310.0, 242.0, 347.0, 99.0, 172.0, 278.0],
    [154.0, 266.0, 256.0, 172.0, 9.0, 163.0],
    [208.0, 350.0, 269.0, 278.0, 163.0, 22.0],
];

/// `LATENCY_2019`, in milliseconds.
const LATENCY_2019: PerRegion<PerRegion<f64>> = [
    [32.0, 124.0, 184.0, 198.0, 151.0, 189.0],
    [124.0, 11.0, 227.0, 237.0, 252.0, 294.0],
    [184.0, 227.0, 88.0, 325.0, 301.0, 322.0],
    [198.0, 237.0, 325.0, 85.0, 58.0, 198.0],
    [151.0, 252.0, 301.0, 58.0, 12.0, 126.0],
    [189.0, 294.0, 322.0, 198.0, 126.0, 16.0],
];

/// `DOWNLOAD_BANDWIDTH_2015` and `UPLOAD_BANDWIDTH_2015`, in bits per second.
const BANDWIDTH_2015: PerRegion<Line<u64>> = [
    line(25_000_000, 4_700_000),
    line(24_000_000, 8_100_000),
    line(6_500_000, 1_800_000),
    line(10_000_000, 5_300_000),
    line(17_500_000, 3_400_000),
    line(14_000_000, 5_200_000),
];

/// `DOWNLOAD_BANDWIDTH_2019` and `UPLOAD_BANDWIDTH_2019`, in bits per second.
const BANDWIDTH_2019: PerRegion<Line<u64>> = [
    line(52_000_000, 19_200_000),
    line(40_000_000, 20_700_000),
    line(18_000_000, 5_800_000),
    line(22_800_000, 15_700_000),
    line(22_800_000, 10_200_000),
    line(29_900_000, 11_300_000),
];

const fn line(download: u64, upload: u64) -> Line<u64> {
    Line { download, upload }
}

/// `DEGREE_DISTRIBUTION_BITCOIN_2015` (Miller et al., "Discovering Bitcoin's Public Topology and Influential Nodes", 2015).
const DEGREES_BITCOIN_2015: [f64; 20] = [
    0.025, 0.050, 0.075, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.95, 0.97, 0.97, 0.98, 0.99,
    0.995, 1.0,
];

/// `DEGREE_DISTRIBUTION_LITECOIN`.
const DEGREES_LITECOIN: [f64; 20] = [
    0.01, 0.02, 0.04, 0.07, 0.09, 0.14, 0.20, 0.28, 0.39, 0.5, 0.6, 0.69, 0.76, 0.81, 0.85, 0.87, 0.89, 0.92, 0.93, 1.0,
];

/// `DEGREE_DISTRIBUTION_DOGECOIN`: everybody dials eight.
const DEGREES_DOGECOIN: [f64; 20] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
];
