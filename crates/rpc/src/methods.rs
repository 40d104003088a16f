//! The table of all methods, in Bitcoin Core's categories.

pub(crate) mod blocks;
pub(crate) mod chain;
mod control;
mod debugging;
mod generate;
mod mempool;
mod mining;
mod network;
pub(crate) mod transactions;
mod waiting;
mod wallet;

use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::arguments::{Arguments, Kind, Parameter};
use crate::error::Answer;
use crate::office::Office;
use crate::{Code, RpcError, Scene};

/// What `help` lists a method under.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    /// Blocks, tips, coins, unconfirmed transactions.
    Blockchain,
    /// The interface itself.
    Control,
    /// Templates, blocks made here.
    Mining,
    /// Peers.
    Network,
    /// Transactions in hex.
    Rawtransactions,
    /// Addresses.
    Util,
    /// The small wallet.
    Wallet,
}

impl Category {
    /// As `help` writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blockchain => "Blockchain",
            Self::Control => "Control",
            Self::Mining => "Mining",
            Self::Network => "Network",
            Self::Rawtransactions => "Rawtransactions",
            Self::Util => "Util",
            Self::Wallet => "Wallet",
        }
    }
}

type Task = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How a method is answered.
#[derive(Clone, Copy)]
enum Run {
    /// By a look at one state of the node.
    Look(fn(&Scene<'_>, &Arguments) -> Answer),
    /// By several steps, or by none that concern the node.
    Task(fn(Arc<Office>, Arguments) -> Task),
}

/// A method.
#[derive(Clone, Copy)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it is listed under.
    pub category: Category,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// What it does, in a sentence.
    pub summary: &'static str,
    run: Run,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.usage())
    }
}

impl Method {
    /// The method and its parameters on one line, those in parentheses optional.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_owned();
        let mut is_optional = false;
        for parameter in self.parameters {
            if parameter.is_optional && !is_optional {
                usage.push_str(" (");
                is_optional = true;
            }
            usage.push(' ');
            usage.push_str(parameter.name);
        }
        if is_optional {
            usage.push_str(" )");
        }
        usage
    }

    async fn call(&self, office: &Arc<Office>, arguments: Arguments) -> Answer {
        match self.run {
            Run::Look(look) => office.clerk.look(move |scene| look(scene, &arguments)).await?,
            Run::Task(task) => task(Arc::clone(office), arguments).await,
        }
    }
}

/// A parameter that must be given.
const fn needs(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        is_optional: false,
    }
}

/// A parameter that may be left out.
const fn may(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        is_optional: true,
    }
}

/// All methods, by category, then in the order of their names.
#[must_use]
pub fn all() -> Vec<Method> {
    let groups = [
        chain::METHODS,
        blocks::METHODS,
        waiting::METHODS,
        mempool::METHODS,
        transactions::METHODS,
        mining::METHODS,
        network::METHODS,
        debugging::METHODS,
        generate::METHODS,
        wallet::METHODS,
        control::METHODS,
    ];
    let mut all = groups.concat();
    all.sort_by_key(|method| (method.category, method.name));
    all
}

/// The method of this name.
#[must_use]
pub fn find(name: &str) -> Option<Method> {
    all().into_iter().find(|method| method.name == name)
}

/// Calls a method by its name.
pub(crate) async fn call(office: &Arc<Office>, name: &str, given: Value) -> Answer {
    let Some(method) = find(name) else {
        return Err(RpcError::new(Code::MethodNotFound, "Method not found"));
    };
    match Arguments::read(method.parameters, given)? {
        Some(arguments) => method.call(office, arguments).await,
        None => Err(RpcError::new(Code::Misc, help_of(&method))),
    }
}

/// What `help` says of one method.
fn help_of(method: &Method) -> String {
    format!("{}\n\n{}\n", method.usage(), method.summary)
}

/// A tip as the waiting methods answer.
fn tip_json(tip: &node::event::TipRef) -> Value {
    json!({ "hash": tip.block.to_string(), "height": tip.height.0 })
}
