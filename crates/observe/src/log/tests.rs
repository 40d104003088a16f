//! The log round-trips, survives being cut anywhere, and says what is wrong with it.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::limits::MAX_FRAME_BYTES;

fn text(seq: u64) -> String {
    format!(r#"{{"v":1,"seq":{seq},"t_us":{seq},"node":"n0","nseq":{seq},"kind":"block_mined","height":{seq}}}"#)
}

/// A log of frames with these numbers of events.
fn log_of(frames: &[u64]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = LogWriter::create(folder.path()).expect("a new log");
    let mut seq = 0;
    for events in frames {
        for _ in 0..*events {
            log.append(&text(seq)).expect("room");
            seq += 1;
        }
        log.flush().expect("room");
    }
    folder
}

fn seqs(folder: &Path) -> (Vec<u64>, bool) {
    let mut reader = read(folder).expect("a log");
    let seqs = reader.by_ref().map(|event| event.expect("a sound log").seq).collect();
    (seqs, reader.truncated())
}

fn error_of(folder: &Path) -> String {
    let error = read(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    error.expect_err("a broken log").to_string()
}

#[test]
fn a_log_reads_back_what_was_written() {
    let folder = log_of(&[3, 1, 2]);
    let events: Vec<LoggedEvent> = read(folder.path()).and_then(Iterator::collect).expect("a sound log");
    assert_eq!(events.len(), 6);
    assert_eq!(events[4].node.as_deref(), Some("n0"));
    assert_eq!(events[4].kind, "block_mined");
    assert_eq!(events[4].fields["height"], 4);
}

#[test]
fn frames_are_finished_without_being_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = LogWriter::create(folder.path()).expect("a new log");
    let events = crate::limits::FRAME_EVENTS as u64;
    for seq in 0..events + 1 {
        log.append(&text(seq)).expect("room");
    }
    assert_eq!(
        seqs(folder.path()),
        ((0..events).collect(), false),
        "the last event is not on disk yet"
    );
}

#[test]
fn a_log_is_never_written_over() {
    let folder = log_of(&[1]);
    assert!(LogWriter::create(folder.path()).is_err());
}

#[test]
fn a_segment_that_is_missing_its_start_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(error_of(folder.path()).contains("events-0000.jsonl.zst"));
}

#[test]
fn damage_before_the_end_is_not_taken_for_a_crash() {
    let folder = log_of(&[5]);
    let first = folder.path().join(segment_name(0));
    fs::copy(&first, folder.path().join(segment_name(1))).expect("a copy");
    let bytes = fs::read(&first).expect("bytes");
    fs::write(&first, &bytes[..bytes.len() - 3]).expect("room");
    assert!(error_of(folder.path()).contains("is damaged after 0 events"));

    let folder = log_of(&[5]);
    let first = folder.path().join(segment_name(0));
    let mut bytes = fs::read(&first).expect("bytes");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&first, &bytes).expect("room");
    assert!(
        error_of(folder.path()).contains("is damaged"),
        "the checksum is looked at"
    );
}

#[test]
fn lines_that_are_no_events_of_this_version_are_refused() {
    for (line, complaint) in [
        ("{}", "event 1 of the log is not one"),
        ("nonsense", "event 1 of the log is not one"),
        (&text(1).replace("\"v\":1", "\"v\":2"), "events of schema 2"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = LogWriter::create(folder.path()).expect("a new log");
        log.append(&text(0)).expect("room");
        log.append(line).expect("room");
        log.flush().expect("room");
        let error = error_of(folder.path());
        assert!(error.contains(complaint), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut at any byte, a log reads up to its last finished frame, and says that it broke off unless the cut is between frames.
    #[test]
    fn a_log_cut_anywhere_reads_up_to_its_last_finished_frame(
        frames in proptest::collection::vec(1..20_u64, 1..5),
        cut in 0.0..1.0_f64,
    ) {
        let mut ends = vec![(0, 0)];
        for count in 1..=frames.len() {
            let folder = log_of(&frames[..count]);
            let bytes = fs::read(folder.path().join(segment_name(0))).expect("bytes").len();
            ends.push((bytes, frames[..count].iter().sum()));
        }
        let folder = log_of(&frames);
        let path = folder.path().join(segment_name(0));
        let bytes = fs::read(&path).expect("bytes");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a small file")]
        let cut = (cut * (bytes.len() + 1) as f64) as usize;
        fs::write(&path, &bytes[..cut]).expect("room");

        let (end, events) = *ends.iter().rev().find(|(end, _)| *end <= cut).expect("0 is below");
        prop_assert_eq!(seqs(folder.path()), ((0..events).collect(), end != cut));
    }
}

#[test]
fn a_frame_that_unpacks_to_more_than_there_may_be_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events-0000.jsonl.zst");
    // A bomb: some kilobytes that stand for one byte too many.
    let length = usize::try_from(MAX_FRAME_BYTES + 1).expect("memory has so many");
    let bomb = zstd::bulk::compress(&vec![b' '; length], 1).expect("it can be packed");
    assert!(bomb.len() < 100_000);
    fs::write(&path, bomb).expect("room");
    assert!(error_of(folder.path()).ends_with(&format!("has a frame above {MAX_FRAME_BYTES} bytes")));
}
