//! Accounts and requests that the tests share.

use std::sync::Arc;

use wallet_aurora::AuroraStore;
use wallet_core::ledger::{AccountKey, Decided, InLedger, RecordKey, SettlementShards};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, LedgerId, Leg, Money, OpenAccount,
    Outcome, Owner, PostTransfer, Request, SettlementName,
};
use wallet_testkit::violations;

use super::Database;

/// How many accounts the tests share.
pub(crate) const ACCOUNTS: u8 = 6;

pub(crate) async fn open(database: &Database) -> AuroraStore {
    let store = AuroraStore::open(&database.settings()).await;
    store.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

pub(crate) fn euros(minor: i128) -> Money {
    Money::minor(minor, eur()).unwrap()
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_bytes(id(number))
}

/// An id that a caller may give.
pub(crate) fn id(number: u8) -> [u8; 16] {
    let mut bytes = [0x11; 16];
    bytes[15] = number;
    bytes
}

pub(crate) fn account_key(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), account(number))
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse("test", text).unwrap()
}

pub(crate) fn record_key(text: &str) -> RecordKey {
    key(text).record_key(LedgerId::default())
}

pub(crate) fn prepare(text: &str, command: impl Into<Command>) -> Arc<PreparedRequest> {
    let request = Request::new(key(text), command);
    Arc::new(PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap())
}

pub(crate) fn opening(text: &str, number: u8) -> Arc<PreparedRequest> {
    let open = OpenAccount::new(Owner::new("ada").unwrap(), eur());
    prepare(text, open.with_id(account(number)))
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
pub(crate) async fn set_up(store: &AuroraStore, minor: i128) {
    let mut requests = Vec::new();
    for number in 0..ACCOUNTS {
        requests.push(opening(&format!("open-{number}"), number));
        requests.push(deposit(&format!("seed-{number}"), number, minor));
    }
    for decided in commit(store, requests).await {
        accepted(&decided);
    }
}

/// Commits, and decides again while other transactions are faster.
pub(crate) async fn commit(
    store: &AuroraStore,
    requests: Vec<Arc<PreparedRequest>>,
) -> Vec<Decided> {
    let batch = Arc::new(Batch::new(requests));
    loop {
        match store.transact(Arc::clone(&batch)).await {
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

pub(crate) async fn posted(store: &AuroraStore, number: u8) -> i128 {
    let accounts = store.accounts(&[account_key(number)]).await.unwrap();
    accounts[0].as_ref().unwrap().state.counters.posted()
}

pub(crate) async fn is_recorded(store: &AuroraStore, text: &str) -> bool {
    let records = store.records(&[record_key(text)]).await.unwrap();
    records[0].is_some()
}

/// Checks every invariant of the books, and of an outbox that no relay has read.
pub(crate) async fn assert_sound(store: &AuroraStore) {
    let violations = violations(store, Some(store), &[]).await.unwrap();
    assert!(violations.is_empty(), "{violations:#?}");
}
