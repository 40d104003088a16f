//! A node, and peers that a test plays itself.

use chain::testing::{Sandbox, key, pay, solve};
use chain::{Block, BlockId, BlockRef};
use gossip::MessageKind;

use super::*;
pub(super) use crate::testing::Raw;

/// The chain that hostile tests build on, so long that the first coinbase can be spent in the next block.
pub(super) const GROWN: u32 = 11;

/// A node, and a copy of its chain to build on.
pub(super) struct Stage {
    pub(super) node: Rig,
    pub(super) sandbox: Sandbox,
    pub(super) tip: BlockRef,
    _hasher: Hasher,
}

impl Stage {
    /// A node that an honest peer has fed [`GROWN`] blocks.
    pub(super) async fn grown() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, of a node that is set up otherwise.
    pub(super) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut stage = Self::empty_with(change).await;
        let mut peer = Raw::greet(&stage.node).await;
        for _ in 0..GROWN {
            let block = stage.sandbox.block(stage.tip, &[]);
            stage.tip = stage.sandbox.accept(&block).unwrap();
            peer.offer(&block).await;
            peer.until_tip(&mut stage.node, block.id()).await;
        }
        stage
    }

    /// A node at the genesis block, whose clock is far ahead of it, so that no block comes too early.
    pub(super) async fn empty() -> Self {
        Self::empty_with(|_| {}).await
    }

    async fn empty_with(change: impl FnOnce(&mut Setup)) -> Self {
        let (hasher, clock) = hasher();
        let node = Rig::start_with(0, &hasher, clock, change).await;
        let millis = 7 * 24 * 3_600 * 1_000;
        node.order(Control::Command(Command::SkewClock { millis })).await;
        let sandbox = Sandbox::new(node.params.clone());
        Self {
            node,
            tip: sandbox.ledger.genesis(),
            sandbox,
            _hasher: hasher,
        }
    }

    /// A block on the tip that `change` breaks, with proof of work.
    pub(super) fn broken(&mut self, change: impl FnOnce(&mut chain::Draft)) -> Arc<Block> {
        let mut draft = self.sandbox.draft(self.tip);
        change(&mut draft);
        solve(draft.assemble())
    }

    /// A hostile peer sends the block and it is refused for this reason, to its own cost; the tip stays, and an honest peer's block connects.
    pub(super) async fn refuses(&mut self, block: &Arc<Block>, word: &str) {
        let mut hostile = Raw::greet(&self.node).await;
        hostile.offer(block).await;
        hostile.until_refused(&mut self.node, block.id(), word).await;
        hostile.until_dropped().await;
        self.goes_on().await;
    }

    /// An honest peer's block connects.
    pub(super) async fn goes_on(&mut self) {
        let block = self.sandbox.block(self.tip, &[]);
        self.tip = self.sandbox.accept(&block).unwrap();
        let mut honest = Raw::greet(&self.node).await;
        honest.offer(&block).await;
        honest.until_tip(&mut self.node, block.id()).await;
    }

    pub(super) async fn end(self) {
        self.node.stop().await;
    }
}

impl Raw {
    /// Connects to a node and shakes hands.
    pub(super) async fn greet(node: &Rig) -> Self {
        Self::greet_at(node.address.clone(), node.genesis).await
    }

    /// Talks on until the node tells of this.
    pub(super) async fn until(&mut self, node: &mut Rig, what: &str, is_it: impl Fn(&Event) -> bool) {
        let talking = async {
            let mut is_open = true;
            loop {
                select! {
                    told = node.told.recv() => {
                        let told = told.unwrap_or_else(|| panic!("the node ended before {what}"));
                        if let RunEvent::Node { event, .. } = told.event && is_it(&event) {
                            return;
                        }
                    }
                    open = self.hear(), if is_open => is_open = open,
                }
            }
        };
        assert!(timeout(PATIENCE, talking).await.is_ok(), "never {what}");
    }

    pub(super) async fn until_tip(&mut self, node: &mut Rig, id: BlockId) {
        let is_it = |event: &Event| matches!(event, Event::TipChanged { new, .. } if new.block == id);
        self.until(node, "at that tip", is_it).await;
    }

    pub(super) async fn until_refused(&mut self, node: &mut Rig, id: BlockId, word: &str) {
        let is_it = |event: &Event| matches!(event, Event::BlockRejected { block, reason, .. } if *block == id && *reason == word);
        self.until(node, word, is_it).await;
    }

    pub(super) async fn until_blamed(&mut self, node: &mut Rig) {
        let is_it = |event: &Event| matches!(event, Event::PeerPenalised { .. });
        self.until(node, "blamed", is_it).await;
    }

    /// Waits until the node closes the connection.
    pub(super) async fn until_dropped(&mut self) {
        while self.hear().await {}
    }

    /// Waits until something more was said.
    pub(super) async fn until_heard_more(&mut self) {
        let before = self.heard.len();
        while self.heard.len() == before {
            assert!(self.hear().await, "closed");
        }
    }

    /// Waits for a message of this kind, and answers what is asked by then.
    pub(super) async fn until_heard(&mut self, kind: MessageKind) {
        while !self.heard.iter().any(|message| message.kind() == kind) {
            assert!(self.hear().await, "never heard {kind:?}");
        }
        self.send_bytes(&[]).await;
    }
}

/// A payment of the coinbase at height 1, and what is changed in it before it is signed.
pub(super) fn payment(
    stage: &Stage,
    change: impl FnOnce(&mut Vec<chain::OutPoint>, &mut Vec<chain::TxOutput>),
) -> Arc<chain::Transaction> {
    let mut inputs = vec![stage.sandbox.reward(stage.tip, 1)];
    let coins = stage.sandbox.coins(stage.tip, &inputs);
    let mut outputs = vec![pay(coins[0].output.value.units(), key(1).owner())];
    change(&mut inputs, &mut outputs);
    let coins: Vec<chain::Coin> = inputs.iter().map(|_| coins[0]).collect();
    let genesis = stage.sandbox.ledger.id(stage.sandbox.ledger.genesis());
    Arc::new(chain::Transaction::payment(inputs, outputs, b"").sign(&key(0), genesis, &coins))
}
