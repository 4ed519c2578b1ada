//! The balance at a past time.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_core::{AccountKey, PastBalance, Sequence, StoreError, StoreErrorKind, Timestamp};

use crate::error::{During, Result};
use crate::read::{self, prepare};
use crate::value::{currency, ledger_number};

const LAST: &str = "
    SELECT num, sequence, last_entry, last_at, currency, exponent
    FROM wallet_account WHERE ledger = ? AND id = ?";
const RAISE: &str = "UPDATE wallet_account SET last_at = ?2 WHERE num = ?1 AND last_at < ?2";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) account: AccountKey,
    pub(crate) at: Timestamp,
}

/// What a reader can say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// It never changes any more.
    Known(Option<PastBalance>),
    /// Only under the write lock.
    TooRecent,
}

/// An account as the answer needs it.
struct Found {
    number: i64,
    sequence: Sequence,
    last_entry: i64,
    last_at: Timestamp,
    currency: wallet_core::Currency,
}

impl Question {
    /// Refuses a time that lies in the future.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        if self.at > now {
            let context = "the time lies in the future";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(())
    }

    /// Answers from any consistent state: an effect to come has at least the
    /// account's `last_at`, so what lies before that is settled.
    pub(crate) fn read(&self, connection: &Connection) -> Result<Answer> {
        match self.find(connection)? {
            None => Ok(Answer::Known(None)),
            Some(found) if self.at >= found.last_at => Ok(Answer::TooRecent),
            Some(found) => self.answer(connection, &found).map(Some).map(Answer::Known),
        }
    }

    /// Answers under the write lock, having raised `last_at` past the time.
    pub(crate) fn settle(&self, connection: &Connection) -> Result<Option<PastBalance>> {
        let Some(found) = self.find(connection)? else {
            return Ok(None);
        };
        let next = self.at.as_micros().saturating_add(1);
        prepare(connection, RAISE)?
            .execute((found.number, next))
            .during("settling a past balance")?;
        self.answer(connection, &found).map(Some)
    }

    fn find(&self, connection: &Connection) -> Result<Option<Found>> {
        let by = params![
            ledger_number(self.account.ledger),
            self.account.id.as_bytes()
        ];
        let row: Option<(i64, i64, i64, i64, String, i64)> = prepare(connection, LAST)?
            .query_row(by, |row| row.try_into())
            .optional()
            .during("finding an account")?;
        let Some((number, sequence, last_entry, last_at, code, exponent)) = row else {
            return Ok(None);
        };
        Ok(Some(Found {
            number,
            sequence,
            last_entry,
            last_at: Timestamp::from_micros(last_at),
            currency: currency(&code, exponent)?,
        }))
    }

    fn answer(&self, connection: &Connection, found: &Found) -> Result<PastBalance> {
        let statement = read::Statement {
            connection,
            account: self.account,
            number: found.number,
            count: found.sequence,
            last_entry: found.last_entry,
        };
        let last = statement.last_until(self.at)?;
        Ok(PastBalance {
            posted: last.map_or(0, |entry| entry.balance_after),
            sequence: last.map_or(0, |entry| entry.sequence),
            currency: found.currency,
        })
    }
}
