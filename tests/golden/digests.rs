//! What every scenario file does in virtual time, as one digest each.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use scenario::Overrides;
use sim::Options;

/// One line for each scenario file, by name: the file, its seed, and the digest of its run.
pub(crate) fn of_scenarios(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("scenarios can be listed");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut lines = String::new();
    for file in files {
        let name = file.file_name().expect("a file has a name").to_string_lossy();
        let plan = system_tests::plan(&file, &Overrides::default()).expect("the project's files have no mistakes");
        let plan = Arc::new(plan);
        let finished = sim::run(&plan, &Options::default(), &mut |_| {}).expect("a simulation starts");
        writeln!(lines, "{name} {} {}", plan.seed, finished.digest).expect("text grows");
    }
    lines
}
