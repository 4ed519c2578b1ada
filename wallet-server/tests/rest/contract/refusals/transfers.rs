//! Refused transfers, holds, reversals, captures and releases.

use serde_json::json;

use super::Case;
use crate::contract::Books;

pub(super) fn transfers_and_holds() -> Vec<Case> {
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

pub(super) fn reversals() -> Vec<Case> {
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

pub(super) fn endings() -> Vec<Case> {
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
