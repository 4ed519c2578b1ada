//! The balance at a past time.

use wallet_core::{AccountKey, AccountState, PastBalance, StoreError, StoreErrorKind, Timestamp};

use crate::deferred::Books;
use crate::error::{During, Result};
use crate::read::{Place, Statement, account_state, prepare};

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
    pub(crate) fn read(&self, books: &Books<'_>) -> Result<Answer> {
        match account_state(books, self.account)? {
            None => Ok(Answer::Known(None)),
            Some((_, state)) if self.at >= state.last_at => Ok(Answer::TooRecent),
            Some((place, state)) => {
                let balance = self.answer(books, place, &state)?;
                Ok(Answer::Known(Some(balance)))
            }
        }
    }

    /// Answers under the write lock, having raised `last_at` past the time.
    pub(crate) fn settle(&self, books: &Books<'_>) -> Result<Option<PastBalance>> {
        let Some((place, state)) = account_state(books, self.account)? else {
            return Ok(None);
        };
        let next = self.at.as_micros().saturating_add(1);
        prepare(books, RAISE)?
            .execute((place.number, next))
            .during("settling a past balance")?;
        self.answer(books, place, &state).map(Some)
    }

    fn answer(&self, books: &Books<'_>, place: Place, state: &AccountState) -> Result<PastBalance> {
        let last = Statement::of(books, place, state).last_until(self.at)?;
        Ok(PastBalance {
            posted: last.map_or(0, |entry| entry.balance_after),
            sequence: last.map_or(0, |entry| entry.sequence),
            currency: state.currency,
        })
    }
}
