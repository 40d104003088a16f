//! Keeps out browsers that another site sent here (THREATS H2, H3).
//!
//! A page of any site can make a browser talk to this machine. What it cannot do is leave out `Origin`, or name this machine by an address
//! rather than by a name of its own ("DNS rebinding").

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, ORIGIN};

/// Why a request is turned away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turned {
    /// It is not for this machine.
    ForeignHost,
    /// It comes from a page.
    FromPage,
}

impl Turned {
    /// What the client is told.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ForeignHost => "this server is reached by address or as localhost, by no other name\n",
            Self::FromPage => "requests of web pages are not answered\n",
        }
    }
}

/// Whether a request may come in.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Turned> {
    if headers.contains_key(ORIGIN) || came_across_sites(headers) {
        return Err(Turned::FromPage);
    }
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.to_str().is_ok_and(is_ours) => Ok(()),
        (Some(_) | None, _) => Err(Turned::ForeignHost),
    }
}

fn came_across_sites(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    !matches!(site, None | Some(b"none" | b"same-origin"))
}

/// Whether a `Host` is an address or `localhost`, with a port or without.
fn is_ours(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost") || bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = hyper::header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn threat_h2_only_addresses_and_localhost_are_hosts() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8332",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8332",
            "192.168.1.5:80",
        ] {
            assert_eq!(check(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "evil.com",
            "evil.com:8332",
            "127.0.0.1.evil.com",
            "localhost.evil.com",
            "",
            ":80",
            "127.0.0.1:x",
        ] {
            assert_eq!(check(&headers(&[("host", host)])), Err(Turned::ForeignHost), "{host}");
        }
        assert_eq!(check(&headers(&[])), Err(Turned::ForeignHost));
        let twice = headers(&[("host", "localhost"), ("host", "evil.com")]);
        assert_eq!(check(&twice), Err(Turned::ForeignHost));
    }

    #[test]
    fn threat_h3_pages_are_turned_away() {
        let with = |name, value| check(&headers(&[("host", "localhost"), (name, value)]));
        assert_eq!(with("origin", "http://evil.com"), Err(Turned::FromPage));
        assert_eq!(with("origin", "null"), Err(Turned::FromPage));
        assert_eq!(with("sec-fetch-site", "cross-site"), Err(Turned::FromPage));
        assert_eq!(with("sec-fetch-site", "same-site"), Err(Turned::FromPage));
        assert_eq!(with("sec-fetch-site", "none"), Ok(()));
    }
}
