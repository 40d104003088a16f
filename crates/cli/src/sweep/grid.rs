//! What a sweep runs.

use std::ops::Range;

use scenario::Overrides;

/// The most runs of a sweep.
const MAX_RUNS: u64 = 1_000_000;

/// A key of the scenario and the values it takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Axis {
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

/// One run: a seed, and one value for each axis.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Point {
    pub(crate) values: Vec<String>,
    pub(crate) seed: u64,
}

/// All runs of a sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    pub(crate) seeds: Range<u64>,
    pub(crate) axes: Vec<Axis>,
}

impl Grid {
    /// The grid, unless it is empty or too large.
    pub(crate) fn new(seeds: Range<u64>, axes: Vec<Axis>) -> Result<Self, String> {
        let count = axes
            .iter()
            .try_fold(seeds.end.saturating_sub(seeds.start), |count, axis| {
                count.checked_mul(axis.values.len() as u64)
            });
        match count {
            Some(1..=MAX_RUNS) => Ok(Self { seeds, axes }),
            Some(0) => Err("there is nothing to run".to_owned()),
            Some(_) | None => Err(format!("a sweep has at most {MAX_RUNS} runs")),
        }
    }

    /// All of them: the seeds of the first point, of the second, and so on; the last axis changes first.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut rows: Vec<Vec<String>> = vec![Vec::new()];
        for axis in &self.axes {
            let with = |row: &Vec<String>| {
                let row = row.clone();
                let longer = move |value: &String| row.iter().chain([value]).cloned().collect();
                axis.values.iter().map(longer).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(with).collect();
        }
        let seeded = |values: Vec<String>| {
            self.seeds.clone().map(move |seed| Point {
                values: values.clone(),
                seed,
            })
        };
        rows.into_iter().flat_map(seeded).collect()
    }

    /// What a run changes in the scenario's file, besides what all runs change.
    pub(crate) fn overrides(&self, point: &Point, common: &[(String, String)]) -> Overrides {
        let axes = self.axes.iter().map(|axis| axis.key.clone());
        let set = common.iter().cloned().chain(axes.zip(point.values.iter().cloned()));
        Overrides {
            seed: Some(point.seed),
            set: set.collect(),
        }
    }
}

/// Seeds as `0..99`, both ends included, or one alone.
pub(crate) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    let end = last.checked_add(1).ok_or("the last seed is too large")?;
    if first > last {
        return Err(format!("the first seed {first} is above the last, {last}"));
    }
    Ok(first..end)
}

/// An axis as `network.link.latency=10ms,50ms`. Commas within brackets part no values.
pub(crate) fn axis(text: &str) -> Result<Axis, String> {
    let (key, list) = text
        .split_once('=')
        .filter(|(key, list)| !key.trim().is_empty() && !list.trim().is_empty())
        .ok_or("expected KEY=VALUE,VALUE, such as network.link.latency=10ms,50ms")?;
    let (mut values, mut depth) = (vec![String::new()], 0_u32);
    for letter in list.chars() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == ',' && depth == 0 {
            values.push(String::new());
        } else if let Some(value) = values.last_mut() {
            value.push(letter);
        }
    }
    Ok(Axis {
        key: key.trim().to_owned(),
        values: values.iter().map(|value| value.trim().to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_changes_first_and_seeds_before_it() {
        let axes = ["a=1,2", "b=x,y"].map(|text| axis(text).expect("an axis"));
        let grid = Grid::new(seeds("5..6").expect("seeds"), axes.into()).expect("eight runs");
        let points: Vec<String> = grid
            .points()
            .iter()
            .map(|point| format!("{}{}", point.values.concat(), point.seed))
            .collect();
        assert_eq!(points, ["1x5", "1x6", "1y5", "1y6", "2x5", "2x6", "2y5", "2y6"]);
        let set = grid.overrides(&grid.points()[7], &[]).set;
        assert_eq!(
            set,
            [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "y".to_owned())]
        );
    }

    #[test]
    fn a_list_in_brackets_is_one_value() {
        let axis = axis("network.block-size=[1,2], 3").expect("an axis");
        assert_eq!(axis.values, ["[1,2]", "3"]);
    }

    #[test]
    fn what_is_no_grid_is_refused() {
        assert!(seeds("9..3").is_err() && seeds("x").is_err() && seeds("0..18446744073709551615").is_err());
        assert!(axis("latency").is_err() && axis("=3").is_err());
        assert!(Grid::new(0..2_000_000, Vec::new()).is_err());
        assert_eq!(seeds("7"), Ok(7..8));
    }
}
