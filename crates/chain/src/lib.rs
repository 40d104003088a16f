//! The facts of a proof-of-work chain: headers, transactions, blocks, work, and the ledger that checks and keeps them.
//!
//! Nothing here knows of peers, of time passing, or of who knows what. Rules follow Bitcoin wherever a chain without scripts
//! has the same notion; `docs/CONSENSUS.md` is the reference.

pub mod block;
pub mod compact;
pub mod header;
pub mod key;
pub mod ledger;
pub mod limits;
pub mod merkle;
pub mod mining;
pub mod params;
pub mod reject;
pub mod retarget;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transaction;
pub mod uint;
pub mod units;
pub mod work;

mod preimage;

pub use block::{Block, Draft};
pub use compact::{CompactTarget, Target};
pub use header::{BlockId, HashedHeader, Header};
pub use key::{Owner, Signature, SigningKey};
pub use ledger::{BlockRef, Coin, Ledger, Status, Unspent, Walk};
pub use params::{Params, ProofOfWork, Retarget};
pub use reject::{Reject, Verdict};
pub use transaction::{Coinbase, OutPoint, Transaction, TxOutput, Txid, Wtxid};
pub use units::{Amount, HashRate, Height};
pub use work::Work;
