//! The query for registered currencies, and the decoder of its answer.

use wallet_core::Currency;
use wallet_core::ledger::CurrencyCode;

use super::Reading;
use crate::error::Result;
use crate::run::{Answers, Row};
use crate::sql::Script;
use crate::value::currency;

const CURRENCIES: &str = "SELECT code, exponent FROM wallet_currency WHERE ";

/// Asks for registered currencies.
pub(super) fn ask_currencies(script: &mut Script, codes: &[CurrencyCode], reading: Reading) {
    script.work("finding currencies", |sql| {
        sql.raw(CURRENCIES);
        sql.is_in("code", codes, |sql, code| {
            sql.text(code.as_str());
        });
        sql.raw(reading.lock());
    });
}

/// The currencies found, sorted.
pub(super) fn decode_currencies(answers: &mut Answers) -> Result<Vec<Currency>> {
    let one = |row: &Row| currency(row.text(0)?, row.number(1)?);
    let found: Result<Vec<Currency>> = answers.rows().iter().map(one).collect();
    let mut found = found?;
    found.sort_unstable();
    Ok(found)
}
