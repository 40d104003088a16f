//! A mesh of a few peers among whom blocks are pushed whole; the others are told by name, now and then (after gossipsub v1.1).
//!
//! Membership is each side's own: who grafts a peer pushes to it from then on, and the peer does the same unless it prunes.

use std::time::Duration;

use base::{NodeId, Rng, Seed, Time};
use gossip::{Message, Offence};

use crate::Node;
use crate::config::Relay;
use crate::context::Context;
use crate::limits::{
    HEARTBEAT, MAX_BACK_OFF, MAX_EARLY_GRAFTS, MESH_DEGREE, MESH_HIGH, MESH_LAZY, MESH_LOW, MESH_OUTBOUND,
    PRUNE_BACK_OFF,
};

/// What a node keeps of the mesh besides its peers.
#[derive(Debug)]
pub(crate) struct Mesh {
    /// When members are looked after and others told; none while there is nothing to do.
    pub(crate) beat_at: Option<Time>,
    rng: Rng,
}

impl Mesh {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            beat_at: None,
            rng: seed.child("mesh", 0).rng(),
        }
    }

    fn beat_by(&mut self, at: Time) {
        self.beat_at = Some(self.beat_at.map_or(at, |set| set.min(at)));
    }
}

/// Where a peer stands in the mesh.
#[derive(Debug, Default)]
pub(crate) struct MeshPeer {
    /// Blocks are pushed to it.
    pub(crate) is_member: bool,
    /// Until then neither side grafts the other.
    back_off_until: Time,
    /// How often it grafted before that.
    early_grafts: u32,
}

impl MeshPeer {
    /// No member, and none before.
    pub(crate) const fn new() -> Self {
        Self {
            is_member: false,
            back_off_until: Time::ZERO,
            early_grafts: 0,
        }
    }
}

impl Node {
    /// Something has changed that the mesh may have to follow: it is looked at soon.
    pub(crate) fn look_after_mesh(&mut self, cx: &Context<'_>) {
        if self.config.relay == Relay::Mesh {
            self.mesh.beat_by(cx.now + HEARTBEAT);
        }
    }

    /// Looks after the mesh, when it is time: takes members in or lets them go, and tells others of the tip.
    pub(crate) fn beat(&mut self, cx: &mut Context<'_>) {
        if self.mesh.beat_at.is_none_or(|at| cx.now < at) {
            return;
        }
        self.mesh.beat_at = None;
        let members = self.mesh_members();
        if members.len() < MESH_LOW {
            self.graft_some(cx, MESH_DEGREE - members.len());
        } else if members.len() > MESH_HIGH {
            self.prune_some(cx, members);
        }
        self.tell_others(cx);
    }

    fn mesh_members(&self) -> Vec<NodeId> {
        let members = self.peers.all_ready().filter(|(_, peer)| peer.mesh.is_member);
        members.map(|(id, _)| id).collect()
    }

    fn graft_some(&mut self, cx: &mut Context<'_>, count: usize) {
        let others = || self.peers.all_ready().filter(|(_, peer)| !peer.mesh.is_member);
        let backing_off = others().map(|(_, peer)| peer.mesh.back_off_until);
        let next = backing_off.filter(|until| *until > cx.now).min();
        let may_join = others().filter(|(_, peer)| peer.mesh.back_off_until <= cx.now);
        let mut candidates: Vec<NodeId> = may_join.map(|(id, _)| id).collect();
        self.mesh.rng.shuffle(&mut candidates);
        candidates.truncate(count);
        let is_enough = candidates.len() == count;
        for peer in candidates {
            cx.send(peer, Message::Graft);
            self.take_in(cx, peer);
        }
        if let Some(next) = next.filter(|_| !is_enough) {
            self.mesh.beat_by(next);
        }
    }

    /// The peer is a member from now on, and catches up with what it was not told while it was none.
    fn take_in(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        if let Some(member) = self.peers.ready_mut(peer) {
            member.mesh.is_member = true;
        }
        if !self.is_syncing(cx) {
            self.push_tip_to(cx, peer);
        }
    }

    /// Back to the wanted number, at random, but a few outbound peers stay: those were chosen by this node.
    fn prune_some(&mut self, cx: &mut Context<'_>, mut members: Vec<NodeId>) {
        self.mesh.rng.shuffle(&mut members);
        let is_outbound = |id: &NodeId| self.peers.ready(*id).is_some_and(|peer| peer.outbound);
        let (outbound, inbound): (Vec<NodeId>, Vec<NodeId>) = members.into_iter().partition(is_outbound);
        let (first, rest) = outbound.split_at(MESH_OUTBOUND.min(outbound.len()));
        let in_order = first.iter().chain(&inbound).chain(rest);
        let pruned: Vec<NodeId> = in_order.skip(MESH_DEGREE).copied().collect();
        for peer in pruned {
            self.prune(cx, peer);
        }
    }

    fn prune(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let Some(pruned) = self.peers.ready_mut(peer) else {
            return;
        };
        pruned.mesh.is_member = false;
        pruned.mesh.back_off_until = cx.now + PRUNE_BACK_OFF;
        let back_off_secs = u32::try_from(PRUNE_BACK_OFF.as_secs()).expect("a minute");
        cx.send(peer, Message::Prune { back_off_secs });
    }

    /// Tells some of those outside the mesh that lack the tip its name; the others at the next beats.
    fn tell_others(&mut self, cx: &mut Context<'_>) {
        let tip = self.knowledge.tip();
        let height = cx.ledger.height(tip);
        let lacks_tip = |id: NodeId| self.common_height(cx, id).is_some_and(|common| common < height);
        let others = self.peers.all_ready().filter(|(_, peer)| !peer.mesh.is_member);
        let mut others: Vec<NodeId> = others.map(|(id, _)| id).filter(|id| lacks_tip(*id)).collect();
        if self.is_syncing(cx) {
            others.clear();
        }
        self.mesh.rng.shuffle(&mut others);
        let count = MESH_LAZY.max(others.len() / 4);
        for peer in others.iter().take(count) {
            self.announce_name_to(cx, *peer);
        }
        if others.len() > count {
            self.look_after_mesh(cx);
        }
    }

    /// A peer wants to be in the mesh.
    pub(crate) fn grafted(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        let has_room = self.config.relay == Relay::Mesh && self.mesh_members().len() < MESH_HIGH;
        let Some(joining) = self.peers.ready_mut(peer) else {
            return;
        };
        if joining.mesh.is_member {
            return;
        }
        let is_early = cx.now < joining.mesh.back_off_until;
        if has_room && !is_early {
            self.take_in(cx, peer);
            return;
        }
        joining.mesh.early_grafts += u32::from(is_early);
        let is_flooding = joining.mesh.early_grafts > MAX_EARLY_GRAFTS;
        self.prune(cx, peer);
        if is_flooding {
            let detail = "joins the mesh again and again before it may".to_owned();
            self.penalise(cx, peer, Offence::Flooding, detail);
        }
    }

    /// A peer leaves the mesh and does not want to be asked back for a while. It may not choose for how long, within reason.
    pub(crate) fn pruned(&mut self, cx: &Context<'_>, peer: NodeId, back_off_secs: u32) {
        let Some(leaving) = self.peers.ready_mut(peer) else {
            return;
        };
        let back_off = Duration::from_secs(u64::from(back_off_secs)).clamp(HEARTBEAT, MAX_BACK_OFF);
        leaving.mesh.is_member = false;
        leaving.mesh.back_off_until = leaving.mesh.back_off_until.max(cx.now + back_off);
        self.look_after_mesh(cx);
    }

    /// Pushes the tip to a member. Others are told at the next beat.
    pub(crate) fn tell_in_mesh(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        if self.peers.ready(peer).is_some_and(|peer| peer.mesh.is_member) {
            self.push_tip_to(cx, peer);
        } else {
            self.look_after_mesh(cx);
        }
    }
}
