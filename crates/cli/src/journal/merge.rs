//! Several logs as one, by the time that each line begins with.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::SHARED;
use crate::limits::MAX_LOG_LINE_BYTES;

/// What a log says at one time: a line, and those after it that have no time of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// Whose it is; empty when the log does not say.
    pub(crate) node: String,
    pub(crate) text: String,
}

/// The logs of a run, each as far as it was read.
#[derive(Debug)]
pub(crate) struct Merge {
    logs: Vec<Log>,
    wanted: BTreeSet<String>,
}

#[derive(Debug)]
struct Log {
    /// The node that it is of; none when it is of all.
    node: Option<String>,
    file: BufReader<File>,
    /// The entry that is next, and may still get lines.
    next: Option<Entry>,
    /// The beginning of a line whose end has not been written yet.
    unfinished: String,
}

impl Merge {
    /// The logs in a folder; of these nodes, or of all when none is named.
    pub(crate) fn of(folder: &Path, nodes: &[String]) -> io::Result<Self> {
        let mut paths: Vec<_> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        paths.sort();
        let mut logs = Vec::new();
        for path in &paths {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let is_shared = path.file_name().is_some_and(|name| name == SHARED);
            logs.push(Log {
                node: (!is_shared).then_some(stem),
                file: BufReader::new(File::open(path)?),
                next: None,
                unfinished: String::new(),
            });
        }
        if logs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no file there is a log"));
        }
        let wanted = nodes.iter().cloned().collect();
        Ok(Self { logs, wanted })
    }

    /// Whether there is, or may be, something of this node.
    pub(crate) fn knows(&self, node: &str) -> bool {
        self.logs
            .iter()
            .any(|log| log.node.as_deref().is_none_or(|of| of == node))
    }

    /// Hands on all that is there and was not handed on before, in order.
    pub(crate) fn print(&mut self, hand_on: &mut dyn FnMut(&Entry)) -> io::Result<()> {
        let Self { logs, wanted } = self;
        let mut heads = logs.iter_mut().map(Log::take).collect::<io::Result<Vec<_>>>()?;
        loop {
            // Times are written alike, so their order is that of their text. Of equal ones the first log's comes first.
            let next = heads
                .iter()
                .enumerate()
                .filter_map(|(place, head)| Some((head.as_ref()?.text.as_str(), place)));
            let Some((_, place)) = next.min() else {
                return Ok(());
            };
            let next = logs[place].take()?;
            let Some(entry) = std::mem::replace(&mut heads[place], next) else {
                unreachable!("it was the least");
            };
            if wanted.is_empty() || wanted.contains(&entry.node) {
                hand_on(&entry);
            }
        }
    }
}

impl Log {
    /// The next entry, with all its lines that are there.
    fn take(&mut self) -> io::Result<Option<Entry>> {
        while let Some(line) = self.line()? {
            let begins = line.starts_with(|c: char| c.is_ascii_digit());
            match &mut self.next {
                Some(entry) if !begins => entry.text.push_str(&line),
                next => {
                    let entry = self
                        .node
                        .as_ref()
                        .map_or_else(|| shared(&line), |node| own(node, &line));
                    if let Some(before) = next.replace(entry) {
                        return Ok(Some(before));
                    }
                }
            }
        }
        Ok(self.next.take())
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let left = MAX_LOG_LINE_BYTES.saturating_sub(self.unfinished.len() as u64);
        self.file.by_ref().take(left).read_until(b'\n', &mut bytes)?;
        self.unfinished.push_str(&String::from_utf8_lossy(&bytes));
        let is_whole = self.unfinished.ends_with('\n') || self.unfinished.len() as u64 >= MAX_LOG_LINE_BYTES;
        Ok(is_whole.then(|| std::mem::take(&mut self.unfinished)))
    }
}

fn own(node: &str, line: &str) -> Entry {
    Entry {
        node: node.to_owned(),
        text: line.to_owned(),
    }
}

/// A line of the shared log says whose it is.
fn shared(line: &str) -> Entry {
    let found = line.split_once("node{name=\"").and_then(|(before, rest)| {
        let (name, after) = rest.split_once("\"}: ")?;
        Some((before, name, after))
    });
    match found {
        Some((before, name, after)) => own(name, &format!("{before}{after}")),
        None => own("", line),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    fn printed(merge: &mut Merge) -> Vec<String> {
        let mut lines = Vec::new();
        merge
            .print(&mut |entry| lines.push(format!("{} {}", entry.node, entry.text.trim_end())))
            .expect("files can be read");
        lines
    }

    #[test]
    fn logs_are_merged_by_time_and_lines_without_one_stay_with_theirs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let mut options = OpenOptions::new();
            let mut file = options
                .create(true)
                .append(true)
                .open(folder.path().join(name))
                .expect("it can be written");
            file.write_all(text.as_bytes()).expect("it can be written");
        };
        write(
            "n0.log",
            "2026-01-01T00:00:01Z  INFO a\n2026-01-01T00:00:03Z ERROR b\nstack\n",
        );
        write("n1.log", "2026-01-01T00:00:02Z  INFO c\n2026-01-01T00:0");
        let mut merge = Merge::of(folder.path(), &[]).expect("there are logs");
        assert_eq!(
            printed(&mut merge),
            [
                "n0 2026-01-01T00:00:01Z  INFO a",
                "n1 2026-01-01T00:00:02Z  INFO c",
                "n0 2026-01-01T00:00:03Z ERROR b\nstack",
            ]
        );
        assert!(printed(&mut merge).is_empty(), "half a line is none");
        write("n1.log", "0:04Z  INFO d\n");
        assert_eq!(printed(&mut merge), ["n1 2026-01-01T00:00:04Z  INFO d"]);

        let mut one = Merge::of(folder.path(), &["n1".to_owned()]).expect("there are logs");
        assert!(one.knows("n1") && !one.knows("n7"));
        assert_eq!(printed(&mut one).len(), 2);
    }

    #[test]
    fn the_shared_log_says_whose_a_line_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(Merge::of(folder.path(), &[]).is_err());
        let text = "2026-01-01T00:00:01Z  INFO node{name=\"m0\"}: mined height=1\n2026-01-01T00:00:02Z  WARN alone\n";
        fs::write(folder.path().join(SHARED), text).expect("it can be written");
        let mut merge = Merge::of(folder.path(), &[]).expect("there is a log");
        assert_eq!(
            printed(&mut merge),
            [
                "m0 2026-01-01T00:00:01Z  INFO mined height=1",
                " 2026-01-01T00:00:02Z  WARN alone"
            ]
        );
        let mut one = Merge::of(folder.path(), &["m0".to_owned()]).expect("there is a log");
        assert_eq!(printed(&mut one).len(), 1);
    }

    #[test]
    fn a_line_that_does_not_end_is_cut() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bound = usize::try_from(MAX_LOG_LINE_BYTES).expect("it is small");
        let text = format!("2{}", "x".repeat(2 * bound));
        fs::write(folder.path().join("n0.log"), text).expect("it can be written");
        let mut merge = Merge::of(folder.path(), &[]).expect("there are logs");
        let lines = printed(&mut merge);
        let [line] = &lines[..] else {
            panic!("{} lines", lines.len());
        };
        // What is behind the first cut is taken for more of the same entry, and the rest for a line that goes on.
        assert_eq!(line.len(), "n0 ".len() + 2 * bound);
    }
}
