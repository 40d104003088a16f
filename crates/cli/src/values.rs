//! What the values of flags may be, so that a mistake is met with the flag's name.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::Time;
use chain::Work;
use gossip::limits::MAX_AGENT_BYTES;
use scenario::limits::MAX_DELAY;
use scenario::words;

/// A time between two blocks, or `off`.
pub(crate) fn interval_or_off(text: &str) -> Result<String, String> {
    if text != "off" && time(text)?.is_zero() {
        return Err("no time is between two blocks; `off` mines nothing".to_owned());
    }
    Ok(text.to_owned())
}

/// A time that a message may travel.
pub(crate) fn latency(text: &str) -> Result<String, String> {
    if time(text)? > MAX_DELAY {
        return Err(format!("it is above {}", words::duration(MAX_DELAY)));
    }
    Ok(text.to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    scenario::duration(text).ok_or_else(|| "it is no time, such as 50ms, 2s or 10m".to_owned())
}

/// A moment of a run.
pub(crate) fn moment(text: &str) -> Result<Time, String> {
    time(text).map(|since| Time::ZERO + since)
}

/// Where a node can listen.
pub(crate) fn listen_address(text: &str) -> Result<String, String> {
    match socket(text) {
        Some(None) => Ok(text.to_owned()),
        Some(Some(_)) | None => Err("it is no address to listen on, such as /ip4/127.0.0.1/tcp/4000".to_owned()),
    }
}

/// Where the JSON-RPC interface can listen: `127.0.0.1:8332`, `[::1]:8332`, or a port alone.
pub(crate) fn rpc_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse()
        .map_err(|_| "it is no address to listen on, such as 127.0.0.1:8332".to_owned())
}

/// A program that nodes can be turned into: what steps call it, and where it is.
pub(crate) fn program(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), path.to_owned())),
        Some(_) | None => Err("it is no name and path, such as next=/opt/nakanet".to_owned()),
    }
}

/// A user of the JSON-RPC interface, or a password: an empty one keeps nobody out.
pub(crate) fn credential(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty one keeps nobody out".to_owned());
    }
    Ok(text.to_owned())
}

/// Where a node can be dialled; its key may stand behind.
pub(crate) fn peer_address(text: &str) -> Result<String, String> {
    match socket(text) {
        Some(None | Some(["p2p", _])) => Ok(text.to_owned()),
        Some(Some(_)) | None => Err(
            "it is no address of a peer, such as /ip4/127.0.0.1/tcp/4000 or that with /p2p/KEY behind it".to_owned(),
        ),
    }
}

/// What stands behind the IP address and TCP port that nodes speak over; the outer none when they are not there.
fn socket(text: &str) -> Option<Option<[&str; 2]>> {
    let parts: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
    let (&[family, host, transport, port], rest) = parts.split_first_chunk()?;
    let is_host = match family {
        "ip4" => host.parse::<Ipv4Addr>().is_ok(),
        "ip6" => host.parse::<Ipv6Addr>().is_ok(),
        _ => false,
    };
    if !is_host || transport != "tcp" || port.parse::<u16>().is_err() {
        return None;
    }
    match rest {
        [] => Some(None),
        &[protocol, value] => Some(Some([protocol, value])),
        _ => None,
    }
}

/// An amount of work: up to 64 hexadecimal digits, with `0x` before them or without.
pub(crate) fn work(text: &str) -> Result<Work, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let whole = format!("{digits:0>64}");
    Work::from_be_hex(&whole)
        .filter(|_| !digits.is_empty())
        .ok_or_else(|| "it is no work: up to 64 hexadecimal digits, as `chainwork` is shown".to_owned())
}

/// A name that peers take: they refuse a node whose name could move the cursor of whoever reads it.
pub(crate) fn agent(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err("peers take printable ASCII only".to_owned());
    }
    if text.len() > MAX_AGENT_BYTES {
        return Err(format!("peers take at most {MAX_AGENT_BYTES} letters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_blocks_take_some() {
        for text in ["off", "2s", "1.5s"] {
            assert_eq!(interval_or_off(text).as_deref(), Ok(text));
        }
        for text in ["0s", "2", "of", "2s\"", ""] {
            assert!(interval_or_off(text).is_err(), "{text}");
        }
        let longest = format!("{}ms", MAX_DELAY.as_millis());
        assert!(latency("0ms").is_ok() && latency(&longest).is_ok());
        let longer = format!("{}ms", MAX_DELAY.as_millis() + 1);
        assert!(latency(&longer).is_err() && latency("off").is_err());
    }

    #[test]
    fn addresses_are_of_ip_and_tcp() {
        for text in ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/4000"] {
            assert!(listen_address(text).is_ok() && peer_address(text).is_ok(), "{text}");
        }
        let keyed = "/ip4/127.0.0.1/tcp/4000/p2p/12D3KooW";
        assert!(peer_address(keyed).is_ok() && listen_address(keyed).is_err());
        for text in [
            "",
            "127.0.0.1:4000",
            "/ip4/127.0.0.1/udp/4000/quic-v1",
            "/ip4/127.0.0.1/tcp/4000/ws",
            "/ip4/127.0.0.1/tcp/4000/tls/ws",
            "/ip4/127.0.0.1/tcp/70000",
            "/ip4/::1/tcp/4000",
            "/memory/7",
            "/dns4/example.org/tcp/4000",
        ] {
            assert!(listen_address(text).is_err() && peer_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn work_is_hexadecimal_and_may_be_short() {
        for text in ["10000", "0x10000", &format!("{:0>64}", "10000")] {
            assert_eq!(
                work(text).map(|work| work.to_string()),
                Ok(format!("{:0>64}", "10000")),
                "{text}"
            );
        }
        for text in ["", "0x", "10000h", "-1", &"0".repeat(65)] {
            assert!(work(text).is_err(), "{text}");
        }
    }

    #[test]
    fn agents_are_short_and_printable() {
        assert!(agent("").is_ok() && agent(&"a".repeat(64)).is_ok());
        for text in ["\u{1b}[2J", "nakanet\n", "n\u{f6}de", &"a".repeat(65)] {
            assert!(agent(text).is_err(), "{text:?}");
        }
    }
}
