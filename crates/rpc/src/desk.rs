//! Between the server and the task that owns the node: questions and orders go in, answers come back.
//!
//! Nothing is shared. A look at node and ledger is a function that the owner runs between two inputs of the node, so what it sees is one
//! state and never a torn one. An order is answered when all that follows from it is carried out: a block that was submitted is on disk by then.

use std::sync::Arc;

use base::Time;
use chain::{Amount, Block, BlockId, Ledger, Owner, Transaction};
use node::event::TipRef;
use node::{Command, Event, Refused, View};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{Code, RpcError};
use crate::limits::MAX_WAITING;
use crate::network::{Network, NetworkOrder, Unfulfilled};

/// All that a question sees.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The node.
    pub node: View<'a>,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The time.
    pub now: Time,
    /// Its connections.
    pub network: &'a Network,
}

/// A question in the form of a function that finds the answer and sends it off.
pub type Look = Box<dyn FnOnce(&Scene<'_>) + Send>;

/// What the server wants of the node's owner.
pub enum Request {
    /// Run this.
    Look(Look),
    /// Give the node an order; answer with what it told of, once all that follows from it is carried out.
    Command(Command, oneshot::Sender<Vec<Event>>),
    /// Whether the node would take in a transaction, and what it pays.
    Examine(Arc<Transaction>, oneshot::Sender<Result<Amount, Refused>>),
    /// Whether a block without a nonce would be valid on the tip.
    Propose(Arc<Block>, oneshot::Sender<Result<(), Refused>>),
    /// Mine blocks here and now, as far as that is quick.
    Mine(Mine, oneshot::Sender<Mined>),
    /// Change something about its connections.
    Network(NetworkOrder, oneshot::Sender<Result<(), Unfulfilled>>),
    /// Stop in good order.
    Stop,
}

/// Blocks that are wanted at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mine {
    /// Whom they pay.
    pub owner: Owner,
    /// How many; no more are made than go to disk in one commit.
    pub blocks: u32,
    /// What the first block's coinbase is told apart by; the others count on from there.
    pub extra_nonce: u64,
}

/// What came of [`Mine`].
#[derive(Clone, Debug, Default)]
pub struct Mined {
    /// The blocks, which are on disk.
    pub blocks: Vec<BlockId>,
    /// How many hashes were tried.
    pub hashes: u64,
    /// The next block, when finding its nonce takes longer than a node may be kept from its peers.
    pub unsolved: Option<Box<Block>>,
    /// Why the next block was refused: the word, and the detail.
    pub refused: Option<(&'static str, String)>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Look(_) => "Look",
            Self::Command(..) => "Command",
            Self::Examine(..) => "Examine",
            Self::Propose(..) => "Propose",
            Self::Mine(..) => "Mine",
            Self::Network(..) => "Network",
            Self::Stop => "Stop",
        })
    }
}

/// The owner's side.
#[derive(Debug)]
pub struct Desk {
    requests: mpsc::Receiver<Request>,
    tips: watch::Sender<TipRef>,
    trouble: watch::Sender<Option<String>>,
}

impl Desk {
    /// A desk and the clerk who carries requests to it, for a node that follows this tip.
    #[must_use]
    pub fn new(tip: TipRef) -> (Self, Clerk) {
        let (sender, requests) = mpsc::channel(MAX_WAITING);
        let (tips, seen) = watch::channel(tip);
        let (trouble, felt) = watch::channel(None);
        let clerk = Clerk {
            sender,
            tips: seen,
            trouble: felt,
        };
        let desk = Self {
            requests,
            tips,
            trouble,
        };
        (desk, clerk)
    }

    /// The next request; none when no server is left. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }

    /// A request that waits already.
    pub fn next_waiting(&mut self) -> Option<Request> {
        self.requests.try_recv().ok()
    }

    /// From now on those whose request is dropped are told this, and not that the node is stopping; with none, it is the latter again.
    pub fn refuse_orders(&self, why: Option<String>) {
        self.trouble.send_replace(why);
    }

    /// Tells those who wait for a block of the tip that is followed now.
    pub fn tip_changed(&self, tip: TipRef) {
        self.tips.send_replace(tip);
    }
}

/// The server's side: carries requests to the desk.
#[derive(Clone, Debug)]
pub struct Clerk {
    sender: mpsc::Sender<Request>,
    tips: watch::Receiver<TipRef>,
    /// Why the disk takes nothing.
    trouble: watch::Receiver<Option<String>>,
}

impl Clerk {
    /// Asks something about one state of the node.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Scene<'_>) -> T + Send + 'static,
    ) -> Result<T, RpcError> {
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |scene| {
            // A client that is gone wants no answer.
            let _gone = reply.send(question(scene));
        });
        self.ask(Request::Look(look), answer).await
    }

    /// Orders the node to do something; gives what it told of.
    pub(crate) async fn order(&self, command: Command) -> Result<Vec<Event>, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Command(command, reply), answer).await
    }

    /// Whether the node would take in a transaction, and what it pays.
    pub(crate) async fn examine(&self, transaction: Arc<Transaction>) -> Result<Result<Amount, Refused>, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Examine(transaction, reply), answer).await
    }

    /// Whether a block without a nonce would be valid on the tip.
    pub(crate) async fn propose(&self, block: Arc<Block>) -> Result<Result<(), Refused>, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Propose(block, reply), answer).await
    }

    /// Mines blocks as far as that is quick.
    pub(crate) async fn mine(&self, mine: Mine) -> Result<Mined, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Mine(mine, reply), answer).await
    }

    /// Changes something about connections.
    pub(crate) async fn network(&self, order: NetworkOrder) -> Result<Result<(), Unfulfilled>, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Network(order, reply), answer).await
    }

    /// Lets the node stop.
    pub(crate) async fn stop(&self) -> Result<(), RpcError> {
        self.sender.send(Request::Stop).await.map_err(|_| RpcError::stopping())
    }

    /// The tip that is followed, and its changes.
    pub(crate) fn tips(&self) -> watch::Receiver<TipRef> {
        self.tips.clone()
    }

    async fn ask<T>(&self, request: Request, answer: oneshot::Receiver<T>) -> Result<T, RpcError> {
        self.sender.send(request).await.map_err(|_| RpcError::stopping())?;
        answer.await.map_err(|_| match &*self.trouble.borrow() {
            Some(why) => RpcError::new(Code::Database, why),
            None => RpcError::stopping(),
        })
    }
}

#[cfg(test)]
mod tests {
    use chain::{BlockId, Height, Work};

    use super::*;

    /// Whether something is done as it is.
    async fn is_done<T>(work: impl Future<Output = T>) -> bool {
        tokio::select! {
            biased;
            _ = work => true,
            () = std::future::ready(()) => false,
        }
    }

    /// Core's work queue refuses; here a request that finds no room waits its turn.
    #[tokio::test]
    async fn few_requests_wait_at_the_desk_and_the_next_before_it() {
        let tip = TipRef {
            block: BlockId::ZERO,
            height: Height(0),
            chain_work: Work::ZERO,
        };
        let (mut desk, clerk) = Desk::new(tip);
        for _ in 0..MAX_WAITING {
            assert!(is_done(clerk.stop()).await);
        }
        assert!(!is_done(clerk.stop()).await);
        assert!(desk.next_waiting().is_some());
        assert!(is_done(clerk.stop()).await);
    }
}
