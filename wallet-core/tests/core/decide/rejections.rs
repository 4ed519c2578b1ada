//! Every rejection is reached by a named row. Codes never change.

use std::collections::BTreeSet;

use crate::support::scenario::cases;
use wallet_core::Rejection;
use wallet_core::ledger::Retry;

#[test]
fn every_scenario_is_accepted_as_it_stands() {
    for case in cases() {
        let scenario = (case.scenario)();
        let result = scenario.world.ask(scenario.command);
        assert!(result.is_ok(), "{}: {result:?}", case.name);
    }
}

#[test]
fn every_condition_alone_is_refused_as_named() {
    let mut wrong = Vec::new();
    for case in cases() {
        for condition in &case.conditions {
            let mut scenario = (case.scenario)();
            (condition.apply)(&mut scenario);
            let result = scenario.world.ask(scenario.command);
            let rejection = result.map_err(|rejected| rejected.rejection);
            if rejection.as_ref().err() != Some(&condition.rejection) {
                let row = format!("{}, {}", case.name, condition.name);
                wrong.push((row, condition.rejection, rejection.err()));
            }
        }
    }
    assert_eq!(wrong, []);
}

#[test]
fn every_rejection_is_reached_by_a_row() {
    let cases = cases();
    let rows = cases.iter().flat_map(|case| &case.conditions);
    let reached: BTreeSet<_> = rows.map(|condition| condition.rejection).collect();
    // A key is cancelled by a request of its own: tests/core/service/bulk.rs and the conformance list.
    let all = Rejection::ALL.iter().copied();
    let all: BTreeSet<_> = all.filter(|one| *one != Rejection::Cancelled).collect();
    assert_eq!(reached, all);
}

#[test]
fn codes_order_and_advice_are_as_listed() {
    use Retry::{Never, NewKey};
    let golden = [
        ("cancelled", NewKey),
        ("id_taken", Never),
        ("transfer_not_found", NewKey),
        ("hold_not_found", NewKey),
        ("not_reversible", Never),
        ("leg_required", Never),
        ("leg_not_found", Never),
        ("hold_not_pending", Never),
        ("hold_expired", Never),
        ("hold_not_expired", NewKey),
        ("expiry_passed", Never),
        ("expiry_too_far", NewKey),
        ("capture_exceeds_hold", Never),
        ("reversal_exceeds_transfer", Never),
        ("account_not_found", NewKey),
        ("system_account", Never),
        ("not_system_account", Never),
        ("currency_exponent_mismatch", Never),
        ("currency_mismatch", Never),
        ("account_closed", Never),
        ("account_frozen", NewKey),
        ("holds_outstanding", NewKey),
        ("balance_not_zero", NewKey),
        ("limit_breached", NewKey),
        ("insufficient_funds", NewKey),
        ("max_balance_exceeded", NewKey),
        ("counter_overflow", Never),
    ];
    let all = Rejection::ALL.iter();
    let codes: Vec<_> = all.map(|one| (one.code(), one.retry())).collect();
    assert_eq!(codes, golden);
    let unique: BTreeSet<_> = Rejection::ALL.iter().map(|one| one.code()).collect();
    assert_eq!(unique.len(), Rejection::ALL.len());
    assert!(Rejection::ALL.is_sorted());
    for rejection in Rejection::ALL {
        assert_eq!(rejection.to_string(), rejection.code());
    }
}
