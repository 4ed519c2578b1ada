//! The balance at a past time.
//!
//! What is asked of the recent past writes: it raises the account's latest time
//! ([`Question::settle`]). All who ask while the file's write lock is somebody else's
//! are answered by one commit ([`Settlements`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wallet_core::ledger::{AccountKey, AccountState, PastBalance};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

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

/// Questions that need the write lock, and who asks them.
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

    /// Puts a question to those that wait. Whoever does so has
    /// [`settle`](Self::settle) called once afterwards, by whoever may write.
    pub(crate) fn add(&self, question: Question) -> oneshot::Receiver<Settled> {
        let (caller, answered) = oneshot::channel();
        self.waiting().push(Waiting { question, caller });
        answered
    }

    /// Answers all that wait once the lock is there, with one commit. `transact` runs
    /// what it is given under the lock and commits.
    ///
    /// Where it fails before it ran anything, one of those that wait is told: each has
    /// a call of its own to come. Where the questions failed together, each is asked
    /// alone, so that one account's damage fails nobody else.
    pub(crate) fn settle(&self, mut transact: impl FnMut(&mut Answering<'_>) -> Result<()>) {
        if self.waiting().is_empty() {
            return;
        }
        let (mut taken, mut answers) = (Vec::new(), Vec::new());
        let done = transact(&mut |books, now| {
            taken = std::mem::take(&mut *self.waiting());
            // Who has gone needs no answer.
            taken.retain(|waiting| !waiting.caller.is_closed());
            for waiting in &taken {
                answers.push(waiting.question.settle_now(books, now)?);
            }
            Ok(())
        });
        match done {
            Ok(()) => {
                for (waiting, answer) in taken.into_iter().zip(answers) {
                    // A caller who has gone loses nothing but the answer.
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

/// What is done under the write lock, at the time of the file.
pub(crate) type Answering<'a> = dyn FnMut(&Books<'_>, Timestamp) -> Result<()> + 'a;

impl Question {
    /// The answer, or why there is none; an error where nothing of the transaction may
    /// be committed.
    fn settle_now(&self, books: &Books<'_>, now: Timestamp) -> Result<Settled> {
        match self.check(now) {
            Err(error) => Ok(Err(error)),
            Ok(()) => self.settle(books).map(Ok),
        }
    }
}

#[cfg(test)]
mod tests;
