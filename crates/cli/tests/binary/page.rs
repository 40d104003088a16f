//! `nakanet serve`: the examples of `docs/PAGE.md`, ports, folders, Ctrl-C.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::Value;

use crate::stage::{Running, Stage, scenario};

/// The status and the body that a question to a page is answered with, in JSON.
fn get(address: &str, path: &str) -> (u16, Value) {
    let (status, body) = answer(address, path);
    (status, serde_json::from_str(&body).expect("answers are JSON"))
}

/// The same as it comes.
fn answer(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the page listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("there is a body");
    (status.expect("a status"), body.to_owned())
}

/// Waits until a page says where it is.
fn address(running: &mut Running) -> String {
    let line = running.line_with("http://127.0.0.1:");
    let (_, rest) = line.split_once("http://").expect("it holds the link");
    rest.chars().take_while(|c| *c != '/').collect()
}

/// Whether an answer has the shape of an example: the same names everywhere, and the same kinds of values.
/// Each entry of a list is like some entry of the example's, and each of the example's like some of the answer.
fn is_like(answer: &Value, example: &Value) -> bool {
    match (answer, example) {
        (Value::Object(answer), Value::Object(example)) => {
            let known = answer.keys().all(|key| example.contains_key(key));
            let same = |(key, value): (&String, &Value)| answer.get(key).is_some_and(|answer| is_like(answer, value));
            known && example.iter().all(same)
        }
        (Value::Array(answer), Value::Array(example)) => {
            let told = |answer: &Value| example.iter().any(|example| is_like(answer, example));
            let seen = |example: &Value| answer.iter().any(|answer| is_like(answer, example));
            answer.iter().all(told) && example.iter().all(seen)
        }
        (Value::Null, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => true,
        _ => false,
    }
}

#[test]
fn every_example_of_the_documentation_is_answered_like_that() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/PAGE.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let examples: Vec<(&str, Value)> = page
        .split("```json GET ")
        .skip(1)
        .map(|rest| {
            let (path, rest) = rest.split_once('\n').expect("a question ends with its line");
            let (example, _) = rest.split_once("```").expect("an example ends");
            (path, serde_json::from_str(example).expect("an example is JSON"))
        })
        .collect();
    assert!(examples.len() >= 10, "there are {} examples", examples.len());
    let stage = Stage::new();
    let file = scenario("double-spend-across-a-partition.toml");
    assert_eq!(stage.run(&["sim", &file, "--quiet"]).code, 0);
    let mut serving = stage.start(&["serve"]);
    let address = address(&mut serving);
    for (path, example) in examples {
        let (status, answer) = get(&address, path);
        assert_eq!(status, 200, "{path}: {answer}");
        assert!(
            is_like(&answer, &example),
            "{path} is not answered like its example:\n{answer:#}"
        );
    }
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn a_simulation_is_served_until_ctrl_c() {
    let stage = Stage::new();
    let mut running = stage.start(&["sim", &scenario("two-nodes.toml"), "--serve"]);
    let address = address(&mut running);
    running.line_with("PASSED");
    // It is there still, and has read all of it.
    while get(&address, "/api/news").1["ended"].is_null() {}
    assert_eq!(get(&address, "/api/run").1["control"], Value::Bool(true));
    let (status, figures) = answer(&address, "/metrics");
    assert_eq!(status, 200);
    assert!(figures.contains("nakanet_tips 1\n"), "{figures}");
    running.interrupt();
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_port_in_use_and_a_folder_without_a_run_are_named() {
    let stage = Stage::new();
    let missing = stage.run(&["serve", "nowhere"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("nowhere"), "{}", missing.stderr);
    assert_eq!(stage.run(&["sim", &scenario("two-nodes.toml"), "--quiet"]).code, 0);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let refused = stage.run(&["serve", "--port", &port]);
    assert_eq!(refused.code, 3);
    assert!(
        refused.stderr.contains(&format!("127.0.0.1:{port}")),
        "{}",
        refused.stderr
    );
    let beside = stage.run(&["sim", &scenario("two-nodes.toml"), "--serve", "--port", &port]);
    assert_eq!(beside.code, 3);
}
