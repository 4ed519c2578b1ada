//! How values stand in columns: enums as stable numbers.

use wallet_core::{Amount, Currency, CurrencyCode, HoldStatus, Policy, Status};

use crate::error::{Result, corrupt};
use crate::run::Row;

/// An optional ceiling or limit.
pub(crate) fn amount_column(row: &Row, column: usize) -> Result<Option<Amount>> {
    let minor: Option<i128> = row.optional_number(column)?;
    let amount = minor.map(Amount::new).transpose();
    amount.map_err(|_| corrupt("a stored amount is damaged"))
}

pub(crate) const fn policy_parts(policy: Policy) -> (i64, Option<Amount>) {
    match policy {
        Policy::NonNegative => (0, None),
        Policy::Overdraft(limit) => (1, Some(limit)),
        Policy::Unlimited => (2, None),
    }
}

pub(crate) fn policy(number: i64, overdraft: Option<Amount>) -> Result<Policy> {
    match (number, overdraft) {
        (0, None) => Ok(Policy::NonNegative),
        (1, Some(limit)) => Ok(Policy::Overdraft(limit)),
        (2, None) => Ok(Policy::Unlimited),
        _ => Err(corrupt("an account's policy is damaged")),
    }
}

pub(crate) const fn status_number(status: Status) -> i64 {
    match status {
        Status::Active => 0,
        Status::DebitsFrozen => 1,
        Status::CreditsFrozen => 2,
        Status::Frozen => 3,
        Status::Closed => 4,
    }
}

pub(crate) fn status(number: i64) -> Result<Status> {
    match number {
        0 => Ok(Status::Active),
        1 => Ok(Status::DebitsFrozen),
        2 => Ok(Status::CreditsFrozen),
        3 => Ok(Status::Frozen),
        4 => Ok(Status::Closed),
        _ => Err(corrupt("an account's status is damaged")),
    }
}

/// Every way in which a hold can stand.
pub(crate) const HOLD_STATUSES: [HoldStatus; 4] = [
    HoldStatus::Pending,
    HoldStatus::Captured,
    HoldStatus::Released,
    HoldStatus::Expired,
];

pub(crate) const fn hold_status_number(status: HoldStatus) -> i64 {
    match status {
        HoldStatus::Pending => 0,
        HoldStatus::Captured => 1,
        HoldStatus::Released => 2,
        HoldStatus::Expired => 3,
    }
}

pub(crate) fn currency(code: &str, exponent: u8) -> Result<Currency> {
    let bad = |_| corrupt("a currency is damaged");
    Currency::from_parts(CurrencyCode::new(code).map_err(bad)?, exponent).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_release_wrote_are_refused() {
        let limit = Amount::new(1).unwrap();
        assert!(status(5).is_err());
        assert!(policy(1, None).is_err());
        assert!(policy(0, Some(limit)).is_err());
        assert!(policy(3, None).is_err());
        assert!(currency("eur", 2).is_err());
        assert!(currency("EUR", 19).is_err());
    }

    #[test]
    fn every_status_and_policy_comes_back() {
        for number in 0..=4 {
            assert_eq!(status_number(status(number).unwrap()), number);
        }
        for kept in [
            Policy::NonNegative,
            Policy::Overdraft(Amount::new(7).unwrap()),
            Policy::Unlimited,
        ] {
            let (number, overdraft) = policy_parts(kept);
            assert_eq!(policy(number, overdraft).unwrap(), kept);
        }
        for (index, kept) in (0..).zip(HOLD_STATUSES) {
            assert_eq!(hold_status_number(kept), index);
        }
    }
}
