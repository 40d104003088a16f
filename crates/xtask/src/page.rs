//! The page of a run: its built files, and its tests in a real browser.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failed, ROOT, cargo, installed, step};

/// Debian's browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Builds the page's sources into the files that the binary embeds.
pub(crate) fn build() -> Result<(), Failed> {
    if !installed("npm") {
        return Err("npm is not installed; the page's sources need Node.js 20 or later to be built".to_owned());
    }
    install()?;
    step("page", npm(["run", "build"]))
}

/// Whether the built files are those of the sources, and the page does what it should in a browser.
pub(crate) fn test() -> Result<(), Failed> {
    if !installed("npm") {
        return unless_continuous(
            "page: skipped, npm is not installed (the built files are not compared with their sources)",
        );
    }
    install()?;
    let built = Path::new(ROOT).join("target/page");
    step("page: types", npm(["run", "types"]))?;
    let mut command = npm(["run", "bundle", "--", "--outDir"]);
    command.arg(&built);
    step("page: bundle", command)?;
    compare(&built, &web().join("../dist"))?;
    browser()
}

/// Tests in Chromium, against the binary as the other tests have built it.
fn browser() -> Result<(), Failed> {
    if !Path::new(CHROMIUM).exists() && is_continuous() {
        step("page: chromium", apt_get(["update"]))?;
        step(
            "page: chromium",
            apt_get(["install", "--yes", "--no-install-recommends", "chromium"]),
        )?;
    }
    if !Path::new(CHROMIUM).exists() {
        return unless_continuous(
            "page in a browser: skipped, there is no /usr/bin/chromium (apt-get install chromium)",
        );
    }
    step(
        "page: binary",
        cargo(["build", "--package", "cli", "--locked", "--quiet"]),
    )?;
    let mut tests = npm(["test"]);
    tests.env("NAKANET", Path::new(ROOT).join("target/debug/nakanet"));
    tests.env("CHROMIUM", CHROMIUM);
    step("page in a browser", tests)
}

/// Installs what the lock file names, unless that is there.
fn install() -> Result<(), Failed> {
    let there = fs::read(web().join("node_modules/.package-lock.json")).is_ok();
    let newer = |file: &str| fs::metadata(web().join(file)).and_then(|data| data.modified()).ok();
    if there && newer("package-lock.json") <= newer("node_modules/.package-lock.json") {
        return Ok(());
    }
    step("page: packages", npm(["ci", "--no-audit", "--no-fund"]))
}

fn compare(built: &Path, committed: &Path) -> Result<(), Failed> {
    let names = |folder: &Path| -> Result<Vec<PathBuf>, Failed> {
        let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut names: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().into())
            .collect();
        names.sort();
        Ok(names)
    };
    let files = names(built)?;
    let differ = |file: &&PathBuf| fs::read(built.join(file)).ok() != fs::read(committed.join(file)).ok();
    if files != names(committed)? || files.iter().any(|file| differ(&file)) {
        return Err(
            "crates/page/dist is not what crates/page/web builds; run `cargo xtask page` and commit it".to_owned(),
        );
    }
    Ok(())
}

/// What cannot be done here must be done by the continuous integration.
fn unless_continuous(skipped: &str) -> Result<(), Failed> {
    if is_continuous() {
        return Err(format!("{skipped}; CI may not skip it"));
    }
    println!("== {skipped}");
    Ok(())
}

fn is_continuous() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == OsStr::new("true"))
}

fn web() -> PathBuf {
    Path::new(ROOT).join("crates/page/web")
}

fn npm<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(web());
    command
}

fn apt_get<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
