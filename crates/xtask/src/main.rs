//! `cargo xtask test`: every check of the project, in the order in which a mistake is cheapest to find.

mod clients;
mod page;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

const HELP: &str = "\
usage: cargo xtask COMMAND

  test     every check: format, lints, documentation, dependencies, tests, other people's clients, the page in a browser
  clients  the JSON-RPC interface alone, called by python-bitcoinrpc
  browser  only the page's part of test: its built files against their sources, and Chromium
  page     build the page's sources (crates/page/web) into the files that are committed (crates/page/dist)
  schema   write scenarios/schema.json from the grammar
  bless    write what all scenarios do now into tests/golden/digests.txt

`test` is what the continuous integration runs; see docs/TESTING.md.";

/// The workspace's folder.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => report(test()),
        ["clients"] => report(clients::test()),
        ["page"] => report(page::build()),
        ["browser"] => report(page::test()),
        ["schema"] => report(schema()),
        ["bless"] => report(bless()),
        ["help" | "--help" | "-h"] | [] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("unknown command `{}`\n\n{HELP}", other.join(" "));
            ExitCode::from(2)
        }
    }
}

/// A step that failed, in words.
type Failed = String;

fn report(result: Result<(), Failed>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("\nxtask: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), Failed> {
    step("format", cargo(["fmt", "--all", "--check"]))?;
    step(
        "lints",
        cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    step(
        "documentation",
        cargo(["doc", "--workspace", "--no-deps", "--locked", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if installed("cargo-deny") {
        step(
            "dependencies",
            cargo(["deny", "--locked", "check", "bans", "licenses", "sources"]),
        )?;
    } else {
        println!("== dependencies: skipped, cargo-deny is not installed (cargo install cargo-deny --locked)");
    }
    let debug = tests("tests", cargo(["test", "--workspace", "--locked", "--no-fail-fast"]))?;
    // A run must not depend on how the program was built, and the published networks are too large for a debug build.
    let release = tests(
        "whole runs in release",
        cargo(["test", "--release", "--package", "sim", "--test", "whole", "--locked"]),
    )?;
    clients::test()?;
    page::test()?;
    println!("\n{} passed, 0 failed", debug + release);
    Ok(())
}

/// Runs tests and passes on what they print; how many there were, all of which have passed.
fn tests(name: &str, mut command: Command) -> Result<u64, Failed> {
    println!("== {name}");
    let start = Instant::now();
    let cannot_run = |error| format!("{name}: could not run cargo: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(cannot_run)?;
    let mut passed = 0;
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line.map_err(|error| format!("{name}: their output cannot be read: {error}"))?;
        println!("{line}");
        passed += count(&line, "passed");
    }
    let status = child.wait().map_err(cannot_run)?;
    if !status.success() {
        return Err(format!("{name} failed ({status}); repeat them with {command:?}"));
    }
    println!("== {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    Ok(passed)
}

/// The number before a word in a line such as `test result: ok. 12 passed; 0 failed; ...`.
fn count(line: &str, word: &str) -> u64 {
    let Some(results) = line.strip_prefix("test result: ") else {
        return 0;
    };
    let words: Vec<&str> = results.split([' ', ';', '.']).collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[test]
fn results_are_counted() {
    let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s";
    assert_eq!((count(line, "passed"), count(line, "failed")), (12, 3));
    assert_eq!(count("test passed ... ok", "passed"), 0);
}

fn schema() -> Result<(), Failed> {
    write(
        "scenarios/schema.json",
        cargo(["run", "--quiet", "--package", "cli", "--", "schema", "scenario"]),
    )
}

fn bless() -> Result<(), Failed> {
    write(
        "tests/golden/digests.txt",
        cargo(["run", "--quiet", "--package", "sim", "--example", "goldens"]),
    )
}

/// Writes what a command prints into a file of the project.
fn write(file: &str, mut command: Command) -> Result<(), Failed> {
    let output = command
        .output()
        .map_err(|error| format!("could not run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let path = format!("{ROOT}/{file}");
    std::fs::write(&path, output.stdout).map_err(|error| format!("could not write {path}: {error}"))
}

/// The same cargo that runs this task, in the workspace's folder.
fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(arguments).current_dir(ROOT);
    command
}

fn installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn step(name: &str, mut command: impl std::borrow::BorrowMut<Command>) -> Result<(), Failed> {
    println!("== {name}");
    let start = Instant::now();
    let status = command
        .borrow_mut()
        .status()
        .map_err(|error| format!("{name}: could not run cargo: {error}"))?;
    if !status.success() {
        return Err(format!(
            "{name} failed ({status}); repeat it with {:?}",
            command.borrow_mut()
        ));
    }
    println!("== {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
