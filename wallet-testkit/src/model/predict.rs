use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use wallet_core::ledger::{
    AccountKey, Epoch, Fingerprint, HoldKey, HoldStatus, InLedger, PastBalance, RecordKey,
    TransferKey, TransferKind, settlement_account,
};
use wallet_core::request::{BulkRequest, PreparedRequest, SystemAccount};
use wallet_core::test_hooks::PreparedFor;
use wallet_core::{
    AccountId, Command, HoldId, IdempotencyKey, LedgerId, Outcome, Receipt, Rejected, Rejection,
    Request, Timestamp, TransferId, test_hooks,
};

use super::books::{Attempt, Books, Named, Refusal};

/// The bound on how far an account's time may be ahead of the clock, in
/// microseconds.
const AHEAD_MAX: i64 = 2_000_000;

/// The model's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The request is decided now.
    Fresh(Outcome),
    /// The request is a replay.
    Replayed(Outcome),
    /// The idempotency key was used for another request.
    Mismatch,
    /// The request is an item, and the previous item has no outcome.
    Blocked,
    /// The number of microseconds that an account of the request is ahead of the
    /// clock; 0 where a sweep comes too early.
    ClockBehind(u64),
}

/// A naive ledger: one request after the other, on plain maps.
#[derive(Debug, Clone, Default)]
pub struct Model {
    books: Books,
    records: BTreeMap<Key, (Asked, Outcome)>,
}

/// The key of a recorded outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Caller(LedgerId, String),
    Sweep(HoldKey),
    PreparedRequest(RecordKey),
}

/// The request under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Commands, and whether they are a list of one.
    Commands(Vec<Command>, bool),
    /// All items of a bulk request.
    Bulk(Vec<Command>),
    /// Prepared items of a bulk request, of which only the fingerprint is known.
    PreparedBulk(Fingerprint),
    /// A cancellation.
    Cancellation,
}

/// A request during its decision.
struct Task<'a> {
    ledger: LedgerId,
    key: Key,
    asked: Asked,
    commands: &'a [Command],
    ids: &'a [Uuid],
    is_sweep: bool,
    bulk: Option<Bulk>,
}

/// The bulk request that a task is an item of.
struct Bulk {
    key: Key,
    asked: Asked,
    items: u32,
    /// The key of the previous item.
    previous: Option<Key>,
}

impl Model {
    /// The state of the model.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Sets the epoch of later writes to `epoch`.
    pub const fn raise(&mut self, epoch: Epoch) {
        self.books.epoch = epoch;
    }

    /// The result of `request` at the store's time `now`. Command `n` creates the
    /// id `ids[n]`.
    pub fn submit(&mut self, request: &Request, ids: &[Uuid], now: Timestamp) -> Expected {
        let commands = request.commands();
        let task = Task {
            ledger: request.ledger(),
            key: Key::Caller(request.ledger(), request.key().to_string()),
            asked: Asked::Commands(commands.to_vec(), test_hooks::is_list_of_one(request)),
            commands,
            ids,
            is_sweep: false,
            bulk: None,
        };
        self.carry_out(task, now)
    }

    /// The result of item `index` of a bulk request, which creates the id `id`.
    pub fn submit_item(
        &mut self,
        bulk: &BulkRequest,
        index: u32,
        id: Uuid,
        now: Timestamp,
    ) -> Expected {
        let (ledger, items) = (bulk.ledger(), bulk.items());
        let key = |key: &IdempotencyKey| Key::Caller(ledger, key.to_string());
        let item = |index: u32| key(&bulk.key().item(index));
        let at = usize::try_from(index).unwrap();
        let commands = &items[at..=at];
        let task = Task {
            ledger,
            key: item(index),
            asked: Asked::Commands(commands.to_vec(), false),
            commands,
            ids: &[id],
            is_sweep: false,
            bulk: Some(Bulk {
                key: key(bulk.key()),
                asked: Asked::Bulk(items.to_vec()),
                items: u32::try_from(items.len()).unwrap(),
                previous: (index > 0).then(|| item(index - 1)),
            }),
        };
        self.carry_out(task, now)
    }

    /// The result of cancelling a caller's key.
    pub fn cancel(&mut self, ledger: LedgerId, key: &IdempotencyKey, now: Timestamp) -> Expected {
        self.cancel_key(Key::Caller(ledger, key.to_string()), now)
    }

    /// The first request under a key wins.
    fn cancel_key(&mut self, key: Key, now: Timestamp) -> Expected {
        if let Some((_, outcome)) = self.records.get(&key) {
            return Expected::Replayed(outcome.clone());
        }
        let outcome = Outcome {
            at: now,
            epoch: self.books.epoch,
            result: Err(Rejected {
                rejection: Rejection::Cancelled,
                command: 0,
                subject: Uuid::nil(),
            }),
        };
        self.records
            .insert(key, (Asked::Cancellation, outcome.clone()));
        Expected::Fresh(outcome)
    }

    /// The result of a prepared request, of a caller or of the sweep.
    #[must_use]
    pub fn decide(&mut self, request: &PreparedRequest, now: Timestamp) -> Expected {
        let key = Key::PreparedRequest(request.key());
        let commands = test_hooks::commands(request);
        let purpose = test_hooks::prepared_for(request);
        let bulk = match purpose {
            PreparedFor::Cancellation => return self.cancel_key(key, now),
            PreparedFor::Caller | PreparedFor::Sweep => None,
            PreparedFor::Item(item) => Some(Bulk {
                key: Key::PreparedRequest(item.key),
                asked: Asked::PreparedBulk(item.fingerprint),
                items: item.items,
                previous: item.previous.map(Key::PreparedRequest),
            }),
        };
        let task = Task {
            ledger: request.key().ledger,
            key,
            asked: Asked::Commands(commands.clone(), false),
            commands: &commands,
            ids: &request.ids(),
            is_sweep: purpose == PreparedFor::Sweep,
            bulk,
        };
        self.carry_out(task, now)
    }

    /// The holds that a sweep must expire at `now`, the longest expired first.
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

    /// The result of sweeping one hold.
    pub fn sweep(&mut self, hold: HoldKey, now: Timestamp) -> Expected {
        let key = Key::Sweep(hold);
        let commands = [Command::Expire(wallet_core::request::Expire::new(hold.id))];
        let task = Task {
            ledger: hold.ledger,
            key,
            asked: Asked::Commands(commands.to_vec(), false),
            commands: &commands,
            ids: &[Uuid::nil()],
            is_sweep: true,
            bulk: None,
        };
        self.carry_out(task, now)
    }

    /// The balance of an account at a past time, which never changes once it was
    /// returned; `None` for a missing account.
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

    fn carry_out(&mut self, task: Task<'_>, now: Timestamp) -> Expected {
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

    /// The names in commands, directly or through a hold or transfer.
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
                Command::SystemTransfer(c) => {
                    for leg in &c.legs {
                        for side in [&leg.from, &leg.to] {
                            accounts(&[match side {
                                SystemAccount::Account(id) => *id,
                                SystemAccount::Settlement(name) => {
                                    settlement_account(ledger, leg.money.currency, name, 0)
                                }
                            }]);
                        }
                    }
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
                other => panic!("the model does not know {other:?}"),
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
