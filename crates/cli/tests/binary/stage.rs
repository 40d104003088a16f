//! Runs the binary in a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// What a finished command gave.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder to run the binary in; gone when dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder can be made"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, such as a scenario.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the temporary folder can be written");
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_nakanet"), arguments)
    }

    fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the binary starts");
        Output {
            code: output.status.code().expect("the binary ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("errors are UTF-8"),
        }
    }
}

impl Stage {
    /// Starts a command that is typed to and whose lines are read as they come.
    pub(crate) fn start_typed(&self, arguments: &[&str]) -> (Running, ChildStdin) {
        let mut running = spawn(self.command(arguments).stdin(Stdio::piped()));
        let typed = running.child.stdin.take().expect("it is piped");
        (running, typed)
    }

    /// Starts a command whose lines are read as they come.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        spawn(&mut self.command(arguments))
    }

    /// The same by another program that becomes it.
    pub(crate) fn start_by(&self, program: &str, arguments: &[&str]) -> Running {
        spawn(&mut self.command_of(program, arguments))
    }
}

fn spawn(command: &mut Command) -> Running {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let (send, lines) = channel();
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    Running {
        child,
        lines,
        seen: Vec::new(),
    }
}

/// The longest that a test waits for a line. Only a failure takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A command that is going on; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Waits for a line that holds these words.
    pub(crate) fn line_with(&mut self, words: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no line with `{words}` came; there were:\n{}", self.seen.join("\n"))
            };
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits until each of these has stood in a line, whichever comes first.
    pub(crate) fn lines_with(&mut self, words: &[&str]) {
        let mut missing = words.to_vec();
        while !missing.is_empty() {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no lines with {missing:?} came; there were:\n{}", self.seen.join("\n"))
            };
            missing.retain(|words| !line.contains(words));
            self.seen.push(line);
        }
    }

    /// The address that a node said it listens on.
    pub(crate) fn address(&self) -> String {
        let line = self
            .seen
            .iter()
            .find(|line| line.starts_with("listening on"))
            .expect("it listens");
        line.trim_start_matches("listening on").trim().to_owned()
    }

    /// Sends what Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Ends it without warning.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill can be run").success());
    }

    /// Waits for its end; gives its code, none when it was killed, and all it printed.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        let status = self.child.wait().expect("it can be waited for");
        let mut errors = String::new();
        let err = self.child.stderr.as_mut().expect("it is piped");
        err.read_to_string(&mut errors).expect("errors are UTF-8");
        (status.code(), format!("{}\n{errors}", self.seen.join("\n")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A scenario file of the project.
pub(crate) fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name);
    path.to_string_lossy().into_owned()
}
