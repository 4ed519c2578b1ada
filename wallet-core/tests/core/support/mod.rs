//! Small builders for the tests of `decide`.

pub(crate) mod arbitrary;
pub(crate) mod scenario;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;
use wallet_core::decide::Decision;
use wallet_core::ledger::{
    AccountKey, AccountState, Counters, Decided, Details, HoldStatus, InLedger, KeyScope, KeyText,
    Posted, SettlementShards, TransferKind, TransferWithReversals, settlement_account,
};
use wallet_core::memory::Tables;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::IdGenerator;
use wallet_core::store::Snapshot;
use wallet_core::{
    Account, AccountId, Amount, Command, Currency, Hold, HoldId, IdempotencyKey, LedgerId, Leg,
    Money, Outcome, Owner, Policy, Receipt, Rejected, Request, SettlementName, Status, Timestamp,
    Transfer, TransferId,
};

/// The time of a new [`World`].
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
/// One second in microseconds.
pub(crate) const SECOND: i64 = 1_000_000;
/// The default ledger.
pub(crate) const LEDGER: LedgerId = LedgerId::new(0);

pub(crate) const A: AccountId = AccountId::new(Uuid::from_u128(0xA));
pub(crate) const B: AccountId = AccountId::new(Uuid::from_u128(0xB));
pub(crate) const C: AccountId = AccountId::new(Uuid::from_u128(0xC));
pub(crate) const D: AccountId = AccountId::new(Uuid::from_u128(0xD));

pub(crate) fn eur() -> Currency {
    Currency::new("EUR", 2).unwrap()
}

/// The euro with another exponent.
pub(crate) fn eur3() -> Currency {
    Currency::new("EUR", 3).unwrap()
}

pub(crate) fn usd() -> Currency {
    Currency::new("USD", 2).unwrap()
}

pub(crate) fn amount(minor: i128) -> Amount {
    Amount::new(minor).unwrap()
}

/// Minor units of the euro.
pub(crate) fn cents(minor: i128) -> Money {
    Money::minor(minor, eur()).unwrap()
}

pub(crate) fn leg(from: AccountId, to: AccountId, minor: i128) -> Leg {
    Leg::new(from, to, cents(minor))
}

pub(crate) const fn transfer_id(number: u128) -> TransferId {
    TransferId::new(Uuid::from_u128(0x1000 + number))
}

pub(crate) const fn hold_id(number: u128) -> HoldId {
    HoldId::new(Uuid::from_u128(0x2000 + number))
}

pub(crate) fn in_ledger<Id>(id: Id) -> InLedger<Id> {
    InLedger::new(LEDGER, id)
}

pub(crate) fn bank() -> SettlementName {
    SettlementName::new("bank").unwrap()
}

/// The settlement account of [`bank`] in euros, with one shard.
pub(crate) fn bank_account() -> AccountId {
    settlement_account(LEDGER, eur(), &bank(), 0)
}

/// Ids in ascending order, the same in every run.
#[derive(Debug, Default)]
pub(crate) struct CountedIds(AtomicU32);

impl IdGenerator for CountedIds {
    fn new_id(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(0x9000_0000 + u128::from(number))
    }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(KeyScope::new("test").unwrap(), KeyText::new(text).unwrap())
}

/// An account that holds `balance` euro cents.
pub(crate) fn state(id: AccountId, balance: i128) -> AccountState {
    AccountState {
        key: in_ledger(id),
        currency: eur(),
        system: false,
        policy: Policy::NonNegative,
        max_balance: None,
        status: Status::Active,
        counters: Counters {
            credits_posted: balance.max(0),
            debits_posted: (-balance).max(0),
            ..Counters::default()
        },
        version: 1,
        sequence: 0,
        last_at: Timestamp::EPOCH,
    }
}

/// A pending hold of `minor` euro cents without an expiry.
pub(crate) fn hold_row(id: HoldId, from: AccountId, to: AccountId, minor: i128) -> Hold {
    Hold {
        key: in_ledger(id),
        from,
        to,
        money: cents(minor),
        captured: 0,
        released: 0,
        status: HoldStatus::Pending,
        expires_at: None,
        details: Details::default(),
        created_at: Timestamp::EPOCH,
    }
}

/// A posted transfer without any reversal.
pub(crate) fn transfer_row(id: TransferId, legs: Vec<Leg>) -> TransferWithReversals {
    TransferWithReversals {
        reversed: vec![0; legs.len()],
        transfer: Transfer {
            key: in_ledger(id),
            kind: TransferKind::Transfer,
            legs,
            details: Details::default(),
            hold: None,
            reversal: None,
            created_at: Timestamp::EPOCH,
        },
    }
}

/// Books to decide on, which a test fills by hand.
#[derive(Debug)]
pub(crate) struct World {
    pub tables: Tables,
    pub now: Timestamp,
    /// Accounts that cannot be locked.
    pub locked: BTreeSet<AccountKey>,
    pub shards: SettlementShards,
    ids: CountedIds,
    keys: AtomicU32,
}

impl World {
    /// Empty books that know the euro.
    pub(crate) fn new() -> Self {
        let mut tables = Tables::default();
        tables.currencies.insert(eur().code(), eur());
        Self {
            tables,
            now: NOW,
            locked: BTreeSet::new(),
            shards: SettlementShards::new(),
            ids: CountedIds::default(),
            keys: AtomicU32::new(0),
        }
    }

    /// Books with accounts that hold these balances.
    pub(crate) fn with(balances: &[(AccountId, i128)]) -> Self {
        let mut world = Self::new();
        for (id, balance) in balances {
            world.put(state(*id, *balance));
        }
        world
    }

    /// Books with one hold of `minor` cents from A (1000 cents) to B (nothing).
    pub(crate) fn with_hold(minor: i128) -> Self {
        let mut world = Self::with(&[(A, 1000), (B, 0)]);
        world.put_hold(hold_row(hold_id(1), A, B, minor));
        world.edit(A).counters.debits_pending = minor;
        world.edit(B).counters.credits_pending = minor;
        world
    }

    pub(crate) fn put(&mut self, state: AccountState) {
        let account = Account {
            state,
            owner: Owner::new("somebody").unwrap(),
            metadata: None,
            created_at: Timestamp::EPOCH,
        };
        self.tables.account_order.insert(state.key);
        self.tables.accounts.insert(state.key, account);
    }

    pub(crate) fn put_hold(&mut self, hold: Hold) {
        self.tables.holds.insert(hold.key, hold);
    }

    pub(crate) fn put_transfer(&mut self, row: TransferWithReversals) {
        self.tables.transfers.insert(row.transfer.key, row);
    }

    /// An account to change in place.
    pub(crate) fn edit(&mut self, id: AccountId) -> &mut AccountState {
        let account = self.tables.accounts.get_mut(&in_ledger(id));
        &mut account.expect("the account exists").state
    }

    pub(crate) fn state(&self, id: AccountId) -> AccountState {
        self.tables.accounts[&in_ledger(id)].state
    }

    pub(crate) fn counters(&self, id: AccountId) -> Counters {
        self.state(id).counters
    }

    pub(crate) fn posted(&self, id: AccountId) -> i128 {
        self.counters(id).posted()
    }

    pub(crate) fn hold(&self, id: HoldId) -> Hold {
        self.tables.holds[&in_ledger(id)].clone()
    }

    pub(crate) fn reversed(&self, id: TransferId) -> Vec<i128> {
        self.tables.transfers[&in_ledger(id)].reversed.clone()
    }

    /// A request under the key `text`.
    pub(crate) fn keyed(&self, text: &str, commands: Vec<Command>) -> Arc<PreparedRequest> {
        self.prepare(Request::of_many(key(text), commands))
    }

    /// A request under a new key.
    pub(crate) fn request(&self, command: impl Into<Command>) -> Arc<PreparedRequest> {
        self.requests(vec![command.into()])
    }

    /// A request of several commands under a new key.
    pub(crate) fn requests(&self, commands: Vec<Command>) -> Arc<PreparedRequest> {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        self.keyed(&format!("key-{number}"), commands)
    }

    /// The same where the commands may be invalid alone.
    pub(crate) fn try_requests(&self, commands: Vec<Command>) -> Option<Arc<PreparedRequest>> {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let request = Request::of_many(key(&format!("key-{number}")), commands);
        let prepared = PreparedRequest::new(request, &self.ids, &self.shards);
        prepared.ok().map(Arc::new)
    }

    pub(crate) fn prepare(&self, request: Request) -> Arc<PreparedRequest> {
        Arc::new(
            PreparedRequest::new(request, &self.ids, &self.shards).expect("the request is valid"),
        )
    }

    /// The sweep's request that expires a hold.
    pub(crate) fn sweep(&self, hold: HoldId) -> Arc<PreparedRequest> {
        Arc::new(PreparedRequest::expiry(in_ledger(hold), &self.ids))
    }

    pub(crate) fn snapshot(&self, batch: &Batch) -> Snapshot {
        let obtainable = |key| !self.locked.contains(&key);
        self.tables.snapshot(batch.reads(), self.now, obtainable)
    }

    /// Decides requests as one batch; the books stay as they are.
    pub(crate) fn decide(&self, requests: Vec<Arc<PreparedRequest>>) -> Decision {
        let batch = Batch::new(requests);
        wallet_core::decide::decide(&batch, &self.snapshot(&batch))
    }

    /// Decides requests as one batch and writes what changed.
    pub(crate) fn commit(&mut self, requests: Vec<Arc<PreparedRequest>>) -> Vec<Decided> {
        let decision = self.decide(requests);
        let applied = self.tables.apply(&decision.changes, self.now);
        applied.expect("nothing changed meanwhile");
        decision.decided
    }

    /// The outcome of one command, without writing it.
    pub(crate) fn ask(&self, command: impl Into<Command>) -> Result<Receipt, Rejected> {
        let mut decided = self.decide(vec![self.request(command)]).decided;
        only_receipt(&decided.remove(0))
    }

    /// Carries out one command.
    pub(crate) fn run(&mut self, command: impl Into<Command>) -> Result<Receipt, Rejected> {
        let request = self.request(command);
        only_receipt(&self.commit(vec![request]).remove(0))
    }

    /// Carries out one command that posts a transfer.
    pub(crate) fn post(&mut self, command: impl Into<Command>) -> Posted {
        posted(self.run(command).expect("the command is accepted"))
    }
}

/// The outcome of a request that was decided now.
pub(crate) fn fresh(decided: &Decided) -> &Arc<Outcome> {
    match decided {
        Decided::Fresh(outcome) => outcome,
        other => panic!("not decided now: {other:?}"),
    }
}

/// The only receipt of a request that was decided now.
pub(crate) fn only_receipt(decided: &Decided) -> Result<Receipt, Rejected> {
    let mut receipts = fresh(decided).result.clone()?;
    assert_eq!(receipts.len(), 1);
    Ok(receipts.remove(0))
}

pub(crate) fn posted(receipt: Receipt) -> Posted {
    match receipt {
        Receipt::Posted(posted) => posted,
        other => panic!("not a transfer: {other:?}"),
    }
}

/// The state of an account after a change of status or limits.
pub(crate) fn changed(receipt: Receipt) -> wallet_core::ledger::AccountChanged {
    match receipt {
        Receipt::AccountChanged(changed) => changed,
        other => panic!("not a change of an account: {other:?}"),
    }
}

pub(crate) fn hold_changed(receipt: Receipt) -> wallet_core::ledger::HoldChanged {
    match receipt {
        Receipt::HoldChanged(changed) => changed,
        other => panic!("not a change of a hold: {other:?}"),
    }
}
