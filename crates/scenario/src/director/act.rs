//! Actions: what a step orders, and how its effect is seen.

use std::sync::Arc;

use base::{NodeId, Time};
use chain::{Amount, Block, SigningKey, Transaction, TxOutput, Txid};
use node::Command;

use super::links::Pair;
use super::load::Load;
use super::wallet::Book;
use super::{Director, Order, defect};
use crate::plan::{Action, BlockDefect, CutId, LoadPlan, PaymentId, WalletId};
use crate::words::count;
use crate::world::World;

/// What a running action waits for.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// Nothing: giving the order was all.
    Done(String),
    /// A node has mined this many blocks in all.
    Mined { on: NodeId, total: u32, blocks: u32 },
    /// No connection crosses the cut any more.
    Apart(CutId),
    /// These pairs are connected.
    Together(Vec<Pair>),
    /// This pair is not.
    Disconnected(Pair),
    /// These nodes run and are connected to their running neighbours.
    Up(Vec<NodeId>),
    /// These nodes do not run; then comes what is to come.
    Down { nodes: Vec<NodeId>, then: Then },
    /// These nodes stand still.
    Still(Vec<NodeId>),
    /// These nodes do not stand still any more.
    Going(Vec<NodeId>),
    /// These nodes have nothing on their disks.
    Blank(Vec<NodeId>),
    /// Each transaction is in its node's mempool, was refused, or is confirmed.
    Answered(Vec<(NodeId, Txid)>),
    /// The victim has refused something from the attacker, more often than before.
    Refused {
        by: NodeId,
        from: NodeId,
        before: u32,
        block: Arc<Block>,
    },
}

/// What comes when nodes are down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// They stay down.
    Stay,
    /// They start again.
    Restart,
    /// They start again, as this program.
    Upgrade(String),
    /// Their disks are cleared.
    Wipe,
}

impl Director {
    /// Gives an action's orders; says what to wait for, or why it cannot be done.
    pub(super) fn begin(
        &mut self,
        action: &Action,
        (now, world): (Time, &World),
        orders: &mut Vec<Order>,
    ) -> Result<Effect, String> {
        self.known.begins(action, world);
        match action {
            Action::Fund { wallet, amount, on } => Ok(self.fund(*wallet, *amount, *on, orders)),
            Action::Send { .. } | Action::DoubleSpend { .. } => self.pay(action, world, orders),
            Action::Load(load) => self.load(load, (now, world), orders),
            Action::StopLoad { from } => {
                self.loads.retain(|load| load.plan().from != *from);
                Ok(Effect::Done("no more payments".to_owned()))
            }
            Action::Mine { blocks, on } => {
                let total = self.known.promise(self.running(*on, world)?, *blocks, world);
                orders.push(Order::Command(*on, Command::Generate { blocks: *blocks }));
                Ok(Effect::Mined {
                    on: *on,
                    total,
                    blocks: *blocks,
                })
            }
            Action::SetHashRate { rates } => {
                for &(node, rate) in rates {
                    orders.push(Order::Command(self.running(node, world)?, Command::SetHashRate(rate)));
                }
                Ok(Effect::Done(format!("{} set", count(rates.len() as u64, "hash rate"))))
            }
            Action::Partition { .. }
            | Action::Isolate { .. }
            | Action::Heal { .. }
            | Action::SetLink { .. }
            | Action::Connect { .. }
            | Action::Disconnect { .. } => self.change_links(action, world, orders),
            Action::Start { .. }
            | Action::Stop { .. }
            | Action::Kill { .. }
            | Action::Restart { .. }
            | Action::Upgrade { .. }
            | Action::Pause { .. }
            | Action::Resume { .. }
            | Action::Wipe { .. } => self.change_nodes(action, world, orders),
            Action::InjectBlock { defect, from, to } => self.inject((*defect, *from, *to), world, orders),
        }
    }

    /// Payments: signed here, handed in at their nodes.
    #[expect(clippy::wildcard_enum_match_arm, reason = "`begin` hands over nothing but payments")]
    fn pay(&mut self, action: &Action, world: &World, orders: &mut Vec<Order>) -> Result<Effect, String> {
        let plan = Arc::clone(&self.plan);
        match action {
            Action::Send {
                payment,
                from,
                to,
                amount,
                fee,
                via,
            } => {
                let book = Book {
                    plan: &plan,
                    world,
                    via: self.running(*via, world)?,
                };
                let transaction = self.wallets.pay(&book, (*from, *to), (*amount, *fee))?;
                Ok(self.submit(*payment, &[(*via, *to, transaction)], orders))
            }
            Action::DoubleSpend {
                payment,
                from,
                to,
                fee,
                via,
            } => {
                let book = Book {
                    plan: &plan,
                    world,
                    via: self.running(via[0], world)?,
                };
                self.running(via[1], world)?;
                let [first, second] = self.wallets.pay_twice(&book, *from, *to, *fee)?;
                Ok(self.submit(*payment, &[(via[0], to[0], first), (via[1], to[1], second)], orders))
            }
            other => unreachable!("{other:?} pays nobody"),
        }
    }

    /// Splits a wallet among those of a load; their payments come from [`Director::advance`].
    fn load(
        &mut self,
        load: &LoadPlan,
        (now, world): (Time, &World),
        orders: &mut Vec<Order>,
    ) -> Result<Effect, String> {
        let plan = Arc::clone(&self.plan);
        let via = self.running(load.on[0], world)?;
        let book = Book {
            plan: &plan,
            world,
            via,
        };
        let (load, split) = Load::begin(load, &mut self.wallets, &book, now)?;
        let txid = split.txid();
        orders.push(Order::Command(via, Command::Submit(split)));
        self.loads.push(load);
        Ok(Effect::Answered(vec![(via, txid)]))
    }

    /// Cuts, heals and changes of links.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`begin` hands over nothing but changes of links"
    )]
    fn change_links(&mut self, action: &Action, world: &World, orders: &mut Vec<Order>) -> Result<Effect, String> {
        match action {
            Action::Partition { cut, groups, silent } => {
                orders.extend(self.links.cut(*cut, groups, *silent));
                Ok(self.cut_effect(*cut, *silent))
            }
            Action::Isolate { cut, node, silent } => {
                let others = self.plan.node_ids().filter(|other| other != node).collect();
                orders.extend(self.links.cut(*cut, &[vec![*node], others], *silent));
                Ok(self.cut_effect(*cut, *silent))
            }
            Action::Heal { cut } => self.heal(*cut, world, orders),
            Action::SetLink {
                a,
                b,
                conditions,
                one_way,
            } => {
                orders.extend(self.links.change((*a, *b), *conditions, *one_way));
                Ok(Effect::Done("link changed".to_owned()))
            }
            Action::Connect { a, b } => {
                self.running(*a, world)?;
                self.running(*b, world)?;
                orders.extend(self.links.connect(*a, *b));
                Ok(Effect::Together(vec![(*a, *b)]))
            }
            Action::Disconnect { a, b } => {
                orders.extend(self.links.disconnect(*a, *b));
                Ok(Effect::Disconnected((*a, *b)))
            }
            other => unreachable!("{other:?} changes no link"),
        }
    }

    pub(super) fn running(&self, node: NodeId, world: &World) -> Result<NodeId, String> {
        let (facts, name) = (world.node(node), self.plan.name_of(node));
        match (facts.running, facts.paused) {
            (true, false) => Ok(node),
            (true, true) => Err(format!("{name} is paused")),
            (false, _) => Err(format!("{name} is not running")),
        }
    }

    fn fund(&self, wallet: WalletId, amount: Amount, on: NodeId, orders: &mut Vec<Order>) -> Effect {
        let key: SigningKey = self.plan.wallet_key(wallet);
        let output = TxOutput {
            value: amount,
            owner: key.owner(),
        };
        orders.push(Order::Command(on, Command::PayFromReward(output)));
        Effect::Done(format!(
            "the next block of {} pays {amount} coins",
            self.plan.name_of(on)
        ))
    }

    fn submit(
        &mut self,
        payment: PaymentId,
        sides: &[(NodeId, WalletId, Arc<Transaction>)],
        orders: &mut Vec<Order>,
    ) -> Effect {
        self.wallets
            .record(payment, sides.iter().map(|(_, to, tx)| (tx.txid(), *to)).collect());
        for (via, _, transaction) in sides {
            orders.push(Order::Command(*via, Command::Submit(Arc::clone(transaction))));
        }
        Effect::Answered(sides.iter().map(|(via, _, tx)| (*via, tx.txid())).collect())
    }

    fn cut_effect(&self, cut: CutId, silent: bool) -> Effect {
        let links = self.links.pairs_of(cut).count();
        if silent {
            return Effect::Done(format!("{} silent", count(links as u64, "link")));
        }
        Effect::Apart(cut)
    }

    fn heal(&mut self, cut: Option<CutId>, world: &World, orders: &mut Vec<Order>) -> Result<Effect, String> {
        if let Some(cut) = cut
            && !self.links.has_cut(cut)
        {
            return Err(format!("{} is not in force", self.plan.cuts[cut.0]));
        }
        let (mending, mut freed) = self.links.heal(cut);
        orders.extend(mending);
        freed.retain(|&(a, b)| world.node(a).running && world.node(b).running);
        Ok(Effect::Together(freed))
    }

    fn inject(
        &self,
        (defect, from, to): (BlockDefect, NodeId, NodeId),
        world: &World,
        orders: &mut Vec<Order>,
    ) -> Result<Effect, String> {
        self.running(to, world)?;
        self.running(from, world)?;
        if !world.connected(from, to) {
            return Err(format!(
                "{} is not connected to {}",
                self.plan.name_of(from),
                self.plan.name_of(to)
            ));
        }
        let block = Arc::new(defect::block(&self.plan, world, &self.wallets, (defect, to))?);
        let offer = Command::Offer {
            to,
            block: Arc::clone(&block),
        };
        orders.push(Order::Command(from, offer));
        Ok(Effect::Refused {
            by: to,
            from,
            before: refusals(world, to, from),
            block,
        })
    }

    /// Whether an effect has shown: what was seen, or nothing yet. `Err` when it never will.
    pub(super) fn shown(
        &self,
        effect: &mut Effect,
        world: &World,
        orders: &mut Vec<Order>,
    ) -> Result<Option<String>, String> {
        let done = match effect {
            Effect::Done(words) => Some(std::mem::take(words)),
            Effect::Mined { on, total, blocks } => {
                let node = world.node(*on);
                // A block is told of before it is stood on.
                let done = node.mined >= *total && node.tip.chain_work >= node.last_mined_work;
                done.then(|| format!("{} mined, height {}", count(*blocks, "block"), node.tip.height))
            }
            Effect::Apart(cut) => {
                let pairs: Vec<Pair> = self.links.pairs_of(*cut).collect();
                let apart = pairs.iter().all(|&(a, b)| !world.touching(a, b));
                apart.then(|| format!("{} down", count(pairs.len() as u64, "link")))
            }
            Effect::Together(pairs) => {
                let together = pairs.iter().all(|&(a, b)| world.connected(a, b));
                together.then(|| format!("{} up", count(pairs.len() as u64, "link")))
            }
            Effect::Disconnected((a, b)) => (!world.touching(*a, *b)).then(|| "disconnected".to_owned()),
            Effect::Up(_) | Effect::Down { .. } | Effect::Still(_) | Effect::Going(_) | Effect::Blank(_) => {
                self.shown_of_nodes(effect, world, orders)
            }
            Effect::Answered(sides) => self.answers(sides, world)?,
            Effect::Refused {
                by,
                from,
                before,
                block,
            } => {
                if world.block(&block.id()).is_some() {
                    return Err(format!("{} accepted the broken block", self.plan.name_of(*by)));
                }
                let refused = refusals(world, *by, *from) > *before;
                refused.then(|| format!("{} refused it", self.plan.name_of(*by)))
            }
        };
        Ok(done)
    }

    /// What became of submitted transactions, once something has become of all. `Err` when every one was refused.
    fn answers(&self, sides: &[(NodeId, Txid)], world: &World) -> Result<Option<String>, String> {
        let mut words = Vec::new();
        let mut taken = false;
        for (via, txid) in sides {
            let facts = world.node(*via);
            let name = self.plan.name_of(*via);
            if let Some(reason) = facts.refused.get(txid) {
                words.push(format!("{name} refused it as {reason}"));
            } else if world.waits_in(*via, txid) || world.depth(txid, &facts.tip.block).is_some() {
                taken = true;
                words.push(format!("{name} has {txid:?}"));
            } else {
                return Ok(None);
            }
        }
        let words = words.join(", ");
        if taken { Ok(Some(words)) } else { Err(words) }
    }
}

impl Director {
    /// What of an effect has not shown yet, in words.
    pub(super) fn missing(&self, effect: &Effect, world: &World) -> String {
        let pairs = |pairs: &mut dyn Iterator<Item = Pair>, verb: &str| {
            let names = pairs
                .take(5)
                .map(|(a, b)| format!("{}-{}", self.plan.name_of(a), self.plan.name_of(b)));
            format!("{verb}: {}", names.collect::<Vec<_>>().join(", "))
        };
        match effect {
            Effect::Done(words) => words.clone(),
            Effect::Mined { on, total, blocks } => {
                let missing = total - world.node(*on).mined.min(*total);
                format!(
                    "{} of {} mined by {}",
                    blocks - missing.min(*blocks),
                    blocks,
                    self.plan.name_of(*on)
                )
            }
            Effect::Apart(cut) => pairs(
                &mut self.links.pairs_of(*cut).filter(|&(a, b)| world.touching(a, b)),
                "still connected",
            ),
            Effect::Together(wanted) => pairs(
                &mut wanted.iter().copied().filter(|&(a, b)| !world.connected(a, b)),
                "not connected",
            ),
            Effect::Disconnected(pair) => pairs(&mut std::iter::once(*pair), "still connected"),
            Effect::Up(_) | Effect::Down { .. } | Effect::Still(_) | Effect::Going(_) | Effect::Blank(_) => {
                self.missing_of_nodes(effect, world)
            }
            Effect::Answered(_) => "no answer to the transaction".to_owned(),
            Effect::Refused { by, .. } => {
                format!("{} has neither refused nor accepted the block", self.plan.name_of(*by))
            }
        }
    }
}

fn refusals(world: &World, by: NodeId, from: NodeId) -> u32 {
    let rejections = world
        .node(by)
        .rejections
        .iter()
        .filter(|((_, sender), _)| *sender == Some(from));
    rejections.map(|(_, rejections)| rejections.count).sum()
}
