//! One line per step as it happens, refreshed in place on a terminal.

use std::io::IsTerminal as _;

use chain::Height;
use scenario::{ControlReport, Plan, StepReport, StepState, World, words};

use crate::{console, paint, say};

/// Prints steps as they begin and end.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    plan: &'a Plan,
    quiet: bool,
    /// Columns of the terminal; none when lines are not refreshed.
    columns: Option<usize>,
    /// The step that is going on, and the height shown beside it.
    running: Option<(usize, Option<Height>)>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(plan: &'a Plan, quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let columns = (std::io::stdout().is_terminal() && !dumb).then(columns);
        Self {
            plan,
            quiet,
            columns,
            running: None,
        }
    }

    /// Prints each step when it has ended, and nothing that is refreshed: something else is.
    pub(crate) const fn by_line(plan: &'a Plan) -> Self {
        Self {
            plan,
            quiet: false,
            columns: None,
            running: None,
        }
    }

    /// Prints news of a step.
    pub(crate) fn print(&mut self, report: &StepReport) {
        if self.quiet {
            return;
        }
        self.running = None;
        let number = self.number(report.step);
        let text = &self.plan.steps[report.step].text;
        let took = words::duration(report.took);
        match &report.state {
            StepState::Started => {
                self.running = Some((report.step, None));
                self.print_running(&format!("{number} ...           {text}"));
            }
            StepState::Passed { found } => {
                self.finish_line(&format!("{number} {} {took:>8}  {text}", paint::good("ok")), found);
            }
            StepState::Failed { expected, found } => {
                self.clear_line();
                say::line(format_args!("{number} {} {took:>6}  {text}", paint::bad("FAIL")));
                let line = self.plan.steps[report.step].line;
                say::line(format_args!(
                    "    at       {}:{line}\n    expected {expected}\n    found    {found}",
                    self.plan.file
                ));
            }
        }
    }

    /// Prints what became of an operator's step.
    pub(crate) fn print_control(&mut self, report: &ControlReport) {
        if let Some(news) = console::news(report).filter(|_| !self.quiet) {
            self.clear_line();
            say::line(news);
        }
    }

    /// Shows how far the chain is while a step goes on.
    pub(crate) fn observe(&mut self, world: &World) {
        let Some((step, shown)) = self.running.filter(|_| self.columns.is_some()) else {
            return;
        };
        let height = world.nodes().iter().map(|node| node.tip.height).max();
        if height != shown {
            self.running = Some((step, height));
            let height = height.unwrap_or_default();
            self.clear_line();
            self.print_running(&format!(
                "{} ... at {height:<6} {}",
                self.number(step),
                self.plan.steps[step].text
            ));
        }
    }

    fn number(&self, step: usize) -> String {
        let total = self.plan.steps.len();
        let width = total.to_string().len();
        format!("[{:>width$}/{total}]", step + 1)
    }

    /// The line of a step that is going on: cut at the terminal's width, so that it can be cleared.
    fn print_running(&self, line: &str) {
        if let Some(columns) = self.columns {
            let line: String = line.chars().take(columns.saturating_sub(1)).collect();
            say::part(line);
        }
    }

    /// The line of a step that has passed, and what was found: on the same line when it fits.
    fn finish_line(&self, line: &str, found: &str) {
        self.clear_line();
        let fits = visible(line) + 2 + found.chars().count() <= self.columns.unwrap_or(100);
        let gap = if fits {
            "  ".to_owned()
        } else {
            format!("\n{}", " ".repeat(FOUND_INDENT))
        };
        say::line(format_args!("{line}{gap}{}", paint::dim(found)));
    }

    fn clear_line(&self) {
        if self.columns.is_some() {
            say::control("\r\x1b[2K");
        }
    }
}

/// Where a step's text begins, so that what was found stands below it.
const FOUND_INDENT: usize = 8;

fn columns() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// Characters of a line without its colours.
fn visible(line: &str) -> usize {
    anstream::adapter::strip_str(line).to_string().chars().count()
}
