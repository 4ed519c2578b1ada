//! Batches whose items are carried out each by itself.

use serde_json::{Value, json};

use super::{item, pay, send, statuses};
use crate::support::{World, transfer};

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
