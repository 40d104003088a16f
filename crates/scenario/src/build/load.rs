//! Loads of payments.

use std::collections::BTreeSet;

use base::NodeId;

use super::actions::Act;
use crate::plan::{Action, LoadPlan, Pattern};

impl Act<'_, '_> {
    pub(super) fn load(&mut self) -> Option<Action> {
        let fields = &self.step.fields;
        let from = self.payer("load");
        let on = self.submitters();
        let (from, on) = (from?, on?);
        if !self.state.loading.insert(from) {
            let message = "a load from this wallet goes on already";
            self.report
                .error_with_help(fields.place("load"), message, "end it with `stop-load` first");
            return None;
        }
        let number = self.state.loads;
        self.state.loads += 1;
        Some(Action::Load(LoadPlan {
            number,
            from,
            wallets: fields.small("wallets")?,
            every: *fields.duration("rate")?,
            pattern: match fields.text("pattern")?.text.as_str() {
                "poisson" => Pattern::Poisson,
                _ => Pattern::Constant,
            },
            fee: *fields.amount("fee")?,
            on,
            lasting: fields.duration("lasting").copied(),
        }))
    }

    /// Who gets the transactions: honest nodes that run.
    fn submitters(&mut self) -> Option<Vec<NodeId>> {
        let fields = &self.step.fields;
        let honest = self.state.honest_runners();
        let Some(list) = fields.list("on") else {
            if honest.is_empty() {
                self.report
                    .error(fields.place("load"), "no honest node runs at this step");
            }
            return (!honest.is_empty()).then_some(honest);
        };
        let on = self.state.around.network.names.nodes(list, self.report)?;
        let honest: BTreeSet<NodeId> = honest.into_iter().collect();
        if let Some(unfit) = on.iter().find(|node| !honest.contains(node)) {
            let name = self.state.around.network.name_of(*unfit);
            let message = format!("`{name}` cannot take payments at this step: it is hostile, or does not run");
            self.report.error(fields.place("on"), message);
            return None;
        }
        Some(on)
    }

    pub(super) fn stop_load(&mut self) -> Option<Action> {
        let place = self.step.fields.place("stop-load");
        let name = self.step.fields.text("stop-load")?;
        let wallet = self.state.wallets.find(name, "a wallet", self.report)?;
        let from = crate::plan::WalletId(wallet);
        if !self.state.loading.remove(&from) {
            self.report
                .error(place, format!("no load from `{}` goes on", name.text));
            return None;
        }
        Some(Action::StopLoad { from })
    }
}
