//! From a step's fields to an action.

use std::collections::BTreeSet;

use base::NodeId;
use chain::{Amount, HashRate};

use super::network::{change, pair};
use super::rules::FLOOD;
use super::state::State;
use crate::diagnostic::Report;
use crate::plan::{Action, BlockDefect, CutId, LinkChange};
use crate::read::{Rates, RawStep, Text};

/// Builds an action and notes what it changes; every fault of it is told.
pub(super) fn build(
    step: &RawStep,
    following: &[RawStep],
    state: &mut State<'_>,
    report: &mut Report,
) -> Option<Action> {
    let mut act = Act { step, state, report };
    match step.action.verb.name {
        "fund" => act.fund(following),
        "send" => act.send(),
        "double-spend" => act.double_spend(),
        "load" => act.load(),
        "stop-load" => act.stop_load(),
        "mine" => act.mine(),
        "hashrate" => act.hash_rate(),
        "partition" => act.partition(),
        "isolate" => act.isolate(),
        "heal" => act.heal(),
        "link" => act.link(),
        "connect" => act.connect(),
        "disconnect" => act.disconnect(),
        "start" => act.start(),
        "stop" => act.stop("stop").map(|nodes| Action::Stop { nodes }),
        "kill" => act.kill("kill").map(|nodes| Action::Kill { nodes }),
        "restart" => act.runners("restart").map(|nodes| Action::Restart { nodes }),
        "upgrade" => act.upgrade(),
        "pause" => act.pause(),
        "resume" => act.resume(),
        "wipe" => act.wipe(),
        "inject-block" => act.inject_block(),
        unknown => unreachable!("the grammar has no action `{unknown}`"),
    }
}

/// A step on its way to an action.
pub(super) struct Act<'a, 'b> {
    pub(super) step: &'a RawStep,
    pub(super) state: &'a mut State<'b>,
    pub(super) report: &'a mut Report,
}

impl Act<'_, '_> {
    fn text(&self, key: &str) -> Option<&Text> {
        self.step.fields.text(key)
    }

    /// Amounts that are paid must be above zero.
    fn coins(&mut self) -> Option<Amount> {
        let amount = *self.step.fields.amount("coins")?;
        if amount == Amount::ZERO {
            self.report
                .error(self.step.fields.place("coins"), "nothing would be paid");
            return None;
        }
        Some(amount)
    }

    fn fund(&mut self, following: &[RawStep]) -> Option<Action> {
        let wallet = self.state.wallet(self.step.fields.text("fund")?);
        self.state.paid.insert(wallet);
        let amount = self.coins()?;
        let next_miner = following.iter().find(|step| step.action.verb.name == "mine");
        let next_miner = next_miner.and_then(|step| step.fields.text("on"));
        let on = match self.step.fields.text("on") {
            Some(name) => self.state.honest_runner(name, self.report)?,
            None => match next_miner {
                // A fault of its name is told where it stands.
                Some(name) => self.next_miner(name)?,
                None => self.first_honest()?,
            },
        };
        let pending = self.state.pending.entry(on).or_default();
        let sum = pending.checked_add(amount).expect("two amounts of money fit 64 bits");
        let subsidy = self.state.around.subsidy?;
        if sum > subsidy {
            let name = self.state.around.network.name_of(on);
            let message = format!("the next block of `{name}` would pay {sum} coins, but may create only {subsidy}");
            self.report.error_with_help(
                self.step.fields.place("coins"),
                message,
                "put a `mine` between two `fund` steps",
            );
            return None;
        }
        *pending = sum;
        Some(Action::Fund { wallet, amount, on })
    }

    /// The node that mines next; when there is no such node, that is told where it mines.
    fn next_miner(&mut self, name: &Text) -> Option<NodeId> {
        let node = self.state.around.network.names.known(&name.text)?;
        let place = &self.step.fields.span;
        self.state.must_act(node, place, self.report).then_some(node)
    }

    fn first_honest(&mut self) -> Option<NodeId> {
        let first = self.state.honest_runners().first().copied();
        if first.is_none() && !self.state.around.network.names.broken {
            self.report
                .error(&self.step.fields.span, "no honest node runs at this step");
        }
        first
    }

    /// The wallet that pays: it must have been funded or paid.
    pub(super) fn payer(&mut self, key: &str) -> Option<crate::plan::WalletId> {
        let name = self.step.fields.text(key)?;
        let wallet = self.state.wallet(name);
        if !self.state.paid.contains(&wallet) {
            let message = format!("`{}` has no coins: no step before this one funds or pays it", name.text);
            self.report.error_with_help(
                &name.span,
                message,
                format!("put {{ fund = \"{}\", coins = ... }} before", name.text),
            );
            return None;
        }
        Some(wallet)
    }

    fn send(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        let from = self.payer("send");
        let to = self.state.wallet(fields.text("to")?);
        self.state.paid.insert(to);
        let payment = match fields.text("as") {
            Some(name) => self.state.payment(name, self.report),
            None => self.state.unnamed_payment(fields),
        };
        let amount = self.coins();
        let via = match fields.text("via") {
            Some(name) => self.state.honest_runner(name, self.report),
            None => self.first_honest(),
        };
        Some(Action::Send {
            payment,
            from: from?,
            to,
            amount: amount?,
            fee: *fields.amount("fee")?,
            via: via?,
        })
    }

    fn double_spend(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        let payment = self.state.payment(fields.text("as")?, self.report);
        let from = self.payer("double-spend");
        let [first, second] = fields.list("to")?.as_slice() else {
            return None;
        };
        let to = [self.state.wallet(first), self.state.wallet(second)];
        self.state.doubles.insert(payment, to);
        self.state.paid.extend(to);
        if to[0] == to[1] {
            self.report
                .error(&second.span, "a double spend pays two different wallets");
            return None;
        }
        let [first, second] = fields.list("via")?.as_slice() else {
            return None;
        };
        let via = [first, second].map(|name| self.state.honest_runner(name, self.report));
        let via = [via[0]?, via[1]?];
        if via[0] == via[1] {
            self.report
                .error(&second.span, "each side of a double spend needs a node of its own");
            return None;
        }
        Some(Action::DoubleSpend {
            payment,
            from: from?,
            to,
            fee: *fields.amount("fee")?,
            via,
        })
    }

    fn mine(&mut self) -> Option<Action> {
        let on = self.state.honest_runner(self.step.fields.text("on")?, self.report)?;
        self.state.pending.remove(&on);
        let blocks = self.step.fields.small("mine")?;
        Some(Action::Mine { blocks, on })
    }

    fn hash_rate(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        let rates: Vec<(NodeId, HashRate)> = match (fields.rates("hashrate")?, fields.list("on")) {
            (Rates::All(rate), Some(on)) => {
                let nodes = self.state.around.network.names.nodes(on, self.report)?;
                nodes.into_iter().map(|node| (node, *rate)).collect()
            }
            (Rates::Each(each), None) => {
                let names = &self.state.around.network.names;
                let known = each
                    .iter()
                    .map(|(name, rate)| Some((names.node(name, self.report)?, *rate)));
                known.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?
            }
            (Rates::All(_), None) if fields.gives("on") => return None,
            (Rates::All(_), None) => {
                self.report
                    .error(&fields.span, "`hashrate` needs `on`, or a hash rate for each node");
                return None;
            }
            (Rates::Each(_), Some(_)) => {
                self.report
                    .error(fields.place("on"), "the table already says whose hash rates these are");
                return None;
            }
        };
        for (node, _) in &rates {
            if self.state.around.network.is_hostile(*node) {
                self.report.error(fields.place("hashrate"), "hostile nodes do not mine");
                return None;
            }
            if !self.state.must_act(*node, fields.place("hashrate"), self.report) {
                return None;
            }
        }
        if self.state.around.on_demand && rates.iter().any(|(_, rate)| *rate > HashRate::ZERO) {
            self.report.warn(fields.place("hashrate"), FLOOD);
        }
        Some(Action::SetHashRate { rates })
    }

    fn partition(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        let cut = self.new_cut()?;
        let lists = fields.lists("partition")?;
        if lists.len() < 2 {
            self.report
                .error(fields.place("partition"), "a partition needs at least two groups");
            return None;
        }
        let names = &self.state.around.network.names;
        let mut grouped = BTreeSet::new();
        let mut groups = Vec::new();
        let mut sound = true;
        for list in lists {
            let Some(group) = names.nodes(list, self.report) else {
                sound = false;
                continue;
            };
            if let Some(node) = group.iter().find(|node| grouped.contains(*node)) {
                let name = self.state.around.network.name_of(*node);
                let message = format!("`{name}` is in two groups: groups must not overlap");
                self.report.error(&list[0].span, message);
                sound = false;
            }
            grouped.extend(group.iter().copied());
            groups.push(group);
        }
        if sound && let Some(group) = self.state.falls_apart(&groups) {
            let message = "the links within a group do not connect it: its nodes are cut from each other too";
            self.report.warn(&lists[group][0].span, message);
        }
        let silent = fields.is_set("silent");
        sound.then_some(Action::Partition { cut, groups, silent })
    }

    fn isolate(&mut self) -> Option<Action> {
        let cut = self.new_cut();
        let node = self
            .state
            .around
            .network
            .names
            .node(self.step.fields.text("isolate")?, self.report)?;
        let silent = self.step.fields.is_set("silent");
        Some(Action::Isolate {
            cut: cut?,
            node,
            silent,
        })
    }

    fn new_cut(&mut self) -> Option<CutId> {
        let cut = self.state.cut(self.step.fields.text("as")?, self.report);
        self.state.open_cuts.insert(cut);
        Some(cut)
    }

    fn heal(&mut self) -> Option<Action> {
        let name = self.step.fields.text("heal")?;
        if name.text == "all" {
            if self.state.open_cuts.is_empty() {
                self.report.error(&name.span, "there is nothing to heal at this step");
                return None;
            }
            self.state.open_cuts.clear();
            return Some(Action::Heal { cut: None });
        }
        let cut = CutId(self.state.cuts.find(name, "a partition or isolation", self.report)?);
        if !self.state.open_cuts.remove(&cut) {
            self.report
                .error(&name.span, format!("`{}` is not in force at this step", name.text));
            return None;
        }
        Some(Action::Heal { cut: Some(cut) })
    }

    fn pair(&mut self, key: &str) -> Option<[NodeId; 2]> {
        self.state
            .around
            .network
            .names
            .pair(self.step.fields.list(key)?, self.report)
    }

    fn link(&mut self) -> Option<Action> {
        let [a, b] = self.pair("link")?;
        let conditions = change(&self.step.fields);
        let keys = ["latency", "jitter", "bandwidth", "cut"];
        if conditions == LinkChange::default() && !keys.iter().any(|key| self.step.fields.gives(key)) {
            let message = "`link` needs `latency`, `jitter`, `bandwidth` or `cut`: nothing would change";
            self.report.error(&self.step.fields.span, message);
            return None;
        }
        if !self.state.linked.contains(&pair(a, b)) {
            let network = self.state.around.network;
            let message = format!(
                "`{}` and `{}` are not linked at this step",
                network.name_of(a),
                network.name_of(b)
            );
            self.report.warn(self.step.fields.place("link"), &message);
        }
        Some(Action::SetLink {
            a,
            b,
            conditions,
            one_way: self.step.fields.is_set("one-way"),
        })
    }

    fn connect(&mut self) -> Option<Action> {
        let [a, b] = self.pair("connect")?;
        self.state.linked.insert(pair(a, b));
        Some(Action::Connect { a, b })
    }

    fn disconnect(&mut self) -> Option<Action> {
        let [a, b] = self.pair("disconnect")?;
        if !self.state.linked.remove(&pair(a, b)) {
            self.not_linked((a, b), "disconnect");
            return None;
        }
        Some(Action::Disconnect { a, b })
    }

    fn not_linked(&mut self, (a, b): (NodeId, NodeId), key: &str) {
        let network = self.state.around.network;
        let message = format!(
            "`{}` and `{}` are not linked at this step",
            network.name_of(a),
            network.name_of(b)
        );
        self.report.error(self.step.fields.place(key), message);
    }

    fn inject_block(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        if self.state.around.oracle {
            let message = "a hostile node cannot make proof of work where an oracle gives it";
            let help = "set `proof-of-work = \"sha256d\"`";
            self.report.error_with_help(fields.place("inject-block"), message, help);
            return None;
        }
        let defect = match fields.text("inject-block")?.text.as_str() {
            "bad-pow" => BlockDefect::BadPow,
            "bad-merkle-root" => BlockDefect::BadMerkleRoot,
            "inflated-coinbase" => BlockDefect::InflatedCoinbase,
            "double-spend" => BlockDefect::DoubleSpend,
            unknown => unreachable!("the grammar has no defect `{unknown}`"),
        };
        let (from_name, to_name) = (self.text("from").cloned(), self.text("to").cloned());
        let from = self.state.runner(&from_name.clone()?, self.report);
        let to = self.state.honest_runner(&to_name?, self.report);
        let (from, to) = (from?, to?);
        if !self.state.around.network.is_hostile(from) {
            let message = format!(
                "`{}` is honest: it offers no broken blocks",
                self.state.around.network.name_of(from)
            );
            let help = "give its group `strategy = \"hostile\"`";
            self.report.error_with_help(&from_name?.span, message, help);
            return None;
        }
        if !self.state.linked.contains(&pair(from, to)) {
            self.not_linked((from, to), "to");
            return None;
        }
        if defect == BlockDefect::DoubleSpend && self.state.paid.is_empty() {
            let message = "there is no coin to spend twice: no step before this one funds a wallet";
            self.report.error(self.step.fields.place("inject-block"), message);
            return None;
        }
        Some(Action::InjectBlock { defect, from, to })
    }
}
