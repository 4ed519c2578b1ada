//! The decision function: every business rule, pure and total.
//!
//! [`decide`] takes a [`Batch`] and the [`Snapshot`] of the rows that it touches.
//! It returns the result of each request and the rows to write. It reads no clock
//! and no randomness, does no I/O, never panics, and returns the same result for
//! the same input. Each request sees the effects of earlier requests. A refused
//! request has no effect except its record.
//!
//! The order of checks is part of the contract: see [`Rejection`]. Each command
//! checks before it writes. A command of several legs writes leg by leg; if a later leg is
//! refused, everything that the request wrote is rolled back.

mod account;
mod hold;
mod keys;
mod leg;
mod reversal;
mod transfer;
mod working_set;

use std::sync::Arc;

use uuid::Uuid;

use crate::ledger::{
    AccountId, AccountKey, AccountState, Currency, Decided, InLedger, Outcome, Receipt, Record,
    Rejected, Rejection, Timestamp,
};
use crate::request::{Batch, Command, PreparedCommand, PreparedRequest, Purpose, Unanswered};
use crate::store::{ChangeSet, Snapshot};
use keys::{Gate, Keys};
use working_set::WorkingSet;

/// The result of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// One answer per request, in the order of [`Batch::requests`].
    pub decided: Vec<Decided>,
    /// The rows to write in one transaction.
    pub changes: ChangeSet,
}

/// Decides `batch` on `snapshot`.
#[must_use]
pub fn decide(batch: &Batch, snapshot: &Snapshot) -> Decision {
    let mut books = WorkingSet::new(batch, snapshot);
    let mut keys = Keys::new(batch, snapshot);
    let mut decided = Vec::with_capacity(batch.requests().len());
    let mut changes = ChangeSet {
        epoch: snapshot.epoch,
        ..ChangeSet::default()
    };
    changes.records.reserve_exact(batch.requests().len());
    changes.accepted.reserve_exact(batch.requests().len());
    let mut unanswered = Unanswered::default();
    for request in batch.requests() {
        let answer = match keys.gate(request) {
            Gate::Answered(answer) => Err(answer),
            Gate::Open { .. } if unanswered.holds_back(request) => Err(Decided::Blocked),
            Gate::Open { new_bulk } => books
                .time_of(request, batch.max_ahead())
                .map(|at| (at, new_bulk)),
        };
        let (at, new_bulk) = match answer {
            Ok(open) => open,
            Err(answer) => {
                if answer == Decided::Blocked {
                    unanswered.note(request);
                }
                decided.push(answer);
                continue;
            }
        };
        let outcome = if request.purpose == Purpose::Cancellation {
            Outcome::cancelled(at, snapshot.epoch)
        } else {
            let result = carry_out(&mut books, request, at);
            Outcome {
                at,
                epoch: snapshot.epoch,
                result,
            }
        };
        if request.purpose == Purpose::Sweep && is_too_early(&outcome.result) {
            let ahead_micros = 0;
            decided.push(Decided::ClockBehind { ahead_micros });
            continue;
        }
        let outcome = Arc::new(outcome);
        if let Some(bulk) = new_bulk {
            let record = Record {
                key: bulk.key,
                fingerprint: bulk.fingerprint,
                outcome: Arc::new(Outcome::bulk(at, snapshot.epoch, bulk.items)),
            };
            keys.note(&record);
            write(&mut changes, record);
        }
        let record = Record {
            key: request.key,
            fingerprint: request.fingerprint,
            outcome: Arc::clone(&outcome),
        };
        keys.note(&record);
        write(&mut changes, record);
        decided.push(Decided::Fresh(outcome));
    }
    changes.records.sort_unstable_by_key(|record| record.key);
    books.finish(&mut changes);
    Decision { decided, changes }
}

/// Adds a record to the rows to write.
fn write(changes: &mut ChangeSet, record: Record) {
    if record.outcome.result.is_ok() {
        let outcome = Arc::clone(&record.outcome);
        changes.accepted.push((record.key.ledger, outcome));
    }
    changes.records.push(record);
}

/// Checks the currency that a caller gave for an amount of a hold or of a transfer.
fn same_currency(given: Option<Currency>, held: Currency) -> Result<(), Rejection> {
    match given {
        Some(given) if given.code() != held.code() => Err(Rejection::CurrencyMismatch),
        Some(given) if given != held => Err(Rejection::CurrencyExponentMismatch),
        _ => Ok(()),
    }
}

/// The sweep's key derives from the hold. So a refusal that a later attempt would
/// not get must not be recorded under it.
fn is_too_early(result: &Result<Vec<Receipt>, Rejected>) -> bool {
    let rejection = result.as_ref().err().map(|rejected| rejected.rejection);
    rejection == Some(Rejection::HoldNotExpired)
}

/// Carries out every command or none.
fn carry_out(
    books: &mut WorkingSet<'_>,
    request: &PreparedRequest,
    at: Timestamp,
) -> Result<Vec<Receipt>, Rejected> {
    books.begin();
    let mut receipts = Vec::with_capacity(request.commands.len());
    for (index, prepared) in request.commands.iter().enumerate() {
        match CommandExecutor::new(books, request, prepared, at).run() {
            Ok(receipt) => receipts.push(receipt),
            Err((rejection, subject)) => {
                books.roll_back();
                let command = u16::try_from(index).unwrap_or(u16::MAX);
                return Err(Rejected {
                    rejection,
                    command,
                    subject,
                });
            }
        }
    }
    Ok(receipts)
}

/// A refusal and its subject.
type Refusal = (Rejection, Uuid);

/// Executes one command of a request.
struct CommandExecutor<'a, 'b> {
    books: &'a mut WorkingSet<'b>,
    request: &'a PreparedRequest,
    prepared: &'a PreparedCommand,
    at: Timestamp,
}

impl<'a, 'b> CommandExecutor<'a, 'b> {
    const fn new(
        books: &'a mut WorkingSet<'b>,
        request: &'a PreparedRequest,
        prepared: &'a PreparedCommand,
        at: Timestamp,
    ) -> Self {
        Self {
            books,
            request,
            prepared,
            at,
        }
    }

    fn run(&mut self) -> Result<Receipt, Refusal> {
        match &self.prepared.command {
            Command::OpenAccount(command) => self.open_account(command),
            Command::ChangeStatus(command) => self.change_status(command),
            Command::ChangeLimits(command) => self.change_limits(command),
            Command::PostTransfer(command) => self.post_transfer(command),
            Command::Deposit(command) => self.deposit(command),
            Command::Withdrawal(command) => self.withdrawal(command),
            Command::SystemTransfer(command) => self.system_transfer(command),
            Command::Split(command) => self.split(command),
            Command::PlaceHold(command) => self.place_hold(command),
            Command::Capture(command) => self.capture(command),
            Command::Release(command) => self.release(command),
            Command::Expire(command) => self.expire(command),
            Command::Reverse(command) => self.reverse(command),
        }
    }

    /// `id` in the request's ledger.
    const fn key<Id>(&self, id: Id) -> InLedger<Id>
    where
        Id: Copy,
    {
        InLedger::new(self.request.ledger, id)
    }

    /// Returns an existing account and its slot.
    fn existing(&self, account: AccountId) -> Result<(usize, &AccountState), Refusal> {
        let key: AccountKey = self.key(account);
        let not_found = (Rejection::AccountNotFound, account.uuid());
        self.books.find(key).ok_or(not_found)
    }

    /// Returns an existing customer's account, which is no system account, and its
    /// slot.
    fn customer(&self, account: AccountId) -> Result<(usize, &AccountState), Refusal> {
        let found = self.existing(account)?;
        if found.1.system {
            return Err((Rejection::SystemAccount, account.uuid()));
        }
        Ok(found)
    }
}
