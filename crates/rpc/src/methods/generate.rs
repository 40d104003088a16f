//! Blocks made here and now, for tests and scenarios.

use std::sync::Arc;

use base::hex;
use chain::{Amount, Block, BlockId, Draft, Header, Owner, Transaction, TxOutput, mining};
use serde_json::{Value, json};

use super::mining::{Submitted, submit};
use super::{Category, Method, Run, may, needs};
use crate::arguments::{Arguments, Flag, Kind};
use crate::desk::{Mine, Mined};
use crate::error::Answer;
use crate::limits::{DEFAULT_MAX_TRIES, MAX_BLOCKS_PER_COMMIT, MAX_CHOSEN_TRANSACTIONS, MAX_GENERATED, SEARCH_SLICE};
use crate::office::Office;
use crate::{Code, RpcError, address, raw};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "generatetoaddress",
        category: Category::Mining,
        parameters: &[
            needs("nblocks", Kind::Number),
            needs("address", Kind::Text),
            may("maxtries", Kind::Number),
        ],
        summary: "Mines blocks that pay an address. Gives their hashes once they are on disk.",
        run: Run::Task(|office, arguments| Box::pin(generate_to_address(office, arguments))),
    },
    Method {
        name: "generateblock",
        category: Category::Mining,
        parameters: &[
            needs("output", Kind::Text),
            needs("transactions", Kind::List),
            may("submit", Kind::Flag),
        ],
        summary: "Mines a block of these transactions, given by txid or in hex, in this order; its coinbase takes no fees.",
        run: Run::Task(|office, arguments| Box::pin(generate_block(office, arguments))),
    },
];

/// Whom an address argument pays.
pub(super) fn payee(text: &str) -> Result<Owner, RpcError> {
    address::read(text).map_err(|wrong| {
        let message = format!("Error: Invalid address: {wrong}");
        RpcError::new(Code::InvalidAddressOrKey, message)
    })
}

async fn generate_to_address(office: Arc<Office>, arguments: Arguments) -> Answer {
    let count: i32 = arguments.number(0)?.unwrap_or_default();
    let count = u64::try_from(count).ok().filter(|count| *count <= MAX_GENERATED);
    let count = count.ok_or_else(|| {
        let message = format!("nblocks is between 0 and {MAX_GENERATED}");
        RpcError::new(Code::InvalidParameter, message)
    })?;
    let owner = payee(arguments.text(1).unwrap_or_default())?;
    let tries = arguments
        .number::<i32>(2)?
        .map_or(DEFAULT_MAX_TRIES, |tries| u64::try_from(tries).unwrap_or(0));
    let mut run = Tries(tries);
    let mut ids: Vec<String> = Vec::new();
    while (ids.len() as u64) < count && run.0 > 0 {
        let wanted = (count - ids.len() as u64).min(MAX_BLOCKS_PER_COMMIT as u64);
        let mine = Mine {
            owner,
            blocks: u32::try_from(wanted).expect("at most the limit"),
            extra_nonce: random()?,
        };
        let Mined {
            blocks,
            hashes,
            unsolved,
            refused,
        } = office.clerk.mine(mine).await?;
        run.0 = run.0.saturating_sub(hashes);
        ids.extend(blocks.iter().map(BlockId::to_string));
        if let Some((word, detail)) = refused {
            return Err(RpcError::new(
                Code::Verify,
                format!("TestBlockValidity failed: {word}, {detail}"),
            ));
        }
        if let Some(block) = unsolved {
            let Some(block) = solve(*block, &mut run).await? else {
                break;
            };
            let id = block.id();
            accepted(submit(&office, Arc::new(block)).await?)?;
            ids.push(id.to_string());
        }
    }
    Ok(json!(ids))
}

/// How many hashes may still be tried.
struct Tries(u64);

/// The block with the nonce that makes it proof of work; none when none was found in time. Searches on a thread of its own, a slice at a
/// time: with the client gone the search ends.
async fn solve(block: Block, tries: &mut Tries) -> Result<Option<Block>, RpcError> {
    let mut first = 0_u32;
    loop {
        let slice = u32::try_from(tries.0.min(u64::from(SEARCH_SLICE))).expect("a slice is 32 bits");
        let nonces = first..first.saturating_add(slice);
        if nonces.is_empty() {
            return Ok(None);
        }
        tries.0 -= u64::from(slice);
        first = nonces.end;
        let header = *block.header;
        let search = tokio::task::spawn_blocking(move || mining::search(&header, nonces));
        let found = search
            .await
            .map_err(|_| RpcError::new(Code::Internal, "the search ended without an answer"))?;
        if let Some(nonce) = found {
            let header = Header { nonce, ..*block.header }.into();
            return Ok(Some(Block { header, ..block }));
        }
    }
}

fn accepted(submitted: Submitted) -> Result<(), RpcError> {
    match submitted {
        Submitted::Connected => Ok(()),
        Submitted::Refused { word, detail } => {
            let message = format!("TestBlockValidity failed: {word}, {detail}");
            Err(RpcError::new(Code::Verify, message))
        }
    }
}

/// A number that tells apart two blocks that are alike in all else.
fn random() -> Result<u64, RpcError> {
    getrandom::u64().map_err(|error| RpcError::new(Code::Internal, format!("no random numbers: {error}")))
}

async fn generate_block(office: Arc<Office>, arguments: Arguments) -> Answer {
    let owner = payee(arguments.text(0).unwrap_or_default())?;
    let list = arguments.at(1).as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > MAX_CHOSEN_TRANSACTIONS {
        let message = format!("more than {MAX_CHOSEN_TRANSACTIONS} transactions");
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    let mut transactions = Vec::new();
    for item in list {
        transactions.push(chosen(&office, item).await?);
    }
    let template = office.clerk.look(|scene| {
        let draft = scene.node.template(scene.ledger, scene.now).draft;
        let subsidy = scene.ledger.subsidy(draft.height);
        (draft, subsidy)
    });
    let (draft, subsidy): (Draft, Amount) = template.await?;
    let draft = Draft {
        transactions,
        extra_nonce: random()?,
        coinbase_outputs: vec![TxOutput { value: subsidy, owner }],
        ..draft
    };
    let solved = solve(draft.assemble(), &mut Tries(DEFAULT_MAX_TRIES)).await?;
    let block = solved.ok_or_else(|| RpcError::new(Code::Misc, "Failed to make block."))?;
    let mut shown = json!({ "hash": block.id().to_string() });
    if arguments.flag_or(2, Flag::Set) {
        accepted(submit(&office, Arc::new(block)).await?)?;
    } else {
        shown["hex"] = json!(hex::encode(&raw::block(&block)));
    }
    Ok(shown)
}

/// A transaction of the mempool by its txid, or any in hex.
async fn chosen(office: &Office, item: &Value) -> Result<Arc<Transaction>, RpcError> {
    let text = item
        .as_str()
        .ok_or_else(|| RpcError::new(Code::Type, "JSON value is not a string as expected"))?;
    if let Ok(txid) = text.parse::<chain::Txid>() {
        let found = office
            .clerk
            .look(move |scene| scene.node.unconfirmed(&txid).map(Arc::clone))
            .await?;
        return found.ok_or_else(|| {
            let message = format!("Transaction {txid} not in mempool.");
            RpcError::new(Code::InvalidAddressOrKey, message)
        });
    }
    super::transactions::read(text).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use chain::{Height, Work};
    use node::event::TipRef;

    use super::*;
    use crate::desk::{Desk, Request};

    /// The answer to `generatetoaddress`, and how many blocks were asked for at a time, of a node that finds every nonce at once.
    async fn generate(count: usize) -> (Answer, Vec<u32>) {
        let tip = TipRef {
            block: BlockId::ZERO,
            height: Height(0),
            chain_work: Work::ZERO,
        };
        let (mut desk, clerk) = Desk::new(tip);
        let owner = tokio::spawn(async move {
            let mut asked = Vec::new();
            while let Some(request) = desk.next().await {
                let Request::Mine(mine, reply) = request else {
                    panic!("{request:?}, where blocks are to be mined");
                };
                asked.push(mine.blocks);
                let mined = Mined {
                    blocks: vec![BlockId::ZERO; mine.blocks as usize],
                    ..Mined::default()
                };
                reply.send(mined).expect("somebody waits");
            }
            asked
        });
        let folder = std::path::PathBuf::new();
        let office = Office::new(clerk, (folder.clone(), folder));
        let address = address::of(&Owner([7; 32]));
        let given = json!([count, address]);
        let arguments = Arguments::read(METHODS[0].parameters, given).expect("good ones");
        let answer = generate_to_address(office, arguments.expect("enough of them")).await;
        (answer, owner.await.expect("the desk's owner ends"))
    }

    #[tokio::test]
    async fn a_commit_holds_few_blocks_and_a_call_as_many_as_it_takes() {
        let (answer, asked) = generate(2 * MAX_BLOCKS_PER_COMMIT + 3).await;
        let full = u32::try_from(MAX_BLOCKS_PER_COMMIT).expect("few");
        assert_eq!(asked, [full, full, 3]);
        assert_eq!(
            answer.expect("blocks").as_array().map(Vec::len),
            Some(2 * MAX_BLOCKS_PER_COMMIT + 3)
        );
    }
}
