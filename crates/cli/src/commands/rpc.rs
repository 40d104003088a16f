//! `nakanet rpc`: calls a method of a node's JSON-RPC interface.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use rpc::server::ADDRESS_FILE;
use rpc::{Kind, auth, methods};
use scenario::Plan;
use serde_json::{Value, json};

use crate::args::RpcArgs;
use crate::exit::{Ended, Exit, Failure};
use crate::{folder, paint, say};

/// How long a call may take without a word.
const LONG: Duration = Duration::from_secs(5);

/// Where an interface is, and what opens it.
struct Door {
    address: SocketAddr,
    pair: String,
}

pub(crate) fn rpc(args: &RpcArgs) -> Ended {
    let door = door(args)?;
    let params = arguments(&args.method, &args.arguments)?;
    let request = json!({ "jsonrpc": "2.0", "id": "nakanet", "method": args.method, "params": params });
    let mut answer = ask(&door, &request)?;
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let message = error["message"].as_str().unwrap_or_default();
        say::aside(format_args!("{} {}: {message}", paint::bad("error"), error["code"]));
        return Ok(Exit::Failed);
    }
    match answer["result"].take() {
        Value::Null => {}
        Value::String(text) if !args.json => say::line(text),
        result @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            say::line(format_args!("{result:#}"));
        }
    }
    Ok(Exit::Passed)
}

fn door(args: &RpcArgs) -> Result<Door, Failure> {
    let named = args.user.as_ref().zip(args.password.as_ref());
    let named = named.map(|(user, password)| format!("{user}:{password}"));
    if let Some(address) = address(&args.node) {
        let pair = named.ok_or_else(|| {
            let words = "an address alone opens nothing: name the node's data folder, or give --user and --password";
            Failure::bad_input(anyhow!(words))
        })?;
        return Ok(Door { address, pair });
    }
    let folder = data_folder(&args.node, &args.out)?;
    let path = folder.join(ADDRESS_FILE);
    let address = std::fs::read_to_string(&path)
        .with_context(|| {
            format!(
                "no interface answers for {}; start the node with --rpc",
                folder.display()
            )
        })
        .map_err(Failure::bad_input)?;
    let address = address
        .trim()
        .parse()
        .with_context(|| format!("{} holds no address", path.display()))
        .map_err(Failure::bad_input)?;
    let pair = match named {
        Some(pair) => pair,
        None => auth::read_cookie(&folder)
            .with_context(|| format!("{} has no cookie; give --user and --password", folder.display()))
            .map_err(Failure::bad_input)?,
    };
    Ok(Door { address, pair })
}

/// An address; a port alone is one of this machine, as for `--rpc`, unless a folder has that name.
fn address(node: &str) -> Option<SocketAddr> {
    let port = || {
        let port = node.strip_prefix("localhost:").unwrap_or(node).parse().ok()?;
        (!Path::new(node).is_dir()).then(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    node.parse().ok().or_else(port)
}

/// The data folder that is meant: one that is there, or that of a node of the latest run.
fn data_folder(node: &str, out: &Path) -> Result<PathBuf, Failure> {
    let named = PathBuf::from(node);
    if named.is_dir() {
        return Ok(named);
    }
    let of_latest = out.join("latest").join("nodes").join(node);
    if of_latest.is_dir() {
        return Ok(of_latest);
    }
    Err(Failure::bad_input(anyhow!(
        "`{node}` is no address, no data folder and no node of {}",
        out.join("latest").display()
    )))
}

/// Prints where the nodes of a run that has just begun answer, and lets `latest` lead to the run, so that `nakanet rpc n0` finds them.
pub(crate) fn announce(run: &Path, plan: &Plan) {
    folder::mark_latest(run);
    for node in plan.node_ids() {
        let name = plan.name_of(node);
        // A node that a step starts later has none yet.
        if let Ok(address) = std::fs::read_to_string(run.join("nodes").join(name).join(ADDRESS_FILE)) {
            say::line(format_args!("{name:>8}  JSON-RPC on {}", paint::strong(address)));
        }
    }
}

/// The arguments as the method wants them: what is no text there is JSON here.
fn arguments(method: &str, given: &[String]) -> Result<Vec<Value>, Failure> {
    let known = methods::find(method);
    let parameters = known.as_ref().map_or(&[][..], |method| method.parameters);
    let mut read = Vec::new();
    for (place, text) in given.iter().enumerate() {
        let kind = parameters.get(place).map_or(Kind::Any, |parameter| parameter.kind);
        let value = match (kind, serde_json::from_str(text)) {
            (Kind::Text, _) => Value::from(text.as_str()),
            (_, Ok(value)) => value,
            (Kind::Any | Kind::Amount, Err(_)) => Value::from(text.as_str()),
            (_, Err(_)) => {
                let name = parameters[place].name;
                return Err(Failure::bad_input(anyhow!(
                    "`{text}` is no JSON, which {name} is to be"
                )));
            }
        };
        read.push(value);
    }
    Ok(read)
}

/// Says what may be the matter when a method that waits for nothing takes long: a node that stands still takes calls, and answers none.
fn wait_in_words(method: &str, address: SocketAddr) -> mpsc::Sender<Infallible> {
    let (answered, answer) = mpsc::channel();
    if !method.starts_with("waitfor") {
        thread::spawn(move || {
            if answer.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
                say::aside(format_args!(
                    "{address} has not answered yet: the node has much to do, or is paused; Ctrl-C gives up"
                ));
            }
        });
    }
    answered
}

fn ask(door: &Door, request: &Value) -> Result<Value, Failure> {
    let method = request["method"].as_str().unwrap_or_default();
    let _answered = wait_in_words(method, door.address);
    let answer = minreq::post(format!("http://{}/", door.address))
        .with_header("Authorization", auth::authorization(&door.pair))
        .with_header("Content-Type", "application/json")
        .with_body(request.to_string())
        .send();
    let answer = answer.map_err(|error| {
        let nobody = matches!(&error, minreq::Error::IoError(error) if error.kind() == ErrorKind::ConnectionRefused);
        let words = if nobody {
            format!("nobody answers on {}; is the node running?", door.address)
        } else {
            format!("{} does not answer: {error}", door.address)
        };
        Failure::could_not_start(anyhow!(words))
    })?;
    if answer.status_code == 401 {
        let words = format!("{} does not take this user and password", door.address);
        return Err(Failure::bad_input(anyhow!(words)));
    }
    serde_json::from_slice(answer.as_bytes())
        .with_context(|| {
            format!(
                "{} answers with status {}, and no JSON",
                door.address, answer.status_code
            )
        })
        .map_err(Failure::could_not_start)
}
