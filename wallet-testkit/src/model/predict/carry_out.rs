//! Carries a request out on the books of the model, unless its key or its bulk request
//! already answers it.

use uuid::Uuid;

use wallet_core::ledger::TransferKind;
use wallet_core::{
    AccountId, Command, HoldId, Outcome, Receipt, Rejected, Rejection, Timestamp, TransferId,
};

use super::{Asked, Bulk, Expected, Key, Model, Task};
use crate::model::books::{Attempt, Refusal};

/// The bound on how far an account's time may be ahead of the clock, in
/// microseconds.
const AHEAD_MAX: i64 = 2_000_000;

impl Model {
    /// The recorded answer under a key, for the request `asked`.
    fn recorded(&self, key: &Key, asked: &Asked) -> Option<Expected> {
        let (before, outcome) = self.records.get(key)?;
        let answer = before == asked || *before == Asked::Cancellation;
        Some(if answer {
            Expected::Replayed(outcome.clone())
        } else {
            Expected::Mismatch
        })
    }

    /// The answer to an item that its bulk request's key or the previous item
    /// determines.
    fn held_up(&self, bulk: &Bulk) -> Option<Expected> {
        match self.records.get(&bulk.key) {
            Some((before, outcome)) if *before == Asked::Cancellation => {
                Some(Expected::Replayed(outcome.clone()))
            }
            Some((before, _)) if *before != bulk.asked => Some(Expected::Mismatch),
            Some(_) | None => None,
        }
    }

    pub(super) fn carry_out(&mut self, task: Task<'_>, now: Timestamp) -> Expected {
        let Task {
            ledger,
            key,
            asked,
            commands,
            ids,
            is_sweep,
            bulk,
        } = task;
        let held_up = bulk.as_ref().and_then(|bulk| self.held_up(bulk));
        let recorded = self.recorded(&key, &asked);
        match (held_up, recorded) {
            (Some(Expected::Mismatch), _) => return Expected::Mismatch,
            (_, Some(recorded)) => return recorded,
            (Some(cancelled), None) => return cancelled,
            (None, None) => {}
        }
        let previous = bulk.as_ref().and_then(|bulk| bulk.previous.as_ref());
        if previous.is_some_and(|previous| !self.records.contains_key(previous)) {
            return Expected::Blocked;
        }
        let named = self.named(ledger, commands, ids);
        let books = self.books.copy_of(&named);
        let mut at = now;
        for account in books.accounts.values() {
            at = at.max(account.state.last_at);
        }
        let ahead = at.as_micros() - now.as_micros();
        if ahead > AHEAD_MAX {
            return Expected::ClockBehind(u64::try_from(ahead).unwrap());
        }
        let mut attempt = Attempt {
            books,
            ledger,
            now,
            at,
        };
        let result = attempt.carry_out_all(commands, ids);
        if let (true, Err(rejected)) = (is_sweep, &result)
            && rejected.rejection == Rejection::HoldNotExpired
        {
            // The sweep's key is that of the hold. If this were recorded, it would be the
            // answer for ever.
            return Expected::ClockBehind(0);
        }
        if result.is_ok() {
            self.books.take_in(attempt.books);
        }
        let epoch = self.books.epoch;
        if let Some(Bulk {
            key, asked, items, ..
        }) = bulk
        {
            let receipts = vec![Receipt::BulkAccepted { items }];
            let result = Ok(receipts);
            let accepted = (asked, Outcome { at, epoch, result });
            self.records.entry(key).or_insert(accepted);
        }
        let outcome = Outcome { at, epoch, result };
        self.records.insert(key, (asked, outcome.clone()));
        Expected::Fresh(outcome)
    }
}

impl Attempt {
    /// Carries out commands in order. The first refusal ends the request.
    fn carry_out_all(
        &mut self,
        commands: &[Command],
        ids: &[Uuid],
    ) -> Result<Vec<Receipt>, Rejected> {
        let mut receipts = Vec::new();
        for (index, (command, id)) in commands.iter().zip(ids).enumerate() {
            match self.carry_out(command, *id) {
                Ok(receipt) => receipts.push(receipt),
                Err((rejection, subject)) => {
                    return Err(Rejected {
                        rejection,
                        command: u16::try_from(index).unwrap(),
                        subject,
                    });
                }
            }
        }
        Ok(receipts)
    }

    fn carry_out(&mut self, command: &Command, id: Uuid) -> Result<Receipt, Refusal> {
        let transfer = TransferId::new(id);
        match command {
            Command::OpenAccount(c) => self.open_account(AccountId::new(id), c),
            Command::ChangeStatus(c) => self.change_status(c),
            Command::ChangeLimits(c) => self.change_limits(c),
            Command::PostTransfer(c) => {
                let legs = c.legs.clone();
                self.transfer(transfer, TransferKind::Transfer, legs, &c.details)
            }
            Command::Deposit(c) => self.deposit(transfer, c),
            Command::Withdrawal(c) => self.withdrawal(transfer, c),
            Command::SystemTransfer(c) => self.system_transfer(transfer, c),
            Command::Split(c) => self.split(transfer, c),
            Command::PlaceHold(c) => self.place_hold(HoldId::new(id), c),
            Command::Capture(c) => self.capture(transfer, c),
            Command::Release(c) => self.release(c),
            Command::Expire(c) => self.expire(c),
            Command::Reverse(c) => self.reverse(transfer, c),
            other => panic!("the model does not know {other:?}"),
        }
    }
}
