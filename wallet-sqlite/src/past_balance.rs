//! The balance at a past time.
//!
//! A question about the recent past writes: it raises the account's latest time
//! ([`Question::settle`]). One commit answers all questions that arrived while another
//! connection held the write lock ([`Settlements`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wallet_core::ledger::{AccountKey, AccountState, PastBalance};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use crate::deferred::Books;
use crate::error::{During, Result};
use crate::read::{Place, Statement, account_state};
use crate::statement::prepare;

const RAISE: &str = "UPDATE wallet_account SET last_at = ?2 WHERE num = ?1 AND last_at < ?2";

/// A question for a past balance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) account: AccountKey,
    pub(crate) at: Timestamp,
}

/// The answer that a reader can give.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The balance is final.
    Known(Option<PastBalance>),
    /// Only a holder of the write lock can answer.
    TooRecent,
}

impl Question {
    /// Refuses a time in the future.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        if self.at > now {
            let context = "the time lies in the future";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(())
    }

    /// Answers from any consistent state. A later effect has a time of at least the
    /// account's `last_at`, so times before that are final.
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

    /// Raises `last_at` past the time, then answers under the write lock.
    fn settle(&self, books: &Books<'_>) -> Result<Option<PastBalance>> {
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

/// Questions that need the write lock, and their callers.
#[derive(Debug, Default)]
pub(crate) struct Settlements {
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    question: Question,
    caller: oneshot::Sender<Settled>,
}

type Settled = Result<Option<PastBalance>>;

impl Settlements {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a question to the waiting ones. Afterwards the caller has a writer call
    /// [`settle`](Self::settle) once.
    pub(crate) fn add(&self, question: Question) -> oneshot::Receiver<Settled> {
        let (caller, answered) = oneshot::channel();
        self.waiting().push(Waiting { question, caller });
        answered
    }

    /// Answers all waiting questions with one commit, once the lock is available.
    /// `transact` runs its argument under the lock and commits.
    ///
    /// If it fails before it ran anything, one waiting caller gets the error. Each other
    /// caller has a call of its own to come. If the questions failed together, each is
    /// asked alone. So damage to one account fails no other question.
    pub(crate) fn settle(&self, mut transact: impl FnMut(&mut Answering<'_>) -> Result<()>) {
        if self.waiting().is_empty() {
            return;
        }
        let (mut taken, mut answers) = (Vec::new(), Vec::new());
        let done = transact(&mut |books, now| {
            taken = std::mem::take(&mut *self.waiting());
            // A caller that has gone needs no answer.
            taken.retain(|waiting| !waiting.caller.is_closed());
            for waiting in &taken {
                answers.push(waiting.question.settle_now(books, now)?);
            }
            Ok(())
        });
        match done {
            Ok(()) => {
                for (waiting, answer) in taken.into_iter().zip(answers) {
                    // A caller that has gone loses only its answer.
                    let _ = waiting.caller.send(answer);
                }
            }
            Err(error) if taken.is_empty() => {
                let first = {
                    let mut waiting = self.waiting();
                    (!waiting.is_empty()).then(|| waiting.remove(0))
                };
                if let Some(first) = first {
                    let _ = first.caller.send(Err(error));
                }
            }
            Err(_) => {
                for waiting in taken {
                    let mut answer = Ok(None);
                    let done = transact(&mut |books, now| {
                        answer = waiting.question.settle_now(books, now)?;
                        Ok(())
                    });
                    let _ = waiting.caller.send(done.and(answer));
                }
            }
        }
    }
}

/// The work under the write lock, at the time of the file.
pub(crate) type Answering<'a> = dyn FnMut(&Books<'_>, Timestamp) -> Result<()> + 'a;

impl Question {
    /// The answer, or the reason why there is none. An error means that nothing of the
    /// transaction may be committed.
    fn settle_now(&self, books: &Books<'_>, now: Timestamp) -> Result<Settled> {
        match self.check(now) {
            Err(error) => Ok(Err(error)),
            Ok(()) => self.settle(books).map(Ok),
        }
    }
}

#[cfg(test)]
mod tests;
