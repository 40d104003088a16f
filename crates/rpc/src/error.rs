//! What a method answers when it cannot do what it was asked: Bitcoin Core's codes (`rpc/protocol.h`).

use serde_json::{Value, json};

/// A number that clients act on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// The request is no request (JSON-RPC 2.0).
    InvalidRequest,
    /// No method has this name (JSON-RPC 2.0).
    MethodNotFound,
    /// The request is no JSON (JSON-RPC 2.0).
    Parse,
    /// `RPC_MISC_ERROR`: all that has no code of its own, and wrong numbers of arguments.
    Misc,
    /// `RPC_TYPE_ERROR`: an argument, or a part of it, is of another type.
    Type,
    /// `RPC_INVALID_ADDRESS_OR_KEY`: no such address, block or transaction.
    InvalidAddressOrKey,
    /// `RPC_OUT_OF_MEMORY`: the answer would be too large.
    OutOfMemory,
    /// `RPC_INVALID_PARAMETER`: an argument of the right type that makes no sense.
    InvalidParameter,
    /// `RPC_WALLET_INVALID_LABEL_NAME`.
    InvalidLabel,
    /// `RPC_DATABASE_ERROR`: the disk fails.
    Database,
    /// `RPC_DESERIALIZATION_ERROR`: hex that is no header, transaction or block.
    Deserialization,
    /// `RPC_VERIFY_ERROR`: a transaction or header that breaks a rule.
    Verify,
    /// `RPC_VERIFY_REJECTED`: a transaction that policy refuses.
    Rejected,
    /// `RPC_VERIFY_ALREADY_IN_UTXO_SET`: a transaction that a block holds already.
    AlreadyConfirmed,
    /// `RPC_CLIENT_NODE_ALREADY_ADDED`.
    NodeAlreadyAdded,
    /// `RPC_CLIENT_NODE_NOT_ADDED`.
    NodeNotAdded,
    /// `RPC_CLIENT_NODE_NOT_CONNECTED`.
    NodeNotConnected,
    /// `RPC_CLIENT_INVALID_IP_OR_SUBNET`.
    InvalidIpOrSubnet,
    /// `RPC_WALLET_ERROR`: the wallet's file fails, or holds no more.
    Wallet,
    /// `RPC_WALLET_INSUFFICIENT_FUNDS`.
    InsufficientFunds,
    /// `RPC_METHOD_DEPRECATED`: what older versions took and later ones do not.
    Deprecated,
    /// `RPC_INTERNAL_ERROR`.
    Internal,
    /// `RPC_IN_WARMUP`: the node does not answer, as it is stopping.
    Stopping,
}

impl Code {
    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::InvalidRequest => -32_600,
            Self::MethodNotFound => -32_601,
            Self::Internal => -32_603,
            Self::Parse => -32_700,
            Self::Misc => -1,
            Self::Type => -3,
            Self::Wallet => -4,
            Self::InvalidAddressOrKey => -5,
            Self::InsufficientFunds => -6,
            Self::OutOfMemory => -7,
            Self::InvalidParameter => -8,
            Self::InvalidLabel => -11,
            Self::Database => -20,
            Self::Deserialization => -22,
            Self::NodeAlreadyAdded => -23,
            Self::NodeNotAdded => -24,
            Self::Verify => -25,
            Self::Rejected => -26,
            Self::AlreadyConfirmed => -27,
            Self::Stopping => -28,
            Self::NodeNotConnected => -29,
            Self::InvalidIpOrSubnet => -30,
            Self::Deprecated => -32,
        }
    }
}

/// A code and what is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} ({number})", number = .code.number())]
pub struct RpcError {
    /// The code.
    pub code: Code,
    /// What is wrong, in Core's words where it has some.
    pub message: String,
}

impl RpcError {
    /// An error.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The node has ended, or is about to.
    pub(crate) fn stopping() -> Self {
        Self::new(Code::Stopping, "the node is stopping")
    }

    /// As clients get it.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "code": self.code.number(), "message": self.message })
    }
}

/// What a method gives.
pub(crate) type Answer = Result<Value, RpcError>;
