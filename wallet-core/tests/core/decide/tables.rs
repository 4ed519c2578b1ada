//! Decide and write are separate: a decision is written completely, or refused if
//! its rows have changed since.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{A, B, C, NOW, World, cents, in_ledger, leg, transfer_id, usd};
use async_trait::async_trait;
use wallet_core::decide::Decision;
use wallet_core::ledger::Decided;
use wallet_core::memory::{MemoryStore, OptimisticStore};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{
    Account, ChangeStatus, Command, Deposit, OpenAccount, Owner, PlaceHold, PostTransfer, Status,
    Timestamp,
};

fn pay(minor: i128) -> Command {
    PostTransfer::new(vec![leg(A, B, minor)]).into()
}

/// Decides on the current state, lets another commit happen, and then writes the
/// decision.
fn race(
    world: &mut World,
    ours: Arc<PreparedRequest>,
    theirs: impl FnOnce(&mut World),
) -> Result<(), StoreErrorKind> {
    let decision = world.decide(vec![ours]);
    theirs(world);
    let applied = world.tables.apply(&decision.changes, world.now);
    applied.map_err(|error| error.kind())
}

/// Accounts with the current time as their latest time. So another commit changes
/// only their versions.
fn at_now() -> World {
    let mut world = World::with(&[(A, 100), (B, 100)]);
    world.edit(A).last_at = NOW;
    world.edit(B).last_at = NOW;
    world
}

#[test]
fn what_was_decided_is_refused_once_somebody_else_committed_its_ground() {
    type Theirs = fn(&mut World);
    let open = || OpenAccount::new(Owner::new("ada").unwrap(), usd()).with_id(C);
    let hold = || PlaceHold::new(A, B, cents(1)).with_id(crate::support::hold_id(1));
    let transfer = || PostTransfer::new(vec![leg(A, B, 1)]).with_id(transfer_id(1));
    let cases: [(&str, Vec<Command>, Theirs); 8] = [
        ("an entry", vec![pay(1)], |world| {
            world.post(PostTransfer::new(vec![leg(B, A, 1)]));
        }),
        ("a status", vec![pay(1)], |world| {
            world.run(ChangeStatus::new(B, Status::Frozen)).unwrap();
        }),
        ("an answered past balance", vec![pay(1)], |world| {
            world.edit(B).last_at = later(1);
        }),
        ("the account", vec![open().into()], |world| {
            world.put(crate::support::state(C, 0));
        }),
        ("the currency", vec![open().into()], |world| {
            world.tables.currencies.insert(usd().code(), usd());
        }),
        ("the hold", vec![hold().into()], |world| {
            let row = crate::support::hold_row(crate::support::hold_id(1), C, B, 1);
            world.put_hold(row);
        }),
        ("the transfer", vec![transfer().into()], |world| {
            let row = crate::support::transfer_row(transfer_id(1), vec![leg(C, B, 1)]);
            world.put_transfer(row);
        }),
        ("the key", vec![pay(1)], |world| {
            let request = world.keyed("ours", vec![ChangeStatus::new(C, Status::Frozen).into()]);
            world.commit(vec![request]);
        }),
    ];
    for (name, commands, theirs) in cases {
        let mut world = at_now();
        let ours = world.keyed("ours", commands.clone());
        assert_eq!(race(&mut world, ours, |_| ()), Ok(()), "{name}");

        let mut world = at_now();
        let ours = world.keyed("ours", commands);
        let mut after = World::new();
        let refused = race(&mut world, ours, |world| {
            theirs(world);
            after.tables = world.tables.clone();
        });
        assert_eq!(refused, Err(StoreErrorKind::Conflict), "{name}");
        let (left, right) = (format!("{:?}", world.tables), format!("{:?}", after.tables));
        assert_eq!(left, right, "{name}: nothing is written");
    }
}

#[test]
fn deciding_again_on_fresh_books_makes_the_same_ids() {
    let mut world = World::with(&[(A, 100), (B, 100)]);
    let request = world.requests(vec![pay(1), PlaceHold::new(A, B, cents(1)).into()]);
    let first = world.decide(vec![Arc::clone(&request)]);
    world.post(PostTransfer::new(vec![leg(B, A, 1)]));
    let second = world.decide(vec![request]);
    let ids = |decision: &Decision| {
        let changes = &decision.changes;
        (changes.transfers()[0].key, changes.holds[0].hold.key)
    };
    assert_eq!(ids(&first), ids(&second));
    assert_ne!(first.changes.updated, second.changes.updated);
}

/// A clock that a test sets.
#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

fn later(micros: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros().saturating_add(micros))
}

/// A, with the books of a store at [`NOW`].
async fn opened(store: &dyn LedgerStore) {
    let open = OpenAccount::new(Owner::new("ada").unwrap(), crate::support::eur()).with_id(A);
    deposit(store, "open", open.into()).await;
}

async fn deposit(store: &dyn LedgerStore, key: &str, command: Command) -> Timestamp {
    let request = World::new().keyed(key, vec![command]);
    let batch = Arc::new(Batch::new(vec![request]));
    let committed = store.transact(batch).await.unwrap();
    match &committed.decided[0] {
        Decided::Fresh(outcome) => outcome.at,
        other => panic!("not decided now: {other:?}"),
    }
}

async fn an_answered_past_balance_stays(store: &dyn LedgerStore, hand: &Hand) {
    opened(store).await;
    let five = |number: u128| -> Command {
        let deposit = Deposit::new(A, cents(5), crate::support::bank());
        deposit.with_id(transfer_id(number)).into()
    };
    let at = |time| store.balance_at(in_ledger(A), time);
    assert_eq!(deposit(store, "1", five(1)).await, NOW);
    assert_eq!(at(NOW).await.unwrap().unwrap().posted, 5);
    // The same clock reading: the answer above must not change.
    assert_eq!(deposit(store, "2", five(2)).await, later(1));
    assert_eq!(at(NOW).await.unwrap().unwrap().posted, 5);
    // A backward clock step and repeated reads do not change it either.
    *hand.0.lock().unwrap() = later(-1_000);
    assert_eq!(deposit(store, "3", five(3)).await, later(1));
    *hand.0.lock().unwrap() = later(10);
    for _ in 0..5 {
        assert_eq!(at(later(10)).await.unwrap().unwrap().posted, 15);
    }
    assert_eq!(deposit(store, "4", five(4)).await, later(11));
    assert_eq!(at(NOW).await.unwrap().unwrap().posted, 5);
    assert_eq!(at(later(1)).await.unwrap().unwrap().posted, 15);
    assert_eq!(at(later(10)).await.unwrap().unwrap().sequence, 3);
    assert_eq!(at(later(-1)).await.unwrap().unwrap().posted, 0);
    let future = at(later(11)).await.unwrap_err();
    assert_eq!(future.kind(), StoreErrorKind::Invalid);
    assert_eq!(store.balance_at(in_ledger(B), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn an_answered_past_balance_never_changes_in_either_store() {
    let hand = Arc::new(Hand(Mutex::new(NOW)));
    let store = MemoryStore::new(Arc::<Hand>::clone(&hand));
    an_answered_past_balance_stays(&store, &hand).await;
    let hand = Arc::new(Hand(Mutex::new(NOW)));
    let store = OptimisticStore::new(Arc::<Hand>::clone(&hand));
    an_answered_past_balance_stays(&store, &hand).await;
}

#[test]
fn what_is_opened_is_found_by_its_owner_and_in_order() {
    let mut world = World::new();
    let owner = || Owner::new("ada").unwrap();
    for id in [C, A, B] {
        world
            .run(OpenAccount::new(owner(), crate::support::eur()).with_id(id))
            .unwrap();
    }
    let order: Vec<_> = world.tables.account_order.iter().copied().collect();
    assert_eq!(order, [A, B, C].map(in_ledger));
    let theirs = &world.tables.by_owner[&(crate::support::LEDGER, owner())];
    assert!(theirs.iter().eq(&[A, B, C]));
    let account: &Account = &world.tables.accounts[&in_ledger(B)];
    assert_eq!(account.owner, owner());
}
