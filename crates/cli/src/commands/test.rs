//! `nakanet test`: a folder of scenario files, several at a time, and a summary.

use std::io::IsTerminal as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use cluster::Interrupt;
use indicatif::{ProgressBar, ProgressStyle};
use scenario::{Engine, words};
use serde_json::{Value, json};

use crate::args::{EngineKind, TestArgs};
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt;
use crate::suite::outcome::{Outcome, Tested};
use crate::suite::{Suite, Test, junit};
use crate::{load, paint, say};

pub(crate) fn test(args: &TestArgs) -> Ended {
    let engine = match args.engine {
        EngineKind::Cluster => Engine::Cluster,
        EngineKind::Sim => Engine::Sim,
    };
    let tests = tests(args, engine)?;
    let suite = suite(args, engine);
    let (stop, interrupt) = (Arc::clone(&suite.stop), suite.interrupt.clone());
    on_interrupt(move || {
        stop.store(true, Ordering::Relaxed);
        interrupt.trigger();
    })?;
    let began = Instant::now();
    let mut results: Vec<Option<Tested>> = tests.iter().map(|_| None).collect();
    let bar = (!args.json && std::io::stderr().is_terminal()).then(|| bar(tests.len()));
    let width = tests.iter().map(|test| name(test).chars().count()).max().unwrap_or(0);
    suite.run(&tests, &mut |place, tested| {
        if !args.json {
            let print = || print(&tests[place], &tested, (args.quiet, width.min(48)));
            bar.as_ref().map_or_else(print, |bar| bar.suspend(print));
        }
        if let Some(bar) = &bar {
            bar.inc(1);
        }
        results[place] = Some(tested);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if let Some(path) = &args.junit {
        write_junit(path, &suite, (&tests, &results))?;
    }
    if args.json {
        say::line(format_args!(
            "{:#}",
            report(&suite, (&tests, &results), began.elapsed())
        ));
    } else {
        summarise(&results, began.elapsed());
    }
    Ok(exit(&results))
}

fn suite(args: &TestArgs, engine: Engine) -> Suite {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let usual = match engine {
        // Nodes in real time share the machine: what one run gets of it is another's loss.
        Engine::Cluster => 1,
        Engine::Sim => cores,
    };
    Suite {
        engine,
        jobs: args.jobs.map_or(usual, NonZero::get),
        out: args.out.clone(),
        keep: args.keep,
        stop: Arc::new(AtomicBool::new(false)),
        interrupt: Interrupt::new(),
    }
}

/// The scenarios that are asked for, in the order of their files.
fn tests(args: &TestArgs, engine: Engine) -> Result<Vec<Test>, Failure> {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            files.extend(load::scenario_files(path)?);
        } else {
            files.push(path.clone());
        }
    }
    let wanted = |file: &PathBuf| {
        let file = file.to_string_lossy();
        args.filter.as_ref().is_none_or(|filter| file.contains(filter.as_str()))
    };
    files.retain(wanted);
    let mut tests = Vec::new();
    for file in files {
        let plan = match load::parse(&file, &args.overrides)? {
            Err(diagnostics) => Err(Outcome::Mistakes(diagnostics)),
            Ok(plan) => match refusal(&plan, engine) {
                Some(refusal) => Err(Outcome::Skipped(refusal)),
                None => Ok(Arc::new(plan)),
            },
        };
        tests.push(Test { file, plan });
    }
    let runs = tests.iter().any(|test| !matches!(test.plan, Err(Outcome::Skipped(_))));
    if !runs {
        return Err(Failure::bad_input(anyhow!(
            "there is nothing to test: {} of {} can be run",
            if tests.is_empty() {
                "no scenario file is there, so none"
            } else {
                "none"
            },
            words::count(tests.len() as u64, "file"),
        )));
    }
    Ok(tests)
}

fn refusal(plan: &scenario::Plan, engine: Engine) -> Option<String> {
    engine.refusal(plan).or_else(|| match engine {
        Engine::Cluster => None,
        Engine::Sim => scenario::estimate(plan).refusal(),
    })
}

fn bar(count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} scenarios, {elapsed} gone")
        .expect("a template without mistakes");
    let bar = ProgressBar::new(count as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// What a test is called: its scenario, or the file when it is none.
fn name(test: &Test) -> String {
    test.plan
        .as_ref()
        .map_or_else(|_| test.file.display().to_string(), |plan| plan.name.clone())
}

/// One line of a test, and more of one that failed.
fn print(test: &Test, tested: &Tested, (quiet, width): (bool, usize)) {
    let outcome = &tested.outcome;
    if quiet && !outcome.is_failure() {
        return;
    }
    let mark = match outcome {
        Outcome::Passed => paint::good("ok  "),
        Outcome::Skipped(_) => paint::warning("skip"),
        Outcome::Failed { .. } | Outcome::Interrupted | Outcome::NotStarted(_) | Outcome::Mistakes(_) => {
            paint::bad("FAIL")
        }
    };
    let took = words::duration(tested.took);
    let said = outcome.message().or_else(|| {
        let plan = test.plan.as_ref().ok()?;
        Some(words::count(plan.steps.len() as u64, "step"))
    });
    let said = said.unwrap_or_default();
    let name = name(test);
    say::line(format_args!("{mark} {took:>8}  {name:<width$}  {}", paint::dim(said)));
    for detail in outcome.details(&test.file.display().to_string()) {
        for line in detail.lines() {
            say::line(format_args!("    {line}"));
        }
    }
}

/// How many there were of each outcome.
fn summarise(results: &[Option<Tested>], took: Duration) {
    let count = |word: &str| of(results, word);
    let mut parts = vec![format!("{} passed", count("passed"))];
    for (word, words) in [
        ("failed", "failed"),
        ("mistakes", "with mistakes"),
        ("not-started", "not started"),
        ("interrupted", "interrupted"),
        ("skipped", "skipped"),
    ] {
        if count(word) > 0 {
            parts.push(format!("{} {words}", count(word)));
        }
    }
    let not_run = results.iter().filter(|result| result.is_none()).count();
    if not_run > 0 {
        parts.push(format!("{not_run} not run"));
    }
    let parts = format!("{} in {}", parts.join(", "), words::duration(took));
    match exit(results) {
        Exit::Passed => say::line(format_args!("\n{}  {parts}", paint::good("PASSED"))),
        Exit::Interrupted => say::line(format_args!("\n{}  {parts}", paint::warning("INTERRUPTED"))),
        Exit::Failed | Exit::BadInput | Exit::CouldNotStart | Exit::NodeDied | Exit::OutOfTime => {
            say::line(format_args!("\n{}  {parts}", paint::bad("FAILED")));
        }
    }
}

fn of(results: &[Option<Tested>], word: &str) -> usize {
    results
        .iter()
        .flatten()
        .filter(|tested| tested.outcome.word() == word)
        .count()
}

/// What the program ends with: what was wrong first explains the rest.
fn exit(results: &[Option<Tested>]) -> Exit {
    if results.iter().any(Option::is_none) || of(results, "interrupted") > 0 {
        Exit::Interrupted
    } else if of(results, "mistakes") > 0 {
        Exit::BadInput
    } else if of(results, "failed") > 0 {
        Exit::Failed
    } else if of(results, "not-started") > 0 {
        Exit::CouldNotStart
    } else {
        Exit::Passed
    }
}

fn write_junit(path: &Path, suite: &Suite, (tests, results): (&[Test], &[Option<Tested>])) -> Result<(), Failure> {
    let xml = junit::report(suite, tests, results).map_err(Failure::could_not_start)?;
    std::fs::write(path, xml)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Failure::could_not_start)
}

/// All results, as one JSON object.
fn report(suite: &Suite, (tests, results): (&[Test], &[Option<Tested>]), took: Duration) -> Value {
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let entry = |(test, tested): (&Test, &Option<Tested>)| {
        let plan = test.plan.as_ref().ok();
        let mut entry = json!({
            "file": test.file,
            "name": name(test),
            "seed": plan.map(|plan| plan.seed.to_string()),
            "outcome": tested.as_ref().map_or("not-run", |tested| tested.outcome.word()),
        });
        let Some(tested) = tested else { return entry };
        entry["took_ms"] = json!(millis(tested.took));
        entry["digest"] = json!(tested.digest);
        entry["message"] = json!(tested.outcome.message());
        if let Outcome::Failed {
            step,
            violations,
            folder,
            ..
        } = &tested.outcome
        {
            entry["step"] = json!(step);
            entry["violations"] = json!(violations);
            entry["run"] = json!(folder);
        }
        if let Outcome::Mistakes(diagnostics) = &tested.outcome {
            entry["diagnostics"] = json!(diagnostics);
        }
        entry
    };
    json!({
        "engine": suite.engine,
        "ok": exit(results) == Exit::Passed,
        "passed": of(results, "passed"),
        "skipped": of(results, "skipped"),
        "failed": results.iter().flatten().filter(|tested| tested.outcome.is_failure()).count(),
        "took_ms": millis(took),
        "tests": tests.iter().zip(results).map(entry).collect::<Vec<_>>(),
    })
}
