//! The tables against the reference files beside the repository.

use std::collections::BTreeMap;

use super::*;

/// A row of a reference file: the name of the column, and what it says.
type Row = BTreeMap<String, String>;

/// The names of the regions in the reference files.
const NAMES: PerRegion<&str> = [
    "NORTH_AMERICA",
    "EUROPE",
    "SOUTH_AMERICA",
    "ASIA_PACIFIC",
    "JAPAN",
    "AUSTRALIA",
];

/// The rows of a reference file; `None`, and a line that says so, where it is absent.
fn rows(name: &str) -> Option<Vec<Row>> {
    let path = format!("{}/../../../shared/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is absent");
        return None;
    };
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().expect("a line of names").split(',').collect();
    let row = |line: &str| {
        let cells = names.iter().zip(line.split(','));
        cells
            .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
            .collect()
    };
    Some(lines.map(row).collect())
}

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("not a number: {column} of {row:?}"))
}

/// The row whose column says this.
fn find<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    let mut found = rows.iter().filter(|row| row[column] == value);
    let row = found.next().unwrap_or_else(|| panic!("no row with {column} {value}"));
    assert!(found.next().is_none(), "one row with {column} {value}");
    row
}

fn check_latencies(network: &Network, rows: &[Row]) {
    for (from, row) in network.latency.iter().zip(NAMES) {
        let row = find(rows, "from", row);
        for (millis, to) in from.iter().zip(NAMES) {
            assert_eq!(*millis, number(row, to), "{} {row:?}", network.name);
        }
    }
}

#[test]
fn simblocks_latencies_are_the_published_ones() {
    let Some(rows) = rows("simblock_latency.csv") else {
        return;
    };
    for (name, year) in [
        ("simblock-bitcoin-2015", "2015"),
        ("simblock-bitcoin-2019", "2019"),
        ("simblock-litecoin", "2015"),
        ("simblock-dogecoin", "2015"),
    ] {
        let rows: Vec<Row> = rows.iter().filter(|row| row["year"] == year).cloned().collect();
        assert_eq!(rows.len(), 6);
        check_latencies(&preset(name), &rows);
    }
}

#[test]
fn gervais_latencies_are_the_published_ones() {
    let Some(rows) = rows("gervais_latency.csv") else {
        return;
    };
    check_latencies(&preset("gervais-bitcoin"), &rows);
}

#[test]
fn simblocks_regions_are_the_published_ones() {
    let Some(rows) = rows("simblock_regions.csv") else {
        return;
    };
    for (name, year, share) in [
        ("simblock-bitcoin-2015", 2015, "share_bitcoin_2015"),
        ("simblock-bitcoin-2019", 2019, "share_bitcoin_2019"),
        ("simblock-litecoin", 2015, "share_litecoin"),
        ("simblock-dogecoin", 2015, "share_dogecoin"),
    ] {
        let network = preset(name);
        let Bandwidth::Nominal(lines) = network.bandwidth else {
            panic!("{name}: SimBlock's bandwidths are nominal");
        };
        for (place, region) in NAMES.into_iter().enumerate() {
            let row = find(&rows, "region", region);
            assert_eq!(network.shares[place], number(row, share), "{name} {region}");
            assert_eq!(lines[place].download as f64, number(row, &format!("down_{year}")));
            assert_eq!(lines[place].upload as f64, number(row, &format!("up_{year}")));
        }
    }
}

#[test]
fn simblocks_degrees_are_the_published_ones() {
    let Some(rows) = rows("simblock_degree.csv") else {
        return;
    };
    for (name, coin) in [
        ("simblock-bitcoin-2015", "bitcoin_2015"),
        ("simblock-bitcoin-2019", "bitcoin_2015"),
        ("simblock-litecoin", "litecoin"),
        ("simblock-dogecoin", "dogecoin"),
    ] {
        let Wiring::Outbound { at_most } = preset(name).wiring else {
            panic!("{name}: SimBlock's nodes dial and accept");
        };
        assert_eq!(at_most.len(), 20);
        for (place, share) in at_most.iter().enumerate() {
            let row = find(&rows, "coin", coin);
            assert_eq!(*share, number(row, &format!("k{place}")), "{name} {place}");
        }
    }
}

#[test]
fn simblocks_runs_are_the_measured_ones() {
    let Some(rows) = rows("simblock_results.csv") else {
        return;
    };
    let mut seen = 0;
    for row in &rows {
        let network = match row["config"].as_str() {
            "litecoin" => preset("simblock-litecoin"),
            "bitcoin2015" => preset("simblock-bitcoin-2015"),
            other => panic!("a run of no preset: {other}"),
        };
        assert_eq!(network.nodes as f64, number(row, "nodes"));
        assert_eq!(network.interval.as_secs_f64(), number(row, "interval_s"));
        assert_eq!(f64::from(network.block_bytes), number(row, "block_bytes"));
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn gervais_regions_are_the_published_ones() {
    let Some(rows) = rows("gervais_regions.csv") else {
        return;
    };
    let network = preset("gervais-bitcoin");
    let Bandwidth::Drawn { regions, .. } = network.bandwidth else {
        panic!("the bandwidths of Gervais et al. are drawn");
    };
    for (place, region) in NAMES.into_iter().enumerate() {
        let row = find(&rows, "region", region);
        assert_near(
            network.shares[place],
            number(row, "share_bitcoin_pct") / 100.0,
            1e-12,
            region,
        );
        for (prefix, quantiles) in [("dl", regions[place].download), ("ul", regions[place].upload)] {
            assert_eq!(quantiles.mean, number(row, &format!("{prefix}_mean")), "{region}");
            for (percent, value) in ["05", "10", "25", "50", "75", "90", "95"].into_iter().zip(quantiles.at) {
                assert_eq!(
                    value,
                    number(row, &format!("{prefix}_p{percent}")),
                    "{region} {percent}"
                );
            }
        }
    }
}

#[test]
fn gervais_degrees_are_the_published_ones() {
    let Some(rows) = rows("gervais_degree.csv") else {
        return;
    };
    let Wiring::Bounded { bins, .. } = preset("gervais-bitcoin").wiring else {
        panic!("the degrees of Gervais et al. are bounded");
    };
    assert_eq!(bins.len(), rows.len());
    for (place, (bin, row)) in bins.iter().zip(&rows).enumerate() {
        let expected = (number(row, "lo"), number(row, "hi"), number(row, "weight_pct"));
        assert_eq!((bin.low as f64, bin.high as f64, bin.percent), expected);
        assert_eq!(bin.slack, place + 1);
    }
}

#[test]
fn gervais_pools_are_the_published_ones() {
    let Some(rows) = rows("gervais_pools.csv") else {
        return;
    };
    let Mining::Pools(pools) = preset("gervais-bitcoin").mining else {
        panic!("in the network of Gervais et al. pools mine");
    };
    let rows: Vec<&Row> = rows.iter().filter(|row| row["coin"] == "bitcoin").collect();
    assert_eq!(pools.len(), rows.len());
    for (pool, row) in pools.iter().zip(rows) {
        assert_eq!(pool.share, number(row, "hash_share"));
        assert_eq!(NAMES[pool.region.index()], row["region"]);
    }
}
