//! Answers in JSON, and why there is none.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a question has no answer: `{"error": "..."}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) words: Cow<'static, str>,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<Json<T>, Problem>;

impl Problem {
    pub(crate) const fn new(status: StatusCode, words: &'static str) -> Self {
        Self {
            status,
            words: Cow::Borrowed(words),
        }
    }

    /// The question makes no sense.
    pub(crate) const fn bad(words: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            words: Cow::Owned(words),
        }
    }

    /// What was read cannot be read again.
    pub(crate) const fn broken(words: String) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            words: Cow::Owned(words),
        }
    }

    /// There is no such thing.
    pub(crate) const fn unknown(words: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            words: Cow::Owned(words),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.words }))).into_response()
    }
}
