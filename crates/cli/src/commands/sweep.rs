//! `nakanet sweep`: one scenario many times in virtual time, on all cores.

use std::io::IsTerminal as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use observe::{Detail, Verdict};
use scenario::{Diagnostic, Plan, words};

use crate::args::SweepArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::stop_flag;
use crate::sweep::grid::{Grid, Point};
use crate::sweep::means;
use crate::sweep::table::{self, Table};
use crate::{load, paint, say};

/// A run that is over: its row's results, or why it has none.
type Ran = (Point, Result<Vec<String>, String>);

/// What all runs of a sweep have in common.
#[derive(Debug)]
struct Sweep<'a> {
    args: &'a SweepArgs,
    /// The scenario's text, read once: a file that is changed meanwhile changes no run.
    source: String,
    grid: Grid,
}

pub(crate) fn sweep(args: &SweepArgs) -> Ended {
    let grid = Grid::new(args.seeds.clone(), args.vary.clone()).map_err(|error| Failure::bad_input(anyhow!(error)))?;
    let source = load::read(&args.file)?;
    let sweep = Sweep { args, source, grid };
    let grid = &sweep.grid;
    sweep.check_points()?;
    let path = file(args);
    let mut table = Table::open(&path, grid, &table::fingerprint(&sweep.source, &args.set))
        .with_context(|| format!("cannot go on with {}", path.display()))
        .map_err(Failure::bad_input)?;
    let done = table.done();
    let (all, mut points) = (grid.points().len(), grid.points());
    points.retain(|point| !done.contains(point));
    if points.len() < all {
        say::aside(format_args!(
            "{} of {all} runs are in {} already",
            all - points.len(),
            path.display()
        ));
    }
    let stop = stop_flag()?;
    let errors = run_all(&sweep, (&points, &mut table), &stop)?;
    say::part(means::table(grid, table.rows()));
    say::line(format_args!("Rows    {}", path.display()));
    let failed = name_failed(grid, &table, &errors);
    Ok(match (stop.load(Ordering::Relaxed), failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Passed,
    })
}

impl Sweep<'_> {
    /// Refuses the sweep when any of its points is no scenario, before any runs.
    fn check_points(&self) -> Result<(), Failure> {
        let mut points = self.grid.points();
        points.dedup_by(|a, b| a.values == b.values);
        for point in points {
            load::accepted(&self.args.file, self.parse(&point))?;
        }
        Ok(())
    }

    fn parse(&self, point: &Point) -> Result<Plan, Vec<Diagnostic>> {
        let overrides = self.grid.overrides(point, &self.args.set);
        load::parse_text(&self.args.file, &self.source, &overrides)
    }
}

/// Where the rows go: `two-nodes-sweep.csv` beside where the command was called, unless told.
fn file(args: &SweepArgs) -> PathBuf {
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    args.out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{stem}-sweep.csv")))
}

/// Runs the points, as many at a time as there are cores; each run is in one thread, so that more cores change nothing but the time.
fn run_all(
    sweep: &Sweep<'_>,
    (points, table): (&[Point], &mut Table),
    stop: &Arc<AtomicBool>,
) -> Result<Vec<String>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = sweep.args.jobs.map_or(cores, NonZero::get).min(points.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..jobs {
            let sender = sender.clone();
            scope.spawn(|| work(sweep, (points, &next), (stop, sender)));
        }
        drop(sender);
        let result = record(&sweep.grid, &receiver, (points.len(), table));
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        result
    })
}

/// Runs one point after the other until none is left, or the user has enough.
fn work(sweep: &Sweep<'_>, (points, next): (&[Point], &AtomicUsize), (stop, sender): (&Arc<AtomicBool>, Sender<Ran>)) {
    while !stop.load(Ordering::Relaxed) {
        let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) else {
            return;
        };
        let result = run(sweep, point, stop);
        // A run that was cut short has no row; a receiver that is gone wants none.
        let Some(result) = result.transpose() else { return };
        if sender.send((point.clone(), result)).is_err() {
            return;
        }
    }
}

/// One run's results; none when it was interrupted.
fn run(sweep: &Sweep<'_>, point: &Point, stop: &Arc<AtomicBool>) -> Result<Option<Vec<String>>, String> {
    let plan = sweep
        .parse(point)
        .map_err(|diagnostics| words::count(diagnostics.len() as u64, "mistake"))?;
    let options = sim::Options {
        stop: Arc::clone(stop),
        detail: Some(Detail::Summary),
        ..sim::Options::default()
    };
    let mut finished = sim::run(&Arc::new(plan), &options, &mut |_| {}).map_err(|error| error.to_string())?;
    let summary = finished.collector.finish(finished.at, finished.ending);
    let ended = summary.verdict != Verdict::Interrupted;
    Ok(ended.then(|| table::results(&summary, finished.digest)))
}

/// Writes each run's row as it comes, and shows how far the sweep is. Gives the runs that have no row, in words.
fn record(grid: &Grid, runs: &Receiver<Ran>, (count, table): (usize, &mut Table)) -> Result<Vec<String>, Failure> {
    let bar = std::io::stderr().is_terminal().then(|| progress(count));
    let mut errors = Vec::new();
    for (number, (point, result)) in runs.iter().enumerate() {
        let name = name(grid, &point);
        let outcome = match result {
            Ok(results) => {
                let verdict = results[0].clone();
                table.add(&point, results).map_err(Failure::could_not_start)?;
                verdict
            }
            Err(error) => {
                errors.push(format!("{name}: {error}"));
                error
            }
        };
        match &bar {
            Some(bar) => bar.inc(1),
            None => say::aside(format_args!("[{}/{count}] {name}: {outcome}", number + 1)),
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(errors)
}

fn progress(count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {elapsed} gone, {eta} left")
        .expect("a template without mistakes");
    ProgressBar::new(count as u64).with_style(style)
}

/// As `seed 3, network.nodes=12`.
fn name(grid: &Grid, point: &Point) -> String {
    let values = grid.axes.iter().zip(&point.values);
    let values = values.map(|(axis, value)| format!(", {}={value}", axis.key));
    format!("seed {}{}", point.seed, values.collect::<String>())
}

/// Names the runs that did not pass; whether there are any.
fn name_failed(grid: &Grid, table: &Table, errors: &[String]) -> bool {
    let verdict = 1 + grid.axes.len();
    let mut failed = errors.to_vec();
    for row in table.rows().iter().filter(|row| row[verdict] != "passed") {
        let keys = grid.axes.iter().zip(&row[1..]);
        let values: String = keys.map(|(axis, value)| format!(", {}={value}", axis.key)).collect();
        failed.push(format!("seed {}{values}: {}", row[0], row[verdict]));
    }
    for run in &failed {
        say::line(format_args!("{}  {run}", paint::bad("FAILED")));
    }
    !failed.is_empty()
}
