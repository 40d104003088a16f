//! What stands behind the question mark. Every mistake is told, nothing is guessed (threat H7).

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::answer::Problem;
use crate::limits::MAX_FILTER_BYTES;

/// The parameters of a request, each taken out by whoever wants it; those that nobody wants are mistakes.
#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pairs: Result<Query<Vec<(String, String)>>, QueryRejection> = Query::from_request_parts(parts, state).await;
        let Query(pairs) = pairs.map_err(|rejection| Problem::bad(rejection.body_text()))?;
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            if value.len() > MAX_FILTER_BYTES {
                return Err(Problem::bad(format!("`{name}` has more than {MAX_FILTER_BYTES} bytes")));
            }
            if parameters.insert(name.clone(), value).is_some() {
                return Err(Problem::bad(format!("`{name}` is given twice")));
            }
        }
        Ok(Self(parameters))
    }
}

impl Parameters {
    /// A whole number from 0 to `most`.
    pub(crate) fn number(&mut self, name: &str, most: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && *number <= most);
        let wrong = || {
            Problem::bad(format!(
                "`{name}` is {text:?}, expected a whole number from 0 to {most}"
            ))
        };
        number.map(Some).ok_or_else(wrong)
    }

    /// Text, if there is any.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|text| !text.is_empty())
    }

    /// Ends the taking.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad(format!("`{name}` is not a parameter here"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<Option<u64>, String> {
        let mut parameters = Parameters(BTreeMap::from([("limit".to_owned(), text.to_owned())]));
        parameters
            .number("limit", 1_000)
            .map_err(|problem| problem.words.into_owned())
    }

    #[test]
    fn threat_h7_only_whole_numbers_within_bounds_are_numbers() {
        assert_eq!(number("0"), Ok(Some(0)));
        assert_eq!(number("1000"), Ok(Some(1_000)));
        for bomb in [
            "1001",
            "1e18",
            "-1",
            "NaN",
            "",
            " 1",
            "+1",
            "0x10",
            "1.5",
            "99999999999999999999",
            "٣",
        ] {
            let words = number(bomb).expect_err(bomb);
            assert!(words.contains("expected a whole number from 0 to 1000"), "{words}");
        }
    }

    #[test]
    fn what_nobody_wants_is_a_mistake() {
        let parameters = Parameters(BTreeMap::from([("lmit".to_owned(), "1".to_owned())]));
        assert_eq!(
            parameters.end(),
            Err(Problem::bad("`lmit` is not a parameter here".to_owned()))
        );
    }
}
