//! Whole-system tests live in `tests/system`; here is what they and the examples share.

use std::path::Path;

use scenario::{Diagnostic, Overrides, Plan};

/// The plan of a scenario file, as the program would read it: with the files of its folder.
///
/// # Errors
/// All that is wrong with the file.
///
/// # Panics
/// When the file cannot be read.
pub fn plan(file: &Path, overrides: &Overrides) -> Result<Plan, Vec<Diagnostic>> {
    let source = std::fs::read_to_string(file).expect("a scenario file can be read");
    let name = file.file_name().expect("a file has a name").to_string_lossy();
    scenario::parse_beside(&name, &source, overrides, &|name| {
        std::fs::read_to_string(file.with_file_name(name)).map_err(|error| error.to_string())
    })
}
