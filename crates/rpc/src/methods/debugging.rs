//! What an operator can make a node believe for a while.

use std::sync::Arc;

use chain::BlockId;
use node::Command;
use serde_json::Value;

use super::{Category, Method, Run, needs};
use crate::arguments::{Arguments, Kind};
use crate::error::Answer;
use crate::office::Office;
use crate::{Code, RpcError};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "invalidateblock",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text)],
        summary: "Treats a block, and all above it, as if it broke a rule.",
        run: Run::Task(|office, arguments| Box::pin(mark(office, arguments, Mark::Set))),
    },
    Method {
        name: "reconsiderblock",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text)],
        summary: "Lifts the marks of `invalidateblock` from a block, those below it and those above.",
        run: Run::Task(|office, arguments| Box::pin(mark(office, arguments, Mark::Lift))),
    },
    Method {
        name: "preciousblock",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text)],
        summary: "Follows a block rather than others of the same work.",
        run: Run::Task(|office, arguments| Box::pin(prefer(office, arguments))),
    },
];

/// What is done with a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Set,
    Lift,
}

/// A block that is known, and is not the genesis block unless nothing is done to it.
async fn known(office: &Office, arguments: &Arguments) -> Result<BlockId, RpcError> {
    let id = arguments.block_id(0, "blockhash")?;
    office.clerk.look(move |scene| super::blocks::find(scene, id)).await??;
    Ok(id)
}

async fn mark(office: Arc<Office>, arguments: Arguments, mark: Mark) -> Answer {
    let block = known(&office, &arguments).await?;
    let is_genesis = office
        .clerk
        .look(move |scene| scene.ledger.id(scene.ledger.genesis()) == block)
        .await?;
    if is_genesis && mark == Mark::Set {
        return Err(RpcError::new(
            Code::InvalidParameter,
            "the genesis block is given and cannot be invalid",
        ));
    }
    let reconsider = mark == Mark::Lift;
    office.clerk.order(Command::Invalidate { block, reconsider }).await?;
    Ok(Value::Null)
}

async fn prefer(office: Arc<Office>, arguments: Arguments) -> Answer {
    let block = known(&office, &arguments).await?;
    office.clerk.order(Command::Prefer(block)).await?;
    Ok(Value::Null)
}
