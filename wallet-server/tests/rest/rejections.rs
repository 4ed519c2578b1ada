//! What the rules refuse, and what is not there.

use serde_json::json;

use crate::support::{World, transfer};

const NOBODY: &str = "01890000-0000-7000-8000-0000000000ff";

#[test]
fn what_is_not_there_is_404() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    for path in ["", "/balance", "/entries"] {
        let answer = client.get(&format!("/v1/accounts/{NOBODY}{path}"));
        answer.problem(404, "account_not_found");
    }
    let answer = client.get(&format!("/v1/transfers/{NOBODY}"));
    answer.problem(404, "transfer_not_found");
    client
        .deposit(NOBODY, "d", "1.00")
        .problem(404, "account_not_found");
    let answer = client.post("/v1/transfers", "t", &transfer(&ada, NOBODY, "1.00"));
    answer.problem(404, "account_not_found");
    assert_eq!(client.posted(&ada), "10.00");
}

#[test]
fn an_id_that_is_taken_is_a_conflict() {
    let world = World::memory();
    let client = world.client();
    let body = json!({"owner": "ada", "currency": "EUR", "id": NOBODY});
    client.post("/v1/accounts", "a", &body).expect(201);
    client
        .post("/v1/accounts", "b", &body)
        .problem(409, "id_taken");
}

#[test]
fn the_rules_refuse_with_422() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    let body = json!({"owner": "carl", "currency": "USD", "max_balance": "5.00"});
    let carl = client
        .post("/v1/accounts", "c", &body)
        .expect(201)
        .text("/id");
    let answer = client.post("/v1/transfers", "t1", &transfer(&ada, &carl, "1.00"));
    answer.problem(422, "currency_mismatch");
    client
        .deposit(&carl, "d", "5.01")
        .problem(422, "max_balance_exceeded");
    let path = format!("/v1/accounts/{ada}/withdrawals");
    let answer = client.post(&path, "w", &json!({"amount": "10.01"}));
    answer.problem(422, "insufficient_funds");
    assert_eq!(
        (client.posted(&ada), client.posted(&carl)),
        ("10.00".into(), "0.00".into())
    );
}

#[test]
fn a_leg_that_fails_takes_the_others_with_it() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let legs = json!({"legs": [transfer(&ada, &bob, "6.00"), transfer(&ada, &bob, "4.01")]});
    client
        .post("/v1/transfers", "t", &legs)
        .problem(422, "insufficient_funds");
    assert_eq!(
        (client.posted(&ada), client.posted(&bob)),
        ("10.00".into(), "0.00".into())
    );
}
