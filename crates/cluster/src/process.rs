//! A node in a process of its own.
//!
//! The engine's process starts it (`host`), hands it one end of a socket as its standard input, and sends it its `outfit` and then orders; the
//! node's process (`worker`) runs the same driver as a task would and sends back what the driver tells. Both speak in frames (`frame`) of
//! these `words`. What only a process can do is done from outside: a kill is SIGKILL, a pause is SIGSTOP.
//!
//! A worker outlives nobody: when the socket closes it stops in good order, and on Linux the kernel kills it, paused or not, when the
//! thread that started it ends. It binds no port: the listening sockets are handed over to it (`handover`), with the first word.

mod frame;
mod handover;
mod host;
pub(crate) mod outfit;
mod words;
mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) use host::{Host, Lines};
pub use worker::{WorkerError, run_worker};

/// The program that is a node, as a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// The executable; it must call [`run_worker`] when it is given these arguments.
    pub path: PathBuf,
    /// What makes it a worker.
    pub arguments: Vec<OsString>,
    /// Other executables that nodes can be upgraded to, by the names that steps have for them. They are given the same arguments.
    pub upgrades: BTreeMap<String, PathBuf>,
    /// The folder for its logs, one `<node>.log` each; none writes no log.
    pub logs: Option<PathBuf>,
}

impl Program {
    /// The same of the executable that was given this name, or of the first one.
    pub(crate) fn named(&self, name: Option<&str>) -> Self {
        let other = name.and_then(|name| self.upgrades.get(name));
        Self {
            path: other.unwrap_or(&self.path).clone(),
            ..self.clone()
        }
    }
}
