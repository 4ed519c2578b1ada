//! Batches that the API does not take.

use serde_json::json;

use super::{item, pay, send};
use crate::support::World;

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
    // A duplicate field could be read in two ways.
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
