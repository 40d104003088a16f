//! Where a run leaves its files.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use scenario::Plan;

/// The folder of a run that begins now: `runs/2026-01-31T12-00-00-name-seed`, with a number behind it when that is taken.
pub(crate) fn for_run(out: &Path, plan: &Plan) -> PathBuf {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let time = time.trim_end_matches('Z').replace(':', "-");
    let name = format!("{time}-{}-{}", plan.name, plan.seed);
    let mut folder = out.join(&name);
    let mut number = 2;
    while folder.exists() {
        folder = out.join(format!("{name}-{number}"));
        number += 1;
    }
    folder
}

/// Lets `latest` in the same place lead to this run. Where the file system has no links there is none.
pub(crate) fn mark_latest(folder: &Path) {
    let (Some(out), Some(name)) = (folder.parent(), folder.file_name()) else {
        return;
    };
    let link = out.join("latest");
    if link.symlink_metadata().is_ok_and(|data| data.file_type().is_symlink()) {
        // A link that cannot be replaced stays where it leads; the run itself is not touched.
        let _ = std::fs::remove_file(&link);
    }
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(name, &link);
}
