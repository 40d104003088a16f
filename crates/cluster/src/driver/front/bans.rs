//! Who may not connect, on disk: the operator's bans outlive the node, as Bitcoin Core's do.
//!
//! The file is Core's `banlist.json`; a libp2p peer id may stand where Core has an address. Peers that are discouraged for what they did are
//! forgotten with the node, there and here: they are remembered by keys, which cost an attacker nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use libp2p::PeerId;
use rpc::limits::MAX_BANS;
use rpc::network::{Ban, Banned};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::limits::MAX_BAN_FILE_BYTES;

/// The bans, and where they are kept.
#[derive(Debug)]
pub(crate) struct Bans {
    pub(super) list: Vec<Ban>,
    path: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Banlist {
    banned_nets: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    version: u32,
    ban_created: u64,
    banned_until: u64,
    address: String,
}

/// The version of an entry, Core's.
const VERSION: u32 = 1;

impl Bans {
    /// The name of the file in a data folder.
    pub(crate) const FILE: &str = "banlist.json";

    /// Reads the bans of a data folder; none when it has none.
    pub(crate) fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let list = read(&path).map_err(|reason| Error::Bans {
            path: path.clone(),
            reason,
        })?;
        Ok(Self { list, path })
    }

    /// What brings the bans, as they are now, to disk. The file is the old one or the new one, whenever the machine stops.
    pub(super) fn saving(&self) -> impl FnOnce() -> io::Result<()> + Send + use<> {
        let entry = |ban: &Ban| Entry {
            version: VERSION,
            ban_created: ban.since,
            banned_until: ban.until,
            address: ban.whom.to_string(),
        };
        let list = Banlist {
            banned_nets: self.list.iter().map(entry).collect(),
        };
        let path = self.path.clone();
        move || {
            let unfinished = path.with_extension("json.new");
            let mut file = File::create(&unfinished)?;
            serde_json::to_writer_pretty(&mut file, &list)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        }
    }
}

fn read(path: &Path) -> Result<Vec<Ban>, String> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    if length > MAX_BAN_FILE_BYTES {
        return Err(format!("it has {length} bytes, at most {MAX_BAN_FILE_BYTES} are read"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let Banlist { banned_nets } = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if banned_nets.len() > MAX_BANS {
        return Err(format!(
            "it has {} bans, at most {MAX_BANS} are kept",
            banned_nets.len()
        ));
    }
    let ban = |entry: Entry| {
        let whom = whom(&entry.address).ok_or_else(|| format!("`{}` is no subnet and no peer id", entry.address))?;
        Ok(Ban {
            whom,
            since: entry.ban_created,
            until: entry.banned_until,
        })
    };
    banned_nets.into_iter().map(ban).collect()
}

/// A subnet as Core writes it, `10.0.0.0/8`, or a peer id.
fn whom(text: &str) -> Option<Banned> {
    let Some((address, bits)) = text.split_once('/') else {
        let peer: PeerId = text.parse().ok()?;
        return Some(Banned::Peer(peer.to_string()));
    };
    let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Banned::Subnet(address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bans() -> Vec<Ban> {
        let peer = PeerId::random().to_string();
        let subnet = |text: &str, bits| Banned::Subnet(text.parse().expect("an address"), bits);
        let all = [subnet("10.0.0.0", 8), subnet("2001:db8::", 32), Banned::Peer(peer)];
        let numbered = (0..).zip(all);
        let ban = |(number, whom)| Ban {
            whom,
            since: number,
            until: 2_000_000_000 + number,
        };
        numbered.map(ban).collect()
    }

    #[test]
    fn bans_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut written = Bans::load(folder.path()).expect("there is no file yet");
        assert!(written.list.is_empty());
        for list in [bans(), Vec::new()] {
            written.list = list.clone();
            written.saving()().expect("the disk works");
            assert_eq!(Bans::load(folder.path()).expect("a good file").list, list);
        }
    }

    #[test]
    fn a_list_that_core_wrote_is_understood() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = r#"{"banned_nets":[{"version":1,"ban_created":1700000000,"banned_until":1700086400,"address":"127.0.0.0/32"}]}"#;
        fs::write(folder.path().join(Bans::FILE), text).expect("a file");
        let [ban] = &Bans::load(folder.path()).expect("a good file").list[..] else {
            panic!("one ban");
        };
        assert_eq!(ban.whom.to_string(), "127.0.0.0/32");
        assert_eq!((ban.since, ban.until), (1_700_000_000, 1_700_086_400));
    }

    #[test]
    fn a_list_that_makes_no_sense_is_named_and_not_taken_for_an_empty_one() {
        let entry =
            |address: &str| format!(r#"{{"version":1,"ban_created":0,"banned_until":1,"address":"{address}"}}"#);
        let too_many = vec![entry("10.0.0.0/8"); MAX_BANS + 1].join(",");
        let too_long = " ".repeat(usize::try_from(MAX_BAN_FILE_BYTES).expect("a megabyte") + 1);
        let list = |entries: &str| format!(r#"{{"banned_nets":[{entries}]}}"#);
        for text in [
            "",
            "{}",
            &list(&entry("10.0.0.0/33")),
            &list(&entry("10.0.0.0")),
            &list(&entry("nobody")),
            &list(&too_many),
            &too_long,
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join(Bans::FILE), text).expect("a file");
            let error = Bans::load(folder.path()).expect_err("it makes no sense").to_string();
            assert!(
                error.contains(Bans::FILE) && error.contains("lifts all bans"),
                "{error}"
            );
        }
    }
}
