//! From a step's fields to an expectation.

use base::NodeId;
use chain::Height;

use super::state::State;
use crate::diagnostic::Report;
use crate::grammar;
use crate::plan::{Expectation, PaymentId, WalletId};
use crate::read::Fields;
use crate::words::count;

/// What an expectation is built from.
pub(super) struct Scope<'a> {
    pub(super) fields: &'a Fields,
    pub(super) state: &'a State<'a>,
    pub(super) report: &'a mut Report,
    /// Whether the step waits for it, and does not ask for it now.
    pub(super) waits: bool,
}

impl Scope<'_> {
    /// Builds the expectation; every fault of it is told.
    pub(super) fn build(mut self, known: &grammar::Expectation) -> Option<Expectation> {
        let on = self.on(known.name);
        match known.name {
            "height" => self.height(on),
            "converged" => self.converged(on),
            "diverged" => self.diverged(on),
            "tip" => self.tip(on),
            "reorg" => self.reorg(on),
            "rejected" => self.rejected(on),
            "confirmed" => self.confirmed(on),
            "confirmed-once" => self.confirmed_once(on),
            "balance" => self.balance(on),
            "supply" => Some(Expectation::Supply {
                on: on?,
                amount: self.fields.amount("coins").copied(),
            }),
            "in-mempool" => {
                let of = self.payment();
                Some(Expectation::InMempool { on: on?, of: of? })
            }
            "peers" => self.peers(on),
            unknown => unreachable!("the grammar has no expectation `{unknown}`"),
        }
    }

    /// The nodes it is about.
    fn on(&mut self, name: &str) -> Option<Vec<NodeId>> {
        let network = self.state.around.network;
        let Some(list) = self.fields.list("on") else {
            if network.names.broken || self.fields.gives("on") {
                return None;
            }
            let all = self.state.honest_runners();
            if all.is_empty() {
                self.report.error(&self.fields.span, "no honest node runs at this step");
                return None;
            }
            return Some(all);
        };
        let nodes = network.names.nodes(list, self.report)?;
        for node in &nodes {
            if !self.state.must_run(*node, self.fields.place("on"), self.report) {
                return None;
            }
            if network.is_hostile(*node) && name != "peers" {
                let message = format!("`{}` is hostile: it follows no chain", network.name_of(*node));
                let help = "name honest nodes, or leave `on` out for all of them that run";
                self.report.error_with_help(self.fields.place("on"), message, help);
                return None;
            }
        }
        Some(nodes)
    }

    /// The height that is asked for, and whether it is the least.
    fn at(&self) -> Option<(Height, bool)> {
        let exact = self.fields.small("height").map(|height| (Height(height), false));
        exact.or_else(|| self.fields.small("at-least").map(|height| (Height(height), true)))
    }

    fn height(&self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let (height, at_least) = self.at()?;
        let on = on?;
        Some(Expectation::Height { on, height, at_least })
    }

    fn converged(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let advance = self.fields.small("advance");
        if advance.is_some() && !self.waits {
            let message = "`advance` counts from the beginning of this step, so only `wait` can see it";
            self.report.error(self.fields.place("advance"), message);
        }
        let at = self.at();
        let on = on?;
        (at.is_some() || advance.is_some()).then_some(Expectation::Converged { on, at, advance })
    }

    fn diverged(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let on = on?;
        let groups = self.fields.count("groups")?;
        if groups > on.len() {
            let message = format!("{} cannot follow {groups} tips", count(on.len() as u64, "node"));
            self.report.error(self.fields.place("groups"), message);
        }
        Some(Expectation::Diverged { on, groups })
    }

    fn tip(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let names = &self.state.around.network.names;
        let same_as = match self.fields.text("same-as") {
            Some(name) => Some(self.state.honest_runner(name, self.report)?),
            None => None,
        };
        let mined_by = match self.fields.text("mined-by") {
            Some(name) => Some(names.node(name, self.report)?),
            None => None,
        };
        let on = on?;
        Some(Expectation::Tip { on, same_as, mined_by })
    }

    fn reorg(&self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        Some(Expectation::Reorg {
            on: on?,
            depth: self.fields.small("depth"),
            count: self.fields.small("count")?,
        })
    }

    fn rejected(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let from = match self.fields.text("from") {
            Some(name) => Some(self.state.around.network.names.node(name, self.report)?),
            None => None,
        };
        let reason = self.fields.text("reason")?.text.clone();
        let on = on?;
        Some(Expectation::Rejected { on, reason, from })
    }

    fn payment(&mut self) -> Option<PaymentId> {
        let name = self.fields.text("of")?;
        self.state.payments.find(name, "a payment", self.report).map(PaymentId)
    }

    fn wallet(&mut self, key: &str) -> Option<WalletId> {
        let name = self.fields.text(key)?;
        self.state.wallets.find(name, "a wallet", self.report).map(WalletId)
    }

    fn confirmed(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let of = self.payment();
        Some(Expectation::Confirmed {
            on: on?,
            of: of?,
            depth: self.fields.small("depth")?,
        })
    }

    fn confirmed_once(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let of = self.payment();
        let winner = match self.fields.gives("winner") {
            true => Some(self.wallet("winner")?),
            false => None,
        };
        let (of, on) = (of?, on?);
        let Some(payees) = self.state.doubles.get(&of) else {
            let message = format!("`{}` is no double spend", self.state.payments.names[of.0]);
            self.report
                .error_with_help(self.fields.place("of"), message, "use `confirmed`");
            return None;
        };
        if winner.is_some_and(|winner| !payees.contains(&winner)) {
            let [first, second] = payees.map(|payee| &self.state.wallets.names[payee.0]);
            let message = format!("this double spend pays `{first}` or `{second}`");
            self.report.error(self.fields.place("winner"), message);
        }
        Some(Expectation::ConfirmedOnce { on, of, winner })
    }

    fn balance(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let of = self.wallet("of");
        Some(Expectation::Balance {
            on: on?,
            of: of?,
            amount: *self.fields.amount("coins")?,
        })
    }

    fn peers(&mut self, on: Option<Vec<NodeId>>) -> Option<Expectation> {
        let [count, least, most] = ["count", "at-least", "at-most"].map(|key| self.fields.count(key));
        let (at_least, at_most) = match (count, least, most) {
            (Some(count), None, None) => (count, count),
            (Some(_), _, _) => {
                let message = "`count` is exact, so `at-least` and `at-most` are of no use beside it";
                self.report.error(self.fields.place("count"), message);
                return None;
            }
            (None, None, None)
                if ["count", "at-least", "at-most"]
                    .iter()
                    .any(|key| self.fields.gives(key)) =>
            {
                return None;
            }
            (None, None, None) => {
                let message = "`peers` needs `count`, `at-least` or `at-most`: no pass without content";
                self.report.error(&self.fields.span, message);
                return None;
            }
            (None, least, most) => (least.unwrap_or(0), most.unwrap_or(usize::MAX)),
        };
        if at_least > at_most {
            self.report
                .error(self.fields.place("at-least"), "`at-least` is above `at-most`");
        }
        let on = on?;
        Some(Expectation::Peers { on, at_least, at_most })
    }
}
