//! The server as hostile clients meet it: bytes over a socket. Threats H1 to H5 and H7.

mod client;
mod requests;

use std::net::TcpListener;
use std::path::Path;

use self::client::Client;
use crate::limits::MAX_CONNECTIONS;
use crate::{Error, Options, Page};

/// The page of a run that never begins.
fn page() -> Page {
    Page::await_run(Path::new("nowhere"), Options::default()).expect("a free port")
}

#[test]
fn threat_h1_only_this_machine_is_listened_to() {
    let page = page();
    assert!(page.address().ip().is_loopback());
}

#[test]
fn a_taken_port_is_named_and_a_closed_page_frees_its_own() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let open = || {
        Page::await_run(
            Path::new("nowhere"),
            Options {
                port,
                ..Options::default()
            },
        )
    };
    let error = open().expect_err("the port is taken");
    assert!(matches!(error, Error::Port { .. }));
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    drop(taken);
    drop(open().expect("the port is free"));
    drop(open().expect("the port is free again"));
}

#[test]
fn every_answer_says_what_the_page_may_load() {
    let page = page();
    for (path, status) in [("/", 200), ("/page.js", 200), ("/nothing", 404)] {
        let answer = Client::connect(&page).get(path);
        assert_eq!(answer.status, status);
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn threat_h2_foreign_hosts_are_refused() {
    let page = page();
    let port = page.address().port();
    let requests = [
        "GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: evil.com:{port}\r\n\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.com\r\n\r\n"),
        format!("GET http://evil.com/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    ];
    for request in requests {
        let answer = Client::connect(&page).send(request.as_bytes());
        assert_eq!(answer.status, 421, "{request}");
        assert!(answer.body.contains("\"error\""), "{request}");
    }
}

#[test]
fn threat_h3_other_sites_are_refused() {
    let page = page();
    for header in ["Origin: http://evil.com", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let answer = Client::connect(&page).get_with("/api/run", header);
        assert_eq!(answer.status, 403, "{header}");
    }
    let preflight = format!(
        "OPTIONS /api/control HTTP/1.1\r\nHost: {}\r\nOrigin: http://evil.com\r\n\r\n",
        page.address()
    );
    assert_eq!(Client::connect(&page).send(preflight.as_bytes()).status, 403);
}

#[test]
fn threat_h4_paths_lead_to_the_page_s_own_files_only() {
    let page = page();
    let long = format!("/{}", "a".repeat(4_000));
    let paths = [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%5cCargo.toml",
        "/page.js%00",
        "//page.js",
        "/./page.js",
        "/etc/passwd",
        &long,
    ];
    for path in paths {
        let answer = Client::connect(&page).get(path);
        assert_eq!(answer.status, 404, "{path}");
    }
    let longer = format!("/{}", "a".repeat(40_000));
    assert_eq!(Client::connect(&page).get(&longer).status, 431);
}

#[test]
fn threat_h5_more_connections_than_there_is_room_for_are_told_so() {
    let page = page();
    let mut held: Vec<Client> = (0..MAX_CONNECTIONS).map(|_| Client::connect(&page)).collect();
    // Each is being served, not merely waiting to be taken.
    for client in &mut held {
        assert_eq!(client.get("/icon.svg").status, 200);
    }
    assert_eq!(Client::connect(&page).read().status, 503);
    held.pop();
    Client::connect_when_there_is_room(&page);
}

#[test]
fn threat_h5_a_head_that_does_not_end_is_not_waited_for() {
    let page = page();
    for begun in ["", "GET / HTT", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "] {
        let mut client = Client::connect(&page);
        client.write(begun.as_bytes());
        assert!(client.is_closed_by_the_server(), "{begun:?}");
    }
    let many = "X: y\r\n".repeat(1_000);
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n{many}\r\n", page.address());
    assert_eq!(Client::connect(&page).send(request.as_bytes()).status, 431);
}
