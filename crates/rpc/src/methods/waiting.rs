//! Methods that wait for the tip to change.

use std::sync::Arc;
use std::time::Duration;

use node::event::TipRef;
use tokio::time::{Instant, timeout_at};

use super::{Category, Method, Run, may, needs, tip_json};
use crate::arguments::{Arguments, Kind};
use crate::error::Answer;
use crate::office::Office;
use crate::{Code, RpcError};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "waitfornewblock",
        category: Category::Blockchain,
        parameters: &[may("timeout", Kind::Number), may("current_tip", Kind::Text)],
        summary: "Waits until another block is followed, or for so many milliseconds; 0 waits without end. Gives the tip.",
        run: Run::Task(|office, arguments| Box::pin(new_block(office, arguments))),
    },
    Method {
        name: "waitforblock",
        category: Category::Blockchain,
        parameters: &[needs("blockhash", Kind::Text), may("timeout", Kind::Number)],
        summary: "Waits until this block is the tip, or for so many milliseconds; 0 waits without end. Gives the tip.",
        run: Run::Task(|office, arguments| Box::pin(block(office, arguments))),
    },
    Method {
        name: "waitforblockheight",
        category: Category::Blockchain,
        parameters: &[needs("height", Kind::Number), may("timeout", Kind::Number)],
        summary: "Waits until the tip has this height, or for so many milliseconds; 0 waits without end. Gives the tip.",
        run: Run::Task(|office, arguments| Box::pin(height(office, arguments))),
    },
];

async fn new_block(office: Arc<Office>, arguments: Arguments) -> Answer {
    let patience = patience(&arguments, 0)?;
    let present = match arguments.text(1) {
        Some(_) => arguments.block_id(1, "current_tip")?,
        None => office.clerk.tips().borrow().block,
    };
    wait(&office, patience, |tip| tip.block != present).await
}

async fn block(office: Arc<Office>, arguments: Arguments) -> Answer {
    let wanted = arguments.block_id(0, "blockhash")?;
    wait(&office, patience(&arguments, 1)?, |tip| tip.block == wanted).await
}

async fn height(office: Arc<Office>, arguments: Arguments) -> Answer {
    let wanted: i32 = arguments.number(0)?.unwrap_or_default();
    let reached = |tip: &TipRef| i64::from(tip.height.0) >= i64::from(wanted);
    wait(&office, patience(&arguments, 1)?, reached).await
}

/// The last moment to wait for; none without end.
fn patience(arguments: &Arguments, place: usize) -> Result<Option<Instant>, RpcError> {
    let millis: i32 = arguments.number(place)?.unwrap_or(0);
    let millis = u64::try_from(millis).map_err(|_| RpcError::new(Code::Misc, "Negative timeout"))?;
    Ok((millis > 0).then(|| Instant::now() + Duration::from_millis(millis)))
}

/// The tip, once it is as wanted, or when the time is over.
pub(super) async fn wait(office: &Office, until: Option<Instant>, wanted: impl Fn(&TipRef) -> bool) -> Answer {
    let room = office.watching.try_acquire();
    let _room = room.map_err(|_| RpcError::new(Code::Misc, "too many clients wait for a block already"))?;
    let mut tips = office.clerk.tips();
    let coming = tips.wait_for(|tip| wanted(tip));
    let ended = match until {
        Some(until) => timeout_at(until, coming).await.is_ok_and(|ended| ended.is_err()),
        None => coming.await.is_err(),
    };
    if ended {
        return Err(RpcError::stopping());
    }
    let tip = *office.clerk.tips().borrow();
    Ok(tip_json(&tip))
}
