//! Peers: who is connected, who is to be, who may not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::{NodeId, Time};
use serde_json::{Value, json};

use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Flag, Kind};
use crate::error::Answer;
use crate::limits::{DEFAULT_BAN, MAX_BAN};
use crate::network::{Ban, Banned, Connection, NetworkOrder, Unfulfilled};
use crate::office::Office;
use crate::{Code, RpcError, Scene};

pub(super) const METHODS: &[Method] = &[
    look("getnetworkinfo", "What the node is, and whom it talks to.", info),
    look("getpeerinfo", "Each peer that is connected.", peers),
    look(
        "getaddrmaninfo",
        "How many addresses the node knows, by network.",
        addresses,
    ),
    look("getconnectioncount", "How many peers are connected.", |scene, _| {
        Ok(json!(scene.network.connections.len()))
    }),
    look("listbanned", "Who may not connect.", banned),
    Method {
        name: "addnode",
        category: Category::Network,
        parameters: &[
            needs("node", Kind::Text),
            needs("command", Kind::Text),
            may("v2transport", Kind::Flag),
        ],
        summary: "Stays connected to an address (`add`), no longer (`remove`), or dials it once (`onetry`). An address is a multiaddr, or IP:PORT.",
        run: Run::Task(|office, arguments| Box::pin(add(office, arguments))),
    },
    Method {
        name: "disconnectnode",
        category: Category::Network,
        parameters: &[may("address", Kind::Text), may("nodeid", Kind::Number)],
        summary: "Closes the connection to a peer, which `getpeerinfo` names by address or id.",
        run: Run::Task(|office, arguments| Box::pin(disconnect(office, arguments))),
    },
    Method {
        name: "setban",
        category: Category::Network,
        parameters: &[
            needs("subnet", Kind::Text),
            needs("command", Kind::Text),
            may("bantime", Kind::Number),
            may("absolute", Kind::Flag),
        ],
        summary: "Refuses an IP, a subnet or a libp2p peer id for some seconds (`add`), or no longer (`remove`).",
        run: Run::Task(|office, arguments| Box::pin(set_ban(office, arguments))),
    },
    Method {
        name: "clearbanned",
        category: Category::Network,
        parameters: &[],
        summary: "Lifts all bans.",
        run: Run::Task(|office, _| Box::pin(async move { order(&office, NetworkOrder::ClearBans).await })),
    },
    Method {
        name: "setnetworkactive",
        category: Category::Network,
        parameters: &[needs("state", Kind::Flag)],
        summary: "Talks to nobody, or to everybody again.",
        run: Run::Task(|office, arguments| Box::pin(set_active(office, arguments))),
    },
];

/// A method without parameters that looks at connections.
const fn look(name: &'static str, summary: &'static str, look: fn(&Scene<'_>, &Arguments) -> Answer) -> Method {
    Method {
        name,
        category: Category::Network,
        parameters: &[],
        summary,
        run: Run::Look(look),
    }
}

/// The Bitcoin Core whose interface this is, as it writes its version: 30.0. Tools decide by it what they may ask; what program they talk to
/// is in `subversion`.
const CORE_VERSION: u32 = 300_000;

fn info(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let network = scene.network;
    let outbound = network.connections.values().filter(|peer| peer.is_outbound).count();
    let addresses: Vec<Value> = parts(&network.listens)
        .map(|(address, port)| json!({ "address": address.to_string(), "port": port, "score": 1 }))
        .into_iter()
        .collect();
    Ok(json!({
        "version": CORE_VERSION,
        "subversion": format!("/nakanet:{}/", env!("CARGO_PKG_VERSION")),
        "protocolversion": 1,
        "localservices": "0000000000000009",
        "localservicesnames": ["NETWORK", "WITNESS"],
        "localrelay": true,
        "timeoffset": 0,
        "networkactive": !network.is_off,
        "connections": network.connections.len(),
        "connections_in": network.connections.len() - outbound,
        "connections_out": outbound,
        "networks": [{
            "name": "ipv4",
            "limited": false,
            "reachable": true,
            "proxy": "",
            "proxy_randomize_credentials": false,
        }],
        "relayfee": super::mempool::rate(scene.node.config().min_relay_fee),
        "incrementalfee": super::mempool::rate(scene.node.config().min_relay_fee),
        "localaddresses": addresses,
        "multiaddr": format!("{}/p2p/{}", network.listens, network.peer_id),
        "warnings": Vec::from_iter(&scene.network.trouble),
    }))
}

/// The networks that Core has addresses of.
const NETWORKS: [&str; 5] = ["ipv4", "ipv6", "onion", "i2p", "cjdns"];

/// Nodes tell each other no addresses, so those of peers that were dialled and answered are all that a node knows of others: none are `new`.
fn addresses(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let dialled = scene.network.connections.values().filter(|peer| peer.is_outbound);
    let ours = |peer: &Connection| parts(&peer.address).map(|(ip, _)| if ip.is_ipv4() { "ipv4" } else { "ipv6" });
    let networks: Vec<&str> = dialled.filter_map(ours).collect();
    let count = |tried: usize| json!({ "new": 0, "tried": tried, "total": tried });
    let of_network = |name: &str| networks.iter().filter(|network| **network == name).count();
    let each = NETWORKS.map(|name| (name.to_owned(), count(of_network(name))));
    let all = ("all_networks".to_owned(), count(networks.len()));
    Ok(Value::Object(each.into_iter().chain([all]).collect()))
}

fn peers(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let connections = scene.network.connections.iter();
    Ok(json!(
        connections
            .map(|(id, peer)| peer_json(scene, *id, peer))
            .collect::<Vec<_>>()
    ))
}

fn peer_json(scene: &Scene<'_>, id: NodeId, peer: &Connection) -> Value {
    // By the machine's clock, which a tool compares it with: a node of a run has one of its own, that begins with its chain.
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let unix = |at: Option<Time>| at.map_or(0, |at| wall.saturating_sub(scene.now.since(at).as_secs()));
    let known = scene.node.peer(id);
    let best = known.and_then(|known| known.best_header);
    let height = |block| i64::from(scene.ledger.height(block).0);
    let common = best.map(|best| scene.ledger.fork_point(best, scene.node.tip()));
    let mut shown = json!({
        "id": id.0,
        "addr": socket(&peer.address),
        "network": "ipv4",
        "services": "0000000000000009",
        "servicesnames": ["NETWORK", "WITNESS"],
        "relaytxes": true,
        "lastsend": unix(peer.last_sent),
        "lastrecv": unix(peer.last_received),
        "last_transaction": 0,
        "last_block": 0,
        "bytessent": peer.sent_bytes,
        "bytesrecv": peer.received_bytes,
        "conntime": unix(Some(peer.since)),
        "timeoffset": 0,
        "version": 1,
        "subver": peer.agent,
        "inbound": !peer.is_outbound,
        "bip152_hb_to": false,
        "bip152_hb_from": false,
        "presynced_headers": -1,
        "synced_headers": best.map_or(-1, height),
        "synced_blocks": common.map_or(-1, height),
        "inflight": [],
        "inv_to_send": 0,
        "last_inv_sequence": 0,
        "addr_relay_enabled": false,
        "addr_processed": 0,
        "addr_rate_limited": 0,
        "permissions": [],
        "minfeefilter": 0.0,
        "bytessent_per_msg": {},
        "bytesrecv_per_msg": {},
        "connection_type": if peer.is_outbound { "manual" } else { "inbound" },
        "transport_protocol_type": "v2",
        "session_id": "",
        "multiaddr": peer.address,
        "peer_id": peer.peer_id,
        "misbehaviour": known.map_or(0, |known| known.score),
    });
    if let Some((last, quickest)) = peer.ping {
        shown["pingtime"] = json!(last.as_secs_f64());
        shown["minping"] = json!(quickest.as_secs_f64());
    }
    shown
}

/// The address and port at the front of a multiaddr.
fn parts(multiaddr: &str) -> Option<(IpAddr, u16)> {
    let mut words = multiaddr.strip_prefix('/')?.split('/');
    let (_, address, _, port) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some((address.parse().ok()?, port.parse().ok()?))
}

/// A multiaddr as IP:PORT, when it is one of IP and TCP.
fn socket(multiaddr: &str) -> String {
    parts(multiaddr).map_or_else(|| multiaddr.to_owned(), |parts| SocketAddr::from(parts).to_string())
}

/// What can be dialled, as a multiaddr.
fn multiaddr(text: &str) -> Result<String, RpcError> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    let address: SocketAddr = text.parse().map_err(|_| no_address())?;
    let family = if address.is_ipv4() { "ip4" } else { "ip6" };
    Ok(format!("/{family}/{}/tcp/{}", address.ip(), address.port()))
}

fn no_address() -> RpcError {
    let message = "no address that can be dialled, such as 127.0.0.1:4000 or /ip4/127.0.0.1/tcp/4000";
    RpcError::new(Code::InvalidParameter, message)
}

async fn order(office: &Office, order: NetworkOrder) -> Answer {
    let done = office.clerk.network(order).await?;
    done.map(|()| Value::Null).map_err(|unfulfilled| match unfulfilled {
        Unfulfilled::NoAddress => no_address(),
        Unfulfilled::AlreadyAdded => RpcError::new(Code::NodeAlreadyAdded, "Error: Node already added"),
        Unfulfilled::NotAdded => RpcError::new(
            Code::NodeNotAdded,
            "Error: Node could not be removed. It has not been added previously.",
        ),
        Unfulfilled::NotConnected => RpcError::new(Code::NodeNotConnected, "Node not found in connected nodes"),
        Unfulfilled::AlreadyBanned => RpcError::new(Code::NodeAlreadyAdded, "Error: IP/Subnet already banned"),
        Unfulfilled::NotBanned => RpcError::new(
            Code::InvalidIpOrSubnet,
            "Error: Unban failed. Requested address/subnet was not previously manually banned.",
        ),
        Unfulfilled::NotSaved(why) => {
            let message = format!("done for as long as the node runs; the bans cannot be brought to disk: {why}");
            RpcError::new(Code::Misc, message)
        }
        Unfulfilled::Full => RpcError::new(Code::Misc, "there is no room for one more"),
    })
}

async fn add(office: Arc<Office>, arguments: Arguments) -> Answer {
    let address = multiaddr(arguments.text(0).unwrap_or_default())?;
    let wanted = match arguments.text(1).unwrap_or_default() {
        "add" => NetworkOrder::Add(address),
        "remove" => NetworkOrder::Remove(address),
        "onetry" => NetworkOrder::Try(address),
        _ => return Err(RpcError::new(Code::Misc, "the command is add, remove or onetry")),
    };
    order(&office, wanted).await
}

async fn disconnect(office: Arc<Office>, arguments: Arguments) -> Answer {
    let address = arguments
        .text(0)
        .filter(|address| !address.is_empty())
        .map(str::to_owned);
    let id = arguments.number(1)?.filter(|id| *id >= 0);
    if address.is_some() == id.is_some() {
        let message = "Only one of address and nodeid should be provided.";
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let not_found = || RpcError::new(Code::NodeNotConnected, "Node not found in connected nodes");
    let find = move |scene: &Scene<'_>| {
        let is_it = |id_of: NodeId, peer: &Connection| match &address {
            Some(address) => [&socket(&peer.address), &peer.address, &peer.peer_id].contains(&address),
            None => id == Some(i64::from(id_of.0)),
        };
        let mut connections = scene.network.connections.iter();
        connections.find(|(id, peer)| is_it(**id, peer)).map(|(id, _)| *id)
    };
    let peer = office.clerk.look(find).await?.ok_or_else(not_found)?;
    order(&office, NetworkOrder::Disconnect(peer)).await
}

/// Whom text is about: an IP, a subnet as `10.0.0.0/8` or `10.0.0.0/255.0.0.0`, or a libp2p peer id.
fn whom(text: &str) -> Option<Banned> {
    let is_peer_id = |text: &str| text.starts_with("12D3Koo") && text.len() == 52;
    if is_peer_id(text) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(Banned::Peer(text.to_owned()));
    }
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let address = address.to_canonical();
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match mask {
        None => most,
        Some(mask) => match mask.parse::<u8>() {
            Ok(bits) => Some(bits).filter(|bits| *bits <= most)?,
            Err(_) => bits_of(mask.parse().ok()?)?,
        },
    };
    let cut = |value: u128, width: u32| {
        let below = width - u32::from(bits);
        value
            .checked_shr(below)
            .and_then(|kept| kept.checked_shl(below))
            .unwrap_or(0)
    };
    let first = match address {
        IpAddr::V4(address) => {
            let kept = cut(u128::from(address.to_bits()), 32);
            IpAddr::V4(u32::try_from(kept).ok()?.into())
        }
        IpAddr::V6(address) => IpAddr::V6(cut(address.to_bits(), 128).into()),
    };
    Some(Banned::Subnet(first, bits))
}

/// How many bits a mask has, when they are the first ones.
fn bits_of(mask: IpAddr) -> Option<u8> {
    let (ones, zeros, width) = match mask {
        IpAddr::V4(mask) => (mask.to_bits().leading_ones(), mask.to_bits().trailing_zeros(), 32),
        IpAddr::V6(mask) => (mask.to_bits().leading_ones(), mask.to_bits().trailing_zeros(), 128),
    };
    (ones + zeros == width || ones == width).then(|| u8::try_from(ones).ok())?
}

async fn set_ban(office: Arc<Office>, arguments: Arguments) -> Answer {
    let invalid = || RpcError::new(Code::InvalidIpOrSubnet, "Error: Invalid IP/Subnet");
    let whom = whom(arguments.text(0).unwrap_or_default()).ok_or_else(invalid)?;
    let wanted = match arguments.text(1).unwrap_or_default() {
        "add" => {
            let now = office.clerk.look(|scene| scene.node.unix_secs(scene.now)).await?;
            let time = arguments.number(2)?.unwrap_or(0);
            let until = until(now, time, arguments.flag_or(3, Flag::Unset))?;
            NetworkOrder::Ban(Ban {
                whom,
                since: now,
                until,
            })
        }
        "remove" => NetworkOrder::Unban(whom),
        _ => return Err(RpcError::new(Code::Misc, "the command is add or remove")),
    };
    order(&office, wanted).await
}

/// When a ban ends: after so many seconds, which are a day when none or less, or at a moment.
fn until(now: u64, time: i64, is_absolute: bool) -> Result<u64, RpcError> {
    let time = u64::try_from(time).unwrap_or(0);
    let ends = match (time, is_absolute) {
        (moment, true) if moment < now => {
            let message = "Error: Absolute timestamp is in the past";
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
        (moment, true) => moment,
        (0, false) => now + DEFAULT_BAN.as_secs(),
        (seconds, false) => now.saturating_add(seconds),
    };
    Ok(ends.min(now + MAX_BAN.as_secs()))
}

fn banned(scene: &Scene<'_>, _: &Arguments) -> Answer {
    let now = scene.node.unix_secs(scene.now);
    let shown = scene.network.bans.iter().filter(|ban| ban.until > now).map(|ban| {
        json!({
            "address": ban.whom.to_string(),
            "ban_created": ban.since,
            "banned_until": ban.until,
            "ban_duration": ban.until - ban.since,
            "time_remaining": Duration::from_secs(ban.until - now).as_secs(),
        })
    });
    Ok(json!(shown.collect::<Vec<_>>()))
}

async fn set_active(office: Arc<Office>, arguments: Arguments) -> Answer {
    let is_on = arguments.flag_or(0, Flag::Set);
    let wanted = if is_on { NetworkOrder::GoOn } else { NetworkOrder::GoOff };
    order(&office, wanted).await?;
    Ok(json!(is_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_read_in_every_notation_and_cut_to_their_bits() {
        let shown = |text: &str| whom(text).map(|whom| whom.to_string());
        assert_eq!(shown("10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(shown("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(shown("10.1.2.3/255.255.0.0").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(shown("0.0.0.0/0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(shown("::ffff:10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(shown("2001:db8::1/32").as_deref(), Some("2001:db8::/32"));
        assert_eq!(shown("::/0").as_deref(), Some("::/0"));
        for wrong in [
            "",
            "10.1.2",
            "10.1.2.3/33",
            "10.1.2.3/255.0.255.0",
            "::1/129",
            "x",
            "10.1.2.3/",
            "12D3Koo",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bans_end_some_time() {
        assert_eq!(until(100, 0, false), Ok(100 + DEFAULT_BAN.as_secs()));
        assert_eq!(until(100, 5, false), Ok(105));
        assert_eq!(until(100, 500, true), Ok(500));
        assert_eq!(until(100, 100, true), Ok(100));
        for moment in [99, 0, -1] {
            assert!(until(100, moment, true).is_err(), "{moment}");
        }
        assert_eq!(until(100, -1, false), until(100, 0, false));
        assert_eq!(until(100, i64::MAX, false), Ok(100 + MAX_BAN.as_secs()));
    }

    #[test]
    fn addresses_of_both_kinds_can_be_dialled() {
        assert_eq!(multiaddr("127.0.0.1:40").as_deref(), Ok("/ip4/127.0.0.1/tcp/40"));
        assert_eq!(multiaddr("[::1]:40").as_deref(), Ok("/ip6/::1/tcp/40"));
        assert!(multiaddr("localhost").is_err());
        assert_eq!(socket("/ip4/127.0.0.1/tcp/40/p2p/x"), "127.0.0.1:40");
        assert_eq!(socket("/dns/x"), "/dns/x");
    }
}
