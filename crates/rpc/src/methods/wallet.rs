//! The small wallet, and addresses.

use std::sync::Arc;

use base::hex;
use chain::Amount;
use serde_json::{Value, json};
use tokio::sync::MappedMutexGuard;

use super::{Category, Method, Run, may, needs};
use crate::arguments::{self, Arguments, Flag, Kind};
use crate::error::Answer;
use crate::office::Office;
use crate::wallet::{BearsFee, Holdings, Owned, Terms, Wallet};
use crate::{Code, RpcError, address, raw, shape};

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "getnewaddress",
        category: Category::Wallet,
        parameters: &[may("label", Kind::Text), may("address_type", Kind::Text)],
        summary: "A new address of the wallet.",
        run: Run::Task(|office, arguments| Box::pin(address_of_a_kind(office, arguments))),
    },
    Method {
        name: "getbalance",
        category: Category::Wallet,
        parameters: &[
            may("dummy", Kind::Text),
            may("minconf", Kind::Number),
            may("include_watchonly", Kind::Flag),
            may("avoid_reuse", Kind::Flag),
        ],
        summary: "What the wallet can spend now.",
        run: Run::Task(|office, arguments| Box::pin(balance(office, arguments))),
    },
    Method {
        name: "getbalances",
        category: Category::Wallet,
        parameters: &[],
        summary: "What the wallet can spend now, what is not confirmed yet, and what has to mature.",
        run: Run::Task(|office, _| Box::pin(async move { balances(&holdings(&office).await?) })),
    },
    Method {
        name: "getwalletinfo",
        category: Category::Wallet,
        parameters: &[],
        summary: "What kind of wallet it is: one without a name, whose keys come from a seed.",
        run: Run::Task(|office, _| Box::pin(async move { Ok(wallet_info(&holdings(&office).await?)) })),
    },
    Method {
        name: "listwallets",
        category: Category::Wallet,
        parameters: &[],
        summary: "The names of all wallets: there is one, without a name.",
        run: Run::Task(|_, _| Box::pin(async move { Ok(json!([""])) })),
    },
    Method {
        name: "listunspent",
        category: Category::Wallet,
        parameters: &[
            may("minconf", Kind::Number),
            may("maxconf", Kind::Number),
            may("addresses", Kind::List),
            may("include_unsafe", Kind::Flag),
            may("query_options", Kind::Object),
        ],
        summary: "The coins that the wallet can spend now.",
        run: Run::Task(|office, arguments| Box::pin(unspent(office, arguments))),
    },
    Method {
        name: "sendtoaddress",
        category: Category::Wallet,
        parameters: &[
            needs("address", Kind::Text),
            needs("amount", Kind::Amount),
            may("comment", Kind::Text),
            may("comment_to", Kind::Text),
            may("subtractfeefromamount", Kind::Flag),
            may("replaceable", Kind::Flag),
            may("conf_target", Kind::Number),
            may("estimate_mode", Kind::Text),
            may("avoid_reuse", Kind::Flag),
            may("fee_rate", Kind::Amount),
            may("verbose", Kind::Flag),
        ],
        summary: "Pays an address out of the wallet. Gives the txid.",
        run: Run::Task(|office, arguments| Box::pin(send(office, arguments))),
    },
    Method {
        name: "validateaddress",
        category: Category::Util,
        parameters: &[needs("address", Kind::Text)],
        summary: "Whether text is an address of this network, and what it stands for.",
        run: Run::Look(|_, arguments| Ok(validate(arguments.text(0).unwrap_or_default()))),
    },
];

/// The wallet, opened on first use. Nobody else uses it meanwhile, so two payments never spend the same coin.
async fn wallet(office: &Office) -> Result<MappedMutexGuard<'_, Wallet>, RpcError> {
    let mut place = office.wallet.lock().await;
    if place.is_none() {
        let folder = office.folder.clone();
        *place = Some(blocking(move || Wallet::open(&folder)).await??);
    }
    Ok(tokio::sync::MutexGuard::map(place, |place| {
        place.as_mut().expect("just opened")
    }))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RpcError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| RpcError::new(Code::Internal, "the wallet's work ended without an answer"))
}

async fn new_address(office: &Office) -> Result<(chain::Owner, String), RpcError> {
    drop(wallet(office).await?);
    let mut place = Arc::clone(&office.wallet).lock_owned().await;
    let owner = blocking(move || place.as_mut().expect("opened before").new_owner()).await??;
    Ok((owner, address::of(&owner)))
}

/// Addresses are of one kind, which every type that Core knows stands for.
async fn address_of_a_kind(office: Arc<Office>, arguments: Arguments) -> Answer {
    if arguments.text(0) == Some("*") {
        return Err(RpcError::new(Code::InvalidLabel, "Invalid label name"));
    }
    match arguments.text(1) {
        None | Some("legacy" | "p2sh-segwit" | "bech32" | "bech32m") => {}
        Some(unknown) => {
            let message = format!("Unknown address type '{unknown}'");
            return Err(RpcError::new(Code::InvalidAddressOrKey, message));
        }
    }
    let (_, text) = new_address(&office).await?;
    Ok(json!(text))
}

async fn holdings(office: &Office) -> Result<Holdings, RpcError> {
    let mut wallet = wallet(office).await?;
    let surveyed = office.clerk.look(wallet.survey()).await?;
    Ok(wallet.learn(surveyed))
}

async fn balance(office: Arc<Office>, arguments: Arguments) -> Answer {
    if arguments.text(0).is_some_and(|dummy| dummy != "*") {
        let message = "dummy first argument must be excluded or set to \"*\".";
        return Err(RpcError::new(Code::Deprecated, message));
    }
    let least: i32 = arguments.number(1)?.unwrap_or(0);
    let holdings = holdings(&office).await?;
    let counts = |owned: &Owned| owned.is_mature && owned.is_trusted && i64::from(owned.confirmations) >= least.into();
    Ok(sum(&holdings, counts))
}

/// The value of the coins that count.
fn sum(holdings: &Holdings, counts: impl Fn(&Owned) -> bool) -> Value {
    let coins = holdings.coins.iter().filter(|owned| counts(owned));
    let total = Amount::total(coins.map(|owned| owned.coin.output.value));
    shape::coins(total.expect("a valid chain holds no more than the money limit"))
}

fn balances(holdings: &Holdings) -> Answer {
    Ok(json!({
        "mine": {
            "trusted": sum(holdings, |owned| owned.is_mature && owned.is_trusted),
            "untrusted_pending": sum(holdings, |owned| !owned.is_trusted),
            "immature": sum(holdings, |owned| !owned.is_mature),
        },
        "lastprocessedblock": last_block(holdings),
    }))
}

fn wallet_info(holdings: &Holdings) -> Value {
    json!({
        "walletname": "",
        "walletversion": 1,
        "format": "json",
        "txcount": holdings.transactions,
        "keypoolsize": 0,
        "keypoolsize_hd_internal": 0,
        "paytxfee": shape::coins(Amount::ZERO),
        "private_keys_enabled": true,
        "avoid_reuse": false,
        "scanning": false,
        "descriptors": false,
        "external_signer": false,
        "blank": false,
        "flags": [],
        "lastprocessedblock": last_block(holdings),
    })
}

fn last_block(holdings: &Holdings) -> Value {
    let (block, height) = holdings.tip;
    json!({ "hash": block.to_string(), "height": height.0 })
}

async fn unspent(office: Arc<Office>, arguments: Arguments) -> Answer {
    let least: i32 = arguments.number(0)?.unwrap_or(1);
    let most: i32 = arguments.number(1)?.unwrap_or(9_999_999);
    let with_unsafe = arguments.flag_or(3, Flag::Set);
    let mut wanted = Vec::new();
    for text in arguments.at(2).as_array().into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        let owner = super::generate::payee(text)?;
        if wanted.contains(&owner) {
            let message = format!("Invalid parameter, duplicated address: {text}");
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
        wanted.push(owner);
    }
    let query = Query::read(arguments.at(4))?;
    let holdings = holdings(&office).await?;
    let is_listed = |owned: &&Owned| {
        let depth = i64::from(owned.confirmations);
        (least.into()..=most.into()).contains(&depth)
            && (owned.is_mature || query.with_immature)
            && (owned.is_trusted || with_unsafe)
            && (wanted.is_empty() || wanted.contains(&owned.coin.output.owner))
            && (query.least..=query.most).contains(&owned.coin.output.value)
    };
    let mut shown = Vec::new();
    let mut sum = Amount::ZERO;
    for owned in holdings.coins.iter().filter(is_listed) {
        shown.push(owned_json(owned));
        sum = Amount::total([sum, owned.coin.output.value]).unwrap_or(Amount::MAX_MONEY);
        if query.enough.is_some_and(|enough| sum >= enough) || query.count == Some(shown.len()) {
            break;
        }
    }
    Ok(json!(shown))
}

/// The `query_options` of `listunspent`.
struct Query {
    least: Amount,
    most: Amount,
    /// The sum at which the list ends.
    enough: Option<Amount>,
    /// The number of coins at which it ends.
    count: Option<usize>,
    with_immature: bool,
}

impl Query {
    fn read(options: &Value) -> Result<Self, RpcError> {
        let mut query = Self {
            least: Amount::ZERO,
            most: Amount::MAX_MONEY,
            enough: None,
            count: None,
            with_immature: false,
        };
        let options = options.as_object().into_iter().flatten();
        for (name, value) in options.filter(|(_, value)| !value.is_null()) {
            let misfit = |expected: &str| {
                let message = format!(
                    "JSON value of type {} for field {name} is not of expected type {expected}",
                    arguments::kind_of(value)
                );
                RpcError::new(Code::Type, message)
            };
            match name.as_str() {
                "minimumAmount" => query.least = arguments::amount(value)?,
                "maximumAmount" => query.most = arguments::amount(value)?,
                "minimumSumAmount" => query.enough = Some(arguments::amount(value)?),
                "maximumCount" if !value.is_number() => return Err(misfit("number")),
                // None, and less than none, is no limit.
                "maximumCount" => {
                    let count = value.as_i64().ok_or_else(arguments::out_of_range)?;
                    query.count = usize::try_from(count).ok().filter(|count| *count > 0);
                }
                "include_immature_coinbase" => query.with_immature = value.as_bool().ok_or_else(|| misfit("bool"))?,
                _ => return Err(RpcError::new(Code::Type, format!("Unexpected key {name}"))),
            }
        }
        Ok(query)
    }
}

fn owned_json(owned: &Owned) -> Value {
    let output = owned.coin.output;
    let mut script = shape::output_script(&output.owner);
    json!({
        "txid": owned.outpoint.txid.to_string(),
        "vout": owned.outpoint.index,
        "address": address::of(&output.owner),
        "label": "",
        "scriptPubKey": hex::encode(&raw::script(&output.owner)),
        "amount": shape::coins(output.value),
        "confirmations": owned.confirmations,
        "spendable": true,
        "solvable": true,
        "desc": script["desc"].take(),
        "parent_descs": [],
        "safe": owned.is_trusted,
    })
}

async fn send(office: Arc<Office>, arguments: Arguments) -> Answer {
    let payee = super::generate::payee(arguments.text(0).unwrap_or_default())?;
    let amount = arguments.amount(1)?.unwrap_or_default();
    if amount == Amount::ZERO {
        return Err(RpcError::new(Code::Type, "Invalid amount for send"));
    }
    check_estimate(&arguments)?;
    // In base units a byte, with up to three decimals: as an amount it is 10^8 of those.
    let rate = match arguments.amount(9)?.map(Amount::units) {
        Some(rate) if !rate.is_multiple_of(100_000) => return Err(RpcError::new(Code::Type, "Invalid amount")),
        rate => rate.map(|rate| rate / 100_000),
    };
    let (change, _) = new_address(&office).await?;
    let terms = Terms {
        change,
        rate,
        bears_fee: if arguments.flag_or(4, Flag::Unset) {
            BearsFee::Payee
        } else {
            BearsFee::Payer
        },
    };
    let mut wallet = wallet(&office).await?;
    let surveyed = office.clerk.look(wallet.survey()).await?;
    let holdings = wallet.learn(surveyed);
    let transaction = wallet.pay(&holdings, (payee, amount), terms)?;
    // The wallet is held until the mempool knows what it spends.
    let txid = super::transactions::submit(&office, Arc::new(transaction)).await?;
    drop(wallet);
    if arguments.flag_or(10, Flag::Unset) {
        return Ok(json!({ "txid": txid.to_string(), "fee_reason": "Minimum Required Fee" }));
    }
    Ok(json!(txid.to_string()))
}

/// Fees are not estimated, yet what asks for an estimate has to make sense.
fn check_estimate(arguments: &Arguments) -> Result<(), RpcError> {
    let wrong = |message: &str| Err(RpcError::new(Code::InvalidParameter, message));
    let (target, mode) = (arguments.number::<i32>(6)?, arguments.text(7));
    let mode = mode.map(str::to_ascii_lowercase);
    let has_rate = !arguments.at(9).is_null();
    match (target, mode.as_deref()) {
        (Some(_), _) if has_rate => wrong(
            "Cannot specify both conf_target and fee_rate. Please provide either a confirmation target in blocks for automatic fee \
             estimation, or an explicit fee rate.",
        ),
        (_, Some(mode)) if has_rate && mode != "unset" => wrong("Cannot specify both estimate_mode and fee_rate"),
        (_, Some(mode)) if !["unset", "economical", "conservative"].contains(&mode) => {
            wrong("Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"")
        }
        (Some(target), _) if !(1..=1_008).contains(&target) => wrong("Invalid conf_target, must be between 1 and 1008"),
        _ => Ok(()),
    }
}

fn validate(text: &str) -> Value {
    match address::read(text) {
        Ok(owner) => json!({
            "isvalid": true,
            "address": address::of(&owner),
            "scriptPubKey": hex::encode(&raw::script(&owner)),
            "isscript": true,
            "iswitness": true,
            "witness_version": 1,
            "witness_program": owner.to_string(),
        }),
        Err(wrong) => json!({ "isvalid": false, "error_locations": [], "error": wrong.to_string() }),
    }
}
