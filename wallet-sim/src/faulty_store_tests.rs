use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wallet_core::ledger::{Decided, KeyScope, KeyText, RecordKey, SettlementShards};
use wallet_core::memory::MemoryStore;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Clock;
use wallet_core::store::{Committed, LedgerStore, StoreErrorKind};
use wallet_core::{AccountId, Currency, IdempotencyKey, OpenAccount, Owner, Request, StoreError};
use wallet_testkit::{ManualClock, SeededIds, block_on};

use super::{Fault, FaultyStore, ScriptedFaults};

struct Fixture {
    clock: Arc<ManualClock>,
    inner: Arc<MemoryStore>,
    store: FaultyStore,
}

fn with(faults: impl IntoIterator<Item = Fault>) -> Fixture {
    let clock = Arc::new(ManualClock::default());
    let inner = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
    let plan = Arc::new(ScriptedFaults::new(faults));
    let time = Arc::<ManualClock>::clone(&clock);
    let store = FaultyStore::new(Arc::<MemoryStore>::clone(&inner), time, plan);
    Fixture {
        clock,
        inner,
        store,
    }
}

/// Opens account `number` under its own key.
fn open(number: u8) -> Arc<Batch> {
    let key = IdempotencyKey::new(
        KeyScope::new("test").unwrap(),
        KeyText::new(&number.to_string()).unwrap(),
    );
    let bytes = [number; 10];
    let id = uuid::Builder::from_unix_timestamp_millis(1, &bytes).into_uuid();
    let owner = Owner::new("ada").unwrap();
    let open = OpenAccount::new(owner, Currency::new("EUR", 2).unwrap());
    let request = Request::new(key, open.with_id(Some(AccountId::new(id))));
    let prepared =
        PreparedRequest::new(request, &SeededIds::new(1), &SettlementShards::new()).unwrap();
    Arc::new(Batch::new(vec![Arc::new(prepared)]))
}

fn key(batch: &Batch) -> RecordKey {
    batch.requests()[0].key()
}

fn is_recorded(fixture: &Fixture, batch: &Batch) -> bool {
    let found = block_on(fixture.inner.records(&[key(batch)])).unwrap();
    found[0].is_some()
}

fn kind(result: Result<Committed, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

/// Drives a future and moves the clock in steps of 5 ms.
fn drive<T>(clock: &ManualClock, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    for _ in 0..1_000 {
        if let Poll::Ready(value) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
        clock.advance(Duration::from_millis(5));
    }
    panic!("it never ends");
}

#[test]
fn a_refused_commit_has_no_effect() {
    let fixture = with([Fault::Refuse(StoreErrorKind::Unavailable)]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Unavailable);
    assert!(!is_recorded(&fixture, &batch));
}

#[test]
fn a_lost_answer_leaves_the_effect() {
    let fixture = with([Fault::LoseAnswer]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Indeterminate);
    assert!(is_recorded(&fixture, &batch));
}

#[test]
fn an_abandoned_commit_never_has_an_effect() {
    let fixture = with([Fault::Abandon]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Indeterminate);
    block_on(fixture.store.settle());
    assert!(!is_recorded(&fixture, &batch));
}

#[test]
fn a_delayed_commit_takes_its_time() {
    let fixture = with([Fault::Delay(Duration::from_millis(50))]);
    let committed = drive(&fixture.clock, fixture.store.transact(open(1))).unwrap();
    assert!(matches!(committed.decided[0], Decided::Fresh(_)));
    let passed = fixture.clock.now().since(ManualClock::START);
    assert_eq!(passed, Duration::from_millis(50));
}

#[test]
fn a_commit_under_way_takes_effect_later_and_is_then_a_replay() {
    let fixture = with([Fault::CommitLater(Duration::from_millis(100))]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Indeterminate);
    assert!(!is_recorded(&fixture, &batch) && !fixture.store.is_settled());
    block_on(fixture.store.settle());
    assert!(is_recorded(&fixture, &batch) && fixture.store.is_settled());
    let again = block_on(fixture.store.transact(batch)).unwrap();
    assert!(matches!(again.decided[0], Decided::Replayed(_)));
}

#[test]
fn who_needs_what_a_commit_under_way_keeps_waits_then_meets_a_conflict() {
    let fixture = with([Fault::CommitLater(Duration::from_secs(60))]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Indeterminate);
    let again = drive(&fixture.clock, fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(again), StoreErrorKind::Conflict);
    let read = drive(&fixture.clock, fixture.store.records(&[key(&batch)]));
    assert_eq!(read.unwrap_err().kind(), StoreErrorKind::Conflict);
    // Other requests are not delayed.
    assert!(block_on(fixture.store.transact(open(2))).is_ok());
}

#[test]
fn a_driven_store_ends_the_wait() {
    let fixture = with([Fault::CommitLater(Duration::from_millis(100))]);
    let batch = open(1);
    let result = block_on(fixture.store.transact(Arc::clone(&batch)));
    assert_eq!(kind(result), StoreErrorKind::Indeterminate);
    let run = std::pin::pin!(fixture.store.run());
    let again = std::pin::pin!(fixture.store.transact(batch));
    let both = futures_util::future::select(again, run);
    let futures_util::future::Either::Left((committed, _)) = drive(&fixture.clock, both) else {
        panic!("the store never stops running");
    };
    assert!(matches!(
        committed.unwrap().decided[0],
        Decided::Replayed(_)
    ));
}
