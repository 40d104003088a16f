//! Other people's clients of the interface: python-bitcoinrpc, in an environment of its own, and those that somebody has built.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failed, ROOT, cargo, installed, step};

/// Clients that no run builds (docs/TESTING.md): the name of each, the variable with its path, and the script that runs it.
const BUILT: [(&str, &str, &str); 2] = [
    ("bitcoin-cli", "BITCOIN_CLI", "tests/rpc/cli.py"),
    ("fork-observer", "FORK_OBSERVER", "tests/rpc/observer.py"),
];
const REQUIREMENTS: &str = "tests/rpc/requirements.txt";

/// Calls every method with python-bitcoinrpc, and runs the clients that have been built. Without Python, or without the package, this machine
/// says so; the continuous integration fails.
pub(crate) fn test() -> Result<(), Failed> {
    let python = match environment() {
        Ok(python) => python,
        Err(missing) if std::env::var_os("CI").is_some_and(|value| value == "true") => return Err(missing),
        Err(missing) => {
            println!("== clients: skipped, {missing}");
            return Ok(());
        }
    };
    step(
        "the program for the clients",
        cargo(["build", "--package", "cli", "--locked", "--quiet"]),
    )?;
    let nakanet = target().join("debug/nakanet");
    let script = |name: &str| {
        let mut command = Command::new(&python);
        command.arg(name).arg(&nakanet).current_dir(ROOT);
        command
    };
    step("clients", script("tests/rpc/client.py"))?;
    for (name, variable, test) in BUILT {
        let Some(path) = std::env::var_os(variable) else {
            println!("== clients: {name} is left out, {variable} names none");
            continue;
        };
        let mut command = script(test);
        command.arg(path);
        step(name, command)?;
    }
    Ok(())
}

/// The Python that has what the requirements say; made when it is not there.
fn environment() -> Result<PathBuf, Failed> {
    if !installed("python3") {
        return Err("python3 is not installed (apt-get install python3-venv)".to_owned());
    }
    let folder = target().join("rpc-client");
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted = std::fs::read(Path::new(ROOT).join(REQUIREMENTS));
    let wanted = wanted.map_err(|error| format!("cannot read {REQUIREMENTS}: {error}"))?;
    if std::fs::read(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    quiet(
        make.args(["-m", "venv", "--clear"]).arg(&folder),
        "python3 cannot make a venv (apt-get install python3-venv)",
    )?;
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS,
    ]);
    quiet(
        &mut install,
        "pip cannot install what tests/rpc/requirements.txt asks for",
    )?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(python)
}

/// Runs a command whose output matters only when it fails.
fn quiet(command: &mut Command, trouble: &str) -> Result<(), Failed> {
    let output = command.current_dir(ROOT).output();
    let output = output.map_err(|error| format!("{trouble}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{trouble}: {}", said.lines().next_back().unwrap_or_default()))
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from)
}
