//! Data folders: looked through, found damaged, made anew.

use std::fs;

use crate::stage::Stage;

/// A folder of a node that has mined some blocks and stopped.
fn mined(stage: &Stage) {
    let mut node = stage.start(&["node", "--data", "data", "--preset", "instant", "--hashrate", "50H/s"]);
    node.line_with("mined height 5 ");
    let busy = stage.run(&["node", "verify", "data"]);
    assert_eq!(busy.code, 3, "{busy:?}");
    assert!(busy.stderr.contains("in use by another process"), "{}", busy.stderr);
    node.interrupt();
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn a_sound_folder_is_told_so_and_one_that_is_none_is_not_made() {
    let stage = Stage::new();
    mined(&stage);
    let sound = stage.run(&["node", "verify", "data"]);
    assert_eq!(sound.code, 0, "{sound:?}");
    assert!(sound.stdout.contains("sound"), "{}", sound.stdout);
    let json = stage.run(&["node", "verify", "data", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("an object");
    assert!(json["sound"] == true && json["height"].as_u64() >= Some(5), "{json}");

    let nowhere = stage.run(&["node", "verify", "nowhere"]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(!stage.path("nowhere").exists());
}

#[test]
fn a_damaged_folder_is_refused_named_and_made_anew_when_asked_for() {
    let stage = Stage::new();
    mined(&stage);
    let database = stage.path("data/chain.redb");
    let mut bytes = fs::read(&database).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    fs::write(&database, bytes).expect("it can be written");

    let damaged = stage.run(&["node", "verify", "data"]);
    assert_eq!(damaged.code, 1, "{damaged:?}");
    assert!(damaged.stdout.contains("damaged"), "{}", damaged.stdout);
    let refused = stage.run(&["node", "--data", "data", "--preset", "instant"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("--reindex"), "{}", refused.stderr);

    let mut anew = stage.start(&["node", "--data", "data", "--preset", "instant", "--reindex"]);
    anew.line_with("kept");
    anew.line_with("listening on");
    anew.interrupt();
    assert_eq!(anew.end().0, Some(0));
    assert!(stage.path("data/chain.redb.old").exists());
    assert_eq!(stage.run(&["node", "verify", "data"]).code, 0);
}
