//! The host names that the server answers to, and the locations that it returns.

use serde_json::json;
use wallet_core::Settings;

use crate::support::{World, http, memory_store};

fn live(host: &str) -> Vec<u8> {
    http::request("GET", "/health/live", &[("Host", host)], b"")
}

#[test]
fn a_page_of_another_site_cannot_call_the_server_by_a_name_that_leads_to_it() {
    let world = World::memory();
    let client = world.client();
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
        client.raw(&live(host)).expect(200);
    }
    let headers = [
        ("Host", "evil.example"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "k"),
    ];
    let body = json!({"owner": "ada", "currency": "EUR"}).to_string();
    let rebound = http::request("POST", "/v1/accounts", &headers, body.as_bytes());
    client.raw(&rebound).problem(421, "host_not_allowed");
    world
        .admin()
        .raw(&live("evil.example"))
        .problem(421, "host_not_allowed");
    let listed = client.get("/v1/accounts").expect(200).json();
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn a_server_answers_to_the_names_of_its_settings() {
    let of = |hosts: &str| {
        let arguments = ["--hosts", hosts];
        World::over(memory_store(), Settings::default(), &arguments)
    };
    let named = of("wallet.example,wallet.test");
    for host in ["wallet.example", "WALLET.test:443", "localhost"] {
        named.client().raw(&live(host)).expect(200);
    }
    named
        .client()
        .raw(&live("evil.example"))
        .problem(421, "host_not_allowed");
    of("*").client().raw(&live("evil.example")).expect(200);
}

#[test]
fn what_was_created_says_where_it_is() {
    let world = World::memory();
    let client = world.client();
    let body = json!({"owner": "ada", "currency": "EUR"});
    let opened = client.post("/v1/accounts", "open", &body).expect(201);
    let ada = opened.text("/id");
    assert_eq!(
        opened.header("location"),
        Some(&*format!("/v1/accounts/{ada}"))
    );
    let again = client.post("/v1/accounts", "open", &body).expect(201);
    assert_eq!(again.header("location"), opened.header("location"));

    let made = client.deposit(&ada, "d", "5.00").expect(201);
    let place = made.header("location").unwrap().to_owned();
    assert_eq!(client.get(&place).expect(200).text("/id"), made.text("/id"));

    let bob = client.open("bob");
    let held = json!({"from": ada, "to": bob, "amount": "1.00", "currency": "EUR"});
    let held = client.post("/v1/holds", "h", &held).expect(201);
    let place = held.header("location").unwrap().to_owned();
    assert_eq!(client.get(&place).expect(200).body, held.body);

    let tried = client
        .post("/v1/accounts?dry_run=true", "t", &body)
        .expect(200);
    assert_eq!(tried.header("location"), None);
    let refused = client.deposit(&ada, "r", "0.001").expect(400);
    assert_eq!(refused.header("location"), None);
}

#[test]
fn a_body_is_taken_only_as_it_is() {
    let world = World::memory();
    let client = world.client();
    let send = |encoding: &str| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "k"),
            ("Content-Encoding", encoding),
        ];
        let body = json!({"owner": "ada", "currency": "EUR"}).to_string();
        client.raw(&http::request(
            "POST",
            "/v1/accounts",
            &headers,
            body.as_bytes(),
        ))
    };
    for encoding in ["gzip", "br", "identity, gzip", ""] {
        let answer = send(encoding).problem(415, "unsupported_content_encoding");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    assert!(!send("identity").expect(201).is_replayed());
}
