//! Histories with each kind of anomaly, and histories without any.

use super::{Anomaly, Call, Did, Seen, anomalies, wrong_sums};
use wallet_core::ledger::{AccountKey, InLedger, Version};
use wallet_core::{AccountId, LedgerId};

fn account(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), AccountId::from_bytes([number; 16]))
}

fn seen(number: u8, version: Version, posted: i128, gained: i128) -> Seen {
    Seen {
        account: account(number),
        version,
        posted,
        gained,
    }
}

fn wrote(began: u64, ended: u64, seen: &[Seen]) -> Call {
    let did = Did::Wrote(seen.to_vec());
    Call { began, ended, did }
}

fn read(began: u64, ended: u64, answer: &[(u8, Version, i128)]) -> Call {
    let answer = answer.iter();
    let answer = answer.map(|(number, version, posted)| seen(*number, *version, *posted, 0));
    let did = Did::Read(answer.collect());
    Call { began, ended, did }
}

/// Two accounts of 100 each, from calls that ended at 4.
fn opened() -> Vec<Call> {
    vec![
        wrote(1, 2, &[seen(1, 1, 100, 100)]),
        wrote(3, 4, &[seen(2, 1, 100, 100)]),
    ]
}

fn with(more: &[Call]) -> Vec<Anomaly> {
    anomalies(&[opened(), more.to_vec()].concat())
}

/// A payment of 10 from the first to the second account.
fn paid(began: u64, ended: u64) -> Call {
    wrote(began, ended, &[seen(1, 2, 90, -10), seen(2, 2, 110, 10)])
}

#[test]
fn what_one_order_explains_is_no_anomaly() {
    let calls = [
        paid(5, 9),
        // While the payment is in flight, a read may or may not see it.
        read(6, 7, &[(1, 1, 100), (2, 1, 100)]),
        read(6, 8, &[(1, 2, 90), (2, 2, 110)]),
        wrote(10, 20, &[seen(2, 3, 105, -5), seen(1, 3, 95, 5)]),
        wrote(11, 12, &[seen(1, 4, 94, -1), seen(2, 4, 106, 1)]),
        read(21, 22, &[(1, 4, 94), (2, 4, 106)]),
    ];
    assert_eq!(with(&calls), []);
}

#[test]
fn a_stale_read_is_found() {
    let found = with(&[paid(5, 6), read(7, 8, &[(1, 1, 100)])]);
    let due = Anomaly::StaleRead {
        account: account(1),
        call: 7,
        least: 2,
        found: 1,
    };
    assert_eq!(found, [due]);
}

#[test]
fn a_lost_update_is_found() {
    // Both began with the same version. The later one did not see the other.
    let other = wrote(6, 8, &[seen(1, 2, 80, -20)]);
    let found = with(&[paid(5, 7), other]);
    let due = Anomaly::LostUpdate {
        account: account(1),
        version: 2,
        calls: (5, 6),
    };
    assert_eq!(found, [due]);
    // The same with a separate version, but on the old balance.
    let other = wrote(8, 9, &[seen(1, 3, 80, -20)]);
    let found = with(&[paid(5, 7), other]);
    assert!(matches!(
        found[..],
        [Anomaly::BrokenChain {
            due: 90,
            found: 100,
            ..
        }]
    ));
}

#[test]
fn what_was_done_twice_is_found() {
    // The answer has version 3, so another call did the same before.
    let twice = wrote(5, 6, &[seen(1, 3, 80, -10), seen(2, 3, 120, 10)]);
    let found = with(&[twice]);
    let untold = |number| Anomaly::PhantomVersion {
        account: account(number),
        version: 2,
    };
    assert_eq!(found, [untold(1), untold(2)]);
    // The duplicate may also come afterwards, when a read shows it.
    let found = with(&[paid(5, 6), read(7, 8, &[(1, 3, 80)])]);
    let due = Anomaly::PhantomVersion {
        account: account(1),
        version: 3,
    };
    assert_eq!(found, [due]);
}

#[test]
fn a_call_of_unknown_fate_explains_as_many_versions_as_it_may_make() {
    let unknown = |began| Call {
        began,
        ended: u64::MAX,
        did: Did::Unknown(vec![(account(1), 1), (account(2), 1)]),
    };
    let later = wrote(7, 8, &[seen(1, 3, 80, -10), seen(2, 3, 120, 10)]);
    assert_eq!(with(&[unknown(5), later.clone()]), []);
    assert_eq!(
        with(&[unknown(5), later, read(9, 10, &[(1, 4, 70)])]).len(),
        0
    );
    let two_later = wrote(7, 8, &[seen(1, 4, 80, -10)]);
    assert_eq!(with(&[unknown(5), two_later]).len(), 1);
}

#[test]
fn a_read_from_the_future_is_found() {
    let found = with(&[read(5, 6, &[(1, 2, 90)]), paid(7, 8)]);
    let due = Anomaly::FutureRead {
        account: account(1),
        call: 5,
        found: 2,
    };
    assert_eq!(found, [due]);
}

#[test]
fn a_read_of_another_balance_than_its_version_has_is_found() {
    let found = with(&[paid(5, 6), read(7, 8, &[(1, 2, 91)])]);
    assert!(matches!(
        found[..],
        [Anomaly::WrongBalance {
            due: 90,
            found: 91,
            ..
        }]
    ));
}

#[test]
fn reads_that_go_back_are_found() {
    // The payment is in flight all the time. One read saw it, a later one did not.
    let calls = [
        paid(5, 20),
        read(6, 7, &[(1, 2, 90)]),
        read(8, 9, &[(1, 1, 100)]),
    ];
    let found = with(&calls);
    let [Anomaly::Cycle { calls }] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(calls.contains(&6) && calls.contains(&8), "{calls:?}");
}

#[test]
fn a_read_of_half_a_transfer_is_found() {
    let found = with(&[paid(5, 20), read(6, 7, &[(1, 2, 90), (2, 1, 100)])]);
    assert_eq!(found, [Anomaly::Fractured { call: 6, torn: 5 }]);
}

#[test]
fn two_reads_that_see_two_writes_in_opposite_order_are_found() {
    let calls = [
        wrote(5, 20, &[seen(1, 2, 90, -10)]),
        wrote(6, 21, &[seen(2, 2, 90, -10)]),
        read(7, 12, &[(1, 2, 90), (2, 1, 100)]),
        read(8, 13, &[(1, 1, 100), (2, 2, 90)]),
    ];
    let found = with(&calls);
    assert!(
        matches!(&found[..], [Anomaly::Cycle { calls }] if calls.len() >= 4),
        "{found:?}"
    );
}

#[test]
fn writes_against_the_order_of_time_are_found() {
    // The call that was answered first has the later version.
    let calls = [
        wrote(5, 6, &[seen(1, 3, 70, -20)]),
        wrote(7, 8, &[seen(1, 2, 90, -10)]),
    ];
    assert!(matches!(with(&calls)[..], [Anomaly::Cycle { .. }]));
}

#[test]
fn a_read_of_all_that_does_not_add_up_is_found() {
    // A debit of 10 and a credit of 11: all answers agree with each other.
    let calls = [
        wrote(5, 6, &[seen(1, 2, 90, -10), seen(2, 2, 111, 11)]),
        read(7, 8, &[(1, 2, 90), (2, 2, 111)]),
        // A read of one account has no expected sum.
        read(9, 10, &[(2, 2, 111)]),
    ];
    assert_eq!(with(&calls), []);
    let both = [account(1), account(2)];
    let (call, due, found) = (7, 200, 201);
    let wrong = Anomaly::WrongSum { call, due, found };
    assert_eq!(wrong_sums(&calls, &both, 200), [wrong]);
    assert_eq!(wrong_sums(&calls, &both, 201), []);
    // Before the money is deposited, nothing is missing.
    let opened = [opened(), vec![read(11, 12, &[(1, 1, 100), (2, 1, 100)])]].concat();
    assert_eq!(wrong_sums(&opened, &both, 200), []);
}
