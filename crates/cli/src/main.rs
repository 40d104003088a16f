//! `nakanet`: launches networks of proof-of-work nodes, replays scenario files, shows forks as they appear and resolve.

mod args;
mod background;
mod commands;
mod console;
mod ended;
mod exit;
mod folder;
mod interrupt;
mod journal;
mod limits;
mod load;
mod look;
mod meter;
mod paint;
mod say;
mod steps;
mod suite;
mod sweep;
mod values;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::BadInput
            } else {
                Exit::Passed
            };
            say::note(error.print());
            return end(exit);
        }
    };
    let result = match cli.command {
        Command::Run(args) | Command::Sim(args) => commands::run::run(&args),
        Command::Rerun(args) => commands::rerun::rerun(&args),
        Command::Test(args) => commands::test::test(&args),
        Command::Export(args) => commands::export::export(&args),
        Command::Report(args) => commands::export::report(&args),
        Command::Watch(args) => commands::watch::watch(&args),
        Command::Sweep(args) => commands::sweep::sweep(&args),
        Command::Laws(args) => commands::laws::laws(&args),
        Command::Tree(args) => commands::tree::tree(&args),
        Command::Forks(args) => commands::forks::forks(&args),
        Command::Reorgs(args) => commands::reorgs::reorgs(&args),
        Command::Why(args) => commands::why::why(&args),
        Command::Events(args) => commands::events::events(&args),
        Command::Propagation(args) => commands::propagation::propagation(&args),
        Command::Nodes(args) => commands::nodes::nodes(&args),
        Command::Diff(args) => commands::diff::diff(&args),
        Command::Verify(args) => commands::verify::verify(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::Serve(args) => commands::serve::serve(&args),
        Command::List(args) => commands::list::list(&args),
        Command::Explain(args) => commands::explain::explain(&args),
        Command::Schema(args) => commands::schema::schema(&args),
        Command::Up(args) => commands::up::up(&args),
        Command::Ps(args) => commands::ps::ps(&args),
        Command::Attach(args) => commands::attach::attach(&args),
        Command::Down(args) => commands::down::down(&args),
        Command::Logs(args) => commands::logs::logs(&args),
        Command::Node(args) => commands::node::node(&args),
        Command::Rpc(args) => commands::rpc::rpc(&args),
        Command::Worker => commands::worker::worker(),
    };
    end(match result {
        Ok(exit) => exit,
        Err(failure) if failure.exit == Exit::Interrupted => {
            say::aside(format_args!("{}  {}", paint::warning("INTERRUPTED"), failure.words()));
            Exit::Interrupted
        }
        Err(failure) => {
            say::aside(format_args!("{}: {}", paint::bad("error"), failure.words()));
            failure.exit
        }
    })
}

/// The end, unless standard output could not be written: whoever reads it must not take what came for all there was.
fn end(exit: Exit) -> ExitCode {
    let Some(error) = say::failure() else {
        return exit.into();
    };
    say::aside(format_args!(
        "{}: cannot write to standard output: {error}",
        paint::bad("error")
    ));
    Exit::CouldNotStart.into()
}
