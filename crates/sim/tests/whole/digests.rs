//! What every scenario file does in virtual time, as one digest each.

use std::fmt::Write as _;

use sim::Options;

use crate::files::{plan, scenarios};

/// One line for each scenario file, by name: the file, its seed, and the digest of its run.
pub(crate) fn of_scenarios() -> String {
    let mut lines = String::new();
    for file in scenarios("scenarios") {
        let plan = plan(&file);
        let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
        writeln!(lines, "{} {} {}", plan.file, plan.seed, finished.digest).expect("text grows");
    }
    lines
}
