//! What every scenario file does in virtual time, as one digest each.

use std::fmt::Write as _;

use observe::Detail;
use sim::Options;

use crate::files::{plan, scenarios};

/// One line for each scenario file, by name: the file, its seed, and the digest of its run.
pub(crate) fn of_scenarios() -> String {
    let mut lines = String::new();
    for file in scenarios("scenarios") {
        let plan = plan(&file);
        let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
        // With less detail, announcements that say nothing new are noted late.
        let summary = Options {
            detail: Some(Detail::Summary),
            ..Options::default()
        };
        let told_less = sim::run(&plan, &summary, &mut |_| {}).expect("a simulation starts");
        assert_eq!(
            told_less.digest, finished.digest,
            "{}: told in full and in short",
            plan.file
        );
        writeln!(lines, "{} {} {}", plan.file, plan.seed, finished.digest).expect("text grows");
    }
    lines
}
