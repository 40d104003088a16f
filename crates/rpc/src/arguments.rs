//! The arguments of a call: by place or by name, of the types that the method's description says.

use base::hex;
use chain::{Amount, BlockId};
use serde_json::{Map, Value};

use crate::{Code, RpcError};

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// Coins: a number, or one written as text.
    Amount,
    /// True or false.
    Flag,
    /// Levels of detail: a number, or true and false for one and none.
    Level,
    /// A list.
    List,
    /// An object.
    Object,
    /// Anything: taken and not looked at.
    Any,
}

/// An argument of a method.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it may be left out.
    pub is_optional: bool,
}

/// The arguments of a call, in the order of the method's parameters; those left out, and null ones, are null.
#[derive(Clone, Debug)]
pub(crate) struct Arguments(Vec<Value>);

impl Arguments {
    /// Puts arguments into their places and checks their types. None when there are too many or too few.
    pub(crate) fn read(parameters: &[Parameter], given: Value) -> Result<Option<Self>, RpcError> {
        let mut values = match given {
            Value::Array(values) => values,
            Value::Object(named) => by_name(parameters, named)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        let least = parameters.iter().rposition(|parameter| !parameter.is_optional);
        if values.len() < least.map_or(0, |last| last + 1) || values.len() > parameters.len() {
            return Ok(None);
        }
        values.resize(parameters.len(), Value::Null);
        let mut wrong = Vec::new();
        for (place, (parameter, value)) in (1..).zip(parameters.iter().zip(&values)) {
            let is_left_out = parameter.is_optional && value.is_null();
            if let Some(expected) = parameter.kind.misfit(value).filter(|_| !is_left_out) {
                let kind = kind_of(value);
                wrong.push(format!(
                    "    \"Position {place} ({})\": \"JSON value of type {kind} is not of expected type {expected}\"",
                    parameter.name
                ));
            }
        }
        if wrong.is_empty() {
            return Ok(Some(Self(values)));
        }
        let message = format!("Wrong type passed:\n{{\n{}\n}}", wrong.join(",\n"));
        Err(RpcError::new(Code::Type, message))
    }

    /// The argument at this place.
    pub(crate) fn at(&self, place: usize) -> &Value {
        self.0.get(place).unwrap_or(&Value::Null)
    }

    /// Text; nothing when it was left out.
    pub(crate) fn text(&self, place: usize) -> Option<&str> {
        self.at(place).as_str()
    }

    /// A flag, or what it is when left out.
    pub(crate) fn flag_or(&self, place: usize, usual: Flag) -> bool {
        self.at(place).as_bool().unwrap_or(usual == Flag::Set)
    }

    /// A number; an error when it is no whole one or does not fit the type, of the code that Core has for those (`getInt<Int>`). Heights, counts
    /// and time-outs are its `int`s.
    pub(crate) fn number<N: TryFrom<i64>>(&self, place: usize) -> Result<Option<N>, RpcError> {
        match self.at(place) {
            Value::Null => Ok(None),
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                let number = value.as_i64().and_then(|number| N::try_from(number).ok());
                number.map(Some).ok_or_else(out_of_range)
            }
        }
    }

    /// How much is to be told, from 0; true counts as 1.
    pub(crate) fn level(&self, place: usize, usual: i32) -> Result<i32, RpcError> {
        match self.at(place) {
            Value::Bool(flag) => Ok(i32::from(*flag)),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Ok(self.number(place)?.unwrap_or(usual))
            }
        }
    }

    /// A block's name.
    pub(crate) fn block_id(&self, place: usize, name: &str) -> Result<BlockId, RpcError> {
        let text = self.text(place).unwrap_or_default();
        hash(text, name)?.parse().map_err(|_| not_hex(text, name))
    }

    /// A transaction's name.
    pub(crate) fn txid(&self, place: usize, name: &str) -> Result<chain::Txid, RpcError> {
        let text = self.text(place).unwrap_or_default();
        hash(text, name)?.parse().map_err(|_| not_hex(text, name))
    }

    /// An amount of coins.
    pub(crate) fn amount(&self, place: usize) -> Result<Option<Amount>, RpcError> {
        let value = self.at(place);
        if value.is_null() {
            return Ok(None);
        }
        amount(value).map(Some)
    }
}

/// A flag's state, where a plain `bool` would tell nobody what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flag {
    Set,
    Unset,
}

impl Kind {
    /// What was expected, when the value is something else.
    fn misfit(self, value: &Value) -> Option<&'static str> {
        let (fits, expected) = match self {
            Self::Text => (value.is_string(), "string"),
            Self::Number => (value.is_number(), "number"),
            Self::Amount => (value.is_number() || value.is_string(), "number"),
            Self::Flag => (value.is_boolean(), "bool"),
            Self::Level => (value.is_number() || value.is_boolean(), "number"),
            Self::List => (value.is_array(), "array"),
            Self::Object => (value.is_object(), "object"),
            Self::Any => (true, "value"),
        };
        (!fits).then_some(expected)
    }
}

fn by_name(parameters: &[Parameter], mut named: Map<String, Value>) -> Result<Vec<Value>, RpcError> {
    // Core's mixture: the first by place in `args`, the rest by name.
    let mut values = match named.remove("args") {
        Some(Value::Array(first)) => first,
        Some(_) => return Err(RpcError::new(Code::InvalidParameter, "args must be an array")),
        None => Vec::new(),
    };
    let placed = values.len();
    values.resize(parameters.len().max(placed), Value::Null);
    for (place, parameter) in parameters.iter().enumerate() {
        if let Some(value) = named.remove(parameter.name) {
            if place < placed {
                let message = format!(
                    "Parameter {} specified twice both as positional and named argument",
                    parameter.name
                );
                return Err(RpcError::new(Code::InvalidParameter, message));
            }
            values[place] = value;
        }
    }
    if let Some(unknown) = named.keys().next() {
        let message = format!("Unknown named parameter {unknown}");
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    // What is left out at the end is as little there as it is by place.
    while values.len() > placed && values.last().is_some_and(Value::is_null) {
        values.pop();
    }
    Ok(values)
}

pub(crate) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A number is no whole one, or too large.
pub(crate) fn out_of_range() -> RpcError {
    RpcError::new(Code::Misc, "JSON integer out of range")
}

/// Text of 64 hexadecimal digits, or Core's words for what is wrong with it.
fn hash<'a>(text: &'a str, name: &str) -> Result<&'a str, RpcError> {
    if text.len() != 64 {
        let message = format!("{name} must be of length 64 (not {}, for '{text}')", text.len());
        return Err(RpcError::new(Code::InvalidParameter, message));
    }
    Ok(text)
}

fn not_hex(text: &str, name: &str) -> RpcError {
    let message = format!("{name} must be hexadecimal string (not '{text}')");
    RpcError::new(Code::InvalidParameter, message)
}

/// The bytes of a hex argument.
pub(crate) fn bytes(text: &str, what: &str) -> Result<Vec<u8>, RpcError> {
    hex::decode(text).ok_or_else(|| RpcError::new(Code::Deserialization, format!("{what} decode failed")))
}

/// An amount of coins: a number, or one written as text, with at most eight decimals.
pub(crate) fn amount(value: &Value) -> Result<Amount, RpcError> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(RpcError::new(Code::Type, "Amount is not a number or string"));
        }
    };
    if text.starts_with('-') {
        return Err(RpcError::new(Code::Type, "Amount out of range"));
    }
    let units = units(&text).ok_or_else(|| RpcError::new(Code::Type, "Invalid amount"))?;
    let amount = Amount::from_units(units);
    if amount.is_money() {
        Ok(amount)
    } else {
        Err(RpcError::new(Code::Type, "Amount out of range"))
    }
}

/// The base units of a decimal number, which may have an exponent as JSON has it.
fn units(text: &str) -> Option<u64> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: String = [whole, fraction].concat();
    let is_number = !whole.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number || digits.len() > 40 {
        return None;
    }
    let places = exponent
        .checked_add(8)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let value: u128 = digits.parse().ok()?;
    let scale = 10_u128.checked_pow(places.unsigned_abs());
    let units = match (value, places) {
        (0, _) => 0,
        (_, 0..) => value.checked_mul(scale?)?,
        (_, _) if value.is_multiple_of(scale?) => value / scale?,
        (_, _) => return None,
    };
    u64::try_from(units).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PARAMETERS: [Parameter; 3] = [
        Parameter {
            name: "hash",
            kind: Kind::Text,
            is_optional: false,
        },
        Parameter {
            name: "verbosity",
            kind: Kind::Level,
            is_optional: true,
        },
        Parameter {
            name: "count",
            kind: Kind::Number,
            is_optional: true,
        },
    ];

    fn read(given: Value) -> Result<Option<Vec<Value>>, String> {
        Arguments::read(&PARAMETERS, given)
            .map(|read| read.map(|Arguments(values)| values))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_come_by_place_and_by_name() {
        let all = Ok(Some(vec![json!("a"), json!(true), json!(3)]));
        assert_eq!(read(json!(["a", true, 3])), all);
        assert_eq!(read(json!({ "count": 3, "hash": "a", "verbosity": true })), all);
        assert_eq!(read(json!({ "args": ["a"], "count": 3, "verbosity": true })), all);
        assert_eq!(read(json!(["a"])), Ok(Some(vec![json!("a"), Value::Null, Value::Null])));
        assert_eq!(read(json!(["a", null])), read(json!(["a"])));
    }

    #[test]
    fn wrong_numbers_types_and_names_are_refused() {
        assert_eq!(read(json!([])), Ok(None));
        assert_eq!(read(json!({})), Ok(None));
        assert_eq!(read(json!(["a", 1, 2, 3])), Ok(None));
        for (given, code) in [
            (json!([1]), "-3"),
            (json!(["a", "b"]), "-3"),
            (json!([null]), "-3"),
            (json!({ "count": 1 }), "-3"),
            (json!({ "hash": "a", "hush": 1 }), "-8"),
            (json!({ "args": ["a"], "hash": "b" }), "-8"),
            (json!({ "args": 1 }), "-8"),
        ] {
            assert!(read(given).is_err_and(|message| message.contains(code)));
        }
    }

    #[test]
    fn all_wrong_types_are_told_at_once() {
        let message = "Wrong type passed:\n{\n    \
            \"Position 1 (hash)\": \"JSON value of type number is not of expected type string\",\n    \
            \"Position 3 (count)\": \"JSON value of type bool is not of expected type number\"\n} (-3)";
        assert_eq!(read(json!([1, 2, true])), Err(message.to_owned()));
    }

    #[test]
    fn numbers_and_hashes_out_of_range_are_errors() {
        let read = |given| {
            Arguments::read(&PARAMETERS, given)
                .expect("types fit")
                .expect("numbers fit")
        };
        assert_eq!(read(json!(["a", 0, i64::MAX])).number(2), Ok(Some(i64::MAX)));
        assert_eq!(read(json!(["a", 0, i32::MIN])).number(2), Ok(Some(i32::MIN)));
        for absurd in [json!(u64::MAX), json!(1.5), json!(1e300), json!(-1e300)] {
            assert_eq!(read(json!(["a", 0, absurd])).number::<i64>(2), Err(out_of_range()));
        }
        for wide in [1 << 31, i64::from(i32::MIN) - 1] {
            assert_eq!(read(json!(["a", 0, wide])).number::<i32>(2), Err(out_of_range()));
        }
        for text in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            assert!(read(json!([text])).block_id(0, "blockhash").is_err(), "{text}");
        }
        assert!(read(json!(["ab".repeat(32)])).block_id(0, "blockhash").is_ok());
    }

    #[test]
    fn amounts_are_exact() {
        let units = |value: Value| amount(&value).map(Amount::units).ok();
        assert_eq!(units(json!(0.1)), Some(10_000_000));
        assert_eq!(units(json!("0.00000001")), Some(1));
        assert_eq!(units(json!(1e-8)), Some(1));
        assert_eq!(units(json!(20_999_999.999_999_99)), Some(2_099_999_999_999_999));
        assert_eq!(units(json!(21_000_000)), Some(2_100_000_000_000_000));
        assert_eq!(units(json!("1.50000000000")), Some(150_000_000));
        for wrong in [
            json!(21_000_001),
            json!(-1),
            json!("0.000000001"),
            json!(""),
            json!("."),
            json!("1e400"),
            json!("x"),
            json!([]),
        ] {
            assert_eq!(units(wrong.clone()), None, "{wrong}");
        }
    }
}
