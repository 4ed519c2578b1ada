//! How values stand in columns: enums as stable numbers.

use wallet_core::ledger::CurrencyCode;
use wallet_core::{Amount, Currency, Policy, Status};

use crate::error::{Result, corrupt};
use crate::run::Row;

/// An optional ceiling or limit.
pub(crate) fn amount_column(row: &Row, column: usize) -> Result<Option<Amount>> {
    let minor: Option<i128> = row.optional_number(column)?;
    let amount = minor.map(Amount::new).transpose();
    amount.map_err(|_| corrupt("a stored amount is damaged"))
}

pub(crate) fn policy(number: i64, overdraft: Option<Amount>) -> Result<Policy> {
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
        assert!(status(256).is_err());
        assert!(status(-1).is_err());
        assert!(policy(1, None).is_err());
        assert!(policy(0, Some(limit)).is_err());
        assert!(policy(3, None).is_err());
        assert!(currency("eur", 2).is_err());
        assert!(currency("EUR", 19).is_err());
    }

    #[test]
    fn every_status_and_policy_comes_back() {
        for known in Status::ALL {
            assert_eq!(status(known.number().into()).unwrap(), *known);
        }
        for known in [
            Policy::NonNegative,
            Policy::Overdraft(Amount::new(7).unwrap()),
            Policy::Unlimited,
        ] {
            let (number, overdraft) = known.parts();
            assert_eq!(policy(number.into(), overdraft).unwrap(), known);
        }
    }
}
