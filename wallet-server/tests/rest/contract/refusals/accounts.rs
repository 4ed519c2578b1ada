//! Refused openings, changes of status, deposits, withdrawals and system transfers.

use serde_json::{Value, json};

use super::Case;
use crate::contract::Books;

pub(super) fn openings_and_statuses() -> Vec<Case> {
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
    cases
}

pub(super) fn movements() -> Vec<Case> {
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

pub(super) fn system_transfers() -> Vec<Case> {
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
