//! What the server logs.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::{Process, command};
use crate::support::Client;

#[test]
fn new_books_are_said_in_the_log_and_old_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    for (is_new, count) in [(true, 1), (false, 0)] {
        assert_eq!(file.exists(), !is_new);
        let mut server = Process::start(&file);
        server.terminate();
        let created = |line: &Value| {
            let message = line["fields"]["message"].as_str().unwrap_or_default();
            message.starts_with("new books were created")
        };
        assert_eq!(
            server.lines().iter().filter(|line| created(line)).count(),
            count
        );
    }
}

#[test]
fn the_log_names_each_request_and_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(&folder.path().join("wallet.db"));
    let ada = server.client.open("ada");
    let answer = server.client.deposit(&ada, "secret-key", "12345.67");
    let id = answer
        .expect(201)
        .header("x-request-id")
        .unwrap()
        .to_owned();
    let made = "GET /v1/accounts/7 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine-7\r\n\r\n";
    server.client.raw(made.as_bytes()).expect(400);
    assert_eq!(server.client.raw(b"no HTTP\r\n\r\n").status, 400);
    let malformed = "wallet_http_connections_failed_total{reason=\"malformed\"} ";
    while server.admin.metric(malformed) == 0 {
        std::thread::yield_now();
    }
    server.kill();
    let lines = server.lines();
    let of = |id: &str| {
        let mut lines = lines.iter();
        let line = lines.find(|line| line["span"]["request_id"] == id);
        line.unwrap_or_else(|| panic!("no line about {id}: {lines:?}"))
    };
    let line = of(&id);
    assert_eq!(line["fields"]["status"], 201);
    assert_eq!(line["span"]["method"], "POST");
    assert_eq!(line["span"]["path"], format!("/v1/accounts/{ada}/deposits"));
    assert!(line["fields"]["took_us"].is_u64());
    assert_eq!(of("mine-7")["fields"]["status"], 400);
    let said = |message: &str| {
        lines
            .iter()
            .find(|line| line["fields"]["message"] == message)
    };
    let malformed = said("a request is no HTTP").unwrap();
    assert!(malformed["fields"]["error"].is_string() && malformed["fields"]["peer"].is_string());
    // Nothing publishes the events of these books.
    let unpublished = lines.iter().find(|line| line["fields"]["rows"] == 0);
    let unpublished = unpublished.unwrap()["fields"]["message"].to_string();
    assert!(unpublished.contains("--events-queue"), "{unpublished}");
    let all = format!("{lines:?}");
    assert!(
        !all.contains("12345.67") && !all.contains("secret-key"),
        "{all}"
    );
}

#[test]
fn a_log_that_nobody_takes_any_more_ends_no_request() {
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let mut child = command(&[&listen[..], &["--store", "memory"]].concat())
        .env("RUST_LOG", "debug,hyper=off")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended at once");
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(address) = line["fields"]["address"].as_str() {
            break address.parse().unwrap();
        }
    };
    drop(log);
    let client = Client { address };
    let ada = client.open_with("ada", "1.00");
    assert_eq!(client.posted(&ada), "1.00");
    child.kill().unwrap();
    child.wait().unwrap();
}
