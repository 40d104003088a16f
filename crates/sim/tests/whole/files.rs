//! The project's scenario files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use scenario::{Overrides, Plan};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The scenario files of one of the project's folders, by name.
pub(crate) fn scenarios(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("scenarios can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// The plan of a scenario file, as the program would read it: with the files of its folder.
pub(crate) fn plan(file: &Path) -> Arc<Plan> {
    let source = std::fs::read_to_string(file).expect("a scenario file can be read");
    let name = file.file_name().expect("a file has a name").to_string_lossy();
    let beside = |name: &str| std::fs::read_to_string(file.with_file_name(name)).map_err(|error| error.to_string());
    match scenario::parse_beside(&name, &source, &Overrides::default(), &beside) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => {
            let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            panic!("{}", text.join("\n"))
        }
    }
}
