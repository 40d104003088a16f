//! Arguments of `nakanet node`.

use std::net::SocketAddr;
use std::path::PathBuf;

use chain::Work;
use clap::{Args, Subcommand};

use crate::values;

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Check everything in a node's data folder by all rules, signatures among them; the node must not run
    Verify(NodeVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NodeVerifyArgs {
    /// The data folder
    pub(crate) data: PathBuf,
    /// The scenario whose rules it follows, such as a run folder's scenario.toml; nothing tries all presets
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<NodeCommand>,
    /// Listen here; port 0 takes a free one
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/0", value_parser = values::listen_address)]
    pub(crate) listen: String,
    /// Stay connected to this node; may be given more than once
    #[arg(long = "peer", value_name = "MULTIADDR", value_parser = values::peer_address)]
    pub(crate) peers: Vec<String>,
    /// The folder that holds the node's key and chain; created when missing
    #[arg(long, value_name = "FOLDER", required = true)]
    pub(crate) data: Option<PathBuf>,
    /// Make the chain anew from what of it is sound, before anything else; peers send the rest
    #[arg(long)]
    pub(crate) reindex: bool,
    /// The network's rules
    #[arg(long, default_value = "cluster")]
    pub(crate) preset: String,
    /// Keep no headers of a chain with less work than this, in hexadecimal digits as `chainwork` is shown: without a chain of its own a node
    /// knows no other bound
    #[arg(long, value_name = "HEX", default_value = "0", value_parser = values::work)]
    pub(crate) minimum_work: Work,
    /// Hash power, such as 20kH/s; nothing does not mine
    #[arg(long, value_name = "RATE")]
    pub(crate) hashrate: Option<String>,
    /// Answer other people's tools here, in Bitcoin Core's JSON-RPC; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = values::rpc_address)]
    pub(crate) rpc: Option<SocketAddr>,
    /// The user of the JSON-RPC interface [default: a cookie file in the data folder]
    #[arg(long, value_name = "NAME", value_parser = values::credential, requires_all = ["rpc", "rpc_password"])]
    pub(crate) rpc_user: Option<String>,
    /// The password of that user
    #[arg(long, value_name = "WORD", value_parser = values::credential, requires_all = ["rpc", "rpc_user"])]
    pub(crate) rpc_password: Option<String>,
    /// Let the JSON-RPC interface be reached from other machines: whoever has the password can spend and stop
    #[arg(long, requires = "rpc")]
    pub(crate) rpc_exposed: bool,
    /// What peers see this node called
    #[arg(long, default_value = "nakanet", value_parser = values::agent)]
    pub(crate) agent: String,
}
