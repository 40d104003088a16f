//! `nakanet up`: an ad-hoc cluster that stays until Ctrl-C.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::Time;
use chain::Height;
use cluster::{Interrupt, Progress, RunOptions};
use observe::{Collector, Ending, Operator, text};
use scenario::{Overrides, Plan, words};

use crate::args::UpArgs;
use crate::commands::detach;
use crate::commands::export::report_at_the_end;
use crate::commands::rpc;
use crate::commands::run::{nodes, not_started, show};
use crate::commands::serve;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt;
use crate::steps::Steps;
use crate::{console, folder, load, paint, say};

pub(crate) fn up(args: &UpArgs) -> Ended {
    let plan = Arc::new(plan(args)?);
    if args.detach {
        return detach::detach(args, &folder::for_run(&args.out, &plan));
    }
    let folder = match &args.detached {
        Some(folder) => {
            detach::leave_the_terminal();
            folder.clone()
        }
        None => folder::for_run(&args.out, &plan),
    };
    let interrupt = Interrupt::new();
    let (stop, quit) = (interrupt.clone(), interrupt.clone());
    on_interrupt(move || stop.trigger())?;
    let (operator, desk) = Operator::new();
    let options = RunOptions {
        data: folder.join("nodes"),
        nodes: nodes(args.nodes, &folder)?,
        rpc: args.rpc,
        folder: Some(folder.clone()),
        interrupt,
        desk: Some(desk),
    };
    announce(args, &folder);
    let _page = serve::beside(&folder, &args.page, operator.clone())?;
    if args.detached.is_none() {
        console::listen(operator.clone(), move || quit.trigger());
    }
    let mut steps = Steps::new(&plan, true);
    let mut news = News::default();
    let mut presence = None;
    let finished = cluster::run(&plan, &options, &mut |progress| {
        if let Progress::Connected { .. } = progress {
            presence = Some(detach::appear(args, &folder, &operator));
        }
        if let Progress::Observed(collector) = progress {
            news.tell(collector);
        } else if let Progress::Control(report) = progress
            && let Some(what) = console::news(report)
        {
            entry(report.at, &paint::strong("step "), &what);
        } else {
            show(progress, &mut steps, false);
        }
        if args.rpc && matches!(progress, Progress::Started { .. }) {
            rpc::announce(&folder, &plan);
        }
    })
    .map_err(|error| not_started(error, Some(&options.data)))?;
    let mut collector = finished.collector;
    collector.finish(finished.took, Ending::Interrupted);
    say::line(format_args!("\n{}", text::nodes(collector.world(), &plan).trim_end()));
    say::line(format_args!(
        "\nLog     {} ({} events)",
        folder.display(),
        collector.events()
    ));
    if let Some(report) = report_at_the_end(&folder, collector.events()) {
        say::line(format_args!("Report  {}", report.display()));
    }
    // Only now is everything written: whoever waits for the end may look.
    drop(presence);
    Ok(if finished.died.is_empty() {
        Exit::Interrupted
    } else {
        Exit::NodeDied
    })
}

/// What is being started, and what ends it.
fn announce(args: &UpArgs, folder: &Path) {
    let end = if args.detached.is_some() {
        "`nakanet down`"
    } else {
        "Ctrl-C"
    };
    say::line(format_args!(
        "{}  {}, log in {}; {end} ends it",
        paint::strong("nakanet up"),
        words::count(args.count, "node"),
        folder.display()
    ));
}

/// The scenario that the arguments stand for: its text is in the run folder, so that it can be changed and run again.
fn plan(args: &UpArgs) -> Result<Plan, Failure> {
    let hashrate = if args.mine_interval == "off" { "0" } else { "2_000" };
    let interval = if args.mine_interval == "off" {
        "2s"
    } else {
        args.mine_interval.as_str()
    };
    let outbound = args.outbound.min(args.count.saturating_sub(1));
    let topology = match (args.count, outbound) {
        (1, _) => "{ kind = \"none\" }".to_owned(),
        (_, outbound) => format!("{{ kind = \"random\", outbound = {outbound} }}"),
    };
    let source = format!(
        "# An ad-hoc cluster of `nakanet up`.
name = \"up\"
seed = {seed}
limit = \"2400h\"

[chain]
preset = \"cluster\"
retarget = \"fixed\"
interval = \"{interval}\"

[network]
topology = {topology}

[[network.group]]
count = {nodes}
hashrate = {hashrate}

[network.link]
latency = \"{latency}\"

[steps]
run = [{{ sleep = \"2400h\" }}]
",
        seed = args.seed,
        nodes = args.count,
        latency = args.latency,
    );
    scenario::parse("(the arguments)", &source, &Overrides::default()).map_err(|diagnostics| {
        load::show(&diagnostics);
        Failure::bad_input(anyhow::anyhow!("the arguments make no network"))
    })
}

/// What has been told already.
#[derive(Debug, Default)]
struct News {
    height: Height,
    forks: usize,
    /// Forks that have been told of and whose end has not.
    open: Vec<usize>,
    reorgs: usize,
}

impl News {
    /// Tells of new tips, forks and reorgs.
    fn tell(&mut self, collector: &Collector) {
        let (plan, world) = (collector.plan(), collector.world());
        let best = world
            .nodes()
            .iter()
            .map(|node| node.tip)
            .max_by_key(|tip| tip.chain_work);
        if let Some(best) = best.filter(|best| best.height > self.height)
            && let Some(facts) = world.block(&best.block)
        {
            self.height = best.height;
            let miner = facts.miner.map_or("?", |miner| plan.name_of(miner));
            let what = format!("height {} ..{} by {miner}", best.height, best.block.short());
            entry(facts.first_seen, &paint::good("block"), &what);
        }
        for fork in &collector.forks()[self.forks..] {
            let branches: Vec<String> = fork
                .branches
                .iter()
                .map(|branch| format!("..{}", branch.tip.short()))
                .collect();
            entry(
                fork.opened,
                &paint::warning("fork "),
                &format!("above height {}: {}", fork.height, branches.join(" against ")),
            );
            self.open.push(fork.id);
        }
        self.forks = collector.forks().len();
        let reorgs = collector.history().reorgs();
        for record in &reorgs[self.reorgs..] {
            let depth = words::count(record.reorg.disconnected.len() as u64, "block");
            entry(
                record.at,
                &paint::warning("reorg"),
                &format!("{} gave up {depth}", plan.name_of(record.node)),
            );
        }
        self.reorgs = reorgs.len();
        self.open.retain(|&id| {
            let fork = &collector.forks()[id];
            let Some(resolution) = &fork.resolution else {
                return true;
            };
            let lasted = Duration::from_micros(resolution.lasted_us);
            let stale = words::count(resolution.stale_blocks, "stale block");
            entry(
                fork.opened + lasted,
                &paint::good("over "),
                &format!(
                    "the fork above height {} after {}, {stale}",
                    fork.height,
                    words::duration(lasted)
                ),
            );
            false
        });
    }
}

fn entry(at: Time, kind: &impl Display, what: &str) {
    say::line(format_args!("{:>10}  {kind}  {what}", at.to_string()));
}
