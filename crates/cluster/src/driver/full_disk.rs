//! A node whose disk is full (THREATS D5): it takes nothing in and answers all the same, until there is room again.
//!
//! What was under way is on disk, where the reserve was. From then on the node hears questions and nothing else: whatever else comes from peers is
//! let go unread, as are deadlines, so that nobody is blamed for an answer that was not heard. At the end all connections are closed: on new ones the
//! node learns from the beginning what it has missed, by the same means as any node that comes late.

use chain::HashRate;
use gossip::Message;
use rpc::Request;
use tokio::select;
use tokio::time::sleep_until;

use super::incoming::{Incoming, incoming};
use super::{Complaint, Control, Driver, Exit};
use crate::Error;
use crate::conversation::{Heard, Word};
use crate::limits::{LOOK_FOR_ROOM_EVERY, RESERVE_BYTES};

impl Driver {
    /// Answers questions until the reserve can be taken again, or the node is told to end: then gives how.
    pub(super) async fn wait_for_room(&mut self) -> Result<Option<Exit>, Error> {
        let needed = (2 * RESERVE_BYTES) >> 20;
        let folder = self.folder.display();
        let trouble = format!("no space left in {folder}; free {needed} MiB there, and the node goes on by itself");
        tracing::error!("{trouble}");
        self.complain(Complaint::DiskFull(trouble.clone()));
        self.is_out_of_room = true;
        self.seat.assign(None, HashRate::ZERO);
        if let Some(front) = &mut self.front {
            front.refuse_orders(Some(trouble));
        }
        let exit = self.answer_until_there_is_room().await?;
        self.is_out_of_room = false;
        if let Some(front) = &mut self.front {
            front.refuse_orders(None);
        }
        if exit.is_none() {
            tracing::info!("there is room again");
            self.complain(Complaint::DiskHasRoom);
            for peer in self.peers.names() {
                self.hang_up(peer);
            }
            self.catch_up().await?;
            self.seat.assign(self.searched.clone(), self.node.view().hashrate());
        }
        Ok(exit)
    }

    async fn answer_until_there_is_room(&mut self) -> Result<Option<Exit>, Error> {
        let mut look_at = self.clock.now();
        loop {
            let now = self.clock.now();
            if look_at <= now {
                if self.writer.take_reserve().await? {
                    return Ok(None);
                }
                look_at = now + LOOK_FOR_ROOM_EVERY;
            }
            self.deliver(now);
            self.dial(now);
            self.catch_up().await?;
            let wakes = [Some(look_at), self.peers.deadline(), self.dialing_deadline(now)];
            let wake = wakes.into_iter().flatten().min().expect("there is one");
            let wake = self.clock.instant(wake);
            select! {
                biased;
                control = self.control.recv() => {
                    // Whoever could give orders is gone: nobody wants this node any more.
                    let control = control.unwrap_or(Control::Stop);
                    if matches!(control, Control::Command(_) | Control::Pause | Control::Resume) {
                        self.postpone(control)?;
                    } else if let Some(exit) = self.obey(control).await? {
                        return Ok(Some(exit));
                    }
                }
                incoming = incoming(&mut self.net, self.turns.next(&mut self.heard), self.front.as_mut()) => {
                    if let Some(exit) = self.answer(incoming).await? {
                        return Ok(Some(exit));
                    }
                }
                () = self.turnstile.called() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn answer(&mut self, incoming: Incoming) -> Result<Option<Exit>, Error> {
        match incoming {
            Incoming::Net(event) => self.on_net(event).await?,
            Incoming::Heard(heard) if brings_something(&heard) => {}
            Incoming::Heard(heard) => self.on_heard(heard).await?,
            // Whoever asked for it is told why not.
            Incoming::Request(Request::Command(..) | Request::Mine(..)) => {}
            Incoming::Request(request) => return self.serve_alone(request).await,
        }
        Ok(None)
    }
}

/// Whether words bring something that a node would take in.
fn brings_something(heard: &Heard) -> bool {
    match &heard.what {
        Word::Message(message) => match message {
            Message::Headers(_)
            | Message::Announce(_)
            | Message::AnnounceBlocks(_)
            | Message::Block(_)
            | Message::CompactBlock(_)
            | Message::BlockTransactions { .. }
            | Message::Transaction(_)
            | Message::NotFound(_) => true,
            Message::Hello(_)
            | Message::GetHeaders { .. }
            | Message::Get(_)
            | Message::GetBlockTransactions { .. }
            | Message::SendCompact { .. }
            | Message::Graft
            | Message::Prune { .. } => false,
        },
        Word::Garbage(_) | Word::End => false,
    }
}
