//! Requests that are wrong as HTTP: type and size of the body, broken heads, paths, methods.

use serde_json::json;

use super::send;
use crate::support::{World, http};

#[test]
fn a_body_must_say_that_it_is_json_and_once() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let path = format!("/v1/accounts/{ada}/deposits");
    let body = br#"{"amount":"1.00"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/jsonx",
    ] {
        let answer = send(client, &path, content_type, body);
        answer.problem(415, "unsupported_media_type");
    }
    let twice = [
        ("Content-Type", "application/json"),
        ("Content-Type", "text/plain"),
        ("Idempotency-Key", "k"),
    ];
    let answer = client.raw(&http::request("POST", &path, &twice, body));
    answer.problem(415, "unsupported_media_type");
    let missing = [("Idempotency-Key", "k")];
    let answer = client.raw(&http::request("POST", &path, &missing, body));
    answer.problem(415, "unsupported_media_type");
    assert_eq!(client.posted(&ada), "0.00");
    send(client, &path, "application/json; charset=utf-8", body).expect(201);
}

#[test]
fn a_body_that_is_too_large_is_413() {
    let world = World::memory();
    let client = world.client();
    let head = "POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Idempotency-Key: k\r\n";
    let announced = format!("{head}Content-Length: 65537\r\n\r\n");
    client
        .raw(announced.as_bytes())
        .problem(413, "body_too_large");
    let space = " ".repeat(65_537);
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n10001\r\n{space}\r\n0\r\n\r\n");
    client
        .raw(chunked.as_bytes())
        .problem(413, "body_too_large");
}

#[test]
fn http_that_is_broken_is_4xx() {
    let world = World::memory();
    let client = world.client();
    let head = "POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\n";
    let big = format!("{head}X-Big: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{head}{}\r\n", "X-A: b\r\n".repeat(200));
    let lengths = format!("{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}");
    let nul = format!("{head}X-A: a\0b\r\n\r\n");
    for bytes in [big, many, lengths, nul, "nonsense\r\n\r\n".to_owned()] {
        let answer = client.raw(bytes.as_bytes());
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
}

#[test]
fn unknown_paths_and_wrong_methods_are_problems_as_well() {
    let world = World::memory();
    let client = world.client();
    for path in [
        "/",
        "/v1",
        "/v1/account",
        "/v2/accounts",
        "/v1/accounts/",
        "/health",
    ] {
        client.get(path).problem(404, "unknown_path");
    }
    let answer = client.raw(b"DELETE /v1/accounts HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = answer.problem(405, "method_not_allowed");
    let allowed = answer.header("allow").unwrap_or_default();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
    client
        .get("/v1/transfers")
        .problem(405, "method_not_allowed");
}

#[test]
fn a_problem_says_whether_the_same_request_may_be_sent_again() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let path = format!("/v1/accounts/{ada}/withdrawals");
    let refused = client.post(&path, "w", &json!({"amount": "1.00"}));
    let refused = refused.problem(422, "insufficient_funds");
    assert_eq!(refused.json()["retryable"], false);
    assert_eq!(client.get("/v1/nowhere").json()["retryable"], false);
    world.shut_down();
    let late = client.deposit(&ada, "d", "1.00");
    let late = late.problem(503, "shutting_down");
    assert_eq!(late.json()["retryable"], true);
}
