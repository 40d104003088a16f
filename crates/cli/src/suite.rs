//! Many scenario files, each run once, several at a time.

pub(crate) mod junit;
pub(crate) mod outcome;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use cluster::{Interrupt, Nodes, RunOptions};
use observe::{Ending, Summary, Verdict};
use scenario::{Engine, Plan, StepReport, StepState};

use crate::commands::export::report_at_the_end;
use crate::folder;
use outcome::{FailedStep, Outcome, Tested};

/// A scenario to run, and the folder that its run folder goes into.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) file: PathBuf,
    /// What it means, or why it is not run.
    pub(crate) plan: Result<Arc<Plan>, Outcome>,
}

/// How tests are run.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) engine: Engine,
    /// How many at a time.
    pub(crate) jobs: usize,
    pub(crate) out: PathBuf,
    /// Whether the run folders of tests that pass are kept.
    pub(crate) keep: bool,
    /// Ends simulations.
    pub(crate) stop: Arc<AtomicBool>,
    /// Ends clusters.
    pub(crate) interrupt: Interrupt,
}

impl Suite {
    /// Runs the tests and hands each on as it ends, with its place; whoever takes them is in this thread.
    pub(crate) fn run(&self, tests: &[Test], take: &mut dyn FnMut(usize, Tested)) {
        let next = AtomicUsize::new(0);
        let folders = self.folders(tests);
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            for _ in 0..self.jobs.min(tests.len()) {
                let sender = sender.clone();
                let (next, folders) = (&next, &folders);
                scope.spawn(move || self.work((tests, folders), next, &sender));
            }
            drop(sender);
            for (place, tested) in &receiver {
                take(place, tested);
            }
        });
    }

    /// Names the run folders before any run begins, so that no two runs of one name want the same.
    fn folders(&self, tests: &[Test]) -> Vec<PathBuf> {
        let mut taken: BTreeMap<PathBuf, u32> = BTreeMap::new();
        let folder = |test: &Test| {
            let Ok(plan) = &test.plan else { return PathBuf::new() };
            let folder = folder::for_run(&self.out, plan);
            let times = taken.entry(folder.clone()).or_default();
            *times += 1;
            match *times {
                1 => folder,
                times => PathBuf::from(format!("{}-{times}", folder.display())),
            }
        };
        tests.iter().map(folder).collect()
    }

    fn work(&self, (tests, folders): (&[Test], &[PathBuf]), next: &AtomicUsize, sender: &Sender<(usize, Tested)>) {
        while !self.stop.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(place) else { return };
            let began = Instant::now();
            let (outcome, digest) = match &test.plan {
                Ok(plan) => self.test(plan, &folders[place]),
                Err(outcome) => (outcome.clone(), None),
            };
            let tested = Tested {
                outcome,
                digest,
                took: began.elapsed(),
            };
            // Whoever takes them is there as long as this thread.
            let _ = sender.send((place, tested));
        }
    }

    /// Runs one scenario; the digest is that of a simulation.
    fn test(&self, plan: &Arc<Plan>, folder: &Path) -> (Outcome, Option<String>) {
        let mut failed = None;
        let ran = match self.engine {
            Engine::Sim => self.simulate(plan, folder, &mut failed),
            Engine::Cluster => self.launch(plan, folder, &mut failed),
        };
        let summary = match ran {
            Ok(summary) => summary,
            Err(outcome) => return (outcome, None),
        };
        let digest = summary.digest.map(|digest| digest.to_string());
        let violations = summary.violations.iter().map(ToString::to_string).collect();
        let outcome = match summary.verdict {
            Verdict::Passed => Outcome::Passed,
            Verdict::Interrupted => Outcome::Interrupted,
            verdict @ (Verdict::StepFailed | Verdict::InvariantBroken | Verdict::NodeDied | Verdict::OutOfTime) => {
                Outcome::Failed {
                    verdict,
                    step: failed.map(Box::new),
                    violations,
                    folder: folder.to_owned(),
                }
            }
        };
        let kept = outcome != Outcome::Passed || self.keep;
        if kept {
            report_at_the_end(folder, summary.log.events);
        } else {
            // It can be made again by the same command; one that cannot be removed does no harm.
            let _ = std::fs::remove_dir_all(folder);
        }
        (outcome, digest)
    }

    fn simulate(&self, plan: &Arc<Plan>, folder: &Path, failed: &mut Option<FailedStep>) -> Result<Summary, Outcome> {
        let options = sim::Options {
            folder: Some(folder.to_owned()),
            stop: Arc::clone(&self.stop),
            ..sim::Options::default()
        };
        let finished = sim::run(plan, &options, &mut |progress| {
            if let sim::Progress::Step(report) = progress {
                note(report, plan, failed);
            }
        });
        let mut finished = finished.map_err(|error| Outcome::NotStarted(error.to_string()))?;
        Ok(finished.collector.finish(finished.at, finished.ending))
    }

    fn launch(&self, plan: &Arc<Plan>, folder: &Path, failed: &mut Option<FailedStep>) -> Result<Summary, Outcome> {
        let data = folder.join("nodes");
        let options = RunOptions {
            folder: Some(folder.to_owned()),
            interrupt: self.interrupt.clone(),
            ..RunOptions::new(&data, Nodes::Tasks)
        };
        let finished = cluster::run(plan, &options, &mut |progress| {
            if let cluster::Progress::Step(report) = progress {
                note(report, plan, failed);
            }
        });
        let mut finished = match finished {
            Ok(finished) => finished,
            Err(error) => {
                // Databases of nodes that did not come up are of no use to anybody.
                let _ = std::fs::remove_dir_all(&data);
                let interrupted = matches!(error, cluster::Error::Interrupted);
                let not_started = || Outcome::NotStarted(error.to_string());
                return Err(if interrupted {
                    Outcome::Interrupted
                } else {
                    not_started()
                });
            }
        };
        let ending = finished.outcome.map_or(Ending::Interrupted, Ending::Steps);
        Ok(finished.collector.finish(finished.took, ending))
    }
}

/// Remembers the step that failed.
fn note(report: &StepReport, plan: &Plan, failed: &mut Option<FailedStep>) {
    if let StepState::Failed { expected, found } = &report.state {
        let step = &plan.steps[report.step];
        *failed = Some(FailedStep {
            line: step.line,
            text: step.text.clone(),
            expected: expected.clone(),
            found: found.clone(),
        });
    }
}
