//! Holds: placed, captured, released and expired.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Response, World, transfer};

fn place(client: Client, key: &str, from: &str, to: &str, amount: &str) -> Response {
    client.post("/v1/holds", key, &transfer(from, to, amount))
}

fn end(client: Client, id: &str, what: &str, key: &str, body: &Value) -> Response {
    client.post(&format!("/v1/holds/{id}/{what}"), key, body)
}

fn sums(client: Client, id: &str) -> [String; 4] {
    let balance = client
        .get(&format!("/v1/accounts/{id}/balance"))
        .expect(200);
    ["posted", "available", "pending_in", "pending_out"]
        .map(|name| balance.text(&format!("/{name}")))
}

#[test]
fn a_hold_is_captured_in_parts_and_the_rest_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "100.00"), client.open("bob"));
    let placed = place(client, "h", &ada, &bob, "30.00").expect(201);
    let hold = placed.json();
    for (name, value) in [
        ("from", ada.as_str()),
        ("to", &bob),
        ("amount", "30.00"),
        ("captured", "0.00"),
        ("released", "0.00"),
        ("currency", "EUR"),
        ("status", "pending"),
    ] {
        assert_eq!(hold[name], value, "{name}");
    }
    assert!(hold["created_at"].is_string());
    assert_eq!((hold.get("expires_at"), hold.get("transfer")), (None, None));
    let id = placed.text("/id");
    assert_eq!(sums(client, &ada), ["100.00", "70.00", "0.00", "30.00"]);
    assert_eq!(sums(client, &bob), ["0.00", "0.00", "30.00", "0.00"]);
    let too_much = client.post("/v1/transfers", "t", &transfer(&ada, &bob, "70.01"));
    too_much.problem(422, "insufficient_funds");

    let part = end(client, &id, "capture", "c1", &json!({"amount": "10.00"})).expect(200);
    assert_eq!(
        (part.text("/status"), part.text("/captured")),
        ("pending".into(), "10.00".into())
    );
    let made = client.get(&format!("/v1/transfers/{}", part.text("/transfer")));
    let made = made.expect(200);
    assert_eq!(
        (made.text("/kind"), made.text("/hold")),
        ("capture".into(), id.clone())
    );
    let last = json!({"amount": "5.00", "final": true});
    let last = end(client, &id, "capture", "c2", &last).expect(200);
    assert_eq!(last.text("/status"), "captured");
    assert_eq!(
        (last.text("/captured"), last.text("/released")),
        ("15.00".into(), "15.00".into())
    );
    assert_eq!(sums(client, &ada), ["85.00", "85.00", "0.00", "0.00"]);
    assert_eq!(sums(client, &bob), ["15.00", "15.00", "0.00", "0.00"]);
    end(client, &id, "capture", "c3", &json!({})).problem(409, "hold_not_pending");
    end(client, &id, "release", "r", &json!({})).problem(409, "hold_not_pending");

    let again = end(client, &id, "capture", "c1", &json!({"amount": "10.00"})).expect(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, part.body, "as it was then, not as it is now");
    let shown = client.get(&format!("/v1/holds/{id}")).expect(200);
    assert_eq!(shown.text("/status"), "captured");
}

#[test]
fn a_release_needs_no_body_and_a_capture_takes_all() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let ids = ["h1", "h2"].map(|key| {
        let placed = place(client, key, &ada, &bob, "4.00");
        placed.expect(201).text("/id")
    });
    let bare = |id: &str, what: &str| {
        let bytes = format!(
            "POST /v1/holds/{id}/{what} HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: {what}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        client.raw(bytes.as_bytes()).expect(200)
    };
    assert_eq!(bare(&ids[0], "release").text("/status"), "released");
    assert_eq!(bare(&ids[1], "capture").text("/captured"), "4.00");
    assert_eq!(sums(client, &ada), ["6.00", "6.00", "0.00", "0.00"]);
}

#[test]
fn holds_are_listed_by_account_and_status() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let carl = client.open("carl");
    let first = place(client, "h1", &ada, &bob, "1.00")
        .expect(201)
        .text("/id");
    place(client, "h2", &ada, &carl, "2.00").expect(201);
    place(client, "h3", &ada, &bob, "3.00").expect(201);
    end(client, &first, "release", "r", &json!({})).expect(200);
    let of = |query: &str| {
        let page = client.get(&format!("/v1/holds?{query}")).expect(200).json();
        let items = page["items"].as_array().unwrap();
        let amounts = items
            .iter()
            .map(|hold| hold["amount"].as_str().unwrap().to_owned());
        (amounts.collect::<Vec<_>>(), page["next"].clone())
    };
    assert_eq!(of(&format!("account={ada}")).0, ["1.00", "2.00", "3.00"]);
    assert_eq!(of(&format!("account={bob}")).0, ["1.00", "3.00"]);
    assert_eq!(of(&format!("account={bob}&status=pending")).0, ["3.00"]);
    assert_eq!(of(&format!("account={ada}&status=released")).0, ["1.00"]);
    assert_eq!(of(&format!("account={ada}&status=expired")).0, [""; 0]);
    let (page, next) = of(&format!("account={ada}&limit=2"));
    assert_eq!(page, ["1.00", "2.00"]);
    let next = next.as_str().unwrap();
    let (page, next) = of(&format!("account={ada}&limit=2&cursor={next}"));
    assert_eq!((page, next), (vec!["3.00".to_owned()], Value::Null));
    client.get("/v1/holds").problem(400, "invalid_query");
    let unknown = format!("/v1/holds?account={ada}&status=open");
    client.get(&unknown).problem(400, "invalid_query");
}

#[test]
fn an_expired_hold_is_given_back_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let mut body = transfer(&ada, &bob, "4.00");
    body["expires_in_secs"] = json!(1);
    let placed = client.post("/v1/holds", "h", &body).expect(201);
    let expires: jiff::Timestamp = placed.text("/expires_at").parse().unwrap();
    let created: jiff::Timestamp = placed.text("/created_at").parse().unwrap();
    assert_eq!(expires.duration_since(created).as_secs(), 1);
    let id = placed.text("/id");
    let shown = || client.get(&format!("/v1/holds/{id}")).expect(200);
    // The hold expires, or the test runner times out.
    while shown().text("/status") == "pending" {
        std::thread::yield_now();
    }
    let hold = shown();
    assert_eq!(
        (hold.text("/status"), hold.text("/released")),
        ("expired".into(), "4.00".into())
    );
    assert_eq!(sums(client, &ada), ["10.00", "10.00", "0.00", "0.00"]);
    // A client that looks every two seconds sees it within five.
    let settings = wallet_core::Settings::default();
    assert!(settings.sweep_interval.unwrap() <= Duration::from_secs(2));
}

#[test]
fn a_life_that_makes_no_sense_is_refused() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    for (secs, code) in [
        (json!(0), "invalid_request"),
        (json!(316_224_001), "invalid_request"),
        (json!(-1), "invalid_body"),
        (json!(1.5), "invalid_body"),
        (json!("60"), "invalid_body"),
    ] {
        let mut body = transfer(&ada, &bob, "1.00");
        body["expires_in_secs"] = secs;
        client.post("/v1/holds", "h", &body).problem(400, code);
    }
    assert_eq!(sums(client, &ada)[3], "0.00");
}

#[test]
fn a_hold_until_midnight_is_the_same_request_when_it_is_sent_again() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let midnight = jiff::Timestamp::now()
        .checked_add(jiff::SignedDuration::from_hours(24))
        .unwrap();
    let mut body = transfer(&ada, &bob, "4.00");
    body["expires_at"] = json!(midnight.to_string());
    let placed = client.post("/v1/holds", "h", &body).expect(201);
    let again = client.post("/v1/holds", "h", &body).expect(201);
    assert!(again.is_replayed());
    assert_eq!(again.body, placed.body);
    let ends: jiff::Timestamp = placed.text("/expires_at").parse().unwrap();
    assert_eq!(ends.as_microsecond(), midnight.as_microsecond());
    body["expires_in_secs"] = json!(60);
    client
        .post("/v1/holds", "both", &body)
        .problem(400, "invalid_request");
}
