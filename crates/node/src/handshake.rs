//! The beginning and the end of a connection, and blame.

use base::NodeId;
use gossip::{Hello, Message, Offence};

use crate::context::Context;
use crate::peers::Stage;
use crate::{Event, HangupReason, Node, Output};

impl Node {
    /// A connection is open: says hello and waits for the peer's.
    pub(crate) fn connected(&mut self, cx: &mut Context<'_>, peer: NodeId, outbound: bool) {
        match self.peers.get(peer).map(|peer| peer.stage) {
            Some(Stage::Greeting | Stage::Ready) => return,
            // The engine closed the old connection without a word.
            Some(Stage::Closing(_)) => self.disconnected(cx, peer),
            None => {}
        }
        let is_new = self.peers.place(peer).is_none();
        self.peers.add(peer, outbound, cx.now);
        if let Some(at) = self.peers.place(peer).filter(|_| is_new) {
            self.pool.insert_holder(at);
        }
        if let Some(offence) = self.peers.discouraged(peer) {
            self.hang_up(cx, peer, HangupReason::Discouraged(offence));
            return;
        }
        let tip = self.knowledge.tip();
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.told = Some(tip);
        }
        let hello = Hello {
            version: Hello::VERSION,
            genesis: cx.ledger.id(cx.ledger.genesis()),
            agent: self.config.agent.clone(),
            tip: cx.ledger.id(tip),
            height: cx.ledger.height(tip),
        };
        cx.send(peer, Message::Hello(Box::new(hello)));
    }

    /// The peer said hello. Whether the handshake is done with it.
    pub(crate) fn greeted(&mut self, cx: &mut Context<'_>, peer: NodeId, hello: &Hello) -> bool {
        if !hello.is_presentable() {
            self.penalise(
                cx,
                peer,
                Offence::Malformed,
                "agent is not short printable ASCII".to_owned(),
            );
            return false;
        }
        if hello.version != Hello::VERSION || hello.genesis != cx.ledger.id(cx.ledger.genesis()) {
            self.hang_up(cx, peer, HangupReason::OtherNetwork);
            return false;
        }
        let Some(outbound) = self.peers.get(peer).map(|peer| peer.outbound) else {
            return false;
        };
        self.peers.set_ready(peer);
        cx.emit(Event::PeerConnected {
            peer,
            outbound,
            agent: hello.agent.clone(),
        });
        true
    }

    /// The connection is gone, and with it all that was kept of the peer.
    pub(crate) fn disconnected(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let at = self.peers.place(peer);
        let (Some(at), Some(gone)) = (at, self.peers.remove(peer)) else {
            return;
        };
        self.pool.remove_holder(at);
        self.release(cx, peer);
        let reason = match gone.stage {
            Stage::Greeting => return,
            Stage::Ready => None,
            Stage::Closing(reason) => Some(reason),
        };
        cx.emit(Event::PeerDisconnected { peer, reason });
    }

    /// Blames a peer for what it sent; drops it when that is too much.
    pub(crate) fn penalise(&mut self, cx: &mut Context<'_>, peer: NodeId, offence: Offence, detail: String) {
        let Some(blamed) = self.peers.get_mut(peer) else {
            return;
        };
        if matches!(blamed.stage, Stage::Closing(_)) {
            return;
        }
        let score = blamed.score.add(offence);
        let is_over = blamed.score.is_over();
        cx.emit(Event::PeerPenalised {
            peer,
            offence,
            score,
            detail,
        });
        if is_over {
            self.peers.discourage(peer, offence);
            self.hang_up(cx, peer, HangupReason::Discouraged(offence));
        }
    }

    /// Asks the engine to close a connection and forgets the peer, so that what it was asked for is asked of others at once.
    pub(crate) fn hang_up(&mut self, cx: &mut Context<'_>, peer: NodeId, reason: HangupReason) {
        self.peers.close(peer, reason);
        self.release(cx, peer);
        cx.out.push(Output::Hangup { peer, reason });
    }

    /// Hangs up on peers that did not say hello in time.
    pub(crate) fn drop_silent_peers(&mut self, cx: &mut Context<'_>) {
        for peer in self.peers.late_to_greet(cx.now) {
            self.hang_up(cx, peer, HangupReason::NoHandshake);
        }
    }

    /// Takes a peer out of everything that reckons with it.
    fn release(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        self.bodies.fetch.remove_peer(peer);
        self.relay.remove_peer(peer);
        self.compact.remove_peer(peer);
        self.look_after_mesh(cx);
        self.header_source_gone(cx, peer);
    }
}
