//! Recorded outcomes and dry runs.

use serde_json::json;

use crate::support::{World, http, transfer};

#[test]
fn a_dry_run_says_the_answer_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let body = transfer(&ada, &bob, "4.00");
    let tried = client
        .post("/v1/transfers?dry_run=true", "t", &body)
        .expect(200);
    assert_eq!(tried.text("/legs/0/amount"), "4.00");
    let much = transfer(&ada, &bob, "10.01");
    let refused = client.post("/v1/transfers?dry_run=true", "t", &much);
    refused.problem(422, "insufficient_funds");
    assert_eq!(client.posted(&ada), "10.00");
    client
        .get("/v1/outcomes/t")
        .problem(404, "outcome_not_found");
    let listed = client
        .get(&format!("/v1/accounts/{bob}/entries"))
        .expect(200);
    assert_eq!(listed.json()["items"], json!([]));

    // The key is still free, and an unknown value moves no money.
    for query in [
        "dry_run=yes",
        "dry_run",
        "dry-run=true",
        "dry_run=true&dry_run=false",
    ] {
        let answer = client.post(&format!("/v1/transfers?{query}"), "t", &body);
        answer.problem(400, "invalid_query");
    }
    assert_eq!(client.posted(&ada), "10.00");
    let done = client
        .post("/v1/transfers?dry_run=false", "t", &body)
        .expect(201);
    assert!(!done.is_replayed());
    let after = client
        .post("/v1/transfers?dry_run=true", "t", &body)
        .expect(200);
    assert!(after.is_replayed());
    assert_eq!(after.body, done.body);
}

#[test]
fn an_outcome_is_what_the_request_answered() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let done = client.post("/v1/transfers", "a b/c%d", &transfer(&ada, &bob, "4.00"));
    let done = done.expect(201);
    let outcome = client.get("/v1/outcomes/a%20b%2Fc%25d").expect(200);
    assert_eq!(outcome.text("/key"), "a b/c%d");
    assert_eq!(outcome.text("/recorded_at"), done.text("/created_at"));
    let results = json!([{"status": 201, "body": done.json()}]);
    assert_eq!(outcome.json()["results"], results);

    let refused = client.post("/v1/transfers", "r", &transfer(&ada, &bob, "99.00"));
    let refused = refused.problem(422, "insufficient_funds");
    let outcome = client.get("/v1/outcomes/r").expect(200);
    let results = json!([{"status": 422, "body": refused.json()}]);
    assert_eq!(outcome.json()["results"], results);

    let pay = json!({"path": "/v1/transfers", "body": transfer(&bob, &ada, "1.00")});
    let each = json!({"atomic": false, "requests": [pay, pay]});
    let each = client.post("/v1/batches", "each", &each).expect(200).json();
    for item in 0..2 {
        let outcome = client
            .get(&format!("/v1/outcomes/each?item={item}"))
            .expect(200);
        assert_eq!(outcome.json()["item"], item);
        assert_eq!(outcome.json()["results"][0], each["results"][item]);
    }
    let whole = json!({"atomic": true, "requests": [pay, pay]});
    let whole = client
        .post("/v1/batches", "whole", &whole)
        .expect(201)
        .json();
    let outcome = client.get("/v1/outcomes/whole").expect(200);
    assert_eq!(outcome.json()["results"], whole["results"]);

    let outcome = client.get("/v1/outcomes/each").expect(200).json();
    assert_eq!(outcome["results"], json!(null));
    for item in 0..2 {
        assert_eq!(outcome["items"][item]["state"], "done");
        assert_eq!(outcome["items"][item]["result"], each["results"][item]);
    }
    client
        .get("/v1/outcomes/each?item=2")
        .problem(404, "outcome_not_found");
    client
        .get("/v1/outcomes/each?item=x")
        .problem(400, "invalid_query");
    let long = "k".repeat(256);
    for key in ["%00", "caf%C3%A9", "%FF", &long] {
        let answer = client.get(&format!("/v1/outcomes/{key}"));
        assert_eq!(answer.problem(400, "invalid_field").text("/field"), "key");
    }
}

#[test]
fn a_cancelled_key_does_nothing_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let cancel = |key: &str| client.raw(&http::request("POST", &cancel_path(key), &[], b""));
    let cancelled = cancel("k").expect(200);
    let problem = &cancelled.json()["results"][0];
    assert_eq!(problem["status"], 409);
    assert_eq!(problem["body"]["code"], "cancelled");
    assert_eq!(cancel("k").expect(200).body, cancelled.body);
    assert_eq!(
        client.get("/v1/outcomes/k").expect(200).body,
        cancelled.body
    );
    for amount in ["1.00", "2.00"] {
        let body = transfer(&ada, &bob, amount);
        let refused = client.post("/v1/transfers", "k", &body);
        assert!(refused.problem(409, "cancelled").is_replayed());
        let pay = json!({"path": "/v1/transfers", "body": body});
        let list = json!({"atomic": true, "requests": [pay]});
        client
            .post("/v1/batches", "k", &list)
            .problem(409, "cancelled");
        let each = json!({"atomic": false, "requests": [pay, pay]});
        let each = client.post("/v1/batches", "k", &each);
        let each = each.problem(409, "cancelled");
        assert!(each.is_replayed());
        assert_eq!(each.json()["results"], json!(null));
    }
    assert_eq!(client.posted(&ada), "10.00");

    // A completed request stays completed.
    let paid = client.post("/v1/transfers", "paid", &transfer(&ada, &bob, "4.00"));
    let paid = paid.expect(201);
    let late = cancel("paid").expect(200);
    assert_eq!(
        late.json()["results"],
        json!([{"status": 201, "body": paid.json()}])
    );
    let again = client.post("/v1/transfers", "paid", &transfer(&ada, &bob, "4.00"));
    assert_eq!(again.expect(201).body, paid.body);
    assert_eq!(client.posted(&ada), "6.00");
}

#[test]
fn a_key_in_a_path_is_the_bare_one_and_quotes_around_it_are_refused() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let post = |path: &str| client.raw(&http::request("POST", path, &[], b""));
    for key in [
        "%22pay-77%22",
        "%22pay-77",
        "pay-77%22",
        "%22",
        "%22%22",
        "%22%5C%22a%5C%22%22",
        "%20pay-77",
        "pay-77%20",
    ] {
        for answer in [
            post(&cancel_path(key)),
            client.get(&format!("/v1/outcomes/{key}")),
            client.get(&format!("/v1/outcomes/{key}?item=0")),
        ] {
            let problem = answer.problem(400, "invalid_field");
            assert_eq!(problem.text("/field"), "key", "{key}");
            let detail = problem.text("/detail");
            assert!(detail.contains("without the quotes"), "{detail}");
        }
    }
    // The header's quotes are not part of the key, and this is the one.
    post(&cancel_path("pay-77")).expect(200);
    let body = transfer(&ada, &bob, "1.00");
    let refused = client.post("/v1/transfers", "\"pay-77\"", &body);
    refused.problem(409, "cancelled");
    // A key that no path can name is not a valid key.
    for key in ["\"\\\"pay\\\"\"", "\"pay\\\"\"", "pay\"", "\" pay\""] {
        let refused = client.post("/v1/transfers", key, &body);
        refused.problem(400, "idempotency_key_invalid");
    }
    assert_eq!(client.posted(&ada), "10.00");
    client.post("/v1/transfers", "p\"a\"y", &body).expect(201);
    post(&cancel_path("p%22a%22y")).expect(200);
}

#[test]
fn a_cancellation_takes_no_body_and_no_key_beside_the_one_in_its_path() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let with = |headers: &[(&str, &str)], body: &[u8]| {
        client.raw(&http::request("POST", &cancel_path("k"), headers, body))
    };
    let json = [("Content-Type", "application/json")];
    let problem = with(&json, b"{}").problem(400, "invalid_request");
    assert!(problem.text("/detail").contains("no body"), "{problem:?}");
    for key in ["k", "other"] {
        let problem = with(&[("Idempotency-Key", key)], b"");
        let problem = problem.problem(400, "invalid_request");
        assert!(problem.text("/detail").contains("path"), "{problem:?}");
    }
    let paid = client.post("/v1/transfers", "k", &transfer(&ada, &bob, "1.00"));
    paid.expect(201);
    with(&[], b"").expect(200);
}

fn cancel_path(key: &str) -> String {
    format!("/v1/outcomes/{key}/cancel")
}
