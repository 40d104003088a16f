//! Questions that make no sense, streams that are not read, and steps that are handed in.

use observe::Operator;
use observe::operator::Owed;
use scenario::{ControlReport, StepState};

use super::client::Client;
use super::page;
use crate::limits::{
    MAX_BODY_BYTES, MAX_EVENTS, MAX_FILTER_BYTES, MAX_HEAD_BYTES, MAX_HEADERS, MAX_STREAMS, MAX_TIME_US, MAX_TREE_ROWS,
};
use crate::{Options, Page};

#[test]
fn threat_h7_numbers_out_of_bounds_are_refused_with_the_bounds() {
    let page = page();
    let mut client = Client::connect(&page);
    for (path, words) in [
        (
            "/api/events?limit=1e18",
            "`limit` is \\\"1e18\\\", expected a whole number from 0 to 1000",
        ),
        ("/api/events?limit=1001", "from 0 to 1000"),
        ("/api/events?limit=-1", "from 0 to 1000"),
        ("/api/tree?rows=NaN", "`rows` is \\\"NaN\\\""),
        ("/api/moment?t=9007199254740993", "from 0 to 9007199254740991"),
        ("/api/moment?t=1&t=2", "`t` is given twice"),
        ("/api/moment?time=1", "`time` is not a parameter here"),
        ("/api/fork?t=1", "`id` is missing"),
        ("/api/fork?id=99999999999999999999", "`id` is"),
        ("/api/step?t=1&direction=up", "`direction` is `on` or `back`"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    let long = format!("/api/events?text={}", "a".repeat(1_000));
    assert_eq!(client.get(&long).status, 400);
    assert_eq!(client.get("/api/fork?id=0").status, 404);
    assert_eq!(client.get("/api/nothing").status, 404);
    assert_eq!(client.get("/api/run").status, 503, "the run has not begun");
}

#[test]
fn threat_h7_every_bound_of_a_question_is_the_last_that_is_answered() {
    let page = page();
    let mut client = Client::connect(&page);
    let filter = |bytes: usize| format!("/api/news?since={}", "0".repeat(bytes));
    for (within, beyond) in [
        (
            format!("/api/events?limit={MAX_EVENTS}"),
            format!("/api/events?limit={}", MAX_EVENTS + 1),
        ),
        (
            format!("/api/tree?rows={MAX_TREE_ROWS}"),
            format!("/api/tree?rows={}", MAX_TREE_ROWS + 1),
        ),
        (
            format!("/api/moment?t={MAX_TIME_US}"),
            format!("/api/moment?t={}", MAX_TIME_US + 1),
        ),
        (filter(MAX_FILTER_BYTES), filter(MAX_FILTER_BYTES + 1)),
    ] {
        assert_eq!(client.get(&within).status, 200, "{within}");
        let refused = client.get(&beyond);
        assert_eq!(refused.status, 400, "{beyond}: {}", refused.body);
    }
}

#[test]
fn threat_h5_a_head_has_so_many_headers_and_bytes() {
    let page = page();
    let ask = |path: &str, headers: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", page.address());
        Client::connect(&page).send(request.as_bytes()).status
    };
    assert_eq!(
        ask("/", &"X: y\r\n".repeat(MAX_HEADERS - 1)),
        200,
        "the host is one of them"
    );
    assert_eq!(ask("/", &"X: y\r\n".repeat(MAX_HEADERS)), 431);
    let long = |bytes: usize| format!("X: {}\r\n", "y".repeat(bytes));
    assert_eq!(ask("/", &long(MAX_HEAD_BYTES / 2)), 200);
    assert_eq!(ask("/", &long(MAX_HEAD_BYTES)), 431);
}

#[test]
fn metrics_are_text_that_prometheus_reads() {
    let page = page();
    let answer = Client::connect(&page).get("/metrics");
    assert_eq!((answer.status, answer.body.trim_end()), (200, "# EOF"));
    assert_eq!(Client::connect(&page).get("/metrics?t=1").status, 400);
}

#[test]
fn figures_can_be_served_without_a_page() {
    let figures = Page::await_metrics(std::path::Path::new("nowhere"), 0).expect("a free port");
    let mut client = Client::connect(&figures);
    assert_eq!(client.get("/metrics").status, 200);
    for path in ["/", "/api/run", "/api/stream", "/page.js"] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
}

#[test]
fn threat_h5_streams_that_nobody_reads_hold_up_nobody() {
    let page = page();
    let mut streams: Vec<Client> = (0..MAX_STREAMS).map(|_| Client::connect(&page)).collect();
    for stream in &mut streams {
        stream.ask("/api/stream");
        assert!(stream.line().contains("200"));
    }
    // The room for questions is not theirs.
    let mut other = Client::connect(&page);
    assert_eq!(other.get("/api/stream").status, 503);
    assert_eq!(other.get("/api/news").status, 200);
    // A stream that was killed makes room.
    streams.pop();
    loop {
        other.ask("/api/stream");
        let status = other.line();
        if status.contains("200") {
            break;
        }
        assert!(status.contains("503"), "{status}");
        other.rest_of_answer();
    }
    loop {
        let line = other.line();
        if line.starts_with("data:") {
            assert!(line.contains("\"revision\":0,\"end_us\":0,\"ended\":null"), "{line}");
            break;
        }
    }
}

/// A page that takes steps, its token, and where they are handed in.
fn taking_steps() -> (Page, String, observe::Desk) {
    let (operator, desk) = Operator::new();
    let options = Options {
        operator: Some(operator),
        ..Options::default()
    };
    let page = Page::await_run(std::path::Path::new("nowhere"), options).expect("a free port");
    let link = page.link();
    let (_, token) = link.split_once("#token=").expect("the link has the token");
    let token = token.to_owned();
    (page, token, desk)
}

fn post(page: &Page, headers: &str, body: &str) -> (u16, String) {
    let host = page.address();
    let length = body.len();
    let request =
        format!("POST /api/control HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    let answer = Client::connect(page).send(request.as_bytes());
    (answer.status, answer.body)
}

const JSON: &str = "Content-Type: application/json\r\n";
const STEP: &str = "{\"step\": \"mine = 1, on = \\\"n0\\\"\"}";

#[test]
fn threat_h3_steps_need_the_token_the_type_and_the_origin() {
    let (page, token, desk) = taking_steps();
    let right = format!("X-Nakanet-Token: {token}\r\n");
    let other = format!("X-Nakanet-Token: {}\r\n", "0".repeat(32));
    for (headers, body, status) in [
        (JSON.to_owned(), STEP, 401),
        (format!("{JSON}{other}"), STEP, 401),
        (format!("{JSON}X-Nakanet-Token: \r\n"), STEP, 401),
        (format!("{JSON}{right}{right}"), STEP, 401),
        (format!("{JSON}{right}Origin: http://evil.com\r\n"), STEP, 403),
        (format!("{JSON}{right}Sec-Fetch-Site: cross-site\r\n"), STEP, 403),
        (format!("Content-Type: text/plain\r\n{right}"), STEP, 415),
        (
            format!("Content-Type: application/x-www-form-urlencoded\r\n{right}"),
            "step=mine",
            415,
        ),
        (format!("{JSON}{right}"), "{\"step\": 1}", 422),
        (format!("{JSON}{right}"), "{\"step\": \"mine = 1\", \"more\": 1}", 422),
        (format!("{JSON}{right}"), "{", 400),
    ] {
        let (found, words) = post(&page, &headers, body);
        assert_eq!(found, status, "{headers}{body}: {words}");
    }
    let huge = format!("{{\"step\": \"{}\"}}", "a".repeat(MAX_BODY_BYTES));
    assert_eq!(post(&page, &format!("{JSON}{right}"), &huge).0, 413);
    assert!(desk.take().is_none(), "nothing was handed in");
    let looking = super::page();
    assert_eq!(post(&looking, &format!("{JSON}{right}"), STEP).0, 403);
}

#[test]
fn a_step_is_handed_in_and_answered_with_what_came_of_it() {
    let (page, token, desk) = taking_steps();
    let headers = format!("{JSON}X-Nakanet-Token: {token}\r\n");
    let engine = std::thread::spawn(move || {
        let request = loop {
            match desk.take() {
                Some(request) => break request,
                None => std::thread::yield_now(),
            }
        };
        let told = (
            request.instruction.who.to_string(),
            request.instruction.text.to_string(),
        );
        let mut owed = Owed::default();
        owed.begun(0, request);
        owed.tell(&ControlReport {
            control: 0,
            who: "page".into(),
            action: "mine",
            deed: None,
            text: "mine = 1".into(),
            at: base::Time::ZERO,
            took: std::time::Duration::from_millis(12),
            state: StepState::Passed {
                found: "1 block mined".to_owned(),
            },
        });
        desk.close();
        told
    });
    let (status, body) = post(&page, &headers, STEP);
    assert_eq!(status, 200);
    assert_eq!(body, "{\"state\":\"passed\",\"said\":\"1 block mined (after 12 ms)\"}");
    let told = engine.join().expect("it took the step");
    assert_eq!(told, ("page".to_owned(), "mine = 1, on = \"n0\"".to_owned()));
    let (status, body) = post(&page, &headers, STEP);
    assert_eq!((status, body.contains("the run is over")), (503, true), "{body}");
}
