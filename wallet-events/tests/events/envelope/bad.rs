use wallet_core::ledger::{Epoch, Position};
use wallet_events::{Event, EventError, Parsed};

use crate::envelope::samples::samples;

fn text() -> String {
    samples()[3].message("/").unwrap().body
}

#[test]
fn what_is_no_event_is_an_error_and_never_a_panic() {
    let good = text();
    for end in 0..good.len() {
        if good.is_char_boundary(end) {
            assert!(Event::parse(&good[..end]).is_err(), "cut at {end}");
        }
    }
    for bad in ["", "null", "[]", "{}", "\u{0}", "{\"specversion\":\"1.0\"}"] {
        assert!(
            matches!(Event::parse(bad), Err(EventError::NotAnEvent(_))),
            "{bad}"
        );
    }
}

#[test]
fn values_that_cannot_be_are_errors() {
    let cases = [
        ("\"1.0\"", "\"0.3\""),
        ("\"epoch\":1", "\"epoch\":0"),
        ("\"epoch\":1", "\"epoch\":-1"),
        ("\"epoch\":1", "\"epoch\":9007199254740992"),
        ("\"epoch\":1,", ""),
        ("\"version\":4", "\"version\":0"),
        ("\"version\":4", "\"version\":-1"),
        ("\"ledger\":3", "\"ledger\":-3"),
        ("\"ledger\":3", "\"ledger\":4294967296"),
        ("\"exponent\":2", "\"exponent\":200"),
        ("\"exponent\":2", "\"exponent\":1"),
        ("\"1234.56\"", "\"0.00\""),
        ("\"1234.56\"", "\"-5.00\""),
        ("\"1234.56\"", "\"--5.00\""),
        ("\"1234.56\"", "\"NaN\""),
        ("\"1234.56\"", "\"1e3\""),
        ("\"1234.56\"", "12.5"),
        ("\"EUR\"", "\"\""),
        ("\"owner\":\"ada\"", "\"owner\":\"\""),
        (
            "01010101-0101-0101-0101-010101010101\",\"epoch\"",
            "01\",\"epoch\"",
        ),
        ("\"direction\":\"debit\"", "\"direction\":\"sideways\""),
        (
            "2026-01-01T00:01:00.123456Z\",\"datacontenttype",
            "yesterday\",\"datacontenttype",
        ),
    ];
    let good = text();
    for (from, to) in cases {
        let bad = good.replacen(from, to, usize::MAX);
        assert_ne!(bad, good, "{from}");
        assert!(Event::parse(&bad).is_err(), "{from} -> {to}");
    }
}

#[test]
fn a_type_of_a_later_release_can_be_passed_over() {
    let later = text().replace("wallet.account.debited.v1", "wallet.account.debited.v2");
    match Event::parse(&later).unwrap() {
        Parsed::Unknown {
            kind,
            account,
            position,
        } => {
            assert_eq!(kind, "wallet.account.debited.v2");
            assert_eq!(account, samples()[3].account);
            assert_eq!(position, Position::new(Epoch::FIRST, 4));
        }
        Parsed::Known(event) => panic!("{event:?}"),
    }
}
