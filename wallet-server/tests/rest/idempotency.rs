//! One key, one outcome: over the wire as in the ledger.

use std::sync::Barrier;

use serde_json::json;

use crate::support::{Response, World, http, transfer};

/// A deposit under the given key headers.
fn deposit(world: &World, id: &str, keys: &[&str]) -> Response {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(keys.iter().map(|key| ("Idempotency-Key", *key)));
    let path = format!("/v1/accounts/{id}/deposits");
    let bytes = http::request("POST", &path, &headers, br#"{"amount":"1.00"}"#);
    world.client().raw(&bytes)
}

#[test]
fn a_key_that_is_missing_or_bad_changes_nothing() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    deposit(&world, &ada, &[]).problem(400, "idempotency_key_missing");
    let long = "k".repeat(256);
    let unclosed = "\"abc";
    for bad in [
        "",
        "\"\"",
        unclosed,
        "\"a\"b\"",
        r#""a\b""#,
        "caf\u{e9}",
        "a\tb",
        &long,
    ] {
        deposit(&world, &ada, &[bad]).problem(400, "idempotency_key_invalid");
    }
    deposit(&world, &ada, &["a", "b"]).problem(400, "idempotency_key_invalid");
    deposit(&world, &ada, &["a", "a"]).problem(400, "idempotency_key_invalid");
    assert_eq!(client.posted(&ada), "0.00");

    deposit(&world, &ada, &[&"k".repeat(255)]).expect(201);
    assert_eq!(client.posted(&ada), "1.00");
}

#[test]
fn a_quoted_key_is_the_bare_one() {
    let world = World::memory();
    let ada = world.client().open("ada");
    let bare = deposit(&world, &ada, &["order 7"]).expect(201);
    let quoted = deposit(&world, &ada, &["\"order 7\""]).expect(201);
    assert!(quoted.is_replayed());
    assert_eq!(quoted.body, bare.body);
    let escaped = deposit(&world, &ada, &[r#""a\"b\\c""#]).expect(201);
    let same = deposit(&world, &ada, &[r#"a"b\c"#]).expect(201);
    assert_eq!(same.body, escaped.body);
    assert_eq!(world.client().posted(&ada), "2.00");
}

#[test]
fn a_replay_is_the_same_to_the_byte_whatever_happened_since() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let opening = json!({"owner": "ada", "currency": "EUR", "metadata": {"b": 1, "a": 2}});
    let opened = client.post("/v1/accounts", "o", &opening).expect(201);
    let (ada, bob) = (opened.text("/id"), client.open("bob"));
    let first = client.deposit(&ada, "d", "10.00").expect(201);
    let moved = client.post("/v1/transfers", "t", &transfer(&ada, &bob, "1.00"));
    for answer in [&opened, &first, &moved] {
        assert!(!answer.is_replayed());
    }
    client.deposit(&ada, "later", "5.00").expect(201);

    // The books have changed since: no live row may show in these answers.
    let again = [
        client.post("/v1/accounts", "o", &opening),
        client.deposit(&ada, "d", "10.00"),
        client.post("/v1/transfers", "t", &transfer(&ada, &bob, "1.00")),
    ];
    for (again, before) in again.iter().zip([&opened, &first, &moved]) {
        assert!(again.is_replayed());
        assert_eq!(again.status, before.status);
        assert_eq!(again.body, before.body);
    }
    assert_eq!(client.posted(&ada), "14.00");
}

#[test]
fn a_rejection_is_replayed_even_when_it_would_succeed_now() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open("ada"), client.open("bob"));
    let body = transfer(&ada, &bob, "5.00");
    let refused = client.post("/v1/transfers", "t", &body);
    let refused = refused.problem(422, "insufficient_funds");
    assert!(!refused.is_replayed());
    client.deposit(&ada, "d", "100.00").expect(201);

    let again = client.post("/v1/transfers", "t", &body);
    let again = again.problem(422, "insufficient_funds");
    assert!(again.is_replayed());
    assert_eq!(again.body, refused.body);
    client.post("/v1/transfers", "t2", &body).expect(201);
}

#[test]
fn a_key_used_for_something_else_is_refused() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    client.deposit(&ada, "k", "1.00").expect(201);
    client
        .deposit(&ada, "k", "2.00")
        .problem(422, "idempotency_mismatch");
    let path = format!("/v1/accounts/{ada}/withdrawals");
    let other = client.post(&path, "k", &json!({"amount": "1.00"}));
    other.problem(422, "idempotency_mismatch");
    assert_eq!(client.posted(&ada), "1.00");
}

#[test]
fn what_was_not_valid_leaves_its_key_free() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    client
        .deposit(&ada, "k", "-1.00")
        .problem(400, "invalid_field");
    assert!(!client.deposit(&ada, "k", "1.00").expect(201).is_replayed());
}

#[test]
fn equal_keys_at_the_same_time_move_money_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let ada = client.open("ada");
    let start = Barrier::new(16);
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let call = || {
            start.wait();
            client.deposit(&ada, "same", "10.00")
        };
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let fresh = answers.iter().filter(|answer| !answer.is_replayed());
    assert_eq!(fresh.count(), 1);
    for answer in &answers {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(client.posted(&ada), "10.00");
}
