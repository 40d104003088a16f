//! `nakanet run`: one scenario file, from start to verdict.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scenario::{Plan, words};

use crate::args::{EngineKind, RunArgs};
use crate::exit::{Ended, Failure};
use crate::interrupt::on_interrupt;
use crate::report::Run;
use crate::steps::Steps;
use crate::{folder, load, paint, report, say};

pub(crate) fn run(args: &RunArgs) -> Ended {
    let plan = Arc::new(load::plan(&args.file, &args.overrides)?);
    let quiet = args.quiet || args.json;
    let folder = folder::for_run(&args.out, &plan);
    if !quiet {
        let nodes = words::count(plan.nodes.len() as u64, "node");
        say::line(format_args!(
            "{}  seed {}, {nodes}",
            paint::strong(&plan.name),
            plan.seed
        ));
    }
    let run = match args.engine {
        EngineKind::Cluster => todo!(),
        EngineKind::Sim => simulate(&plan, &folder, quiet)?,
    };
    folder::mark_latest(&folder);
    if args.json {
        say::line(format_args!(
            "{}",
            serde_json::to_string_pretty(&run.summary).map_err(Failure::bad_input)?
        ));
    } else {
        report::print(&run, &folder, &repeat(args));
    }
    Ok(run.exit())
}

fn simulate(plan: &Arc<Plan>, folder: &Path, quiet: bool) -> Result<Run, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    on_interrupt(move || flag.store(true, Ordering::Relaxed))?;
    let options = sim::Options {
        folder: Some(folder.to_owned()),
        stop,
        ..sim::Options::default()
    };
    let steps = Steps::new(plan, quiet);
    let finished = sim::run(plan, &options, &mut |report| steps.print(report)).map_err(Failure::could_not_start)?;
    let mut collector = finished.collector;
    let summary = collector.finish(finished.at, finished.ending);
    Ok(Run {
        collector,
        director: finished.director,
        summary,
    })
}

/// The command that repeats the run.
fn repeat(args: &RunArgs) -> String {
    let mut command = format!("nakanet run {}", args.file.display());
    if args.engine == EngineKind::Sim {
        command += " --engine sim";
    }
    if let Some(seed) = args.overrides.seed {
        command += &format!(" --seed {seed}");
    }
    for (key, value) in &args.overrides.set {
        command += &format!(" --set {key}={value}");
    }
    command
}
