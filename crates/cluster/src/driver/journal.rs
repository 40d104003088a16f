//! What of a node's events is worth a line of its log, which is for people. All of them are in the run's event log.

use node::Event;

/// Writes a line for what changes where the node stands or whom it talks to. Text of peers is escaped: it could move a cursor (THREATS P14).
pub(super) fn note(event: &Event) {
    match event {
        Event::PeerConnected { peer, outbound, agent } => {
            let who = if *outbound { "dialled" } else { "came" };
            tracing::info!(%peer, agent = ?agent, "connected, {who}");
        }
        Event::PeerDisconnected { peer, reason } => match reason {
            Some(reason) => tracing::info!(%peer, ?reason, "disconnected"),
            None => tracing::info!(%peer, "disconnected"),
        },
        Event::PeerPenalised {
            peer,
            offence,
            score,
            detail,
        } => tracing::warn!(%peer, ?offence, score, ?detail, "penalty"),
        Event::BlockMined { block, height, txs, .. } => tracing::info!(%height, block = %block.short(), txs, "mined"),
        Event::BlockRejected {
            block,
            from,
            reason,
            detail,
            ..
        } => {
            let from = from.map_or_else(|| "here".to_owned(), |peer| peer.to_string());
            tracing::warn!(block = %block.short(), from, reason, ?detail, "refused");
        }
        Event::Reorg {
            depth,
            fork_point,
            connected,
            ..
        } => {
            let (fork_point, connected) = (fork_point.short(), connected.len());
            tracing::info!(depth, fork_point, connected, "reorg");
        }
        Event::TipChanged { new, .. } => tracing::info!(height = %new.height, block = %new.block.short(), "tip"),
        Event::MessageSent { .. }
        | Event::MessageReceived { .. }
        | Event::MessageDropped { .. }
        | Event::HeaderAccepted { .. }
        | Event::BlockReceived { .. }
        | Event::BlockConnected { .. }
        | Event::OrphanHeld { .. }
        | Event::OrphanResolved { .. }
        | Event::TxSubmitted { .. }
        | Event::TxAccepted { .. }
        | Event::TxRejected { .. }
        | Event::TxEvicted { .. }
        | Event::TxReplaced { .. } => {}
    }
}
