//! Where two logs part.

use super::{LoggedEvent, ReadError, Reader};

/// The first line in which two logs differ; a log that ended before has none.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// The line's place, from 0.
    pub seq: u64,
    /// What one log says there.
    pub one: Option<LoggedEvent>,
    /// What the other says.
    pub other: Option<LoggedEvent>,
}

/// Goes through both logs side by side, a frame of each in memory, to the first difference; none when they are the same.
///
/// # Errors
/// When one of them cannot be read on.
pub fn first_difference(mut one: Reader, mut other: Reader) -> Result<Option<Difference>, ReadError> {
    for seq in 0.. {
        let (a, b) = (one.next().transpose()?, other.next().transpose()?);
        if a != b {
            return Ok(Some(Difference { seq, one: a, other: b }));
        }
        if a.is_none() {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{LogWriter, read};

    fn first_difference_of(one: &[u32], other: &[u32]) -> Option<Difference> {
        let folder = |kinds: &[u32]| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut log = LogWriter::create(folder.path()).expect("a new log");
            for (seq, kind) in kinds.iter().enumerate() {
                let line = format!(r#"{{"v":1,"seq":{seq},"t_us":0,"node":null,"nseq":null,"kind":"k{kind}"}}"#);
                log.append(&line).expect("it can be written");
            }
            log.flush().expect("it can be written");
            folder
        };
        let (one, other) = (folder(one), folder(other));
        let open = |folder: &tempfile::TempDir| read(folder.path()).expect("it can be read");
        first_difference(open(&one), open(&other)).expect("both are whole")
    }

    #[test]
    fn the_first_line_that_differs_is_found() {
        assert_eq!(first_difference_of(&[1, 2, 3], &[1, 2, 3]), None);
        let found = first_difference_of(&[1, 2, 3, 4], &[1, 5, 6, 4]).expect("they differ");
        let kinds = [found.one, found.other].map(|event| event.expect("neither has ended").kind);
        assert_eq!((found.seq, kinds), (1, ["k2".to_owned(), "k5".to_owned()]));
    }

    #[test]
    fn a_log_that_ends_early_differs_where_it_ends() {
        let found = first_difference_of(&[1, 2], &[1]).expect("they differ");
        assert_eq!((found.seq, found.one.is_some(), found.other), (1, true, None));
    }
}
