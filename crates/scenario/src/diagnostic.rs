//! What is wrong in a scenario file, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::limits::MAX_DIAGNOSTICS;

/// One fault of a scenario file, with its place and, where there is one, the way out.
///
/// Prints like a compiler's error:
///
/// ```text
/// split.toml:12:5: unknown node `n9`
///    |
/// 12 |   { mine = 1, on = "n9" },
///    |                    ^^^^
///    = help: did you mean `n0`? nodes: n0..n7
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// The file as the user named it, or `--set key=value` when the fault is in an override.
    pub file: String,
    /// From 1; 0 when the fault is in an override or in the file as a whole.
    pub line: u32,
    /// From 1, in characters; 0 where `line` is.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What is allowed, or meant.
    pub help: Option<String>,
    /// The line of the file, and how many characters of it are marked.
    pub excerpt: Option<(String, u32)>,
}

impl Diagnostic {
    /// A fault of a file as a whole.
    pub(crate) fn of_file(file: &str, message: String) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            message,
            help: None,
            excerpt: None,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        }
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        if let Some((text, width)) = &self.excerpt {
            let indent = indent(text, self.column);
            let carets = "^".repeat(usize::try_from((*width).max(1)).expect("a line fits memory"));
            write!(
                f,
                "\n{margin} |\n{number} | {text}\n{margin} | {indent}{carets}",
                text = text.trim_end()
            )?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n{margin} = help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// What stands before a column, blanked; tabs stay, so that the mark stands under its text.
fn indent(line: &str, column: u32) -> String {
    let before = usize::try_from(column.saturating_sub(1)).expect("a line fits memory");
    line.chars()
        .take(before)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect()
}

/// A stretch of a [`Source`], in bytes.
pub(crate) type Span = Range<usize>;

/// A file's text, followed by the overrides: one space of places for both.
#[derive(Debug)]
pub(crate) struct Source {
    file: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Each override as the user wrote it. The place of the first is the byte behind the end of the text, and so on.
    overrides: Vec<String>,
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            lines: std::iter::once(0).chain(starts.map(|(at, _)| at + 1)).collect(),
            overrides: Vec::new(),
        }
    }

    /// The file as the user named it.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The place that stands for this override.
    pub(crate) fn add_override(&mut self, text: String) -> Span {
        let at = self.text.len() + 1 + self.overrides.len();
        self.overrides.push(text);
        at..at
    }

    /// The text at a place in the file.
    pub(crate) fn text(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// The line, from 1; 0 in an override.
    pub(crate) fn line(&self, at: usize) -> u32 {
        if at > self.text.len() {
            return 0;
        }
        let line = self.lines.partition_point(|start| *start <= at);
        u32::try_from(line).expect("a file has at most a mebibyte")
    }

    fn diagnostic(&self, span: &Span, message: String, help: Option<String>) -> Diagnostic {
        let line = self.line(span.start);
        if line == 0 {
            let setting = &self.overrides[span.start - self.text.len() - 1];
            return Diagnostic {
                file: setting.clone(),
                line,
                column: 0,
                message,
                help,
                excerpt: None,
            };
        }
        let start = self.lines[usize::try_from(line - 1).expect("a line fits memory")];
        let rest = self.text.get(start..).unwrap_or("");
        let text = rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
        let column = self
            .text
            .get(start..span.start)
            .map_or(0, |before| before.chars().count());
        let marked = self.text.get(span.clone()).unwrap_or("").lines().next().unwrap_or("");
        let small = |count: usize| u32::try_from(count).expect("a file has at most a mebibyte");
        Diagnostic {
            file: self.file.clone(),
            line,
            column: small(column + 1),
            message,
            help,
            excerpt: Some((text.to_owned(), small(marked.chars().count()))),
        }
    }
}

/// Gathers the faults of one file.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) source: Source,
    found: Vec<(Span, Diagnostic)>,
    beyond: usize,
    warnings: Vec<(usize, String)>,
    /// Lines whose TOML is broken: what else is wrong there follows from that.
    broken: BTreeSet<u32>,
}

impl Report {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            found: Vec::new(),
            beyond: 0,
            warnings: Vec::new(),
            broken: BTreeSet::new(),
        }
    }

    /// Tells a fault.
    pub(crate) fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    /// Tells a fault and the way out.
    pub(crate) fn error_with_help(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(span, message.into(), Some(help.into()));
    }

    /// Tells that the TOML is broken here. Whatever else is wrong on that line is not told.
    pub(crate) fn broken_toml(&mut self, span: &Span, message: String) {
        self.push(span, message, None);
        self.broken.insert(self.source.line(span.start));
    }

    fn push(&mut self, span: &Span, message: String, help: Option<String>) {
        let known = |(at, fault): &(Span, Diagnostic)| at == span && fault.message == message;
        if self.broken.contains(&self.source.line(span.start)) || self.found.iter().any(known) {
            return;
        }
        if self.found.len() < MAX_DIAGNOSTICS {
            let diagnostic = self.source.diagnostic(span, message, help);
            self.found.push((span.clone(), diagnostic));
        } else {
            self.beyond += 1;
        }
    }

    /// Tells what is allowed but probably not meant.
    pub(crate) fn warn(&mut self, span: &Span, message: &str) {
        if self.warnings.len() < MAX_DIAGNOSTICS {
            let place = self.source.diagnostic(span, message.to_owned(), None);
            let Diagnostic { file, line, .. } = &place;
            let text = match line {
                0 => format!("{file}: {message}"),
                line => format!("{file}:{line}: {message}"),
            };
            self.warnings.push((span.start, text));
        }
    }

    /// Whether no fault has been told.
    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// All warnings, in the order of their places.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        let mut warnings = self.warnings;
        warnings.sort_by_key(|(place, _)| *place);
        warnings.into_iter().map(|(_, text)| text).collect()
    }

    /// All faults, in the order of their places; how many were left out, in the last one's help.
    pub(crate) fn into_errors(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.sort_by_key(|(span, _)| span.start);
        let mut errors: Vec<_> = found.into_iter().map(|(_, diagnostic)| diagnostic).collect();
        errors.dedup();
        if let (Some(last), 1..) = (errors.last_mut(), self.beyond) {
            last.help = Some(format!("and {} more errors, not shown", self.beyond));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, marked: &str) -> Diagnostic {
        let start = text.find(marked).expect("the marked text occurs");
        let mut report = Report::new(Source::new("x.toml", text));
        report.error_with_help(&(start..start + marked.len()), "bad", "do better");
        report.into_errors().remove(0)
    }

    #[test]
    fn the_mark_stands_under_its_text() {
        let diagnostic = check("a = 1\n\tb = \"é\", c = 22\r\nd = 3\n", "22");
        assert_eq!((diagnostic.line, diagnostic.column), (2, 15));
        let expected = "x.toml:2:15: bad\n  |\n2 | \tb = \"é\", c = 22\n  | \t             ^^\n  = help: do better";
        assert_eq!(diagnostic.to_string(), expected);
    }

    #[test]
    fn a_place_over_several_lines_marks_the_first() {
        let diagnostic = check("a = [\n 1,\n]\n", "[\n 1,\n]");
        assert_eq!(diagnostic.excerpt, Some(("a = [".to_owned(), 1)));
    }

    #[test]
    fn an_override_is_its_own_place() {
        let mut source = Source::new("x.toml", "a = 1");
        let span = source.add_override("--set b=2".to_owned());
        let mut report = Report::new(source);
        report.error(&span, "unknown key `b`");
        report.error(&(5..5), "the end of the file");
        let errors = report.into_errors();
        assert_eq!((errors[0].line, errors[0].column), (1, 6));
        assert_eq!(errors[1].to_string(), "--set b=2: unknown key `b`");
    }

    #[test]
    fn errors_beyond_the_limit_are_counted() {
        let mut report = Report::new(Source::new("x.toml", "a = 1"));
        for n in 0..MAX_DIAGNOSTICS + 7 {
            report.error(&(0..1), format!("fault {n}"));
        }
        let errors = report.into_errors();
        assert_eq!(errors.len(), MAX_DIAGNOSTICS);
        let help = errors.last().and_then(|last| last.help.as_deref());
        assert_eq!(help, Some("and 7 more errors, not shown"));
    }
}
