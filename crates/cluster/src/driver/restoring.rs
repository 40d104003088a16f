//! What a node that starts tells of the blocks on its disk: of each block, and of the tips that it would not have gone on from.
//!
//! That their headers were accepted, and that each was the tip before the next came, was told when it was so. A chain of thousands of blocks on
//! disk is thousands of events, and not three times as many.

use std::sync::Arc;

use chain::Block;
use node::event::{TipChange, TipRef};
use node::{Event, Input, Outbox, Output};

use super::Driver;
use crate::Error;

impl Driver {
    pub(super) async fn restore(&mut self, blocks: Vec<Arc<Block>>) -> Result<(), Error> {
        let mut outbox = Outbox::new();
        let mut rise = Rise::default();
        for block in blocks {
            let now = self.clock.now();
            self.node
                .handle(&mut self.ledger, now, Input::Restored { block }, &mut outbox);
            for output in outbox.drain(..) {
                for output in rise.tell(output).into_iter().flatten() {
                    self.carry_out(output).await?;
                }
            }
        }
        if let Some(output) = rise.end() {
            self.carry_out(output).await?;
        }
        self.handle(Input::Tick).await
    }
}

/// How far the tip has risen, from where to where, and nobody was told.
#[derive(Debug, Default)]
pub(super) struct Rise(Option<(TipRef, TipRef)>);

impl Rise {
    /// What is to be told now of what the node puts out.
    pub(super) fn tell(&mut self, output: Output) -> [Option<Output>; 2] {
        match &output {
            #[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds are told of as they are")]
            Output::Emit(event) => match event.as_ref() {
                Event::HeaderAccepted { .. } => [None, None],
                Event::TipChanged {
                    old,
                    new,
                    how: TipChange::Extend,
                } => {
                    let from = self.0.map_or(*old, |(from, _)| from);
                    self.0 = Some((from, *new));
                    [None, None]
                }
                Event::BlockConnected { parent, .. } if self.0.is_some_and(|(_, tip)| tip.block == *parent) => {
                    [None, Some(output)]
                }
                _ => [self.end(), Some(output)],
            },
            Output::Send { .. } | Output::Hangup { .. } | Output::Mine(_) | Output::Draw(_) | Output::Save { .. } => {
                [self.end(), Some(output)]
            }
        }
    }

    /// The tip where it is by now, if nobody was told.
    pub(super) fn end(&mut self) -> Option<Output> {
        let (old, new) = self.0.take()?;
        let how = TipChange::Extend;
        Some(Output::Emit(Box::new(Event::TipChanged { old, new, how })))
    }
}
