//! Helpers that the tests of this crate share.

pub(crate) mod child;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::ledger::{
    AccountKey, Decided, InLedger, KeyScope, KeyText, RecordKey, SettlementShards,
};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, LedgerId, Leg, Money, OpenAccount,
    Outcome, Owner, PostTransfer, Request, SettlementName, SystemClock,
};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::{block_on, violations};

/// How many accounts the tests share.
pub(crate) const ACCOUNTS: u8 = 6;

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteSettings::new(path), Arc::new(SystemClock)).expect("the file opens")
}

/// Whether the linked SQLite is old, so that every store guards its log.
pub(crate) fn is_guarded() -> bool {
    rusqlite::version_number() < 3_051_003
}

/// Moves the log of a store into its file. The next commit begins the log anew, as a longer
/// run does by itself.
pub(crate) fn begin_log_anew(store: SqliteStore, path: &Path) -> SqliteStore {
    if is_guarded() {
        // No other connection can do it.
        drop(store);
        return open(path);
    }
    let connection = Connection::open(path).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(RESTART)";
    connection.query_row(checkpoint, (), |_| Ok(())).unwrap();
    store
}

/// A store that opens the file without the check of its rows.
pub(crate) fn open_unchecked(path: &Path) -> SqliteStore {
    let settings = SqliteSettings {
        check: false,
        ..SqliteSettings::new(path)
    };
    SqliteStore::open(&settings, Arc::new(SystemClock)).expect("the file opens")
}

/// A store that defers commits with at least `accounts` changed accounts.
pub(crate) fn open_deferring(path: &Path, accounts: usize) -> SqliteStore {
    let settings = SqliteSettings {
        defer_from: accounts,
        ..SqliteSettings::new(path)
    };
    SqliteStore::open(&settings, Arc::new(SystemClock)).expect("the file opens")
}

pub(crate) fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

pub(crate) fn euros(minor: i128) -> Money {
    Money::minor(minor, eur()).unwrap()
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_bytes([0x11 + number; 16])
}

pub(crate) fn account_key(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), account(number))
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(KeyScope::new("test").unwrap(), KeyText::new(text).unwrap())
}

pub(crate) fn record_key(text: &str) -> RecordKey {
    key(text).record_key(LedgerId::default())
}

pub(crate) fn prepare(text: &str, command: impl Into<Command>) -> Arc<PreparedRequest> {
    let request = Request::new(key(text), command);
    Arc::new(PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap())
}

pub(crate) fn deposit(text: &str, to: u8, minor: i128) -> Arc<PreparedRequest> {
    let bank = SettlementName::new("bank").unwrap();
    prepare(text, Deposit::new(account(to), euros(minor), bank))
}

pub(crate) fn transfer(text: &str, from: u8, to: u8, minor: i128) -> Arc<PreparedRequest> {
    let leg = Leg::new(account(from), account(to), euros(minor));
    prepare(text, PostTransfer::new(vec![leg]))
}

/// Opens all accounts and pays `minor` to each. It can be repeated.
pub(crate) fn set_up(store: &SqliteStore, minor: i128) {
    for number in 0..ACCOUNTS {
        let open = OpenAccount::new(Owner::new("ada").unwrap(), eur()).with_id(account(number));
        let opened = commit(store, vec![prepare(&format!("open-{number}"), open)]);
        assert_eq!(opened.len(), 1);
        commit(
            store,
            vec![deposit(&format!("seed-{number}"), number, minor)],
        );
    }
}

/// Commits, and decides again while other writers are faster.
pub(crate) fn commit(store: &SqliteStore, requests: Vec<Arc<PreparedRequest>>) -> Vec<Decided> {
    let batch = Arc::new(Batch::new(requests));
    loop {
        match block_on(store.transact(Arc::clone(&batch))) {
            Ok(committed) => return committed.decided,
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }
}

/// The accepted outcome, decided now or earlier.
pub(crate) fn accepted(decided: &Decided) -> &Arc<Outcome> {
    match decided {
        Decided::Fresh(outcome) | Decided::Replayed(outcome) if outcome.result.is_ok() => outcome,
        other => panic!("not accepted: {other:?}"),
    }
}

pub(crate) fn posted(store: &SqliteStore, number: u8) -> i128 {
    let accounts = block_on(store.accounts(&[account_key(number)])).unwrap();
    accounts[0].as_ref().unwrap().state.counters.posted()
}

/// Checks every invariant of the books, and of an outbox that no relay has read.
pub(crate) fn assert_sound(store: &SqliteStore) {
    let violations = block_on(violations(store, Some(store), &[])).unwrap();
    assert!(violations.is_empty(), "{violations:#?}");
}
