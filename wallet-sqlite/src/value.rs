//! The stored form of values: money as 16 bytes, enums as stable numbers.

use rusqlite::Row;
use wallet_core::ledger::{Counters, CurrencyCode};
use wallet_core::{Amount, Currency, LedgerId, Policy, Status, Timestamp};

use crate::error::{During, Result, corrupt};

const BAD_MONEY: &str = "a stored amount is damaged";

pub(crate) fn ledger_number(ledger: LedgerId) -> i64 {
    i64::from(ledger.number())
}

pub(crate) fn ledger(number: i64) -> Result<LedgerId> {
    let number = u32::try_from(number).map_err(|_| corrupt("a ledger's number is damaged"))?;
    Ok(LedgerId::new(number))
}

/// Column `index` of a row as `T`.
pub(crate) fn column<T: rusqlite::types::FromSql>(row: &Row<'_>, index: usize) -> Result<T> {
    row.get(index).during("reading a column")
}

/// Column `index` of a row as the 16 bytes of an id.
pub(crate) fn id_column<Id>(
    row: &Row<'_>,
    index: usize,
    from_bytes: fn([u8; 16]) -> Id,
) -> Result<Id> {
    column::<[u8; 16]>(row, index).map(from_bytes)
}

/// Column `index` of a row as a time.
pub(crate) fn time_column(row: &Row<'_>, index: usize) -> Result<Timestamp> {
    column(row, index).map(Timestamp::from_micros)
}

/// Encodes each sum as its length in bytes, then its bytes without leading zeros. The
/// shorter an account's row, the more rows fit on a page.
pub(crate) fn counters_bytes(counters: &Counters) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    push_counters(&mut bytes, counters);
    bytes
}

pub(crate) fn counters(mut bytes: &[u8]) -> Result<Counters> {
    let counters = take_counters(&mut bytes)?;
    if !bytes.is_empty() {
        return Err(corrupt(BAD_MONEY));
    }
    Ok(counters)
}

/// Appends four sums.
pub(crate) fn push_counters(bytes: &mut Vec<u8>, counters: &Counters) {
    push_number(bytes, counters.debits_posted);
    push_number(bytes, counters.credits_posted);
    push_number(bytes, counters.debits_pending);
    push_number(bytes, counters.credits_pending);
}

/// Takes four sums off the front.
pub(crate) fn take_counters(bytes: &mut &[u8]) -> Result<Counters> {
    let mut sum = || take_number(bytes).ok_or_else(|| corrupt(BAD_MONEY));
    Ok(Counters {
        debits_posted: sum()?,
        credits_posted: sum()?,
        debits_pending: sum()?,
        credits_pending: sum()?,
    })
}

/// Appends a number that is not negative: its length in bytes, then its big-endian bytes
/// without leading zeros.
pub(crate) fn push_number(bytes: &mut Vec<u8>, number: i128) {
    let wide = number.to_be_bytes();
    let zeros = wide.iter().take_while(|byte| **byte == 0).count();
    let (_, digits) = wide.split_at(zeros);
    // There are at most 16 bytes.
    bytes.push(u8::try_from(digits.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(digits);
}

/// Takes a number off the front.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<i128> {
    let (length, rest) = bytes.split_first()?;
    let (digits, rest) = rest.split_at_checked(usize::from(*length))?;
    let mut wide = [0; 16];
    let zeros = wide.len().checked_sub(digits.len())?;
    let (_, target) = wide.split_at_mut(zeros);
    target.copy_from_slice(digits);
    *bytes = rest;
    Some(i128::from_be_bytes(wide))
}

fn amount(bytes: [u8; 16]) -> Result<Amount> {
    Amount::new(i128::from_be_bytes(bytes)).map_err(|_| corrupt(BAD_MONEY))
}

/// An optional ceiling or limit.
pub(crate) fn amount_bytes(amount: Option<Amount>) -> Option<[u8; 16]> {
    amount.map(|amount| amount.minor().to_be_bytes())
}

pub(crate) fn optional_amount(bytes: Option<[u8; 16]>) -> Result<Option<Amount>> {
    bytes.map(amount).transpose()
}

pub(crate) fn policy(number: i64, overdraft: Option<[u8; 16]>) -> Result<Policy> {
    let overdraft = optional_amount(overdraft)?;
    let policy = u8::try_from(number).map(|number| Policy::of_parts(number, overdraft));
    policy
        .ok()
        .flatten()
        .ok_or_else(|| corrupt("an account's policy is damaged"))
}

pub(crate) fn status(number: i64) -> Result<Status> {
    let status = u8::try_from(number).map(Status::of_number);
    status
        .ok()
        .flatten()
        .ok_or_else(|| corrupt("an account's status is damaged"))
}

pub(crate) fn currency(code: &str, exponent: i64) -> Result<Currency> {
    let bad = |_| corrupt("a currency is damaged");
    let exponent = u8::try_from(exponent).map_err(|_| corrupt("an exponent is damaged"))?;
    Currency::from_parts(CurrencyCode::new(code).map_err(bad)?, exponent).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallet_core::ledger::COUNTER_MAX;

    #[test]
    fn counters_are_exact_at_both_ends_of_their_range() {
        let wide = Counters {
            debits_posted: COUNTER_MAX,
            credits_posted: 0,
            debits_pending: 1,
            credits_pending: COUNTER_MAX - 1,
        };
        let bytes = counters_bytes(&wide);
        assert_eq!(counters(&bytes).unwrap(), wide);
        assert_eq!(counters_bytes(&Counters::default()), [0, 0, 0, 0]);
        for end in 0..bytes.len() {
            assert!(counters(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(counters(&[bytes, vec![0]].concat()).is_err());
        assert!(counters(&[17; 80]).is_err());
    }

    #[test]
    fn numbers_that_no_release_wrote_are_refused() {
        assert!(status(5).is_err());
        assert!(policy(1, None).is_err());
        assert!(policy(0, Some([1; 16])).is_err());
        assert!(ledger(-1).is_err());
        assert!(currency("eur", 2).is_err());
        assert!(currency("EUR", 19).is_err());
    }
}
