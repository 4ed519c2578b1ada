//! Batches that are carried out as a whole.

use serde_json::json;

use super::{item, pay, send, statuses};
use crate::support::{World, transfer};

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
