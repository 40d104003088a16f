//! What the runs of each point say together: the mean over seeds, and its 99 % interval.

use observe::stats::Z_99;

use super::grid::{Axis, Grid};
use super::table::RESULTS;

/// What is shown, and what it is called there.
const SHOWN: [(&str, &str); 5] = [
    ("stale_rate", "stale rate"),
    ("interval_mean_s", "interval, s"),
    ("block_p50_s", "p50, s"),
    ("block_p90_s", "p90, s"),
    ("bytes_per_node", "bytes a node"),
];

/// A table with one line for each point that has runs.
pub(crate) fn table(grid: &Grid, rows: &[Vec<String>]) -> String {
    let mut lines = vec![heading(&grid.axes)];
    let mut points = grid.points();
    points.dedup_by(|a, b| a.values == b.values);
    for point in points {
        let of_point = |row: &&Vec<String>| row[1..=grid.axes.len()] == point.values[..];
        let rows: Vec<&Vec<String>> = rows.iter().filter(of_point).collect();
        if rows.is_empty() {
            continue;
        }
        let mut line = point.values.clone();
        line.push(rows.len().to_string());
        for (column, _) in SHOWN {
            let place = RESULTS
                .iter()
                .position(|name| *name == column)
                .expect("a column there is");
            let values: Vec<f64> = rows
                .iter()
                .filter_map(|row| row[1 + grid.axes.len() + place].parse().ok())
                .collect();
            line.push(mean_and_reach(&values));
        }
        lines.push(line);
    }
    aligned(&lines)
}

fn heading(axes: &[Axis]) -> Vec<String> {
    let keys = axes.iter().map(|axis| axis.key.clone());
    keys.chain(["runs".to_owned()])
        .chain(SHOWN.map(|(_, name)| name.to_owned()))
        .collect()
}

/// As `0.0151 +- 0.0021`: the mean, and how far it may be off at 99 % by the normal approximation, which wants some ten runs.
fn mean_and_reach(values: &[f64]) -> String {
    if values.is_empty() {
        return "-".to_owned();
    }
    let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 2 {
        return format!("{mean:.4}");
    }
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    format!("{mean:.4} +- {:.4}", Z_99 * (variance / count).sqrt())
}

/// Columns side by side, each as wide as its widest field.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let fields = line
            .iter()
            .zip(&widths)
            .map(|(field, width)| format!("{field:>width$}"));
        text.push_str(&fields.collect::<Vec<_>>().join("  "));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_mean() {
        assert_eq!(mean_and_reach(&[1.0, 2.0, 3.0, 4.0]), "2.5000 +- 1.6627");
        assert_eq!(mean_and_reach(&[2.0]), "2.0000");
        assert_eq!(mean_and_reach(&[]), "-");
    }
}
