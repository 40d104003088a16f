//! A small wallet: keys from a seed in a file, and the coins that they own.
//!
//! Keys never leave this side of the desk. What they own is looked up in the ledger by the outpoints that were seen on the way to the tip,
//! so a look costs as much as there are new blocks and own coins, whatever else the chain holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Hash, Seed, hex};
use chain::transaction::TransactionParts;
use chain::{Amount, BlockId, Coin, Height, OutPoint, Owner, SigningKey, Transaction, TxOutput};
use serde::{Deserialize, Serialize};

use crate::limits::{MAX_ADDRESSES, MAX_PAYMENT_INPUTS, MAX_WALLET_FILE_BYTES};
use crate::{Code, RpcError, Scene, auth};

/// The name of the wallet's file in a data folder.
pub(crate) const WALLET_FILE: &str = "wallet.json";

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    seed: String,
    addresses: u32,
}

/// The wallet of a node.
pub(crate) struct Wallet {
    path: PathBuf,
    secret: [u8; 32],
    keys: Vec<SigningKey>,
    owners: Arc<BTreeMap<Owner, usize>>,
    seen: Seen,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wallet({} addresses)", self.keys.len())
    }
}

/// Outputs of the wallet's owners in all blocks on the way to a tip, and on the ways looked at before.
#[derive(Clone, Debug, Default)]
struct Seen {
    tip: Option<BlockId>,
    outpoints: BTreeSet<OutPoint>,
}

/// A coin of the wallet's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owned {
    pub(crate) outpoint: OutPoint,
    pub(crate) coin: Coin,
    /// 0 while unconfirmed.
    pub(crate) confirmations: u32,
    /// Whether the next block may spend it.
    pub(crate) is_mature: bool,
    /// Whether it is confirmed, or made by the wallet itself.
    pub(crate) is_trusted: bool,
}

/// What the wallet owns at the tip, but for what unconfirmed transactions spend already.
#[derive(Clone, Debug)]
pub(crate) struct Holdings {
    pub(crate) coins: Vec<Owned>,
    /// The tip, and its height.
    pub(crate) tip: (BlockId, Height),
    /// How many transactions paid the wallet, on any branch it has seen or in the mempool.
    pub(crate) transactions: usize,
    genesis: BlockId,
    /// The lowest fee rate that gets in, in base units for 1,000 bytes.
    min_fee: u64,
}

fn failed(path: &Path, source: &io::Error) -> RpcError {
    RpcError::new(Code::Wallet, format!("cannot use {}: {source}", path.display()))
}

impl Wallet {
    /// The wallet of a data folder; a new one when there is none yet. Reads and writes a file.
    pub(crate) fn open(folder: &Path) -> Result<Self, RpcError> {
        let path = folder.join(WALLET_FILE);
        let record = match fs::symlink_metadata(&path) {
            Ok(file) if !file.is_file() || file.mode() & 0o077 != 0 || file.len() > MAX_WALLET_FILE_BYTES => {
                let message = format!(
                    "{} is no file of this user's alone; run `chmod 600` on it",
                    path.display()
                );
                return Err(RpcError::new(Code::Wallet, message));
            }
            Ok(_) => fs::read(&path).map_err(|error| failed(&path, &error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(&path, &error)),
        };
        let (secret, addresses) = if record.is_empty() {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|error| failed(&path, &io::Error::other(error)))?;
            (secret, 0)
        } else {
            read(&record).ok_or_else(|| {
                let message = format!("{} holds no wallet; move it away to get a new one", path.display());
                RpcError::new(Code::Wallet, message)
            })?
        };
        let mut wallet = Self {
            path,
            secret,
            keys: Vec::new(),
            owners: Arc::default(),
            seen: Seen::default(),
        };
        for _ in 0..addresses {
            wallet.derive();
        }
        Ok(wallet)
    }

    /// A new owner, on disk before anybody hears of it. Writes a file.
    pub(crate) fn new_owner(&mut self) -> Result<Owner, RpcError> {
        let addresses = u32::try_from(self.keys.len()).unwrap_or(u32::MAX).saturating_add(1);
        if addresses > MAX_ADDRESSES {
            let message = format!("the wallet has {MAX_ADDRESSES} addresses already");
            return Err(RpcError::new(Code::Wallet, message));
        }
        let record = Record {
            seed: hex::encode(&self.secret),
            addresses,
        };
        let text = serde_json::to_vec(&record).expect("a record is JSON");
        auth::replace(&self.path, &text).map_err(|error| failed(&self.path, &error))?;
        Ok(self.derive())
    }

    fn derive(&mut self) -> Owner {
        let index = self.keys.len();
        let Hash(secret) = Hash::tagged("nakanet/wallet", &[&self.secret]);
        let seed = Seed::from_number(0).child(&hex::encode(&secret), index as u64);
        let key = SigningKey::from_seed(&seed);
        self.keys.push(key);
        Arc::make_mut(&mut self.owners).insert(key.owner(), index);
        key.owner()
    }

    /// A question for the desk, whose answer [`Wallet::learn`] takes.
    pub(crate) fn survey(&self) -> impl FnOnce(&Scene<'_>) -> Surveyed + Send + use<> {
        let (owners, mut seen) = (Arc::clone(&self.owners), self.seen.clone());
        move |scene| {
            seen.catch_up(scene, &owners);
            let holdings = holdings(scene, &owners, &seen.outpoints);
            Surveyed { seen, holdings }
        }
    }

    /// Takes in the answer to [`Wallet::survey`].
    pub(crate) fn learn(&mut self, surveyed: Surveyed) -> Holdings {
        self.seen = surveyed.seen;
        surveyed.holdings
    }

    /// A signed payment of `amount` to an owner, at a fee rate in base units for 1,000 bytes; what remains goes to `change`.
    pub(crate) fn pay(&self, holdings: &Holdings, to: (Owner, Amount), terms: Terms) -> Result<Transaction, RpcError> {
        let (payee, amount) = to;
        let insufficient = || RpcError::new(Code::InsufficientFunds, "Insufficient funds");
        let mut usable: Vec<&Owned> = holdings
            .coins
            .iter()
            .filter(|owned| owned.is_mature && owned.is_trusted)
            .collect();
        usable.sort_by_key(|owned| {
            (
                std::cmp::Reverse((owned.coin.output.value, owned.confirmations)),
                owned.outpoint,
            )
        });
        usable.truncate(MAX_PAYMENT_INPUTS);
        let mut chosen: Vec<&Owned> = Vec::new();
        let mut total = Amount::ZERO;
        for owned in usable {
            chosen.push(owned);
            total = total.checked_add(owned.coin.output.value).ok_or_else(insufficient)?;
            let fee = terms.fee(chosen.len(), holdings);
            let Some(needed) = terms.needed(amount, fee) else {
                continue;
            };
            if total >= needed {
                let change = total.checked_sub(needed).expect("the total is at least that");
                let paid = needed.checked_sub(fee).ok_or_else(insufficient)?;
                let mut outputs = vec![TxOutput {
                    value: paid,
                    owner: payee,
                }];
                if change > Amount::ZERO {
                    outputs.push(TxOutput {
                        value: change,
                        owner: terms.change,
                    });
                }
                return Ok(self.signed(holdings, &chosen, outputs));
            }
        }
        Err(insufficient())
    }

    fn signed(&self, holdings: &Holdings, chosen: &[&Owned], outputs: Vec<TxOutput>) -> Transaction {
        let inputs = chosen.iter().map(|owned| owned.outpoint).collect();
        let coins: Vec<Coin> = chosen.iter().map(|owned| owned.coin).collect();
        let unsigned = Transaction::payment(inputs, outputs, b"");
        let hashes = unsigned.sighashes(&holdings.genesis, &coins);
        let sign = |(hash, coin): (&Hash, &Coin)| self.keys[self.owners[&coin.output.owner]].sign(hash);
        Transaction::new(TransactionParts {
            signatures: hashes.iter().zip(&coins).map(sign).collect(),
            ..unsigned.parts().clone()
        })
    }
}

/// How a payment is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Who gets what remains.
    pub(crate) change: Owner,
    /// In base units for 1,000 bytes; the lowest that gets in when none is given.
    pub(crate) rate: Option<u64>,
    /// Whether the one who is paid bears the fee.
    pub(crate) bears_fee: BearsFee,
}

/// Who bears the fee of a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BearsFee {
    Payer,
    Payee,
}

impl Terms {
    /// What a payment of so many inputs and two outputs owes.
    fn fee(&self, inputs: usize, holdings: &Holdings) -> Amount {
        const FRAME: u64 = 20;
        const INPUT: u64 = 36 + 64;
        let bytes = FRAME + INPUT * inputs as u64 + 2 * TxOutput::BYTES + 4;
        let rate = self.rate.unwrap_or(holdings.min_fee);
        let fee = (u128::from(rate) * u128::from(bytes)).div_ceil(1_000);
        Amount::from_units(u64::try_from(fee).unwrap_or(u64::MAX))
    }

    /// What inputs must add up to.
    fn needed(&self, amount: Amount, fee: Amount) -> Option<Amount> {
        match self.bears_fee {
            BearsFee::Payer => amount.checked_add(fee),
            BearsFee::Payee => (amount > fee).then_some(amount),
        }
    }
}

/// The answer to [`Wallet::survey`].
#[derive(Debug)]
pub(crate) struct Surveyed {
    seen: Seen,
    holdings: Holdings,
}

impl Seen {
    /// Looks through the blocks between the tip that was looked at last and the present one.
    fn catch_up(&mut self, scene: &Scene<'_>, owners: &BTreeMap<Owner, usize>) {
        let (ledger, tip) = (scene.ledger, scene.node.tip());
        let last = self
            .tip
            .and_then(|id| ledger.find(&id))
            .unwrap_or_else(|| ledger.genesis());
        for block in ledger.path(ledger.fork_point(last, tip), tip) {
            for transaction in ledger.body(block).iter().flat_map(|body| &body.transactions) {
                self.outpoints.extend(paid(transaction, owners));
            }
        }
        self.tip = Some(ledger.id(tip));
    }
}

/// The outputs of a transaction that pay these owners.
fn paid(transaction: &Transaction, owners: &BTreeMap<Owner, usize>) -> impl Iterator<Item = OutPoint> {
    (0..)
        .zip(transaction.outputs())
        .filter(|(_, output)| owners.contains_key(&output.owner))
        .map(|(index, _)| transaction.outpoint(index))
}

fn holdings(scene: &Scene<'_>, owners: &BTreeMap<Owner, usize>, seen: &BTreeSet<OutPoint>) -> Holdings {
    let (ledger, tip) = (scene.ledger, scene.node.tip());
    let height = ledger.height(tip);
    let maturity = ledger.params().coinbase_maturity;
    let confirmed = seen.iter().filter_map(|outpoint| {
        let coin = ledger.coin(outpoint, tip)?;
        let matures = coin.height.0.saturating_add(if coin.coinbase { maturity } else { 0 });
        Some(Owned {
            outpoint: *outpoint,
            coin,
            confirmations: height.0.saturating_sub(coin.height.0) + 1,
            is_mature: Height(matures) <= height.next(),
            is_trusted: true,
        })
    });
    let mut coins: Vec<Owned> = confirmed.collect();
    for transaction in scene.node.mempool() {
        let is_own = |outpoint: &OutPoint| {
            let unconfirmed = scene.node.unconfirmed(&outpoint.txid);
            let output = unconfirmed.and_then(|one| one.outputs().get(usize::try_from(outpoint.index).ok()?));
            seen.contains(outpoint) || output.is_some_and(|output| owners.contains_key(&output.owner))
        };
        let is_trusted = transaction.inputs().iter().all(is_own);
        for outpoint in paid(transaction, owners) {
            let index = usize::try_from(outpoint.index).expect("an output of a transaction in memory");
            coins.push(Owned {
                outpoint,
                coin: Coin {
                    output: transaction.outputs()[index],
                    height: height.next(),
                    coinbase: false,
                },
                confirmations: 0,
                is_mature: true,
                is_trusted,
            });
        }
    }
    let paying = seen.iter().chain(coins.iter().map(|owned| &owned.outpoint));
    let transactions = paying.map(|outpoint| outpoint.txid).collect::<BTreeSet<_>>().len();
    coins.retain(|owned| scene.node.unconfirmed_spender(&owned.outpoint).is_none());
    Holdings {
        coins,
        tip: (ledger.id(tip), height),
        transactions,
        genesis: ledger.id(ledger.genesis()),
        min_fee: scene.node.mempool_min_fee(scene.now),
    }
}

fn read(record: &[u8]) -> Option<([u8; 32], u32)> {
    let record: Record = serde_json::from_slice(record).ok()?;
    let secret = hex::decode(&record.seed)?.try_into().ok()?;
    (record.addresses <= MAX_ADDRESSES).then_some((secret, record.addresses))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn addresses_are_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut wallet = Wallet::open(folder.path()).unwrap();
        assert!(
            !folder.path().join(WALLET_FILE).exists(),
            "a wallet nobody uses leaves no file"
        );
        let owners = [wallet.new_owner().unwrap(), wallet.new_owner().unwrap()];
        assert_ne!(owners[0], owners[1]);
        let again = Wallet::open(folder.path()).unwrap();
        assert!(owners.iter().all(|owner| again.owners.contains_key(owner)));
        let mode = fs::metadata(folder.path().join(WALLET_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{again:?}"), "Wallet(2 addresses)");
    }

    #[test]
    fn a_file_that_is_no_wallet_or_is_exposed_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(WALLET_FILE);
        let seed = "00".repeat(32);
        let record = format!("{{\"seed\":\"{seed}\",\"addresses\":0}}");
        let filled = |bytes: u64| format!("{record:<width$}", width = usize::try_from(bytes).unwrap());
        let too_long = filled(MAX_WALLET_FILE_BYTES + 1);
        for content in ["{}", "no", "{\"seed\":\"00\",\"addresses\":1}", &too_long] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(Wallet::open(folder.path()).is_err(), "{content:.20}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        fs::write(&path, filled(MAX_WALLET_FILE_BYTES)).unwrap();
        Wallet::open(folder.path()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Wallet::open(folder.path()).unwrap_err().message.contains("chmod 600"));
    }

    /// A payment spends the largest coins first, and no more than fit.
    #[test]
    fn what_a_payment_spends_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut wallet = Wallet::open(folder.path()).unwrap();
        let owner = wallet.new_owner().unwrap();
        let owned = |index| Owned {
            outpoint: OutPoint {
                txid: chain::Txid(Hash([1; 32])),
                index,
            },
            coin: Coin {
                output: TxOutput {
                    value: Amount::COIN,
                    owner,
                },
                height: Height(1),
                coinbase: false,
            },
            confirmations: 1,
            is_mature: true,
            is_trusted: true,
        };
        let most = u32::try_from(MAX_PAYMENT_INPUTS).unwrap();
        let holdings = Holdings {
            coins: (0..=most).map(owned).collect(),
            tip: (BlockId::ZERO, Height(1)),
            transactions: 1,
            genesis: BlockId::ZERO,
            min_fee: 0,
        };
        let terms = Terms {
            change: owner,
            rate: None,
            bears_fee: BearsFee::Payer,
        };
        let coins = |count| Amount::from_coins(u64::from(count)).unwrap();
        let payment = wallet.pay(&holdings, (owner, coins(most)), terms).unwrap();
        assert_eq!(payment.inputs().len(), MAX_PAYMENT_INPUTS);
        let refused = wallet.pay(&holdings, (owner, coins(most + 1)), terms).unwrap_err();
        assert_eq!(refused.code, Code::InsufficientFunds);
    }

    #[test]
    fn addresses_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut wallet = Wallet::open(folder.path()).unwrap();
        let key = SigningKey::from_seed(&Seed::from_number(1));
        wallet.keys = vec![key; usize::try_from(MAX_ADDRESSES).unwrap()];
        assert!(wallet.new_owner().is_err());
    }
}
