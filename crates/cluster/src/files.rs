//! Whether the system allows as many open files as a run needs (THREATS D12).

use crate::Error;
use crate::limits::{FILES_PER_NODE, FILES_PER_PROCESS, MAX_PEERS, MAX_PENDING_INBOUND, SPARE_FILES};

/// Refuses a run that would fail for lack of open files, before anything is started.
///
/// # Errors
/// [`Error::TooFewFiles`], which names the limit and how to raise it.
pub(crate) fn check(nodes: usize, links: usize) -> Result<(), Error> {
    refuse_above_limit((nodes, links), needed(nodes, links))
}

/// Refuses a run whose nodes are processes of their own, of which each has its own limit.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_processes(nodes: usize) -> Result<(), Error> {
    refuse_above_limit((nodes, 0), SPARE_FILES + nodes as u64 * FILES_PER_PROCESS)
}

/// Refuses a node that runs alone and could not have all peers and clients that it takes, or not open a file when it has them.
///
/// # Errors
/// [`Error::TooFewFilesAlone`], which names the limit and how to raise it.
pub(crate) fn check_alone(has_interface: bool) -> Result<(), Error> {
    let needed = needed_alone(has_interface);
    match limit() {
        Some(limit) if limit < needed => Err(Error::TooFewFilesAlone { needed, limit }),
        Some(_) | None => Ok(()),
    }
}

fn needed_alone(has_interface: bool) -> u64 {
    let clients = if has_interface {
        rpc::limits::MAX_CONNECTIONS as u64
    } else {
        0
    };
    SPARE_FILES + FILES_PER_NODE + u64::from(MAX_PEERS + MAX_PENDING_INBOUND) + clients
}

fn refuse_above_limit((nodes, links): (usize, usize), needed: u64) -> Result<(), Error> {
    match limit() {
        Some(limit) if limit < needed => Err(Error::TooFewFiles {
            nodes,
            links,
            needed,
            limit,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Both ends of every connection are in this process.
fn needed(nodes: usize, links: usize) -> u64 {
    SPARE_FILES + nodes as u64 * FILES_PER_NODE + 2 * links as u64
}

/// The soft limit; none where the system does not tell, or sets none.
fn limit() -> Option<u64> {
    soft_limit(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(text), Some(1_024));
        assert_eq!(soft_limit(&text.replace("1024", "unlimited")), None);
    }

    #[test]
    fn threat_d12_a_run_that_needs_too_many_files_is_refused_with_the_number() {
        let error = check(1 << 40, 0).unwrap_err().to_string();
        assert!(error.contains(&format!("ulimit -n {}", needed(1 << 40, 0))), "{error}");
        check(2, 1).unwrap();
    }

    #[test]
    fn threat_d12_a_node_alone_needs_fewer_files_than_systems_allow() {
        assert!(needed_alone(false) < needed_alone(true) && needed_alone(true) < 1_024);
        check_alone(true).unwrap();
    }
}
