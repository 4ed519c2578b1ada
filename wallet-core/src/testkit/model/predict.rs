use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    AccountId, AccountKey, Command, Epoch, HoldId, HoldKey, HoldStatus, InLedger, LedgerId,
    Outcome, PastBalance, Prepared, Receipt, RecordKey, Rejected, Rejection, Request, Timestamp,
    TransferId, TransferKey, TransferKind, settlement_account,
};

use super::books::{Attempt, Books, Named, Refusal};

/// How far an account's time may run ahead of the clock, in microseconds.
const AHEAD_MAX: i64 = 2_000_000;

/// What the model says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It is decided now.
    Fresh(Outcome),
    /// It was decided before.
    Replayed(Outcome),
    /// Its key was used for something else.
    Mismatch,
    /// An account that it names lives this many microseconds in the future; 0
    /// where a sweep comes too early.
    ClockBehind(u64),
}

/// The ledger, naively: one request after the other, on plain maps.
#[derive(Debug, Clone, Default)]
pub struct Model {
    books: Books,
    records: BTreeMap<Key, (Vec<Command>, Outcome)>,
}

/// What an outcome is remembered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Caller(LedgerId, String),
    Sweep(HoldKey),
    Prepared(RecordKey),
}

impl Model {
    /// Everything that happened so far.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// What is written from now on is of `epoch`.
    pub const fn raise(&mut self, epoch: Epoch) {
        self.books.epoch = epoch;
    }

    /// What becomes of `request` when the store's clock shows `now`, where
    /// command `n` makes what has id `ids[n]`.
    pub fn submit(&mut self, request: &Request, ids: &[Uuid], now: Timestamp) -> Expected {
        let key = Key::Caller(request.ledger(), request.key().to_string());
        self.carry_out(request.ledger(), key, request.commands(), ids, now, false)
    }

    /// The same of a request that was prepared, a caller's or the sweep's own.
    #[must_use]
    pub fn decide(&mut self, request: &Prepared, now: Timestamp) -> Expected {
        let key = Key::Prepared(request.key());
        let commands = request.commands.iter().map(|one| one.command.clone());
        let commands: Vec<Command> = commands.collect();
        let (ledger, ids) = (request.ledger, request.ids());
        self.carry_out(ledger, key, &commands, &ids, now, request.is_sweep)
    }

    /// The holds that a sweep is to expire at `now`, the longest expired first.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<HoldKey> {
        let mut due = Vec::new();
        for hold in self.books.holds.values() {
            match hold.expires_at {
                Some(end) if end <= now && hold.status == HoldStatus::Pending => {
                    due.push((end, hold.key));
                }
                Some(_) | None => {}
            }
        }
        due.sort_unstable();
        due.into_iter().map(|(_, key)| key).collect()
    }

    /// What becomes of the sweep of one hold.
    pub fn sweep(&mut self, hold: HoldKey, now: Timestamp) -> Expected {
        let key = Key::Sweep(hold);
        let commands = [Command::Expire(crate::Expire::new(hold.id))];
        self.carry_out(hold.ledger, key, &commands, &[Uuid::nil()], now, true)
    }

    /// The balance of an account at a past time, which never changes once it
    /// was answered; `None` for an account that does not exist.
    pub fn balance_at(&mut self, account: AccountKey, at: Timestamp) -> Option<PastBalance> {
        let state = &mut self.books.accounts.get_mut(&account)?.state;
        if at >= state.last_at {
            state.last_at = Timestamp::from_micros(at.as_micros() + 1);
        }
        let mut answer = PastBalance {
            posted: 0,
            sequence: 0,
            currency: state.currency,
        };
        for entry in &self.books.entries {
            if entry.account == account && entry.created_at <= at {
                answer.posted = entry.balance_after;
                answer.sequence = entry.sequence;
            }
        }
        Some(answer)
    }

    fn carry_out(
        &mut self,
        ledger: LedgerId,
        key: Key,
        commands: &[Command],
        ids: &[Uuid],
        now: Timestamp,
        is_sweep: bool,
    ) -> Expected {
        if let Some((before, outcome)) = self.records.get(&key) {
            return if before == commands {
                Expected::Replayed(outcome.clone())
            } else {
                Expected::Mismatch
            };
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
            // The sweep's key is that of the hold: recorded, this would be the
            // answer for ever.
            return Expected::ClockBehind(0);
        }
        if result.is_ok() {
            self.books.take_in(attempt.books);
        }
        let outcome = Outcome {
            at,
            epoch: self.books.epoch,
            result,
        };
        let record = (commands.to_vec(), outcome.clone());
        self.records.insert(key, record);
        Expected::Fresh(outcome)
    }

    /// What commands name, directly or through a hold or transfer.
    fn named(&self, ledger: LedgerId, commands: &[Command], ids: &[Uuid]) -> Named {
        let mut named = BTreeSet::new();
        let mut accounts = |ids: &[AccountId]| {
            named.extend(ids.iter().map(|id| InLedger::new(ledger, *id)));
        };
        let (mut holds, mut transfers) = (Vec::new(), Vec::new());
        for (command, id) in commands.iter().zip(ids) {
            transfers.push(TransferId::new(*id));
            match command {
                Command::OpenAccount(_) => accounts(&[AccountId::new(*id)]),
                Command::ChangeStatus(c) => accounts(&[c.account]),
                Command::ChangeLimits(c) => accounts(&[c.account]),
                Command::PostTransfer(c) => {
                    c.legs.iter().for_each(|leg| accounts(&[leg.from, leg.to]));
                }
                Command::Deposit(c) => {
                    let (currency, name) = (c.money.currency, &c.settlement);
                    accounts(&[c.account, settlement_account(ledger, currency, name, 0)]);
                }
                Command::Withdrawal(c) => {
                    let (currency, name) = (c.money.currency, &c.settlement);
                    accounts(&[c.account, settlement_account(ledger, currency, name, 0)]);
                }
                Command::Split(c) => {
                    accounts(&[c.from]);
                    c.shares.iter().for_each(|share| accounts(&[share.to]));
                }
                Command::PlaceHold(c) => {
                    accounts(&[c.from, c.to]);
                    holds.push(HoldId::new(*id));
                }
                Command::Capture(c) => holds.push(c.hold),
                Command::Release(c) => holds.push(c.hold),
                Command::Expire(c) => holds.push(c.hold),
                Command::Reverse(c) => transfers.push(c.transfer),
            }
        }
        let holds: Vec<_> = holds.iter().map(|id| HoldKey::new(ledger, *id)).collect();
        let transfers = transfers.iter().map(|id| TransferKey::new(ledger, *id));
        let transfers: Vec<_> = transfers.collect();
        for hold in holds.iter().filter_map(|key| self.books.holds.get(key)) {
            accounts(&[hold.from, hold.to]);
        }
        let rows = transfers.iter();
        for row in rows.filter_map(|key| self.books.transfers.get(key)) {
            let legs = row.transfer.legs.iter();
            legs.for_each(|leg| accounts(&[leg.from, leg.to]));
        }
        Named {
            accounts: named,
            holds,
            transfers,
        }
    }
}

impl Attempt {
    /// Carries out commands in order; the first refusal ends it.
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
            Command::Split(c) => self.split(transfer, c),
            Command::PlaceHold(c) => self.place_hold(HoldId::new(id), c),
            Command::Capture(c) => self.capture(transfer, c),
            Command::Release(c) => self.release(c),
            Command::Expire(c) => self.expire(c),
            Command::Reverse(c) => self.reverse(transfer, c),
        }
    }
}
