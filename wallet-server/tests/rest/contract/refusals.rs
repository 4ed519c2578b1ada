//! The refusals by the rules, alone and as an item of a batch.

use serde_json::{Value, json};
use wallet_core::Settings;

use super::{Books, Call, Document};
use crate::support::Client;

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
    let on_account = |id: &str, what: &str| format!("/v1/accounts/{id}/{what}");
    let mut cases: Vec<Case> = Vec::new();
    let opening = |more: Value| {
        let mut body = json!({"owner": "a", "currency": "EUR"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let accounts = || "/v1/accounts".to_owned();
    cases.extend([
        (
            "open_account",
            accounts(),
            opening(json!({"id": Books::ADA})),
            "id_taken",
        ),
        (
            "open_account",
            accounts(),
            opening(json!({"currency": "POINTS"})),
            "currency_exponent_mismatch",
        ),
    ]);
    for (operation, what) in [
        ("freeze_account", "freeze"),
        ("unfreeze_account", "unfreeze"),
        ("close_account", "close"),
    ] {
        cases.extend([
            (
                operation,
                on_account(Books::NOBODY, what),
                json!({}),
                "account_not_found",
            ),
            (
                operation,
                on_account(Books::CLOSED, what),
                json!({}),
                "account_closed",
            ),
            (
                operation,
                on_account(&Books::bank(), what),
                json!({}),
                "system_account",
            ),
        ]);
    }
    cases.extend([
        (
            "close_account",
            on_account(Books::FROZEN, "close"),
            json!({}),
            "holds_outstanding",
        ),
        (
            "close_account",
            on_account(Books::SMALL, "close"),
            json!({}),
            "balance_not_zero",
        ),
    ]);
    cases.extend(movements());
    cases.extend(system_transfers());
    cases.extend(transfers_and_holds());
    cases.extend(reversals());
    cases.extend(endings());
    cases
}

fn movements() -> Vec<Case> {
    let on_account = |id: &str, what: &str| format!("/v1/accounts/{id}/{what}");
    let mut cases: Vec<Case> = Vec::new();
    for (operation, what) in [("deposit", "deposits"), ("withdraw", "withdrawals")] {
        let euro = json!({"amount": "1.00"});
        let dollar = json!({"amount": "1.00", "currency": "USD"});
        let points = json!({"amount": "1", "currency": "POINTS"});
        let taken = json!({"amount": "1.00", "id": Books::TRANSFER});
        cases.extend([
            (operation, on_account(Books::ADA, what), taken, "id_taken"),
            (
                operation,
                on_account(Books::NOBODY, what),
                euro.clone(),
                "account_not_found",
            ),
            (
                operation,
                on_account(&Books::bank(), what),
                json!({"amount": "1.00", "settlement": "card"}),
                "system_account",
            ),
            (
                operation,
                on_account(Books::ADA, what),
                points,
                "currency_exponent_mismatch",
            ),
            (
                operation,
                on_account(Books::ADA, what),
                dollar,
                "currency_mismatch",
            ),
            (
                operation,
                on_account(Books::CLOSED, what),
                euro.clone(),
                "account_closed",
            ),
            (
                operation,
                on_account(Books::FROZEN, what),
                euro,
                "account_frozen",
            ),
        ]);
    }
    let much = json!({"amount": "5.01"});
    cases.extend([
        (
            "deposit",
            on_account(Books::SMALL, "deposits"),
            much.clone(),
            "max_balance_exceeded",
        ),
        (
            "withdraw",
            on_account(Books::SMALL, "withdrawals"),
            much,
            "insufficient_funds",
        ),
    ]);
    cases
}

fn system_transfers() -> Vec<Case> {
    let account = |id: &str| json!({"account": id});
    let bank = || json!({"settlement": "bank"});
    let moving = |from: Value, to: Value, amount: &str, currency: &str| json!({"legs": [{"from": from, "to": to, "amount": amount, "currency": currency}]});
    let euro = |from, to| moving(from, to, "1.00", "EUR");
    let mut taken = euro(bank(), account(Books::OWN));
    taken["id"] = json!(Books::TRANSFER);
    let points = moving(bank(), json!({"settlement": "card"}), "1", "POINTS");
    let dollars = moving(bank(), account(Books::OWN), "1.00", "USD");
    let much = moving(bank(), account(Books::OWN), "5.01", "EUR");
    let cases = [
        (taken, "id_taken"),
        (euro(bank(), account(Books::NOBODY)), "account_not_found"),
        (euro(account(Books::ADA), bank()), "not_system_account"),
        (points, "currency_exponent_mismatch"),
        (dollars, "currency_mismatch"),
        (euro(account(Books::OWN), bank()), "insufficient_funds"),
        (much, "max_balance_exceeded"),
    ];
    let path = "/v1/system-transfers";
    let cases = cases.into_iter();
    cases
        .map(|(body, code)| ("create_system_transfer", path.to_owned(), body, code))
        .collect()
}

fn transfers_and_holds() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (operation, path, taken) in [
        ("create_transfer", "/v1/transfers", Books::TRANSFER),
        ("place_hold", "/v1/holds", Books::HOLD),
    ] {
        let moving = |from: &str, to: &str, amount: &str, currency: &str| json!({"from": from, "to": to, "amount": amount, "currency": currency});
        let mut same_id = moving(Books::ADA, Books::BOB, "1.00", "EUR");
        same_id["id"] = json!(taken);
        let euro = |from, to| moving(from, to, "1.00", "EUR");
        let path = || path.to_owned();
        cases.extend([
            (operation, path(), same_id, "id_taken"),
            (
                operation,
                path(),
                euro(Books::ADA, Books::NOBODY),
                "account_not_found",
            ),
            (
                operation,
                path(),
                euro(Books::ADA, &Books::bank()),
                "system_account",
            ),
            (
                operation,
                path(),
                moving(Books::POINTS, Books::BOB, "1", "POINTS"),
                "currency_exponent_mismatch",
            ),
            (
                operation,
                path(),
                euro(Books::ADA, Books::DOLLARS),
                "currency_mismatch",
            ),
            (
                operation,
                path(),
                euro(Books::ADA, Books::CLOSED),
                "account_closed",
            ),
            (
                operation,
                path(),
                euro(Books::ADA, Books::FROZEN),
                "account_frozen",
            ),
            (
                operation,
                path(),
                euro(Books::POOR, Books::BOB),
                "insufficient_funds",
            ),
            (
                operation,
                path(),
                moving(Books::ADA, Books::SMALL, "5.01", "EUR"),
                "max_balance_exceeded",
            ),
        ]);
    }
    for (at, code) in [
        ("2001-01-01T00:00:00Z", "expiry_passed"),
        ("2999-01-01T00:00:00Z", "expiry_too_far"),
    ] {
        let body = json!({
            "from": Books::ADA, "to": Books::BOB, "amount": "1.00", "currency": "EUR",
            "expires_at": at,
        });
        cases.push(("place_hold", "/v1/holds".to_owned(), body, code));
    }
    cases
}

fn reversals() -> Vec<Case> {
    let of = |id: &str| format!("/v1/transfers/{id}/reverse");
    let cases = [
        (
            Books::TRANSFER,
            json!({"amount": "1.00", "id": Books::LEGS}),
            "id_taken",
        ),
        (Books::CLOSED, json!({}), "transfer_not_found"),
        (Books::REVERSAL, json!({}), "not_reversible"),
        (Books::SYSTEM, json!({}), "system_account"),
        (Books::LEGS, json!({"amount": "1.00"}), "leg_required"),
        (
            Books::LEGS,
            json!({"legs": [{"leg": 2, "amount": "1.00"}]}),
            "leg_not_found",
        ),
        (
            Books::TRANSFER,
            json!({"amount": "29.01"}),
            "reversal_exceeds_transfer",
        ),
        (Books::FROM_CLOSED, json!({}), "account_closed"),
        (Books::TO_FROZEN, json!({}), "account_frozen"),
        (Books::SPENT, json!({}), "insufficient_funds"),
        (Books::FROM_SMALL, json!({}), "max_balance_exceeded"),
    ];
    let cases = cases.into_iter();
    cases
        .map(|(id, body, code)| ("reverse_transfer", of(id), body, code))
        .collect()
}

fn endings() -> Vec<Case> {
    let captures = [
        (
            Books::HOLD,
            json!({"id": Books::TRANSFER, "amount": "1.00"}),
            "id_taken",
        ),
        (Books::EXPIRED, json!({}), "hold_expired"),
        (
            Books::HOLD,
            json!({"amount": "10.01"}),
            "capture_exceeds_hold",
        ),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (id, body, code) in captures {
        cases.push((
            "capture_hold",
            format!("/v1/holds/{id}/capture"),
            body,
            code,
        ));
    }
    for (operation, what) in [("capture_hold", "capture"), ("release_hold", "release")] {
        for (id, code) in [
            (Books::NOBODY, "hold_not_found"),
            (Books::RELEASED, "hold_not_pending"),
            (Books::ON_FROZEN, "account_frozen"),
        ] {
            cases.push((operation, format!("/v1/holds/{id}/{what}"), json!({}), code));
        }
    }
    cases
}
