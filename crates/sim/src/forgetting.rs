//! Letting go of what lies deep below every tip, in runs that nobody can ask for it: memory grows with headers only.

use std::collections::BTreeSet;

use chain::{BlockRef, Unspent};
use scenario::Plan;
use scenario::plan::{Expectation, StepKind};

use crate::engine::{Options, Verify};
use crate::limits::{FORGET_EVERY, KEPT_DEPTH};
use crate::network::Network;

/// Whether bodies deep below all tips are of no use: no node starts again from its disk, no step is about coins or transactions, no operator can
/// hand in one that is, and no run folder tells what is in each block.
pub(crate) fn may_forget(plan: &Plan, options: &Options) -> bool {
    let is_about_chains = |step: &StepKind| match step {
        StepKind::Sleep(_) => true,
        StepKind::Expect(expectation) | StepKind::Never(expectation) | StepKind::Wait { expectation, .. } => {
            matches!(
                expectation,
                Expectation::Height { .. } | Expectation::Converged { .. } | Expectation::Diverged { .. }
            )
        }
        StepKind::Act { .. } => false,
    };
    options.verify == Verify::Shared
        && options.folder.is_none()
        && options.desk.is_none()
        && options.script.is_empty()
        && plan.wallets.is_empty()
        && plan.nodes.iter().all(|node| node.started)
        && plan.steps.iter().all(|step| is_about_chains(&step.kind))
}

impl Network {
    /// One more block was found: now and then, what is buried under all tips goes.
    pub(crate) fn forget(&mut self) {
        if !self.forgets || self.ledgers[0].len() < self.forgotten_at + FORGET_EVERY {
            return;
        }
        self.forgotten_at = self.ledgers[0].len();
        let tips: BTreeSet<BlockRef> = self.tips().collect();
        let tips: Vec<BlockRef> = tips.into_iter().collect();
        let ledger = &mut self.ledgers[0];
        let before = ledger.horizon();
        // Without wallets and steps by hand nothing is ever spent.
        ledger.prune(&tips, KEPT_DEPTH, Unspent::Forgotten);
        if ledger.horizon() != before {
            let horizon = ledger.id(ledger.horizon());
            self.collector.bury(self.now, &horizon);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use observe::Detail;
    use scenario::Overrides;

    use super::*;
    use crate::engine::run;

    /// A network in which blocks travel long enough to fork, and none of which anybody will ask for again.
    const SOURCE: &str = r#"
limit = "1000h"
[network]
preset = "simblock-bitcoin-2015"
nodes = 6
[steps]
run = [{ wait = "height", on = "n0", at-least = 900, within = "1000h" }]
"#;

    #[test]
    fn what_is_buried_is_checked_and_goes_and_the_run_is_the_same() {
        let plan = scenario::parse("forgetting", SOURCE, &Overrides::default()).expect("a scenario without fault");
        let plan = Arc::new(plan);
        let [shared, each] = [Verify::Shared, Verify::Each].map(|verify| {
            let options = Options {
                detail: Some(Detail::Summary),
                verify,
                ..Options::default()
            };
            assert_eq!(may_forget(&plan, &options), verify == Verify::Shared);
            let finished = run(&plan, &options, &mut |_| {}).expect("a simulation starts");
            assert_eq!(finished.collector.violations(), &[]);
            let world = finished.collector.world();
            let mut bodies = world.blocks().values().map(|facts| facts.body.as_ref());
            let (all, kept) = (world.blocks().len(), bodies.by_ref().filter(Option::is_some).count());
            (finished.digest, all, kept)
        });
        assert_eq!(shared.0, each.0);
        assert_eq!(each.1, each.2, "nothing goes where every node has a ledger of its own");
        assert!(shared.2 < shared.1 / 2, "{} of {} bodies were kept", shared.2, shared.1);
    }

    #[test]
    fn where_coins_or_disks_count_all_is_kept() {
        let steps = [
            "{ mine = 1, on = \"n0\" }",
            "{ expect = \"supply\" }",
            "{ expect = \"height\", on = \"n0\", height = 0 }",
        ];
        let forgets = steps.map(|step| {
            let source = format!("[network]\nnodes = 2\n[steps]\nrun = [{step}]");
            let plan = scenario::parse("kept", &source, &Overrides::default()).expect("a scenario without fault");
            may_forget(&plan, &Options::default())
        });
        assert_eq!(forgets, [false, false, true]);
    }
}
