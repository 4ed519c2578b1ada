//! Many requests in one: all or none, or each by itself.

use serde_json::{Value, json};

use crate::support::{Client, Response, World, transfer};

fn item(path: &str, body: impl Into<Value>) -> Value {
    let body = body.into();
    json!({"path": path, "body": body})
}

fn pay(from: &str, to: &str, amount: &str) -> Value {
    item("/v1/transfers", transfer(from, to, amount))
}

fn send(client: Client, key: &str, atomic: bool, requests: &[Value]) -> Response {
    let body = json!({"atomic": atomic, "requests": requests});
    client.post("/v1/batches", key, &body)
}

fn statuses(answer: &Response) -> Vec<u64> {
    let json = answer.json();
    let results = json["results"].as_array().unwrap().iter();
    results
        .map(|result| result["status"].as_u64().unwrap())
        .collect()
}

#[test]
fn items_by_themselves_succeed_or_fail_and_replay_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let requests = [
        pay(&ada, &bob, "10.00"),
        pay(&ada, &bob, "0.01"),
        pay(&bob, &ada, "3.00"),
        item(
            &format!("/v1/accounts/{bob}/freeze"),
            json!({"credits": true}),
        ),
        json!({"path": format!("/v1/accounts/{bob}/unfreeze")}),
    ];
    let answer = send(client, "b", false, &requests).expect(200);
    assert_eq!(statuses(&answer), [201, 422, 201, 200, 200]);
    assert!(!answer.is_replayed());
    assert_eq!(answer.text("/results/1/body/code"), "insufficient_funds");
    assert_eq!(answer.text("/results/3/body/status"), "credits_frozen");
    let posted = || (client.posted(&ada), client.posted(&bob));
    assert_eq!(posted(), ("3.00".into(), "7.00".into()));

    let again = send(client, "b", false, &requests).expect(200);
    assert!(again.is_replayed(), "all of it was answered before");
    assert_eq!(again.body, answer.body);
    assert_eq!(posted(), ("3.00".into(), "7.00".into()));
}

#[test]
fn one_key_moves_money_for_one_body_only() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "100.00"), client.open("bob"));
    let pays = |amounts: &[&str]| -> Vec<Value> {
        amounts
            .iter()
            .map(|amount| pay(&ada, &bob, amount))
            .collect()
    };
    let first = send(client, "k", false, &pays(&["1.00", "2.00"])).expect(200);
    assert_eq!(client.posted(&ada), "97.00");
    let bodies: [&[&str]; 6] = [
        &["7.00", "1.00", "2.00"],
        &["1.00", "2.00", "7.00"],
        &["2.00", "1.00"],
        &["1.00"],
        &["2.00"],
        &["1.00", "2.00"],
    ];
    for (index, amounts) in bodies.iter().enumerate() {
        let is_same = index + 1 == bodies.len();
        if !is_same {
            send(client, "k", false, &pays(amounts)).problem(422, "idempotency_mismatch");
        }
        send(client, "k", true, &pays(amounts)).problem(422, "idempotency_mismatch");
        let alone = transfer(&ada, &bob, amounts[0]);
        let alone = client.post("/v1/transfers", "k", &alone);
        alone.problem(422, "idempotency_mismatch");
    }
    let again = send(client, "k", false, &pays(&["1.00", "2.00"])).expect(200);
    assert_eq!(again.body, first.body);
    assert_eq!(client.posted(&ada), "97.00");

    // The other way round: a single transfer's key, and that of a list.
    let alone = transfer(&ada, &bob, "1.00");
    client.post("/v1/transfers", "one", &alone).expect(201);
    let list = send(client, "list", true, &pays(&["1.00"]));
    list.expect(201);
    for key in ["one", "list"] {
        send(client, key, false, &pays(&["1.00"])).problem(422, "idempotency_mismatch");
        send(client, key, false, &pays(&["1.00", "1.00"])).problem(422, "idempotency_mismatch");
    }
    send(client, "one", true, &pays(&["1.00"])).problem(422, "idempotency_mismatch");
    let alone = client.post("/v1/transfers", "list", &alone);
    alone.problem(422, "idempotency_mismatch");
    assert_eq!(client.posted(&ada), "95.00");
}

#[test]
fn one_malformed_item_refuses_the_batch_and_leaves_its_key_free() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let fine = pay(&ada, &bob, "1.00");
    let nobody = "01890000-0000-7000-8000-00000000dead";
    let wrong = [
        (
            item("/v1/transfers", json!({"from": ada})),
            400,
            "invalid_body",
        ),
        (item("/v1/nowhere", json!({})), 400, "invalid_field"),
        (
            item("/v1/batches", json!({"atomic": true, "requests": []})),
            400,
            "invalid_field",
        ),
        (pay(&ada, &ada, "1.00"), 400, "invalid_request"),
        (
            item(
                &format!("/v1/accounts/{nobody}/deposits"),
                json!({"amount": "1.00"}),
            ),
            404,
            "account_not_found",
        ),
    ];
    for (wrong, status, code) in wrong {
        for atomic in [true, false] {
            let requests = [fine.clone(), wrong.clone()];
            let refused = send(client, "b", atomic, &requests).problem(status, code);
            if atomic && code == "invalid_request" {
                continue;
            }
            assert_eq!(refused.json()["index"], 1, "{refused:?}");
        }
    }
    let outcome = client.get("/v1/outcomes/b");
    outcome.problem(404, "outcome_not_found");
    assert_eq!(client.posted(&ada), "10.00");
    send(client, "b", false, &[fine]).expect(200);
    assert_eq!(client.posted(&ada), "9.00");
}

#[test]
fn an_atomic_batch_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let too_much = [
        pay(&ada, &bob, "6.00"),
        pay(&ada, &bob, "4.01"),
        pay(&ada, &bob, "1.00"),
    ];
    let refused = send(client, "a1", true, &too_much).problem(422, "insufficient_funds");
    assert_eq!(refused.json()["index"], 1);
    assert_eq!(statuses(&refused), [424, 422, 424]);
    assert_eq!(
        (client.posted(&ada), client.posted(&bob)),
        ("10.00".into(), "0.00".into())
    );
    let again = send(client, "a1", true, &too_much).problem(422, "insufficient_funds");
    assert!(again.is_replayed());
    assert_eq!(again.body, refused.body);

    let enough = [pay(&ada, &bob, "6.00"), pay(&ada, &bob, "4.00")];
    let done = send(client, "a2", true, &enough).expect(201);
    assert_eq!(statuses(&done), [201, 201]);
    assert_eq!(client.posted(&bob), "10.00");
    let again = send(client, "a2", true, &enough).expect(201);
    assert!(again.is_replayed());
    assert_eq!(again.body, done.body);
    send(client, "a2", true, &too_much).problem(422, "idempotency_mismatch");

    let broken = [pay(&ada, &bob, "1.00"), item("/v1/transfers", json!({}))];
    let broken = send(client, "a3", true, &broken).problem(400, "invalid_body");
    assert_eq!(broken.json()["index"], 1);
}

#[test]
fn an_account_is_opened_funded_and_used_in_one_atomic_batch() {
    let world = World::memory();
    let client = world.client();
    let bob = client.open("bob");
    let new = "01890000-0000-7000-8000-000000000001";
    let hold = "01890000-0000-7000-8000-000000000002";
    let mut reserved = transfer(new, &bob, "2.00");
    reserved["id"] = json!(hold);
    let requests = [
        item(
            "/v1/accounts",
            json!({"owner": "ada", "currency": "EUR", "id": new}),
        ),
        item(
            &format!("/v1/accounts/{new}/deposits"),
            json!({"amount": "10.00", "currency": "EUR"}),
        ),
        pay(new, &bob, "3.00"),
        item("/v1/holds", reserved),
        json!({"path": format!("/v1/holds/{hold}/capture")}),
    ];
    let done = send(client, "b", true, &requests).expect(201);
    assert_eq!(statuses(&done), [201, 201, 201, 201, 200]);
    assert_eq!(
        (client.posted(new), client.posted(&bob)),
        ("5.00".into(), "5.00".into())
    );
}

#[test]
fn a_batch_of_nothing_or_too_much_is_refused() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let many = vec![json!({"path": format!("/v1/accounts/{ada}/freeze")}); 101];
    for atomic in [true, false] {
        for requests in [&[][..], &many] {
            let problem = send(client, "b", atomic, requests).problem(400, "invalid_field");
            assert_eq!(problem.text("/field"), "requests");
        }
    }
    let pays = [pay(&ada, &bob, "1.00")];
    for body in [
        json!({"requests": pays}),
        json!({"atomic": true}),
        json!({"atomic": "yes", "requests": pays}),
        json!({"atomic": true, "requests": [["/v1/transfers", {}]]}),
        json!({"atomic": true, "requests": [{"path": "/v1/transfers", "body": 1, "x": 2}]}),
    ] {
        client
            .post("/v1/batches", "b", &body)
            .problem(400, "invalid_body");
    }
    // Twice the same field would be read in two ways.
    let twice = br#"{"atomic":true,"requests":[{"path":"/v1/accounts","body":
        {"owner":"a","owner":"b","currency":"EUR"}}]}"#;
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "b"),
    ];
    let bytes = crate::support::http::request("POST", "/v1/batches", &headers, twice);
    client.raw(&bytes).problem(400, "invalid_body");
    let body = json!({"atomic": false, "requests": pays});
    let tried = client.post("/v1/batches?dry_run=true", "b", &body);
    tried.problem(400, "invalid_field");
    assert_eq!(client.posted(&ada), "10.00");
}
