//! Hostile or defective clients: many real sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::json;
use tokio::net::TcpSocket;
use wallet_core::Settings;

use crate::stopping::{account, wait_for_submitted};
use crate::support::{Client, Response, World, http, memory_store};

/// A world with limits of one test.
fn world(arguments: &[&str]) -> World {
    World::over(memory_store(), Settings::default(), arguments)
}

/// An open connection that has received one answer.
pub(crate) fn open(client: Client) -> BufReader<TcpStream> {
    let live = http::request("GET", "/health/live", &[], b"");
    let mut stream = BufReader::new(http::send(client.address, &live));
    assert_eq!(http::read(&mut stream).unwrap().status, 200);
    stream
}

/// Waits until a line of the metrics has this value.
fn wait_for(world: &World, name: &str, value: u64) {
    while world.metric(name) != value {
        std::thread::yield_now();
    }
}

const TIMED_OUT: &str = "wallet_http_connections_failed_total{reason=\"timeout\"} ";
const MALFORMED: &str = "wallet_http_connections_failed_total{reason=\"malformed\"} ";

#[test]
fn sockets_that_pipeline_and_never_read_are_ended_and_others_are_served() {
    const SOCKETS: u64 = 4;
    let world = world(&[
        "--connections",
        "4",
        "--connections-per-peer",
        "4",
        "--request-timeout-ms",
        "100",
        "--idle-timeout-ms",
        "1",
    ]);
    let client = world.client();
    let request = http::request("GET", "/openapi.json", &[], b"").repeat(64);
    std::thread::scope(|scope| {
        for _ in 0..SOCKETS {
            // It ends only when the server closes the connection.
            scope.spawn(|| {
                let mut stream = TcpStream::connect(client.address).unwrap();
                while stream.write_all(&request).is_ok() {}
            });
        }
    });
    client.get("/health/live").expect(200);
    wait_for(&world, TIMED_OUT, SOCKETS);
}

#[test]
fn a_socket_that_says_half_a_request_is_ended() {
    let world = world(&["--request-timeout-ms", "1", "--idle-timeout-ms", "1"]);
    let mut stream = http::send(world.address, b"GET /health/live HTT");
    let mut rest = Vec::new();
    // The connection ends or is reset: the client does not wait without limit.
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    wait_for(&world, TIMED_OUT, 1);
}

#[test]
fn a_head_that_drips_in_is_408_and_who_is_idle_keeps_the_connection() {
    let world = world(&["--head-timeout-ms", "300"]);
    let client = world.client();
    let mut idle = open(client);
    let mut dripping = open(client);
    let head = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n";
    dripping.get_mut().write_all(head).unwrap();
    let pace = std::time::Duration::from_millis(20);
    dripping.get_mut().set_read_timeout(Some(pace)).unwrap();
    // Headers without end, until there is an answer.
    while let Err(error) = dripping.fill_buf() {
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        dripping.get_mut().write_all(b"X: a\r\n").unwrap();
    }
    dripping.get_mut().set_read_timeout(None).unwrap();
    let answer = http::read(&mut dripping).unwrap();
    let answer = answer.problem(408, "head_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.json()["retryable"], true);
    let mut rest = Vec::new();
    dripping.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    wait_for(&world, TIMED_OUT, 1);
    // The connection waits for a request: that is not a head.
    let live = http::request("GET", "/health/live", &[], b"");
    idle.get_mut().write_all(&live).unwrap();
    assert_eq!(http::read(&mut idle).unwrap().status, 200);
}

#[test]
fn the_time_of_a_head_begins_with_its_first_byte_and_spares_the_answer_before_it() {
    let store = memory_store();
    let world = World::over(
        store.clone(),
        Settings::default(),
        &["--head-timeout-ms", "100"],
    );
    let client = world.client();
    let ada = client.open("ada");
    let lock = store.lock_account(account(&ada)).unwrap();
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "d"),
    ];
    let path = format!("/v1/accounts/{ada}/deposits");
    let deposit = http::request("POST", &path, &headers, br#"{"amount":"1.00"}"#);
    // A head that takes too long, and half of the next one behind it.
    let both = [&deposit[..], b"GET /health/live HTTP/1.1\r\n"].concat();
    let before = world.wallet.stats().submitted;
    let mut stream = BufReader::new(http::send(client.address, &both));
    wait_for_submitted(&world, before + 1);
    let half = http::send(client.address, b"GET / HT");
    let late = http::read(&mut BufReader::new(half)).unwrap();
    late.problem(408, "head_timeout");
    drop(lock);
    assert_eq!(http::read(&mut stream).unwrap().status, 201);
    // The rest of the second head is late by now.
    let second = http::read(&mut stream).unwrap();
    second.problem(408, "head_timeout");
}

#[test]
fn one_peer_cannot_have_all_connections() {
    let world = world(&["--connections-per-peer", "2"]);
    let client = world.client();
    let (first, second) = (open(client), open(client));
    for _ in 0..50 {
        let answer = client
            .get("/health/live")
            .problem(429, "too_many_connections");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(world.metric("wallet_http_connections_refused_total "), 50);
    let neighbour = from("127.0.0.2", client, "/health/live");
    assert_eq!(neighbour.status, 200);
    drop(first);
    while client.get("/health/live").status != 200 {
        std::thread::yield_now();
    }
    drop(second);
}

/// Gets a path from another address of this machine.
fn from(address: &str, client: Client, path: &str) -> Response {
    let builder = { tokio::runtime::Builder::new_current_thread() }
        .enable_all()
        .build();
    let stream = builder.unwrap().block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(format!("{address}:0").parse().unwrap())
            .unwrap();
        socket
            .connect(client.address)
            .await
            .unwrap()
            .into_std()
            .unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    (&stream)
        .write_all(&http::request("GET", path, &[], b""))
        .unwrap();
    http::read(&mut BufReader::new(stream)).unwrap()
}

#[test]
fn behind_a_trusted_proxy_each_client_has_a_limit_of_its_own() {
    let store = memory_store();
    let arguments = [
        "--trusted-proxies",
        "127.0.0.0/30",
        "--connections-per-peer",
        "1",
    ];
    let world = World::over(store.clone(), Settings::default(), &arguments);
    let client = world.client();
    let ada = client.open("ada");
    let lock = store.lock_account(account(&ada)).unwrap();
    let before = world.wallet.stats().submitted;
    let deposit = |forwarded: &str| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "d"),
            ("X-Forwarded-For", forwarded),
        ];
        let body = json!({"amount": "1.00"}).to_string();
        let path = format!("/v1/accounts/{ada}/deposits");
        client.raw(&http::request("POST", &path, &headers, body.as_bytes()))
    };
    let live = |forwarded: &str| {
        let headers = [("X-Forwarded-For", forwarded)];
        client.raw(&http::request("GET", "/health/live", &headers, b""))
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| deposit("198.51.100.7"));
        wait_for_submitted(&world, before + 1);
        let same = [
            "198.51.100.7",
            "198.51.100.9, 198.51.100.7",
            "198.51.100.7, 127.0.0.2",
            "198.51.100.7:4711",
        ];
        for forwarded in same {
            live(forwarded).problem(429, "too_many_connections");
        }
        for other in ["198.51.100.8", "198.51.100.7, 198.51.100.8", "2001:db8::7"] {
            live(other).expect(200);
        }
        // The proxy itself, as its health checks come.
        client.get("/health/live").expect(200);
        drop(lock);
        first.join().unwrap().expect(201);
    });
    live("198.51.100.7").expect(200);
}

#[test]
fn a_stranger_cannot_pass_for_somebody_behind_a_proxy() {
    let world = world(&[
        "--trusted-proxies",
        "192.0.2.1",
        "--connections-per-peer",
        "1",
    ]);
    let client = world.client();
    let _held = open(client);
    let headers = [("X-Forwarded-For", "198.51.100.8")];
    let posing = http::request("GET", "/health/live", &headers, b"");
    client.raw(&posing).problem(429, "too_many_connections");
}

#[test]
fn who_runs_the_server_is_answered_while_clients_have_every_connection() {
    let world = world(&["--connections", "1"]);
    let held = open(world.client());
    let waiting = http::send(
        world.address,
        &http::request("GET", "/health/live", &[], b""),
    );
    world.admin().get("/health/live").expect(200);
    world.admin().get("/health/ready").expect(200);
    assert_eq!(world.metric("wallet_http_connections "), 1);
    drop(held);
    assert_eq!(
        http::read(&mut BufReader::new(waiting)).unwrap().status,
        200
    );
    // Clients see no effect of it.
    world.client().get("/metrics").problem(404, "unknown_path");
    world
        .admin()
        .get("/v1/accounts")
        .problem(404, "unknown_path");
}

#[test]
fn a_body_that_is_refused_early_does_not_cost_the_answer() {
    let world = World::memory();
    let client = world.client();
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "k"),
    ];
    let body = vec![b' '; 3 << 20];
    let large = http::request("POST", "/v1/transfers", &headers, &body);
    let mistyped = http::request("POST", "/v1/transfers", &headers[1..], &body);
    for _ in 0..50 {
        let answer = whole(client, &large).problem(413, "body_too_large");
        assert_eq!(answer.header("connection"), Some("close"));
        whole(client, &mistyped).problem(415, "unsupported_media_type");
    }
}

/// Sends all of a request before it reads anything, as most clients do.
fn whole(client: Client, request: &[u8]) -> Response {
    let mut stream = TcpStream::connect(client.address).unwrap();
    stream.write_all(request).unwrap();
    http::read(&mut BufReader::new(stream)).unwrap()
}

#[test]
fn a_request_whose_length_is_given_twice_is_refused_and_hides_no_other() {
    let world = World::memory();
    let hidden = "GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = format!("Content-Length: {}\r\n", hidden.len().saturating_add(5));
    let chunked = "Transfer-Encoding: chunked\r\n";
    for lines in [[&*length, chunked], [chunked, &*length]] {
        let head = "POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\n";
        let bytes = format!("{head}{}{}\r\n0\r\n\r\n{hidden}", lines[0], lines[1]);
        let mut stream = BufReader::new(http::send(world.address, bytes.as_bytes()));
        let answer = http::read(&mut stream).unwrap();
        let answer = answer.problem(400, "ambiguous_length");
        assert_eq!(answer.header("connection"), Some("close"));
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "one request, one answer");
    }
    let body = json!({"owner": "ada", "currency": "EUR"}).to_string();
    let fine = format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Idempotency-Key: k\r\n{chunked}\r\n{:x}\r\n{body}\r\n0\r\n\r\n{hidden}",
        body.len()
    );
    let mut stream = BufReader::new(http::send(world.address, fine.as_bytes()));
    let answers = [http::read(&mut stream), http::read(&mut stream)];
    let statuses = answers.map(|answer| answer.unwrap().status);
    assert_eq!(statuses, [201, 200]);
}

#[test]
fn a_transfer_encoding_beyond_chunked_is_501() {
    let world = World::memory();
    let client = world.client();
    let body = json!({"owner": "ada", "currency": "EUR"}).to_string();
    let send = |encoding: &str| {
        let bytes = format!(
            "POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Idempotency-Key: k\r\n{encoding}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        client.raw(bytes.as_bytes())
    };
    for encoding in [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity, chunked",
    ] {
        let answer = send(encoding).problem(501, "unsupported_transfer_encoding");
        assert_eq!(answer.header("connection"), Some("close"), "{encoding}");
    }
    send("Transfer-Encoding: Chunked").expect(201);
}

#[test]
fn a_body_that_does_not_come_is_408_and_its_key_stays_free() {
    let world = world(&["--body-timeout-ms", "100"]);
    let client = world.client();
    let ada = client.open("ada");
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "slow"),
        ("Content-Length", "17"),
    ];
    let path = format!("/v1/accounts/{ada}/deposits");
    let half = http::request("POST", &path, &headers, br#"{"amount""#);
    let answer = client.raw(&half).problem(408, "body_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(
        !client
            .deposit(&ada, "slow", "1.00")
            .expect(201)
            .is_replayed()
    );
}

#[test]
fn what_is_no_http_is_counted() {
    let world = World::memory();
    let client = world.client();
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ] {
        assert_eq!(client.raw(bytes).status, 400);
    }
    wait_for(&world, MALFORMED, 2);
    client.get("/health/live").expect(200);
}
