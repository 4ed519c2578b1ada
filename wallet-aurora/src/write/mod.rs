//! Writes a change set as one script: each kind of row in the order of its key,
//! in as few statements as possible.

mod accounts;
mod holds;
mod journal;
mod transfers;

use wallet_core::{AccountKey, ChangeSet, StoreError, StoreErrorKind, Timestamp};

use crate::error::{Doing, Result, corrupt};
use crate::read::Resolved;
use crate::sql::{Insert, Script, Sql};
use crate::value::PER_BATCH;
use journal::Journal;

const CURRENCIES: Insert = Insert {
    doing: Doing::Insert,
    context: "registering a currency",
    head: "INSERT INTO wallet_currency (code, exponent)",
    tail: "",
};

/// Adds the statements that write everything that was decided.
pub(crate) fn changes(
    script: &mut Script,
    changes: &ChangeSet,
    resolved: &Resolved,
    now: Timestamp,
) -> Result<()> {
    if changes.records.len().max(changes.opened.len()) >= usize::try_from(PER_BATCH).unwrap_or(0) {
        let context = "more in one commit than it has numbers for";
        return Err(StoreError::new(StoreErrorKind::Invalid, context));
    }
    let numbers = Numbering { changes, resolved };
    let journal = Journal::new(changes)?;
    journal.begin(script, now);
    script.rows(CURRENCIES, &changes.currencies, |sql, currency| {
        sql.text(currency.code().as_str())
            .raw(",")
            .int(currency.exponent());
    });
    accounts::open(script, &changes.opened);
    accounts::update(script, &changes.updated, &numbers)?;
    journal.append(script, now);
    transfers::insert(script, &journal.told);
    transfers::reversals(script, &changes.reversals);
    transfers::entries(script, &journal.told, &numbers)?;
    holds::put(script, &changes.holds);
    Ok(())
}

/// A number that a row is written under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    /// Given earlier.
    Known(i64),
    /// Given by this commit: its first number and so many more.
    New(i64),
}

impl Number {
    fn write(self, sql: &mut Sql) {
        match self {
            Self::Known(number) => sql.int(number),
            Self::New(index) => sql.raw("@wallet+").int(index),
        };
    }
}

/// The numbers of the accounts that a change set names.
struct Numbering<'a> {
    changes: &'a ChangeSet,
    resolved: &'a Resolved,
}

impl Numbering<'_> {
    fn of(&self, key: AccountKey) -> Result<Number> {
        if let Some(Some(place)) = self.resolved.accounts.get(&key) {
            return Ok(Number::Known(place.number));
        }
        let opened = &self.changes.opened;
        let index = opened.binary_search_by_key(&key, |account| account.state.key);
        let index = index.ok().and_then(|index| i64::try_from(index).ok());
        let index = index.ok_or_else(|| corrupt("an account that was changed was not read"))?;
        Ok(Number::New(index))
    }
}
