//! Steps that are handed in from the page to a run that goes on. Whoever does needs the run's token, which only its terminal has shown.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use observe::Operator;
use observe::operator::Answer as Came;
use scenario::Instruction;
use scenario::words;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::answer::{Answer, Problem};
use crate::limits::STEP_TIME;

/// The header that carries the token. A form cannot set it, and another site's script may not.
const HEADER: &str = "x-nakanet-token";

/// The way to hand in, and who may.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    operator: Operator,
    token: Token,
}

/// A secret of one run: 128 bits in hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token(String);

impl Token {
    /// A new one.
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(base::hex::encode(&bytes)))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// In the same time wherever they differ.
    fn is(&self, given: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let differing = own.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
        own.len() == given.len() && differing == 0
    }
}

/// A step in the scenario language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    step: String,
}

/// What came of it, in words.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    state: &'static str,
    said: String,
}

impl Control {
    pub(crate) const fn new(operator: Operator, token: Token) -> Self {
        Self { operator, token }
    }
}

/// Hands in a step and says what came of it, or that it goes on.
pub(crate) async fn control(
    State(control): State<Option<Control>>,
    headers: HeaderMap,
    order: Result<Json<Order>, JsonRejection>,
) -> Answer<Outcome> {
    let Some(control) = control else {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this run takes no steps: it is over, or was opened to be looked at",
        ));
    };
    let tokens: Vec<_> = headers.get_all(HEADER).iter().collect();
    if !matches!(tokens.as_slice(), [token] if control.token.is(token.as_bytes())) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the token is missing or wrong: open the address that nakanet printed",
        ));
    }
    let Json(order) = order.map_err(|rejection| Problem {
        status: rejection.status(),
        words: rejection.body_text().into(),
    })?;
    let reply = control.operator.hand_in(Instruction::new("page", order.step.as_str()));
    let gone = |reason: observe::operator::NotTaken| Problem {
        status: StatusCode::SERVICE_UNAVAILABLE,
        words: reason.to_string().into(),
    };
    let came = timeout(STEP_TIME, reply.map_err(gone)?.answer()).await;
    let (state, said) = match came {
        Err(_) => (
            "started",
            "it goes on; what comes of it is told with the events".to_owned(),
        ),
        Ok(Err(reason)) => return Err(gone(reason)),
        Ok(Ok(Came::Refused(diagnostics))) => {
            let words: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
            return Err(Problem {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                words: words.join("\n").into(),
            });
        }
        Ok(Ok(Came::Passed { found, took })) => ("passed", format!("{found} (after {})", words::duration(took))),
        Ok(Ok(Came::Failed { expected, found })) => ("failed", format!("expected {expected}, found {found}")),
    };
    Ok(Json(Outcome { state, said }))
}
