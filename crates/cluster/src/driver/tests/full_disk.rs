//! What peers and the operator see of a node whose disk is full.

use chain::Header;
use chain::testing::Sandbox;
use gossip::{Item, MessageKind};

use super::raw::Raw;
use super::*;

/// More than any disk has to spare: a node that is to keep it is out of room from the start.
const MORE_THAN_THERE_IS: u64 = u64::MAX / 4;

#[tokio::test(flavor = "multi_thread")]
async fn threat_d5_a_node_without_room_answers_peers_and_takes_nothing_from_them() {
    for (reserve, takes) in [(None, true), (Some(MORE_THAN_THERE_IS), false)] {
        let (hasher, clock) = hasher();
        let node = Rig::start_with(0, &hasher, clock, |setup| setup.reserve = reserve).await;
        let mut sandbox = Sandbox::new(node.params.clone());
        let block = sandbox.block(sandbox.ledger.genesis(), &[]);
        node.order(Control::Command(Command::SkewClock {
            millis: 7 * 24 * 3_600 * 1_000,
        }))
        .await;
        let mut peer = Raw::greet(&node).await;
        peer.send(&Message::headers([Header::from(block.header)])).await;
        let locator = vec![node.genesis];
        peer.send(&Message::GetHeaders { locator }).await;
        peer.until_heard(MessageKind::Headers).await;
        let wanted = Message::Get(vec![Item::Block(block.id())]);
        let is_wanted = peer.heard.contains(&wanted);
        assert_eq!(is_wanted, takes, "{:?}", peer.heard);
        node.order(Control::Command(Command::Generate { blocks: 1 })).await;
        node.stop().await;
    }
}
