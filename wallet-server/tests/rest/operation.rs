//! The operator's view of the server, and its limits.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::support::{World, config, http, transfer};

/// The value of a line of metrics.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.trim().parse().unwrap()
}

#[test]
fn metrics_count_what_happens() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    client
        .post("/v1/transfers", "t", &transfer(&ada, &bob, "4.00"))
        .expect(201);
    client
        .post("/v1/transfers", "r", &transfer(&ada, &bob, "99.00"))
        .expect(422);
    client
        .raw(b"BREW /v1/transfers HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect(405);
    let held = crate::attacks::open(client);
    let answer = world.admin().get("/metrics").expect(200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = &answer.body;
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!((metric(text, "wallet_submitted_total") - 5.0).abs() < 0.1);
    let transfers = r#"wallet_http_requests_total{method="POST",route="/v1/transfers",status="#;
    assert!((metric(text, &format!("{transfers}\"201\"}}")) - 1.0).abs() < 0.1);
    assert!((metric(text, &format!("{transfers}\"422\"}}")) - 1.0).abs() < 0.1);
    assert!(
        text.contains(r#"method="other""#),
        "callers cannot make up labels: {text}"
    );
    assert!(!text.contains("BREW") && !text.contains(&ada), "{text}");
    let took = r#"wallet_http_request_duration_seconds_count{method="POST",route="/v1/transfers"}"#;
    assert!((metric(text, took) - 2.0).abs() < 0.1);
    assert!(metric(text, "wallet_http_connections ") >= 1.0);
    drop(held);
}

#[test]
fn the_head_of_a_request_is_limited() {
    let world = World::memory();
    let client = world.client();
    let of = |size: usize| {
        let bytes = format!(
            "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Big: {}\r\n\r\n",
            "x".repeat(size)
        );
        client.raw(bytes.as_bytes()).status
    };
    assert_eq!(of(8_000), 200);
    assert_eq!(of(17_000), 431);
    let path = format!("/v1/outcomes/{}", "k".repeat(17_000));
    let answer = client.get(&path);
    assert!([414, 431].contains(&answer.status), "{answer:?}");
    let small = std::panic::catch_unwind(|| config(&["--header-max", "16384"]));
    assert_eq!(small.unwrap().header_max, 16_384);
}

#[test]
fn one_connection_more_waits_until_another_ends() {
    let store = crate::support::memory_store();
    let world = World::over(
        store,
        wallet_core::Settings::default(),
        &["--connections", "1"],
    );
    let request = http::request("GET", "/health/live", &[], b"");
    let mut first = TcpStream::connect(world.address).unwrap();
    first.write_all(&request).unwrap();
    let mut line = String::new();
    BufReader::new(&first).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");

    let mut second = http::send(world.address, &request);
    let patience = std::time::Duration::from_millis(300);
    second.set_read_timeout(Some(patience)).unwrap();
    let error = second.read(&mut [0; 1]).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ),
        "{error}"
    );
    drop(first);
    second.set_read_timeout(None).unwrap();
    let mut line = String::new();
    BufReader::new(&second).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
}
