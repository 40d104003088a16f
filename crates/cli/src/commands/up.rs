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
use crate::commands::run::{living, not_started, show};
use crate::commands::serve;
use crate::exit::{Ended, Exit, Failure};
use crate::interrupt::on_interrupt;
use crate::steps::Steps;
use crate::view::{self, View};
use crate::{console, folder, journal, load, paint, say};

pub(crate) fn up(args: &UpArgs) -> Ended {
    let plan = Arc::new(plan(args)?);
    if args.detach {
        return detach::detach(args, &plan, &folder::for_run(&args.out, &plan));
    }
    let folder = match &args.detached {
        Some(folder) => {
            detach::leave_the_terminal();
            folder.clone()
        }
        None => folder::for_run(&args.out, &plan),
    };
    if args.watch {
        view::needs_terminal()?;
    }
    let interrupt = Interrupt::new();
    let (stop, quit) = (interrupt.clone(), interrupt.clone());
    on_interrupt(move || stop.trigger())?;
    let (operator, desk) = Operator::new();
    let options = RunOptions {
        interrupt,
        desk: Some(desk),
        ..living(&args.living, &folder)?
    };
    announce(args, &folder);
    let _served = serve::beside(&folder, &args.page, operator.clone())?;
    let mut voice = Voice {
        steps: Steps::new(&plan, true),
        news: News::default(),
        view: None,
    };
    if args.watch {
        voice.view = Some(View::beside(&folder, operator.clone(), None, move || quit.trigger()));
    } else if args.detached.is_none() {
        console::listen(operator.clone(), move || quit.trigger());
    }
    let mut presence = None;
    let finished = cluster::run(&plan, &options, &mut |progress| {
        if let Progress::Connected { .. } = progress {
            presence = Some(detach::appear(args, &folder, &operator));
        }
        voice.tell(progress);
        if args.living.rpc.is_some() && !args.watch && matches!(progress, Progress::Started { .. }) {
            rpc::announce(&folder, &plan);
        }
    });
    let view = voice.view;
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            view.into_iter().for_each(View::close);
            journal::forget_empty(&folder);
            return Err(not_started(error, Some(&options.data)));
        }
    };
    let mut collector = finished.collector;
    collector.finish(finished.took, Ending::Interrupted);
    view.into_iter().for_each(View::wait);
    conclude(&collector, &folder);
    // Only now is everything written: whoever waits for the end may look.
    drop(presence);
    Ok(if finished.died.is_empty() {
        Exit::Interrupted
    } else {
        Exit::NodeDied
    })
}

/// How the network stood in the end, and where all of it is told.
fn conclude(collector: &Collector, folder: &Path) {
    let nodes = text::nodes(collector.world(), collector.plan());
    say::line(format_args!("\n{}", nodes.trim_end()));
    say::line(format_args!(
        "\nLog     {} ({} events)",
        folder.display(),
        collector.events()
    ));
    if let Some(report) = report_at_the_end(folder, collector.events()) {
        say::line(format_args!("Report  {}", report.display()));
    }
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
    /// Lines for new tips, forks and reorgs.
    fn take(&mut self, collector: &Collector) -> Vec<String> {
        let mut lines = Vec::new();
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
            lines.push(entry(facts.first_seen, &paint::good("block"), &what));
        }
        for fork in &collector.forks()[self.forks..] {
            let branches: Vec<String> = fork
                .branches
                .iter()
                .map(|branch| format!("..{}", branch.tip.short()))
                .collect();
            let what = format!("above height {}: {}", fork.height, branches.join(" against "));
            lines.push(entry(fork.opened, &paint::warning("fork "), &what));
            self.open.push(fork.id);
        }
        self.forks = collector.forks().len();
        let reorgs = collector.history().reorgs();
        for record in &reorgs[self.reorgs..] {
            let depth = words::count(record.reorg.disconnected.len() as u64, "block");
            let what = format!("{} gave up {depth}", plan.name_of(record.node));
            lines.push(entry(record.at, &paint::warning("reorg"), &what));
        }
        self.reorgs = reorgs.len();
        self.open.retain(|&id| {
            let fork = &collector.forks()[id];
            let Some(resolution) = &fork.resolution else {
                return true;
            };
            let lasted = Duration::from_micros(resolution.lasted_us);
            let stale = words::count(resolution.stale_blocks, "stale block");
            let (height, time) = (fork.height, words::duration(lasted));
            let what = format!("the fork above height {height} after {time}, {stale}");
            lines.push(entry(fork.opened + lasted, &paint::good("over "), &what));
            false
        });
        lines
    }
}

/// Who tells the user what goes on: this, or the view while it is open.
struct Voice<'a> {
    steps: Steps<'a>,
    news: News,
    view: Option<View>,
}

impl Voice<'_> {
    fn tell(&mut self, progress: &Progress<'_>) {
        let is_silent = self.view.as_ref().is_some_and(View::is_open);
        if let Progress::Observed(collector) = progress {
            let lines = self.news.take(collector);
            lines.iter().filter(|_| !is_silent).for_each(say::line);
        } else if is_silent {
            // The view reads it in the log.
        } else if let Progress::Control(report) = progress
            && let Some(what) = console::news(report)
        {
            say::line(entry(report.at, &paint::strong("step "), &what));
        } else {
            show(progress, &mut self.steps, false);
        }
    }
}

fn entry(at: Time, kind: &impl Display, what: &str) -> String {
    format!("{:>10}  {kind}  {what}", at.to_string())
}
