//! A cluster that is left in the background.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::ValueEnum as _;
use observe::Operator;
use scenario::{Plan, words};

use crate::args::UpArgs;
use crate::background::{Claim, Found, State};
use crate::commands::rpc;
use crate::exit::{Ended, Exit, Failure};
use crate::{console, folder, journal, paint, say};

/// How long between two looks whether it is up.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts this program again without a terminal, and comes back when its cluster is up.
pub(crate) fn detach(args: &UpArgs, plan: &Plan, folder: &Path) -> Ended {
    let news = folder.join(journal::FOLDER).join(journal::NEWS);
    let failed = |what: &str| format!("cannot {what} a cluster in {}", folder.display());
    let open = || {
        fs::create_dir_all(folder.join(journal::FOLDER))?;
        let out = File::create(&news)?;
        Ok::<_, std::io::Error>((out.try_clone()?, out))
    };
    let (out, err) = open()
        .with_context(|| failed("write down"))
        .map_err(Failure::could_not_start)?;
    let program = std::env::current_exe()
        .context("cannot find this program")
        .map_err(Failure::could_not_start)?;
    let mut cluster = Command::new(program)
        .args(again(args, folder))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .with_context(|| failed("start"))
        .map_err(Failure::could_not_start)?;
    let (tell, end) = channel();
    thread::spawn(move || tell.send(cluster.wait()));
    loop {
        if let Ok(status) = end.recv_timeout(PAUSE) {
            let status = status.map_err(Failure::could_not_start)?;
            // What it would have said to the user, had it had a terminal.
            let said = fs::read_to_string(&news).unwrap_or_default();
            say::aside(said.trim_end());
            return Err(Failure::could_not_start(anyhow!(
                "the cluster did not come up ({status})"
            )));
        }
        if let Some(found) = Found::look(folder).filter(|found| found.is_running) {
            say::line(format_args!(
                "{}  {} in {}, pid {}",
                paint::good("up"),
                words::count(args.count, "node"),
                folder.display(),
                found.state.pid
            ));
            if args.living.rpc.is_some() {
                rpc::announce(folder, plan);
            }
            say::line(paint::dim("nakanet attach, logs --follow, ps, down"));
            return Ok(Exit::Passed);
        }
    }
}

/// Lets this process go on when its terminal is closed.
pub(crate) fn leave_the_terminal() {
    // Fails for one that leads a group already, which no terminal ends either.
    let _ = rustix::process::setsid();
}

/// The arguments of the one in the background.
fn again(args: &UpArgs, folder: &Path) -> Vec<std::ffi::OsString> {
    let kind = args.living.nodes.to_possible_value();
    let pairs = [
        ("--count", args.count.to_string()),
        (
            "--nodes",
            kind.map_or_else(String::new, |kind| kind.get_name().to_owned()),
        ),
        ("--mine-interval", args.mine_interval.clone()),
        ("--latency", args.latency.clone()),
        ("--outbound", args.outbound.to_string()),
        ("--p2p-port", args.living.p2p_port.to_string()),
        ("--seed", args.seed.to_string()),
    ];
    let mut words = vec!["up".into()];
    for (flag, value) in pairs {
        words.extend([flag.into(), value.into()]);
    }
    for (name, path) in &args.living.programs {
        words.extend(["--program".into(), format!("{name}={path}").into()]);
    }
    if let Some(port) = args.living.rpc {
        words.push(format!("--rpc={port}").into());
    }
    words.extend(["--detached".into(), folder.into()]);
    words
}

/// What a cluster that is up leaves for others to find it; gone when dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    _claim: Option<Claim>,
    socket: std::path::PathBuf,
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Without a cluster it leads nowhere; most have none.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Lets a cluster that is up be found: by `latest`, by its state file, and in the background by those who want to give it steps.
pub(crate) fn appear(args: &UpArgs, folder: &Path, operator: &Operator) -> Presence {
    folder::mark_latest(folder);
    let kind = args.living.nodes.to_possible_value();
    let kind = kind.map_or_else(String::new, |kind| kind.get_name().to_owned());
    let told = |what: &str, error: &std::io::Error| {
        say::aside(format_args!("{}: {what}: {error}", paint::warning("warning")));
    };
    if args.detached.is_some()
        && let Err(error) = console::receive(operator.clone(), folder)
    {
        told("nobody can attach to this cluster", &error);
    }
    let claim = Claim::take(folder, &State::new(args.count as usize, kind));
    Presence {
        _claim: claim
            .inspect_err(|error| told("this cluster will not be found by `nakanet ps`", error))
            .ok(),
        socket: folder.join(console::SOCKET),
    }
}
