//! `nakanet run`: one scenario file, from start to verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use cluster::{Interrupt, Nodes, PortRange, Program, Progress, RunOptions};
use observe::{Desk, Detail, Ending, Operator, Verdict};
use scenario::{Engine, Plan, words};
use sim::Verify;

use crate::args::{DetailKind, EngineKind, LivingArgs, NodesKind, RunArgs, VerifyKind};
use crate::commands::export::report_at_the_end;
use crate::commands::rpc;
use crate::commands::serve;
use crate::ended::Run;
use crate::exit::{Ended, Failure};
use crate::interrupt::on_interrupt;
use crate::meter::Meter;
use crate::steps::Steps;
use crate::view::{self, View};
use crate::{ended, folder, journal, load, paint, say};

pub(crate) fn run(args: &RunArgs) -> Ended {
    let plan = Arc::new(load::plan(&args.file, &args.overrides)?);
    let engine = match args.engine {
        EngineKind::Cluster => Engine::Cluster,
        EngineKind::Sim => Engine::Sim,
    };
    if let Some(refusal) = engine.refusal(&plan) {
        return Err(Failure::bad_input(anyhow!("{}: {refusal}", plan.file)));
    }
    if engine == Engine::Sim
        && !args.force
        && let Some(refusal) = scenario::estimate(&plan).refusal()
    {
        return Err(Failure::bad_input(anyhow!("{}: {refusal}; --force goes on", plan.file)));
    }
    let folder = folder::for_run(&args.out, &plan);
    if args.watch {
        view::needs_terminal()?;
    }
    let (operator, desk) = Operator::new();
    let served = serve::beside(&folder, &args.page, operator.clone())?;
    let taking = (served.takes_steps() || args.watch).then_some((operator, desk));
    let run = match args.engine {
        EngineKind::Cluster => launch(&plan, &folder, args, taking)?,
        EngineKind::Sim => simulate(&plan, &folder, args, taking)?,
    };
    folder::mark_latest(&folder);
    let report = report_at_the_end(&folder, run.collector.events());
    if args.json {
        say::line(format_args!("{:#}", run.to_json()));
    } else {
        ended::print(&run, &folder, &repeat(args));
        if let Some(report) = report {
            say::line(format_args!("Report  {}", report.display()));
        }
    }
    served.linger();
    Ok(run.exit())
}

/// Who hands in steps, and where the run takes them.
type Taking = (Operator, Desk);

const fn is_quiet(args: &RunArgs) -> bool {
    args.quiet || args.json || args.watch
}

/// What is about to run.
fn announce(plan: &Plan, quiet: bool) {
    if !quiet {
        let nodes = words::count(plan.nodes.len() as u64, "node");
        say::line(format_args!(
            "{}  seed {}, {nodes}",
            paint::strong(&plan.name),
            plan.seed
        ));
    }
}

/// Runs on real nodes.
fn launch(plan: &Arc<Plan>, folder: &Path, args: &RunArgs, taking: Option<Taking>) -> Result<Run, Failure> {
    let quiet = is_quiet(args);
    let interrupt = Interrupt::new();
    let (stop, end) = (interrupt.clone(), interrupt.clone());
    on_interrupt(move || stop.trigger())?;
    announce(plan, quiet);
    let options = RunOptions {
        interrupt,
        desk: taking.as_ref().map(|(_, desk)| desk.clone()),
        ..living(&args.living, folder)?
    };
    let view = taking.filter(|_| args.watch);
    let view = view.map(|(operator, _)| View::beside(folder, operator, None, move || end.trigger()));
    let mut steps = Steps::new(plan, quiet);
    let mut observer = |progress: &Progress<'_>| {
        show(progress, &mut steps, quiet);
        if args.living.rpc.is_some() && !quiet && matches!(progress, Progress::Started { .. }) {
            rpc::announce(folder, plan);
        }
    };
    let finished = match cluster::run(plan, &options, &mut observer) {
        Ok(finished) => finished,
        Err(error) => {
            if let Some(view) = view {
                view.close();
            }
            journal::forget_empty(folder);
            return Err(not_started(error, (!args.keep).then_some(&options.data)));
        }
    };
    let ending = finished.outcome.map_or(Ending::Interrupted, Ending::Steps);
    let mut collector = finished.collector;
    let summary = collector.finish(finished.took, ending);
    if let Some(view) = view {
        view.wait();
    }
    if !args.keep && summary.verdict == Verdict::Passed {
        remove(&options.data)?;
    }
    Ok(Run {
        collector,
        director: finished.director,
        summary,
    })
}

/// A run whose nodes keep their data in its folder, live where they are wanted, and listen on the ports that are.
pub(crate) fn living(args: &LivingArgs, folder: &Path) -> Result<RunOptions, Failure> {
    Ok(RunOptions {
        ports: PortRange { first: args.p2p_port },
        rpc: args.rpc.map(|first| PortRange { first }),
        folder: Some(folder.to_owned()),
        ..RunOptions::new(&folder.join("nodes"), nodes(args, folder)?)
    })
}

/// Where nodes are to live, with their logs in this run folder. As processes they are of this very program.
fn nodes(args: &LivingArgs, folder: &Path) -> Result<Nodes, Failure> {
    match args.nodes {
        NodesKind::Tasks if !args.programs.is_empty() => Err(Failure::bad_input(anyhow!(
            "only nodes that are processes can be upgraded to another program; add --nodes process"
        ))),
        NodesKind::Tasks => journal::shared(folder).map(|()| Nodes::Tasks),
        NodesKind::Process => {
            let path = std::env::current_exe().context("cannot find this program");
            Ok(Nodes::Processes(Program {
                path: path.map_err(Failure::could_not_start)?,
                arguments: vec!["worker".into()],
                upgrades: upgrades(&args.programs)?,
                logs: Some(folder.join(journal::FOLDER)),
            }))
        }
    }
}

/// The programs that nodes can be upgraded to; a missing one is noticed before anything starts.
fn upgrades(programs: &[(String, String)]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut upgrades = BTreeMap::new();
    for (name, path) in programs {
        let whole = std::path::absolute(path).ok().filter(|path| path.is_file());
        let whole = whole.ok_or_else(|| Failure::bad_input(anyhow!("--program {name}: there is no file {path}")))?;
        upgrades.insert(name.clone(), whole);
    }
    Ok(upgrades)
}

/// Why real nodes did not come up. When that was the user's wish their databases, of no use to anybody, are removed, if they are named.
pub(crate) fn not_started(error: cluster::Error, data: Option<&PathBuf>) -> Failure {
    if !matches!(error, cluster::Error::Interrupted) {
        return Failure::could_not_start(error);
    }
    match data.filter(|data| data.exists()).map_or(Ok(()), |data| remove(data)) {
        Ok(()) => Failure::interrupted("while the nodes were starting"),
        Err(failure) => failure,
    }
}

/// Removes the nodes' databases.
fn remove(data: &Path) -> Result<(), Failure> {
    std::fs::remove_dir_all(data)
        .with_context(|| format!("cannot remove {}", data.display()))
        .map_err(Failure::could_not_start)
}

/// Prints news of a run on real nodes.
pub(crate) fn show(progress: &Progress<'_>, steps: &mut Steps<'_>, quiet: bool) {
    match progress {
        Progress::Step(report) => steps.print(report),
        Progress::Control(report) => steps.print_control(report),
        Progress::NodeDied(died) => {
            say::aside(format_args!(
                "{}: node {} died: {}",
                paint::bad("error"),
                died.name,
                died.error
            ));
        }
        Progress::Lagging { hashes_missed } => {
            let warning = paint::warning("warning");
            say::aside(format_args!(
                "{warning}: this machine is too slow for the plan's hash power: {hashes_missed} hashes missed"
            ));
        }
        Progress::Connected { links, took } if !quiet => {
            let links = words::count(*links as u64, "link");
            say::line(paint::dim(format_args!("{links} up after {}", words::duration(*took))));
        }
        Progress::Started { took } if !quiet => {
            say::line(paint::dim(format_args!(
                "all nodes up after {}",
                words::duration(*took)
            )));
        }
        Progress::Observed(collector) => steps.observe(collector.world()),
        Progress::Starting { .. }
        | Progress::Started { .. }
        | Progress::Connected { .. }
        | Progress::Settling
        | Progress::Stopping => {}
    }
}

/// Runs in virtual time.
fn simulate(plan: &Arc<Plan>, folder: &Path, args: &RunArgs, taking: Option<Taking>) -> Result<Run, Failure> {
    let quiet = is_quiet(args);
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    on_interrupt(move || flag.store(true, Ordering::Relaxed))?;
    announce(plan, quiet);
    let tempo = args.watch.then(|| view::tempo(plan));
    let pace = tempo
        .clone()
        .map(|tempo| sim::Pace::new(move |now, next| tempo.until(now, next)));
    let end = Arc::clone(&stop);
    let options = sim::Options {
        folder: Some(folder.to_owned()),
        verify: match args.verify {
            VerifyKind::Shared => Verify::Shared,
            VerifyKind::Each => Verify::Each,
        },
        detail: args.detail.map(|detail| match detail {
            DetailKind::Full => Detail::Full,
            DetailKind::Compact => Detail::Compact,
            DetailKind::Summary => Detail::Summary,
        }),
        check_wire: args.check_wire,
        stop,
        desk: taking.as_ref().map(|(_, desk)| desk.clone()),
        pace,
        ..sim::Options::default()
    };
    let view = taking.filter(|_| args.watch);
    let view =
        view.map(|(operator, _)| View::beside(folder, operator, tempo, move || end.store(true, Ordering::Relaxed)));
    let mut meter = Meter::new(plan, quiet);
    let mut steps = match meter {
        Some(_) => Steps::by_line(plan),
        None => Steps::new(plan, quiet),
    };
    let finished = sim::run(plan, &options, &mut |progress| match (progress, &mut meter) {
        (sim::Progress::Step(report), Some(meter)) => {
            meter.step(report);
            meter.suspend(|| steps.print(report));
        }
        (sim::Progress::Step(report), None) => steps.print(report),
        (sim::Progress::Control(report), Some(meter)) => meter.suspend(|| steps.print_control(report)),
        (sim::Progress::Control(report), None) => steps.print_control(report),
        (sim::Progress::Passing { now, collector }, Some(meter)) => meter.pass(*now, collector),
        (sim::Progress::Passing { .. }, None) => {}
    });
    if let Some(meter) = meter {
        meter.finish();
    }
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            if let Some(view) = view {
                view.close();
            }
            return Err(Failure::could_not_start(error));
        }
    };
    let mut collector = finished.collector;
    let summary = collector.finish(finished.at, finished.ending);
    if let Some(view) = view {
        view.wait();
    }
    Ok(Run {
        collector,
        director: finished.director,
        summary,
    })
}

/// The command that repeats the run.
fn repeat(args: &RunArgs) -> String {
    let mut words = vec!["nakanet".to_owned(), "run".to_owned(), args.file.display().to_string()];
    let mut flag = |name: &str, value: Option<String>| {
        words.push(format!("--{name}"));
        words.extend(value);
    };
    if args.engine == EngineKind::Sim {
        flag("engine", Some("sim".to_owned()));
    }
    if args.living.nodes != NodesKind::Tasks {
        flag("nodes", Some(name(&args.living.nodes)));
    }
    for (program, path) in &args.living.programs {
        flag("program", Some(format!("{program}={path}")));
    }
    if let Some(seed) = args.overrides.seed {
        flag("seed", Some(seed.to_string()));
    }
    for (key, value) in &args.overrides.set {
        flag("set", Some(format!("{key}={value}")));
    }
    if args.verify != VerifyKind::Shared {
        flag("verify", Some(name(&args.verify)));
    }
    if let Some(detail) = args.detail {
        flag("detail", Some(name(&detail)));
    }
    if args.check_wire {
        flag("check-wire", None);
    }
    if args.force {
        flag("force", None);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// What a choice is called on the command line.
fn name(choice: &impl ValueEnum) -> String {
    choice
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

/// A word that a shell reads as it is meant.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
