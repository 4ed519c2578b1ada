//! Freezes, closing, reversals.

use serde_json::{Value, json};

use crate::support::{Client, Response, World, transfer};

fn change(client: Client, id: &str, what: &str, key: &str, body: &Value) -> Response {
    client.post(&format!("/v1/accounts/{id}/{what}"), key, body)
}

fn reverse(client: Client, id: &str, key: &str, body: &Value) -> Response {
    client.post(&format!("/v1/transfers/{id}/reverse"), key, body)
}

#[test]
fn a_freeze_stops_what_it_says_and_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    let bob = client.open_with("bob", "10.00");
    let pay = |key: &str, from: &str, to: &str| {
        client.post("/v1/transfers", key, &transfer(from, to, "1.00"))
    };
    let frozen = change(client, &ada, "freeze", "f1", &json!({"debits": true})).expect(200);
    assert_eq!(frozen.text("/status"), "debits_frozen");
    assert_eq!(frozen.text("/owner"), "ada");
    pay("p1", &ada, &bob).problem(409, "account_frozen");
    pay("p2", &bob, &ada).expect(201);

    let frozen = change(client, &ada, "freeze", "f2", &json!({"credits": true})).expect(200);
    assert_eq!(frozen.text("/status"), "credits_frozen");
    pay("p3", &ada, &bob).expect(201);
    pay("p4", &bob, &ada).problem(409, "account_frozen");

    let both = change(client, &ada, "freeze", "f3", &json!({})).expect(200);
    assert_eq!(both.text("/status"), "frozen");
    pay("p5", &ada, &bob).problem(409, "account_frozen");
    let nothing = json!({"debits": false, "credits": false});
    change(client, &ada, "freeze", "f4", &nothing).problem(400, "invalid_field");

    let active = change(client, &ada, "unfreeze", "u", &json!({})).expect(200);
    assert_eq!(active.text("/status"), "active");
    pay("p6", &ada, &bob).expect(201);
    let again = change(client, &ada, "freeze", "f3", &json!({})).expect(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, both.body, "as it was then");
    let shown = client.get(&format!("/v1/accounts/{ada}")).expect(200);
    assert_eq!(shown.text("/status"), "active");
}

#[test]
fn an_account_is_closed_for_ever_once_it_is_empty() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    change(client, &ada, "close", "c1", &json!({})).problem(409, "balance_not_zero");
    let path = format!("/v1/accounts/{ada}/withdrawals");
    client
        .post(&path, "w", &json!({"amount": "10.00"}))
        .expect(201);
    let closed = change(client, &ada, "close", "c2", &json!({})).expect(200);
    assert_eq!(closed.text("/status"), "closed");
    client
        .deposit(&ada, "d", "1.00")
        .problem(409, "account_closed");
    change(client, &ada, "unfreeze", "u", &json!({})).problem(409, "account_closed");
}

#[test]
fn a_transfer_is_undone_in_parts_and_never_more_than_it_moved() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "100.00"), client.open("bob"));
    let moved = client.post("/v1/transfers", "t", &transfer(&ada, &bob, "30.00"));
    let id = moved.expect(201).text("/id");
    let show = || client.get(&format!("/v1/transfers/{id}")).expect(200);
    let part = reverse(client, &id, "r1", &json!({"amount": "12.50"})).expect(201);
    assert_eq!(
        (part.text("/kind"), part.text("/reverses")),
        ("reversal".into(), id.clone())
    );
    assert_eq!(part.text("/legs/0/from"), bob);
    assert_eq!(show().text("/status"), "partially_reversed");
    assert_eq!(show().text("/legs/0/reversed"), "12.50");
    let more = json!({"amount": "17.51"});
    reverse(client, &id, "r2", &more).problem(422, "reversal_exceeds_transfer");
    reverse(client, &id, "r3", &json!({})).expect(201);
    assert_eq!(show().text("/status"), "reversed");
    reverse(client, &id, "r4", &json!({})).problem(422, "reversal_exceeds_transfer");
    assert_eq!(
        (client.posted(&ada), client.posted(&bob)),
        ("100.00".into(), "0.00".into())
    );
    // A repeated refund neither fails nor pays twice.
    let again = reverse(client, &id, "r1", &json!({"amount": "12.50"})).expect(201);
    assert!(again.is_replayed());
    assert_eq!(again.body, part.body);
}

#[test]
fn a_split_sale_is_refunded_in_parts_to_the_last_cent() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "1.01");
    let (shop, platform, tax) = (
        client.open("shop"),
        client.open("platform"),
        client.open("tax"),
    );
    let legs = [
        transfer(&ada, &shop, "0.84"),
        transfer(&ada, &platform, "0.10"),
        transfer(&ada, &tax, "0.07"),
    ];
    let sale = client.post("/v1/transfers", "t", &json!({"legs": legs}));
    let id = sale.expect(201).text("/id");
    for (key, amount) in [("r1", "0.33"), ("r2", "0.33")] {
        reverse(client, &id, key, &json!({"proportional": amount})).expect(201);
    }
    let shown = client.get(&format!("/v1/transfers/{id}")).expect(200);
    let reversed = [0, 1, 2].map(|leg| shown.text(&format!("/legs/{leg}/reversed")));
    assert_eq!(reversed, ["0.55", "0.06", "0.05"]);
    let more = json!({"proportional": "0.36"});
    reverse(client, &id, "r3", &more).problem(422, "reversal_exceeds_transfer");
    let both = json!({"proportional": "0.35", "amount": "0.35"});
    reverse(client, &id, "r4", &both).problem(400, "invalid_body");
    reverse(client, &id, "r4", &json!({"proportional": "0.35"})).expect(201);
    assert_eq!(client.posted(&ada), "1.01");
    for account in [shop, platform, tax] {
        assert_eq!(client.posted(&account), "0.00");
    }
}

#[test]
fn legs_are_undone_by_name_and_a_chargeback_is_forced() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "50.00"), client.open("bob"));
    let carl = client.open("carl");
    let legs = json!({"legs": [transfer(&ada, &bob, "20.00"), transfer(&ada, &carl, "5.00")]});
    let id = client
        .post("/v1/transfers", "t", &legs)
        .expect(201)
        .text("/id");
    let of_bob = json!({"legs": [{"leg": 0, "amount": "7.00"}]});
    reverse(client, &id, "r1", &of_bob).expect(201);
    assert_eq!(
        (client.posted(&bob), client.posted(&carl)),
        ("13.00".into(), "5.00".into())
    );
    let path = format!("/v1/accounts/{bob}/withdrawals");
    client
        .post(&path, "w", &json!({"amount": "13.00"}))
        .expect(201);
    reverse(client, &id, "r2", &json!({})).problem(422, "insufficient_funds");
    reverse(client, &id, "r3", &json!({"force": true})).expect(201);
    assert_eq!(client.posted(&bob), "-13.00");
    let both = json!({"amount": "1.00", "legs": [{"leg": 0}]});
    reverse(client, &id, "r4", &both).problem(400, "invalid_body");
}
