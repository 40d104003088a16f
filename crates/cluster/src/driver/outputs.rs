//! Carrying out what a node puts out.

use std::mem::take;

use base::NodeId;
use gossip::Message;
use node::event::Loss;
use node::{Event, HangupReason, Input, Output};
use observe::RunEvent;

use super::{Driver, Told, journal};
use crate::Error;
use crate::conversation::Weight;

impl Driver {
    /// Hands the node an input and carries out what follows, and what follows from that.
    pub(super) async fn handle(&mut self, input: Input) -> Result<(), Error> {
        self.inputs.push_back(input);
        self.catch_up().await
    }

    /// Hands the node all inputs that wait, and tells what became of messages.
    pub(super) async fn catch_up(&mut self) -> Result<(), Error> {
        loop {
            for event in take(&mut self.losses) {
                self.emit(event).await;
            }
            let Some(input) = self.inputs.pop_front() else {
                return Ok(());
            };
            let mut outbox = take(&mut self.outbox);
            self.node.handle(&mut self.ledger, self.clock.now(), input, &mut outbox);
            for output in outbox.drain(..) {
                self.carry_out(output).await?;
            }
            self.outbox = outbox;
        }
    }

    /// Carries out what follows from several orders at once. The blocks among it that must be durable are on disk, in one commit, before
    /// anything after the first of them is carried out.
    pub(super) async fn carry_out_together(&mut self, mut outputs: Vec<Output>) -> Result<(), Error> {
        let is_durable = |output: &Output| matches!(output, Output::Save { durable: true, .. });
        if let Some(first) = outputs.iter().position(is_durable) {
            let rest = outputs.split_off(first);
            for output in outputs.drain(..) {
                self.carry_out(output).await?;
            }
            let now = self.clock.now();
            for output in rest {
                if let Output::Save { block, .. } = output {
                    self.writer.push(block, now);
                } else {
                    outputs.push(output);
                }
            }
            self.writer.commit().await?;
        }
        for output in outputs {
            self.carry_out(output).await?;
        }
        self.catch_up().await
    }

    pub(super) async fn carry_out(&mut self, output: Output) -> Result<(), Error> {
        match output {
            Output::Send { peer, message } => self.send(peer, message),
            Output::Hangup { peer, reason } => self.hang_up_for(peer, reason),
            Output::Mine(template) => {
                self.searched.clone_from(&template);
                let rate = self.node.view().hashrate();
                if !self.is_out_of_room {
                    self.seat.assign(template, rate);
                }
            }
            Output::Draw(_) => unreachable!("real nodes search"),
            Output::Save { block, durable } => {
                self.writer.push(block, self.clock.now());
                if durable || self.writer.is_full() {
                    self.writer.commit().await?;
                }
            }
            Output::Emit(event) => {
                journal::note(&event);
                self.peers.credit(&event, self.clock.now());
                self.show(&event);
                self.emit(*event).await;
            }
        }
        Ok(())
    }

    /// Tells of what the node has told, or of what became of a message.
    async fn emit(&mut self, event: Event) {
        let (node, nseq) = (self.id, self.nseq);
        self.nseq += 1;
        self.tell(RunEvent::Node {
            node,
            nseq,
            event: Box::new(event),
        })
        .await;
    }

    /// Notes that a message will not arrive. What is on the wire already when a connection ends is not known here.
    pub(super) fn lose(&mut self, peer: NodeId, message: &Message, reason: Loss) {
        let block_size = self.node.view().config().block_size;
        self.losses.push(Event::lost(peer, message, block_size, reason));
    }

    /// Tells whoever watches. Waits when they are behind, so that nothing is lost.
    pub(super) async fn tell(&mut self, event: RunEvent) {
        let at = self.clock.now();
        // When nobody watches any more, the node is about to be stopped.
        let _gone = self.told.send(Told { at, event }).await;
    }

    fn send(&mut self, peer: NodeId, message: Message) {
        if !self.peers.contains(peer) {
            return self.lose(peer, &message, Loss::Disconnected);
        }
        let now = self.clock.now();
        let weight = Weight::of(&message);
        self.count_sent(peer, weight.bytes);
        let on_line = node::message_bytes(self.node.view().config().block_size, &message);
        let plan = &self.link_plan;
        let link = self
            .links
            .entry(peer)
            .or_insert_with(|| plan.link(self.id, peer, plan.usual));
        let Some(due) = link.send(now, on_line) else {
            return self.lose(peer, &message, Loss::Cut);
        };
        let is_slow = self.peers.hold(peer, due, message, weight).is_err() || {
            due <= now && self.peers.deliver(now).contains(&peer)
        };
        let slow = is_slow.then_some(peer);
        if let Some(slow) = slow.or_else(|| self.peers.heaviest_of_too_much()) {
            tracing::debug!(node = %self.id, peer = %slow, "dropping a peer that does not read");
            self.hang_up(slow);
        }
    }

    fn hang_up_for(&mut self, peer: NodeId, reason: HangupReason) {
        match reason {
            HangupReason::Discouraged(_) => {
                self.dialer.forget(peer);
                self.discourage(peer);
            }
            HangupReason::OtherNetwork => self.dialer.forget(peer),
            HangupReason::NoHandshake => {}
        }
        self.hang_up(peer);
    }
}
