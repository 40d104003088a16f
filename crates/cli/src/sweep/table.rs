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
    axes: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Opens the file of a sweep, or makes it. A last row without its end is what an interruption leaves, and is dropped.
    ///
    /// # Errors
    /// When it is the file of another sweep, or cannot be read or written.
    pub(crate) fn open(path: &Path, grid: &Grid) -> io::Result<Self> {
        let keys = grid.axes.iter().map(|axis| axis.key.as_str());
        let columns: Vec<&str> = ["seed"].into_iter().chain(keys).chain(RESULTS).collect();
        let header = row(columns.iter().copied());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut lines = whole.lines();
        if lines.next().is_some_and(|line| line != header.trim_end()) {
            let message = "it is another sweep's: its columns are not this one's";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let rows: Vec<Vec<String>> = lines.map(fields).filter(|row| row.len() == columns.len()).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.set_len(whole.len() as u64)?;
        if whole.is_empty() {
            file.write_all(header.as_bytes())?;
        }
        Ok(Self {
            file,
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
        // One write, so that another reader never sees half a row.
        self.file.write_all(row(fields.iter().map(String::as_str)).as_bytes())?;
        self.file.sync_data()?;
        self.rows.push(fields);
        Ok(())
    }

    /// The rows so far: the seed, the values of the axes, and [`RESULTS`].
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }
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
        let mut table = Table::open(&path, &grid()).expect("a new file");
        table.add(&points[3], results.clone()).expect("it can be written");
        drop(table);
        let whole = fs::read_to_string(&path).expect("it can be read");
        fs::write(&path, format!("{whole}1,1,passed,ab")).expect("it can be written");
        let mut table = Table::open(&path, &grid()).expect("the same sweep");
        assert_eq!(table.done(), BTreeSet::from([points[3].clone()]));
        table.add(&points[0], results).expect("it can be written");
        let text = fs::read_to_string(&path).expect("it can be read");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(Table::open(&path, &grid()).expect("the same sweep").done().len(), 2);
    }

    #[test]
    fn the_file_of_another_sweep_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sweep.csv");
        fs::write(&path, "precious\n1\n").expect("it can be written");
        assert!(Table::open(&path, &grid()).is_err());
        assert_eq!(fs::read_to_string(&path).expect("it can be read"), "precious\n1\n");
    }
}
