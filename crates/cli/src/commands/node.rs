//! `nakanet node`: one node as its own process.

mod verify;

use anyhow::{Context as _, anyhow};
use chain::{HashRate, Params};
use cluster::{Interrupt, Reindexed, SoloEvent, SoloOptions, Store, StoreError};
use node::{Event, TipChange};
use scenario::words;

use crate::args::{NodeArgs, NodeCommand};
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt;
use crate::{paint, say};

pub(crate) fn node(args: &NodeArgs) -> Ended {
    if let Some(NodeCommand::Verify(args)) = &args.command {
        return verify::verify(args);
    }
    let interrupt = Interrupt::new();
    let stop = interrupt.clone();
    let options = options(args, interrupt)?;
    if args.reindex {
        reindex(&options)?;
    }
    on_interrupt(move || stop.trigger())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the node's thread")
        .map_err(Failure::could_not_start)?;
    let mut tell = |event| tell(&event);
    runtime
        .block_on(cluster::run_solo(options, &mut tell))
        .map_err(Failure::could_not_start)?;
    say::line("stopped");
    Ok(Exit::Passed)
}

fn options(args: &NodeArgs, interrupt: Interrupt) -> Result<SoloOptions, Failure> {
    let params = Params::preset(&args.preset).with_context(|| {
        format!(
            "there is no preset `{}`; there are {}",
            args.preset,
            Params::PRESETS.join(", ")
        )
    });
    let address = |text: &String| {
        let example = "such as /ip4/127.0.0.1/tcp/4000";
        text.parse()
            .with_context(|| format!("`{text}` is no multiaddr, {example}"))
            .map_err(Failure::bad_input)
    };
    let hashrate = match args.hashrate.as_deref() {
        None => HashRate::ZERO,
        Some(text) => scenario::hash_rate(text)
            .ok_or_else(|| Failure::bad_input(anyhow!("`{text}` is no hash rate, such as 20kH/s")))?,
    };
    Ok(SoloOptions {
        params: params.map_err(Failure::bad_input)?,
        data: args.data.clone().expect("without a subcommand it is required"),
        listen: address(&args.listen)?,
        peers: args.peers.iter().map(address).collect::<Result<_, _>>()?,
        hashrate,
        minimum_work: args.minimum_work,
        rpc: rpc_options(args)?,
        owner: None,
        agent: args.agent.clone(),
        interrupt,
    })
}

/// Makes the chain anew; a folder without one has nothing to lose.
fn reindex(options: &SoloOptions) -> Result<(), Failure> {
    match Store::reindex(&options.data, &options.params) {
        Ok(Reindexed { kept, dropped, old }) => {
            let (kept, dropped) = (
                words::count(kept as u64, "block"),
                words::count(dropped as u64, "record"),
            );
            say::line(format_args!(
                "{kept} kept, {dropped} dropped; the old database is {}",
                old.display()
            ));
            Ok(())
        }
        Err(StoreError::Missing { .. }) => Ok(()),
        Err(error) => Err(Failure::could_not_start(error)),
    }
}

/// The interface for other people's tools. It is for this machine alone unless the operator says so in as many words.
fn rpc_options(args: &NodeArgs) -> Result<Option<rpc::Options>, Failure> {
    let Some(listen) = args.rpc else { return Ok(None) };
    if !listen.ip().is_loopback() && !args.rpc_exposed {
        return Err(Failure::bad_input(anyhow!(
            "--rpc {listen} can be reached from other machines, and whoever has the password can spend and stop; add --rpc-exposed if that is meant"
        )));
    }
    let credentials = args.rpc_user.as_ref().zip(args.rpc_password.as_ref());
    Ok(Some(rpc::Options {
        listen,
        credentials: credentials.map(|(user, password)| rpc::auth::Credentials::new(user, password)),
    }))
}

/// Prints what a user of one node wants to see.
fn tell(event: &SoloEvent) {
    match event {
        SoloEvent::Listening { address, restored } => {
            say::line(format_args!("listening on {}", paint::strong(address)));
            if *restored > 0 {
                say::line(format_args!("{restored} blocks came from disk"));
            }
        }
        SoloEvent::Serving { address } => say::line(format_args!("JSON-RPC on {}", paint::strong(address))),
        SoloEvent::CannotConnect { address, reason } => {
            say::line(format_args!("cannot connect to {address}: {reason}; trying on"));
        }
        SoloEvent::DialedItself { address } => {
            say::line(format_args!("{address} is this node itself; it is not dialled again"));
        }
        SoloEvent::DiskFull { trouble } => {
            say::line(format_args!(
                "{}: {trouble}; it answers meanwhile, and takes nothing in",
                paint::warning("disk full")
            ));
        }
        SoloEvent::DiskHasRoom => say::line("there is room again; going on"),
        SoloEvent::Refused { peer, reason } => say::line(format_args!("refused {peer}: {reason}")),
        SoloEvent::Node(event) => tell_of_node(event),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest is in no user's interest; new kinds of events neither"
)]
fn tell_of_node(event: &Event) {
    match event {
        Event::PeerConnected { peer, agent, .. } => say::line(format_args!("peer {} connected: {agent}", peer.0)),
        Event::PeerDisconnected { peer, .. } => say::line(format_args!("peer {} disconnected", peer.0)),
        Event::PeerPenalised {
            peer,
            offence,
            score,
            detail,
        } => {
            say::line(format_args!(
                "{} peer {}: {offence:?}, score {score}: {detail}",
                paint::warning("penalty"),
                peer.0
            ));
        }
        Event::BlockMined { block, height, .. } => {
            say::line(format_args!(
                "{} height {height} ..{}",
                paint::good("mined"),
                block.short()
            ));
        }
        Event::BlockRejected { block, reason, .. } => {
            say::line(format_args!(
                "{} ..{}: {reason}",
                paint::warning("refused"),
                block.short()
            ));
        }
        Event::Reorg { depth, .. } => say::line(format_args!("{} of {depth}", paint::warning("reorg"))),
        Event::TipChanged { new, how, .. } => {
            let how = match how {
                TipChange::Extend => "",
                TipChange::Reorg => " after a reorg",
            };
            say::line(format_args!("tip height {} ..{}{how}", new.height, new.block.short()));
        }
        _ => {}
    }
}
