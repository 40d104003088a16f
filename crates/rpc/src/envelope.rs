//! JSON-RPC 1.0, as Bitcoin Core has always spoken it, and 2.0: what is around a call and its answer.

use serde_json::{Map, Value, json};

use crate::error::Answer;
use crate::{Code, RpcError};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// `result` and `error` are both in every answer, and an error is an HTTP status too.
    One,
    /// Either `result` or `error`; a call without `id` is a notification, which is not answered.
    Two,
}

/// A call, as far as it could be read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) version: Version,
    /// None in a notification.
    pub(crate) id: Option<Value>,
    /// The method and its arguments, or why it is no call.
    pub(crate) what: Result<(String, Value), RpcError>,
}

impl Call {
    /// Reads one call.
    pub(crate) fn read(value: Value) -> Self {
        let mut call = Self {
            version: Version::One,
            id: Some(Value::Null),
            what: Err(RpcError::new(Code::InvalidRequest, "Invalid Request object")),
        };
        let Value::Object(mut fields) = value else {
            return call;
        };
        let id = fields.remove("id");
        call.id = Some(id.clone().unwrap_or(Value::Null));
        call.version = match version(&fields) {
            Ok(version) => version,
            Err(error) => {
                call.what = Err(error);
                return call;
            }
        };
        if call.version == Version::Two {
            call.id = id;
        }
        call.what = method(&mut fields);
        call
    }

    /// The answer around a result.
    pub(crate) fn reply(&self, answer: Answer) -> Reply {
        let id = self.id.clone().unwrap_or(Value::Null);
        let code = answer.as_ref().err().map(|error| error.code);
        let body = match (self.version, answer) {
            (Version::One, Ok(result)) => json!({ "result": result, "error": null, "id": id }),
            (Version::One, Err(error)) => json!({ "result": null, "error": error.to_json(), "id": id }),
            (Version::Two, Ok(result)) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
            (Version::Two, Err(error)) => json!({ "jsonrpc": "2.0", "error": error.to_json(), "id": id }),
        };
        let status = match (self.version, code) {
            (Version::Two, _) | (Version::One, None) => 200,
            (Version::One, Some(code)) => status(code),
        };
        Reply { status, body }
    }
}

/// What goes back for one call.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The HTTP status of an error (Core's `JSONErrorReply`).
const fn status(code: Code) -> u16 {
    match code {
        Code::InvalidRequest => 400,
        Code::MethodNotFound => 404,
        Code::Parse
        | Code::Misc
        | Code::Type
        | Code::InvalidAddressOrKey
        | Code::OutOfMemory
        | Code::InvalidParameter
        | Code::Database
        | Code::Deserialization
        | Code::Verify
        | Code::Rejected
        | Code::AlreadyConfirmed
        | Code::NodeAlreadyAdded
        | Code::NodeNotAdded
        | Code::NodeNotConnected
        | Code::InvalidIpOrSubnet
        | Code::Wallet
        | Code::InsufficientFunds
        | Code::InvalidLabel
        | Code::Deprecated
        | Code::Internal
        | Code::Stopping => 500,
    }
}

/// The answer to what is no JSON.
pub(crate) fn not_json() -> Reply {
    let call = Call {
        version: Version::One,
        id: Some(Value::Null),
        what: Err(RpcError::new(Code::Parse, "Parse error")),
    };
    let error = RpcError::new(Code::Parse, "Parse error");
    call.reply(Err(error))
}

fn version(fields: &Map<String, Value>) -> Result<Version, RpcError> {
    let refuse = |message| Err(RpcError::new(Code::InvalidRequest, message));
    match fields.get("jsonrpc") {
        None => Ok(Version::One),
        Some(Value::String(text)) => match text.as_str() {
            "1.0" => Ok(Version::One),
            "2.0" => Ok(Version::Two),
            _ => refuse("JSON-RPC version not supported"),
        },
        Some(_) => refuse("jsonrpc field must be a string"),
    }
}

fn method(fields: &mut Map<String, Value>) -> Result<(String, Value), RpcError> {
    let refuse = |message| Err(RpcError::new(Code::InvalidRequest, message));
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        None | Some(Value::Null) => return refuse("Missing method"),
        Some(_) => return refuse("Method must be a string"),
    };
    match fields.remove("params") {
        Some(params @ (Value::Array(_) | Value::Object(_))) => Ok((method, params)),
        None | Some(Value::Null) => Ok((method, Value::Array(Vec::new()))),
        Some(_) => refuse("Params must be an array or object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: Value) -> (u16, Value) {
        let call = Call::read(request);
        let answer = match &call.what {
            Ok((method, params)) => Ok(json!([method, params])),
            Err(error) => Err(error.clone()),
        };
        let Reply { status, body } = call.reply(answer);
        (status, body)
    }

    #[test]
    fn version_one_answers_with_result_and_error() {
        let (status, body) = answer(json!({ "method": "m", "params": [1], "id": "x" }));
        assert_eq!(
            (status, body),
            (200, json!({ "result": ["m", [1]], "error": null, "id": "x" }))
        );
        let (status, body) = answer(json!({ "version": "1.1", "method": "m" }));
        assert_eq!((status, body["id"].clone()), (200, Value::Null));
    }

    #[test]
    fn version_two_answers_with_either() {
        let (status, body) = answer(json!({ "jsonrpc": "2.0", "method": "m", "params": { "a": 1 }, "id": 7 }));
        assert_eq!(
            (status, body),
            (200, json!({ "jsonrpc": "2.0", "result": ["m", { "a": 1 }], "id": 7 }))
        );
        let (status, body) = answer(json!({ "jsonrpc": "2.0", "id": 7 }));
        assert_eq!((status, body["error"]["code"].clone()), (200, json!(-32600)));
        assert!(body.get("result").is_none());
        assert_eq!(Call::read(json!({ "jsonrpc": "2.0", "method": "m" })).id, None);
        assert_eq!(
            Call::read(json!({ "jsonrpc": "2.0", "method": "m", "id": null })).id,
            Some(Value::Null)
        );
    }

    #[test]
    fn what_is_no_call_is_told_so() {
        for (request, words) in [
            (json!(3), "Invalid Request object"),
            (json!({ "id": 1 }), "Missing method"),
            (json!({ "method": 1 }), "Method must be a string"),
            (
                json!({ "method": "m", "params": 3 }),
                "Params must be an array or object",
            ),
            (
                json!({ "method": "m", "jsonrpc": "3.0" }),
                "JSON-RPC version not supported",
            ),
            (json!({ "method": "m", "jsonrpc": 2 }), "jsonrpc field must be a string"),
        ] {
            let (status, body) = answer(request);
            assert_eq!((status, body["error"]["message"].clone()), (400, json!(words)));
        }
        assert_eq!(
            (not_json().status, not_json().body["error"]["code"].clone()),
            (500, json!(-32700))
        );
    }
}
