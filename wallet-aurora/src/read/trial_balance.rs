//! The trial balance over any number of accounts, page by page in one transaction. So no
//! statement exceeds the time limit of an answer.

use std::collections::BTreeMap;

use wallet_core::ledger::{AccountKey, Epoch};
use wallet_core::store::TrialBalance;
use wallet_core::{Account, AccountId, Currency, LedgerId};

use super::{ask_accounts, decode_accounts};

use crate::epoch;
use crate::error::{Failed, Result};
use crate::pool::PooledConnection;
use crate::run::Row;
use crate::sql::Script;
use crate::value::currency;

/// How many accounts one statement adds up.
const PAGE: u32 = 50_000;

const SUMS: &str = "
    SELECT page.currency, page.exponent, COUNT(*), SUM(page.posted), MAX(page.id) FROM (
        SELECT p.id, p.currency, p.exponent, a.credits_posted - a.debits_posted AS posted
        FROM wallet_account_profile p FORCE INDEX (PRIMARY)
            STRAIGHT_JOIN wallet_account a ON a.num = p.num
        WHERE p.ledger = ";

/// A page's share of one currency.
struct Part {
    currency: Currency,
    accounts: u64,
    posted: i128,
    last: AccountId,
}

/// The trial balance of a ledger by currency. Returns `None` if the accounts of `keys`,
/// read in the same transaction, are not fresh enough.
pub(crate) async fn trial_balance(
    connection: &mut PooledConnection,
    ledger: LedgerId,
    keys: &[AccountKey],
    is_enough: impl FnOnce(Epoch, &[Account]) -> bool,
) -> std::result::Result<Option<Vec<TrialBalance>>, Failed> {
    let mut begin = Script::default();
    begin.begin_reading();
    let before = begin.steps.len();
    epoch::ask(&mut begin);
    ask_accounts(&mut begin, keys);
    let mut answers = connection.run(&begin).await?;
    answers.skip(before);
    let epoch = epoch::decode(&mut answers)?;
    if !is_enough(epoch, &decode_accounts(&mut answers)?) {
        end(connection).await?;
        return Ok(None);
    }
    let mut sums: BTreeMap<Currency, TrialBalance> = BTreeMap::new();
    let mut after = None;
    loop {
        let mut script = Script::default();
        ask(&mut script, ledger, after);
        let rows = connection.run(&script).await?.rows();
        let parts: Result<Vec<Part>> = rows.iter().map(part).collect();
        let parts = parts?;
        after = parts.iter().map(|part| part.last).max();
        if after.is_none() {
            break;
        }
        for part in parts {
            let sum = sums.entry(part.currency);
            let sum = sum.or_insert_with(|| TrialBalance::of(part.currency));
            sum.accounts = sum.accounts.saturating_add(part.accounts);
            sum.posted = sum.posted.wrapping_add(part.posted);
        }
    }
    end(connection).await?;
    Ok(Some(sums.into_values().collect()))
}

async fn end(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let mut end = Script::default();
    end.end_reading();
    connection.run(&end).await.map(drop)
}

fn ask(script: &mut Script, ledger: LedgerId, after: Option<AccountId>) {
    script.work("adding up accounts", |sql| {
        sql.raw(SUMS).ledger(ledger);
        if let Some(after) = &after {
            sql.raw(" AND p.id > ").bytes(after.as_bytes());
        }
        sql.raw(" ORDER BY p.id LIMIT ").int(PAGE);
        sql.raw(") page GROUP BY page.currency, page.exponent");
    });
}

fn part(row: &Row) -> Result<Part> {
    Ok(Part {
        currency: currency(row.text(0)?, row.number(1)?)?,
        accounts: row.number(2)?,
        posted: wrapped(row.text(3)?),
        last: row.id(4, AccountId::from_bytes)?,
    })
}

/// A sum modulo 2^128, from digits that may exceed 128 bits.
fn wrapped(digits: &str) -> i128 {
    let value = digits.bytes().filter(u8::is_ascii_digit);
    let value = value.fold(0_i128, |value, digit| {
        let digit = i128::from(digit.wrapping_sub(b'0'));
        value.wrapping_mul(10).wrapping_add(digit)
    });
    if digits.starts_with('-') {
        value.wrapping_neg()
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn sums_of_any_length_are_taken_modulo_2_to_the_128() {
        for (text, value) in [
            ("0", 0),
            ("-17", -17),
            (
                "99999999999999999999999999999999999999",
                10_i128.pow(38) - 1,
            ),
            ("340282366920938463463374607431768211456", 0),
            ("-340282366920938463463374607431768211457", -1),
        ] {
            assert_eq!(wrapped(text), value, "{text}");
        }
    }
}
