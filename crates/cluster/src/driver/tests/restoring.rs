//! What is told of a disk's blocks when a node starts.

use base::Time;
use chain::testing::Sandbox;
use node::{Outbox, Output};

use super::*;
use crate::driver::restoring::Rise;

/// What of events a reader of the log could not do without.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other kind is expected")]
fn brief(output: &Output) -> Option<String> {
    let Output::Emit(event) = output else { return None };
    match event.as_ref() {
        Event::BlockConnected { height, .. } => Some(format!("block {height}")),
        Event::TipChanged { old, new, how } => Some(format!("tip {} to {}, {how:?}", old.height, new.height)),
        Event::Reorg { depth, .. } => Some(format!("reorg {depth}")),
        other => Some(format!("{other:?}")),
    }
}

#[test]
fn each_block_is_told_of_and_no_tip_that_was_built_on_at_once() {
    let (mut sandbox, fork) = Sandbox::instant(2);
    let old = sandbox.grow(fork, 1);
    let new = sandbox.grow(fork, 4);
    let path = |tip| sandbox.ledger.path(sandbox.ledger.genesis(), tip);
    // The stale branch first, as it came first.
    let mut blocks = path(old);
    blocks.extend(sandbox.ledger.path(fork, new));
    let mut node = Node::new(NodeId(0), config("/test/"), Seed::from_number(1));
    let mut ledger = Ledger::new(Params::instant());
    let (mut outbox, mut rise, mut told) = (Outbox::new(), Rise::default(), Vec::new());
    for block in blocks {
        let block = Arc::clone(sandbox.ledger.body(block).expect("a valid block"));
        node.handle(&mut ledger, Time::ZERO, Input::Restored { block }, &mut outbox);
        for output in outbox.drain(..) {
            told.extend(rise.tell(output).iter().flatten().filter_map(brief));
        }
    }
    told.extend(rise.end().as_ref().and_then(brief));
    assert_eq!(
        told,
        [
            "block 1",
            "block 2",
            "block 3",
            "tip 0 to 3, Extend",
            "block 3",
            "block 4",
            "reorg 1",
            "tip 3 to 4, Reorg",
            "block 5",
            "block 6",
            "tip 4 to 6, Extend",
        ]
    );
    assert!(rise.end().is_none());
}
