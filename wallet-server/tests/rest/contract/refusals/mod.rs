//! The refusals by the rules, alone and as an item of a batch.

mod accounts;
mod transfers;

use serde_json::{Value, json};
use wallet_core::Settings;

use super::{Books, Call, Document};
use crate::support::Client;
use accounts::{movements, openings_and_statuses, system_transfers};
use transfers::{endings, reversals, transfers_and_holds};

/// Operation, path, body, code.
type Case = (&'static str, String, Value, &'static str);

pub(super) fn walk(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    for (number, (operation, path, body, code)) in cases().into_iter().enumerate() {
        let call = Call::post(operation, path.clone(), format!("r{number}"), &body);
        let alone = call.problem(client, document, code);
        let again = call.send(client, document);
        assert_eq!(again.body, alone.body);

        let item = json!({"path": path, "body": body});
        let fine = json!({"path": format!("/v1/accounts/{}/deposits", Books::ADA),
            "body": {"amount": "1.00"}});
        let requests = json!([fine, item]);
        each_by_itself(document, client, number, &requests, &alone.json());
        all_or_none(document, client, number, &requests, &alone.json());
    }
    for (call, code) in missing() {
        call.problem(client, document, code);
    }
}

fn each_by_itself(
    document: &Document,
    client: Client,
    number: usize,
    requests: &Value,
    alone: &Value,
) {
    let before = client.posted(Books::ADA);
    let batch = json!({"atomic": false, "requests": requests});
    let call = Call::post("create_batch", "/v1/batches", format!("e{number}"), &batch);
    let answer = call.send(client, document);
    document.check(call.operation, &answer);
    let answer = answer.json();
    if answer["results"].is_null() {
        // The objects that the item names are looked up before any item runs.
        assert_eq!(answer["code"], alone["code"], "{answer}");
        assert_eq!(answer["index"], 1, "{answer}");
        assert_eq!(client.posted(Books::ADA), before);
        return;
    }
    assert_eq!(answer["results"][0]["status"], 201, "{answer}");
    assert_eq!(answer["results"][1]["status"], alone["status"]);
    assert_eq!(answer["results"][1]["body"]["code"], alone["code"]);
}

fn all_or_none(
    document: &Document,
    client: Client,
    number: usize,
    requests: &Value,
    alone: &Value,
) {
    let before = client.posted(Books::ADA);
    let batch = json!({"atomic": true, "requests": requests});
    let call = Call::post("create_batch", "/v1/batches", format!("a{number}"), &batch);
    let code = alone["code"].as_str().unwrap();
    let answer = call.problem(client, document, code).json();
    assert_eq!(answer["index"], 1, "{answer}");
    if let Some(results) = answer["results"].as_array() {
        assert_eq!(results[0]["status"], 424);
        assert_eq!(results[1]["body"]["code"], alone["code"]);
    }
    assert_eq!(client.posted(Books::ADA), before);
}

/// Reads of objects that do not exist.
fn missing() -> Vec<(Call, &'static str)> {
    let on = |what: &str| format!("/v1/accounts/{}{what}", Books::NOBODY);
    let holds = format!("account={}", Books::NOBODY);
    let transfer = format!("/v1/transfers/{}", Books::CLOSED);
    let hold = format!("/v1/holds/{}", Books::NOBODY);
    vec![
        (Call::get("get_account", on("")), "account_not_found"),
        (
            Call::get("get_balance", on("/balance")),
            "account_not_found",
        ),
        (
            Call::get("list_entries", on("/entries")),
            "account_not_found",
        ),
        (
            Call::get("list_holds", "/v1/holds").with_query(&holds),
            "account_not_found",
        ),
        (Call::get("get_transfer", transfer), "transfer_not_found"),
        (Call::get("get_hold", hold), "hold_not_found"),
        (
            Call::get("get_outcome", "/v1/outcomes/never"),
            "outcome_not_found",
        ),
    ]
}

fn cases() -> Vec<Case> {
    let mut cases = openings_and_statuses();
    cases.extend(movements());
    cases.extend(system_transfers());
    cases.extend(transfers_and_holds());
    cases.extend(reversals());
    cases.extend(endings());
    cases
}
