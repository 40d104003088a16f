//! `nakanet`: launches networks of proof-of-work nodes, replays scenario files, shows forks as they appear and resolve.

mod args;
mod commands;
mod exit;
mod folder;
mod interrupt;
mod load;
mod paint;
mod report;
mod say;
mod steps;
mod sweep;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::BadInput
            } else {
                Exit::Passed
            };
            // A closed pipe is no reason to panic.
            let _ = error.print();
            return exit.into();
        }
    };
    let result = match cli.command {
        Command::Run(args) | Command::Sim(args) => commands::run::run(&args),
        Command::Rerun(args) => commands::rerun::rerun(&args),
        Command::Sweep(args) => commands::sweep::sweep(&args),
        Command::Laws(args) => commands::laws::laws(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::List(args) => commands::list::list(&args),
        Command::Explain(args) => commands::explain::explain(&args),
        Command::Schema(args) => commands::schema::schema(&args),
        Command::Up(args) => commands::up::up(&args),
        Command::Node(args) => commands::node::node(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            say::aside(format_args!("{}: {:#}", paint::bad("error"), failure.error));
            failure.exit.into()
        }
    }
}
