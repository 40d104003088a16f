//! Who may ask: only this machine, and only the page itself. Threats H2 and H3.
//!
//! Another site's script that runs in the user's browser can reach 127.0.0.1, under a name of its own when it rebinds DNS. So the name in `Host` must be
//! one of this server's, there is no CORS header whatsoever, and what names another origin is refused before anything is looked at.

use std::net::SocketAddr;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;

use crate::answer::Problem;

/// Where requests may say that they come from and go to.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    hosts: Vec<String>,
}

const FOREIGN_HOST: Problem = Problem::new(
    StatusCode::MISDIRECTED_REQUEST,
    "this server answers to 127.0.0.1, localhost and [::1] only",
);
const FOREIGN_ORIGIN: Problem = Problem::new(StatusCode::FORBIDDEN, "requests of other sites are refused");
const WRONG_METHOD: Problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and POST are answered");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Guard {
    /// The names of a server at an address.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let port = address.port();
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        Self { hosts: hosts.into() }
    }

    /// Whether a request may be looked at.
    pub(crate) fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(FOREIGN_HOST);
        };
        let absolute = uri.authority().is_none_or(|authority| self.is_ours(authority.as_str()));
        if !absolute || !host.to_str().is_ok_and(|host| self.is_ours(host)) {
            return Err(FOREIGN_HOST);
        }
        if !self.comes_from_us(uri, headers) {
            return Err(FOREIGN_ORIGIN);
        }
        if ![Method::GET, Method::HEAD, Method::POST].contains(method) {
            return Err(WRONG_METHOD);
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Browsers name the origin of whatever is not a plain navigation. Following a link from elsewhere to the page itself is none of another site's reading.
    fn comes_from_us(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let ours = |origin: &HeaderValue| {
            let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            origin.is_some_and(|host| self.is_ours(host))
        };
        let same_site = |site: &HeaderValue| [b"same-origin".as_slice(), b"none"].contains(&site.as_bytes());
        headers.get_all(header::ORIGIN).iter().all(ours)
            && (!uri.path().starts_with("/api/") || headers.get_all(SEC_FETCH_SITE).iter().all(same_site))
    }
}

/// What every answer says of itself: what the page may load (only from here), and that nobody may frame, sniff or keep it.
pub(crate) fn seal(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, headers: &[(&'static str, &str)]) -> Result<(), StatusCode> {
        let guard = Guard::of(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let checked = guard.check(&Method::GET, &path.parse().unwrap(), &map);
        checked.map_err(|problem| problem.status)
    }

    #[test]
    fn threat_h2_only_our_own_names_are_answered() {
        for ours in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"] {
            assert_eq!(check("/", &[("host", ours)]), Ok(()), "{ours}");
        }
        let foreign = [
            "evil.com",
            "evil.com:8080",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.evil.com:8080",
            "127.0.0.1:8080.evil.com",
            "0.0.0.0:8080",
            "",
        ];
        for host in foreign {
            assert_eq!(
                check("/", &[("host", host)]),
                Err(StatusCode::MISDIRECTED_REQUEST),
                "{host}"
            );
        }
        assert_eq!(check("/", &[]), Err(StatusCode::MISDIRECTED_REQUEST));
        let twice = [("host", "127.0.0.1:8080"), ("host", "127.0.0.1:8080")];
        assert_eq!(check("/", &twice), Err(StatusCode::MISDIRECTED_REQUEST));
        let host = [("host", "127.0.0.1:8080")];
        assert_eq!(check("http://evil.com/", &host), Err(StatusCode::MISDIRECTED_REQUEST));
        assert_eq!(check("http://localhost:8080/", &host), Ok(()));
    }

    #[test]
    fn threat_h3_what_another_site_asks_is_refused() {
        let with = |path, name, value| check(path, &[("host", "127.0.0.1:8080"), (name, value)]);
        assert_eq!(with("/api/run", "origin", "http://127.0.0.1:8080"), Ok(()));
        for origin in [
            "http://evil.com",
            "https://127.0.0.1:8080",
            "null",
            "http://127.0.0.1:8081",
        ] {
            assert_eq!(
                with("/api/run", "origin", origin),
                Err(StatusCode::FORBIDDEN),
                "{origin}"
            );
            assert_eq!(with("/", "origin", origin), Err(StatusCode::FORBIDDEN), "{origin}");
        }
        assert_eq!(with("/api/run", "sec-fetch-site", "same-origin"), Ok(()));
        assert_eq!(with("/api/run", "sec-fetch-site", "none"), Ok(()));
        for site in ["cross-site", "same-site"] {
            assert_eq!(with("/api/run", "sec-fetch-site", site), Err(StatusCode::FORBIDDEN));
        }
        // A link to the page may be anywhere.
        assert_eq!(with("/", "sec-fetch-site", "cross-site"), Ok(()));
    }
}
