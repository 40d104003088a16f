//! A sweep's file: CSV, one row for each run, kept whole through interruptions.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use observe::Summary;
use observe::stats::Delays;

use super::grid::{Grid, Point};

/// What is measured of each run.
pub(crate) const RESULTS: [&str; 16] = [
    "verdict",
    "digest",
    "height",
    "blocks",
    "stale",
    "stale_rate",
    "forks",
    "reorgs",
    "deepest_reorg",
    "interval_mean_s",
    "block_p50_s",
    "block_p90_s",
    "node_p50_s",
    "node_p90_s",
    "bytes_per_node",
    "duration_s",
];

/// The rows of a sweep, on disk and in memory.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    scenario: String,
    axes: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Opens the file of a sweep, or makes it. A last row without its end is what an interruption leaves, and is dropped. The first
    /// column names the scenario and its settings ([`fingerprint`]), so that no row of another one is taken for a run of this.
    ///
    /// # Errors
    /// When it is the file of another sweep or none of ours, or cannot be read or written.
    pub(crate) fn open(path: &Path, grid: &Grid, scenario: &str) -> io::Result<Self> {
        let keys = grid.axes.iter().map(|axis| axis.key.as_str());
        let columns: Vec<&str> = ["scenario", "seed"].into_iter().chain(keys).chain(RESULTS).collect();
        let header = row(columns.iter().copied());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut lines = whole.lines();
        // A file without a whole line may be a header that was cut short; anything else is somebody's, and is not emptied.
        let ours = lines
            .next()
            .map_or_else(|| header.starts_with(&text), |line| line == header.trim_end());
        if !ours {
            return Err(refusal("its columns are not this sweep's; choose another --out"));
        }
        let mut rows: Vec<Vec<String>> = lines.map(fields).filter(|row| row.len() == columns.len()).collect();
        if rows.iter_mut().any(|row| row.remove(0) != scenario) {
            return Err(refusal(
                "it is of another scenario or other settings; choose another --out",
            ));
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.set_len(whole.len() as u64)?;
        if whole.is_empty() {
            file.write_all(header.as_bytes())?;
        }
        Ok(Self {
            file,
            scenario: scenario.to_owned(),
            axes: grid.axes.len(),
            rows,
        })
    }

    /// The runs whose rows are there.
    pub(crate) fn done(&self) -> BTreeSet<Point> {
        let point = |row: &Vec<String>| {
            Some(Point {
                seed: row.first()?.parse().ok()?,
                values: row.get(1..=self.axes)?.to_vec(),
            })
        };
        self.rows.iter().filter_map(point).collect()
    }

    /// Adds a run, and sees it to the disk.
    pub(crate) fn add(&mut self, point: &Point, results: Vec<String>) -> io::Result<()> {
        let values = point.values.iter().cloned();
        let fields: Vec<String> = [point.seed.to_string()]
            .into_iter()
            .chain(values)
            .chain(results)
            .collect();
        let line = [self.scenario.as_str()]
            .into_iter()
            .chain(fields.iter().map(String::as_str));
        // One write, so that another reader never sees half a row.
        self.file.write_all(row(line).as_bytes())?;
        self.file.sync_data()?;
        self.rows.push(fields);
        Ok(())
    }

    /// The rows so far: the seed, the values of the axes, and [`RESULTS`].
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }
}

fn refusal(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Eight digits that tell a scenario and the values set in all of its runs from others. The order of the keys does not matter; of
/// a key that is set twice it does.
pub(crate) fn fingerprint(source: &str, set: &[(String, String)]) -> String {
    let mut set: Vec<&(String, String)> = set.iter().collect();
    set.sort_by_key(|(key, _)| key);
    let mut parts = vec![source.as_bytes()];
    for (key, value) in set {
        // No TOML holds a zero byte, so that no text passes for another with settings.
        parts.extend([&b"\0"[..], key.as_bytes(), b"=", value.as_bytes()]);
    }
    base::Hash::sha256(&parts).leading()
}

/// What a run gave, in the order of [`RESULTS`]; what it has none of is empty.
pub(crate) fn results(summary: &Summary, digest: base::Hash) -> Vec<String> {
    let figures = &summary.statistics;
    let verdict = serde_json::to_value(summary.verdict).expect("a verdict is a word");
    let delay = |delays: &Option<Delays>, which: fn(&Delays) -> u64| {
        delays.as_ref().map_or(String::new(), |delays| seconds(which(delays)))
    };
    vec![
        verdict.as_str().unwrap_or_default().to_owned(),
        digest.to_string(),
        summary.blocks.height.to_string(),
        summary.blocks.total.to_string(),
        summary.blocks.stale.to_string(),
        summary.blocks.stale_rate.to_string(),
        summary.forks_seen.to_string(),
        summary.blocks.reorgs.to_string(),
        summary.blocks.deepest_reorg.to_string(),
        figures
            .intervals
            .map_or(String::new(), |intervals| seconds(intervals.mean_us)),
        delay(&figures.spread_by_block, |delays| delays.p50_us),
        delay(&figures.spread_by_block, |delays| delays.p90_us),
        delay(&figures.spread_by_node, |delays| delays.p50_us),
        delay(&figures.spread_by_node, |delays| delays.p90_us),
        figures.bytes_sent.mean.to_string(),
        seconds(summary.duration_us),
    ]
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A row of CSV (RFC 4180): what holds a comma or a quote is quoted.
fn row<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let quoted = fields.map(|field| {
        if field.contains([',', '"', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\"").replace('\n', " "))
        } else {
            field.to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

/// The fields of a row of CSV.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("there is always a last field");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::grid;

    fn grid() -> Grid {
        let axes = vec![grid::axis("a=1,[2,3]").expect("an axis")];
        Grid::new(0..2, axes).expect("four runs")
    }

    #[test]
    fn a_torn_last_row_is_dropped_and_the_others_are_done() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sweep.csv");
        let points = grid().points();
        let results: Vec<String> = RESULTS.iter().map(ToString::to_string).collect();
        let mut table = Table::open(&path, &grid(), "c0ffee").expect("a new file");
        table.add(&points[3], results.clone()).expect("it can be written");
        drop(table);
        let whole = fs::read_to_string(&path).expect("it can be read");
        fs::write(&path, format!("{whole}1,1,passed,ab")).expect("it can be written");
        let mut table = Table::open(&path, &grid(), "c0ffee").expect("the same sweep");
        assert_eq!(table.done(), BTreeSet::from([points[3].clone()]));
        table.add(&points[0], results).expect("it can be written");
        let text = fs::read_to_string(&path).expect("it can be read");
        assert_eq!(text.lines().count(), 3, "{text}");
        let again = Table::open(&path, &grid(), "c0ffee").expect("the same sweep");
        assert_eq!(again.done().len(), 2);
        drop(again);
        let error = Table::open(&path, &grid(), "c0ffed").expect_err("another scenario's rows are there");
        assert!(error.to_string().contains("another scenario"), "{error}");
    }

    #[test]
    fn the_file_of_another_sweep_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sweep.csv");
        for text in ["precious\n1\n", "precious", "s,", "\n"] {
            fs::write(&path, text).expect("it can be written");
            assert!(Table::open(&path, &grid(), "c0ffee").is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).expect("it can be read"), text);
        }
    }

    #[test]
    fn a_header_that_was_cut_short_is_written_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sweep.csv");
        for text in ["", "scenario,se"] {
            fs::write(&path, text).expect("it can be written");
            Table::open(&path, &grid(), "c0ffee").expect("a sweep that had just begun");
            let text = fs::read_to_string(&path).expect("it can be read");
            assert!(
                text.starts_with("scenario,seed,a,verdict,") && text.ends_with('\n'),
                "{text}"
            );
        }
    }

    #[test]
    fn the_fingerprint_tells_settings_apart_and_not_their_order() {
        let set = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let both = fingerprint("text", &set(&[("a", "1"), ("b", "2")]));
        assert_eq!(both, fingerprint("text", &set(&[("b", "2"), ("a", "1")])));
        assert_eq!(both.len(), 8);
        for other in [set(&[]), set(&[("a", "1")]), set(&[("a", "1"), ("b", "3")])] {
            assert_ne!(both, fingerprint("text", &other));
        }
        assert_ne!(fingerprint("text", &[]), fingerprint("texts", &[]));
    }
}
