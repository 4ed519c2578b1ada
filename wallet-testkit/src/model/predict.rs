//! The model and its answers to requests, cancellations and sweeps.

mod carry_out;
mod named;

use std::collections::BTreeMap;

use uuid::Uuid;

use wallet_core::ledger::{
    AccountKey, Epoch, Fingerprint, HoldKey, HoldStatus, PastBalance, RecordKey,
};
use wallet_core::request::{BulkRequest, PreparedRequest};
use wallet_core::test_hooks::PreparedFor;
use wallet_core::{
    Command, IdempotencyKey, LedgerId, Outcome, Rejected, Rejection, Request, Timestamp, test_hooks,
};

use super::books::Books;

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
    /// Prepared items of a bulk request. Only their fingerprint is known.
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
}
