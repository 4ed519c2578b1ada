//! Stored formats: every released format reads back for ever. Other bytes give an
//! error.

mod numbers;
pub(crate) mod strategies;
mod values;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use strategies::LEDGER;
use wallet_core::store::codec::{
    DecodeError, decode_hold, decode_outbox, decode_outcome, decode_transfer, encode_hold,
    encode_outbox, encode_outcome, encode_transfer,
};
use wallet_core::{LedgerId, Outcome, Receipt};

const RECORDS: &str = include_str!("../golden/records.txt");

/// The bytes of a golden record.
fn golden(name: &str) -> Vec<u8> {
    let mut lines = crate::golden::lines(RECORDS).into_iter();
    lines.find(|(line, _)| *line == name).expect("a record").1
}

/// The rows in the form in which they read back.
fn plain(rows: &[(LedgerId, Arc<Outcome>)]) -> Vec<(LedgerId, Outcome)> {
    let rows = rows.iter();
    rows.map(|(ledger, outcome)| (*ledger, (**outcome).clone()))
        .collect()
}

/// Accepted outcomes, all of one ledger.
fn outbox_of(outcomes: Vec<Outcome>) -> Vec<(LedgerId, Arc<Outcome>)> {
    let outcomes = outcomes.into_iter();
    outcomes
        .map(|outcome| (LEDGER, Arc::new(outcome)))
        .collect()
}

#[test]
fn the_written_form_of_every_value_is_the_golden_one() {
    let mut now: Vec<(&str, Vec<u8>)> = values::outcomes()
        .iter()
        .map(|(name, outcome)| (*name, encode_outcome(outcome)))
        .collect();
    now.push(("transfer", encode_transfer(&values::transfer_value())));
    now.push(("hold", encode_hold(&values::hold_value())));
    let outbox = encode_outbox(&values::outbox_value());
    now.push(("outbox", outbox.expect("effects")));
    crate::golden::check(RECORDS, &now);
}

#[test]
fn golden_records_read_back_as_what_was_written() {
    for (name, outcome) in values::outcomes() {
        assert_eq!(decode_outcome(LEDGER, &golden(name)), Ok(outcome), "{name}");
    }
    let transfer = decode_transfer(LEDGER, &golden("transfer"));
    assert_eq!(transfer, Ok(values::transfer_value()));
    assert_eq!(
        decode_hold(LEDGER, &golden("hold")),
        Ok(values::hold_value())
    );
}

#[test]
fn an_outbox_row_reads_back_with_its_ledgers() {
    let rows = decode_outbox(&golden("outbox")).unwrap();
    let ledgers: Vec<_> = rows.iter().map(|(ledger, _)| *ledger).collect();
    assert_eq!(ledgers, [LedgerId::new(0), LEDGER]);
    assert_eq!(rows[1].1, *values::outbox_value()[1].1);
    let transfer = rows[0].1.transfers().next().unwrap();
    assert_eq!(transfer.key.ledger, LedgerId::new(0));
}

#[test]
fn the_first_epoch_takes_no_byte_and_is_never_written() {
    let first = encode_outcome(&values::simple());
    let mut named = first.clone();
    // The tag comes after the version byte and the time.
    let tag = 9;
    assert_eq!(named[tag], 1, "accepted");
    named[tag] |= 0x80;
    for (number, read) in [(0, false), (1, false), (2, true)] {
        named.insert(tag + 1, number);
        let outcome = decode_outcome(LEDGER, &named);
        assert_eq!(outcome.is_ok(), read, "epoch {number}: {outcome:?}");
        named.remove(tag + 1);
    }
    let later = golden("outcome-second-epoch");
    assert_eq!(later.len(), first.len() + 1);
}

#[test]
fn a_simple_transfer_is_small() {
    let bytes = encode_outcome(&values::simple());
    assert!(bytes.len() <= 110, "{} bytes", bytes.len());
}

#[test]
fn what_has_no_effect_makes_no_outbox_row() {
    assert_eq!(encode_outbox(&[]), None);
    for (name, outcome) in values::outcomes() {
        let is_without =
            ["outcome-bulk", "outcome-unchanged"].contains(&name) || outcome.result.is_err();
        let row = encode_outbox(&outbox_of(vec![outcome]));
        assert_eq!(row.is_none(), is_without, "{name}");
    }
}

#[test]
fn another_version_is_named_and_not_read() {
    for version in [0, 2, 255] {
        let bytes = [version, 1, 2, 3];
        let unknown = DecodeError::UnknownVersion(version);
        assert_eq!(decode_outcome(LEDGER, &bytes), Err(unknown));
        assert_eq!(decode_transfer(LEDGER, &bytes), Err(unknown));
        assert_eq!(decode_hold(LEDGER, &bytes), Err(unknown));
        assert_eq!(decode_outbox(&bytes), Err(unknown));
    }
}

/// Decodes `bytes` as each kind of value.
fn read_all(bytes: &[u8]) -> [Result<(), DecodeError>; 4] {
    [
        decode_outcome(LEDGER, bytes).map(drop),
        decode_transfer(LEDGER, bytes).map(drop),
        decode_hold(LEDGER, bytes).map(drop),
        decode_outbox(bytes).map(drop),
    ]
}

#[test]
fn every_truncation_and_every_addition_is_damage() {
    for (index, names) in [
        (
            0,
            values::outcomes().iter().map(|(name, _)| *name).collect(),
        ),
        (1, vec!["transfer"]),
        (2, vec!["hold"]),
        (3, vec!["outbox"]),
    ] {
        for name in names {
            let mut bytes = golden(name);
            for end in 0..bytes.len() {
                let read = read_all(&bytes[..end])[index];
                assert_eq!(read, Err(DecodeError::Damaged), "{name} cut at {end}");
            }
            bytes.push(0);
            assert_eq!(read_all(&bytes)[index], Err(DecodeError::Damaged), "{name}");
        }
    }
}

#[test]
fn a_forged_length_reserves_nothing() {
    // An accepted outcome at time zero that claims 2^63 receipts, then a transfer
    // that claims as many legs.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let outcome = [&[1, 0, 1][..], &huge].concat();
    assert_eq!(decode_outcome(LEDGER, &outcome), Err(DecodeError::Damaged));
    let transfer = [&[1][..], &[7; 16], &[1, 0, 0], &huge].concat();
    assert_eq!(
        decode_transfer(LEDGER, &transfer),
        Err(DecodeError::Damaged)
    );
    let outbox = [&[1][..], &huge].concat();
    assert_eq!(decode_outbox(&outbox), Err(DecodeError::Damaged));
}

#[test]
fn a_number_has_one_form_only() {
    // Times of a rejected outcome: 0 in one byte, 0 in two, 64 bits, 65 bits.
    let rest = [&[2, 1, 0][..], &[7; 16]].concat();
    let read = |time: &[u8]| decode_outcome(LEDGER, &[&[1], time, &rest].concat());
    let ones = [0xff; 9];
    assert!(read(&[0]).is_ok());
    assert!(read(&[&ones[..], &[1]].concat()).is_ok());
    for time in [
        &[0x80, 0][..],
        &[&ones[..], &[3]].concat(),
        &[&ones[..], &[0x80, 0]].concat(),
        &[0xff; 40],
    ] {
        assert_eq!(read(time), Err(DecodeError::Damaged), "{time:x?}");
    }
}

#[test]
fn a_value_that_no_type_allows_is_not_written_as_a_valid_one() {
    let mut outcome = values::simple();
    if let Ok(receipts) = &mut outcome.result
        && let Receipt::Posted(posted) = &mut receipts[0]
    {
        posted.effects[0].counters.debits_posted = -1;
    }
    let bytes = encode_outcome(&outcome);
    assert_eq!(decode_outcome(LEDGER, &bytes), Err(DecodeError::Damaged));
}

proptest! {
    #[test]
    fn outcomes_survive(outcome in strategies::outcome()) {
        let bytes = encode_outcome(&outcome);
        prop_assert_eq!(decode_outcome(LEDGER, &bytes), Ok(outcome));
    }

    #[test]
    fn transfers_survive(transfer in strategies::transfer()) {
        let bytes = encode_transfer(&transfer);
        prop_assert_eq!(decode_transfer(LEDGER, &bytes), Ok(transfer));
    }

    #[test]
    fn holds_survive(hold in strategies::hold()) {
        let bytes = encode_hold(&hold);
        prop_assert_eq!(decode_hold(LEDGER, &bytes), Ok(hold));
    }

    #[test]
    fn outbox_rows_survive(outcomes in vec(strategies::accepted(), 0..5)) {
        let rows = outbox_of(outcomes);
        if let Some(bytes) = encode_outbox(&rows) {
            prop_assert_eq!(decode_outbox(&bytes), Ok(plain(&rows)));
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 1;
            let _ = read_all(&bytes);
        }
    }

    /// Bytes that decode give a value that encodes to the same or shorter bytes,
    /// and decodes again to itself.
    #[test]
    fn a_damaged_outcome_is_an_error_or_another_value(
        outcome in strategies::outcome(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_outcome(&outcome);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = decode_outcome(LEDGER, &bytes) {
            let again = encode_outcome(&read);
            prop_assert!(again.len() <= bytes.len());
            prop_assert_eq!(decode_outcome(LEDGER, &again), Ok(read));
        }
    }
}

proptest! {
    // Each case reads some hundred times.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_truncation_of_an_outcome_is_damage(outcome in strategies::outcome()) {
        let bytes = encode_outcome(&outcome);
        for end in 0..bytes.len() {
            prop_assert_eq!(
                decode_outcome(LEDGER, &bytes[..end]),
                Err(DecodeError::Damaged)
            );
        }
    }
}
