//! Data folders: looked through, found damaged, made anew.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cluster::limits::RESERVE_BYTES;

use crate::stage::{Running, Stage};

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

/// A small file system in a namespace of its own, over the folder `data` of a stage; gone with its holder.
struct SmallDisk {
    holder: Child,
    data: PathBuf,
}

impl SmallDisk {
    /// None where users may not make namespaces.
    fn mount(stage: &Stage) -> Option<Self> {
        let data = stage.path("data");
        fs::create_dir(&data).expect("the stage can be written");
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg(r#"mount -t tmpfs -o size=64m tmpfs "$0" && echo mounted && exec cat >/dev/null"#)
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let out = holder.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("lines are UTF-8");
        let disk = Self { holder, data };
        (line == "mounted\n").then_some(disk)
    }

    /// A file of it, as seen from outside of its namespace.
    fn path(&self, name: &str) -> PathBuf {
        let inside = self.data.strip_prefix("/").expect("a whole path").join(name);
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(inside)
    }

    fn start(&self, stage: &Stage, extra: &[&str]) -> Running {
        let (pid, data) = (self.holder.id().to_string(), self.data.to_str().expect("UTF-8"));
        let nakanet = env!("CARGO_BIN_EXE_nakanet");
        let enter = ["--preserve-credentials", "--user", "--mount", "--target", &pid, nakanet];
        let node = [
            "node",
            "--data",
            data,
            "--preset",
            "instant",
            "--rpc",
            "127.0.0.1:0",
            "--hashrate",
            "5H/s",
        ];
        stage.start_by("nsenter", &[&enter, &node[..], extra].concat())
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path("filler")).expect("there is room for a name");
        let full = std::iter::repeat_with(|| filler.write_all(&[7; 4_096])).find_map(Result::err);
        assert_eq!(full.expect("it ends").kind(), io::ErrorKind::StorageFull);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[test]
fn threat_d5_a_node_whose_disk_is_full_answers_takes_nothing_in_and_goes_on_when_there_is_room() {
    let stage = Stage::new();
    let Some(disk) = SmallDisk::mount(&stage) else {
        println!("left out: users may not make namespaces here");
        return;
    };
    let mut miner = stage.start(&["node", "--data", "miner", "--preset", "instant", "--hashrate", "20H/s"]);
    miner.line_with("mined height 3 ");
    let peers = ["--peer", &miner.address()];
    let ask = |arguments: &[&str]| {
        let folder = disk.path("");
        stage.run(&[&["rpc", folder.to_str().expect("UTF-8")], arguments].concat())
    };
    let height = || ask(&["getblockcount"]).stdout;

    let mut node = disk.start(&stage, &peers);
    node.line_with("tip height 3 ");
    let reserve = || fs::metadata(disk.path("reserve")).map(|file| file.len());
    assert_eq!(reserve().expect("it is made at the start"), RESERVE_BYTES);
    disk.fill();
    let full = node.line_with("disk full");
    let folder = disk.data.display();
    assert!(
        full.contains(&format!("no space left in {folder}; free 32 MiB")),
        "{full}"
    );
    let (before, address) = (height(), ask(&["getnewaddress"]));
    let refused = ask(&["generatetoaddress", "1", address.stdout.trim()]);
    assert!(
        refused.code == 1 && refused.stderr.contains("error -20: no space left in"),
        "{refused:?}"
    );
    for method in ["getblockchaininfo", "getnetworkinfo", "getmininginfo"] {
        let warned = ask(&[method]).stdout;
        assert!(warned.contains("no space left in"), "{warned}");
    }
    assert!(reserve().is_err());
    miner.line_with("mined height");
    assert_eq!(height(), before);
    node.interrupt();
    let (code, told) = node.end();
    assert_eq!(code, Some(0), "{told}");

    // It holds all that it had, and says the same again.
    let mut node = disk.start(&stage, &peers);
    node.line_with("disk full");
    node.line_with("connected");
    assert_eq!(height(), before);
    fs::remove_file(disk.path("filler")).expect("it is there");
    node.line_with("there is room again");
    node.line_with("mined height");
    assert!(!ask(&["getblockchaininfo"]).stdout.contains("no space left"));
    assert_eq!(reserve().expect("it is made again"), RESERVE_BYTES);
    node.interrupt();
    let (code, told) = node.end();
    assert_eq!(code, Some(0), "{told}");
    let (_, meanwhile) = told.split_once("disk full").expect("it was");
    let (meanwhile, _) = meanwhile.split_once("there is room").expect("it was told");
    assert!(!meanwhile.contains("mined") && !meanwhile.contains("penalty"), "{told}");
}

#[test]
fn threat_d5_a_first_start_on_a_full_disk_leaves_nothing_in_the_way_of_the_next() {
    let stage = Stage::new();
    let Some(disk) = SmallDisk::mount(&stage) else {
        println!("left out: users may not make namespaces here");
        return;
    };
    disk.fill();
    let (code, told) = disk.start(&stage, &[]).end();
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains("no space left for ") && told.contains("start the node again"),
        "{told}"
    );
    fs::remove_file(disk.path("filler")).expect("it is there");
    let mut node = disk.start(&stage, &[]);
    node.line_with("listening on");
    node.interrupt();
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn threat_d12_a_node_that_could_not_have_its_peers_says_how_many_files_it_needs() {
    let stage = Stage::new();
    let limited = "ulimit -n 64; exec \"$0\" node --data data --preset instant --rpc 0";
    let (code, told) = stage
        .start_by("sh", &["-c", limited, env!("CARGO_BIN_EXE_nakanet")])
        .end();
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("the limit is 64; raise it with `ulimit -n "), "{told}");
    assert!(!stage.path("data").exists(), "nothing is made");
}
