//! The error of one request affects no other: a row that cannot be read, or a row
//! that a foreign transaction has locked.
use std::time::Duration;

use wallet_core::ledger::HoldKey;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_core::{PlaceHold, Request, Settings, WalletError};

use crate::service::scripted::Step;
use crate::service::world::{
    World, account, account_key, euros, key, quiet, record, settle, transfer,
};

/// Requests in one batch, after a batch in flight.
async fn batch_of(
    world: &World,
    count: u128,
) -> Vec<tokio::task::JoinHandle<Result<wallet_core::service::Answer, WalletError>>> {
    world.store.close();
    let busy = world.submit(transfer("busy", 39, 40)).await;
    let mut tasks = Vec::new();
    for number in 0..count {
        let text = format!("t{number}");
        tasks.push(world.submit(transfer(&text, 1 + number % 38, 39)).await);
    }
    world.store.open(1);
    busy.await.unwrap().unwrap().accepted().unwrap();
    tasks
}

#[tokio::test]
async fn a_record_that_cannot_be_read_fails_its_own_request_and_no_other() {
    let world = World::new().await;
    let tasks = batch_of(&world, 64).await;
    let damaged = record("t20");
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(damaged, StoreErrorKind::Corrupt);
    world.store.open_wide();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(answer) if number != 20 => drop(answer.accepted().unwrap()),
            Err(WalletError::Store(error)) if number == 20 => {
                assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            }
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(world.wallet.stats().damaged, 1);
    // Halving without repeats: 64, 32, 16, 8, 4, 2, 1 and the other halves.
    assert_eq!(world.store.sizes().len(), 1 + 13);
}

#[tokio::test]
async fn neighbours_of_a_damaged_record_are_settled_though_an_answer_was_lost() {
    let world = World::new().await;
    let tasks = batch_of(&world, 4).await;
    // The commit happened, its answer was lost, and then a record is damaged.
    world
        .store
        .script
        .lock()
        .unwrap()
        .push_back(Step::LoseAnswer);
    world.store.open(1);
    settle().await;
    let damaged = record("t2");
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(damaged, StoreErrorKind::Corrupt);
    world.store.open_wide();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(answer) if number != 2 => assert!(!answer.replayed),
            Err(WalletError::Indeterminate { .. }) if number == 2 => {}
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_key_that_somebody_else_keeps_stalls_only_its_own_request() {
    let world = World::new().await;
    let tasks = batch_of(&world, 64).await;
    let reserved = record("t20");
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(reserved, StoreErrorKind::Conflict);
    world.store.open_wide();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(answer) if number != 20 => drop(answer.accepted().unwrap()),
            Err(WalletError::Store(error)) if number == 20 => {
                assert_eq!(error.kind(), StoreErrorKind::Conflict);
            }
            other => panic!("{number}: {other:?}"),
        }
    }
    let sizes = world.store.sizes();
    let with_neighbours = sizes.iter().filter(|size| **size == 64).count();
    assert_eq!(with_neighbours, 3, "then it is split: {sizes:?}");
    world.store.poison.lock().unwrap().clear();
    let answer = world
        .wallet
        .submit_raw(transfer("t20", 21, 39))
        .await
        .unwrap();
    assert!(!answer.replayed, "nothing was done under the key");
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_stops_no_other_from_expiring() {
    let settings = Settings {
        sweep_size: 8,
        ..quiet()
    };
    let world = World::with(settings).await;
    let hold = || {
        let hold = PlaceHold::new(account(1), account(2), euros(10));
        hold.with_expires_in(Duration::from_secs(10))
    };
    let mut placed: Vec<HoldKey> = Vec::new();
    for number in 0..20 {
        let request = Request::new(key(&format!("hold {number}")), hold());
        let answer = world.wallet.submit_raw(request).await.unwrap();
        placed.push(answer.hold().unwrap().unwrap().key);
    }
    world.clock.sleep(Duration::from_secs(12)).await;
    // As many as one step finds, with more of them before than after.
    let damaged: Vec<HoldKey> = placed.iter().take(9).copied().collect();
    world
        .store
        .damaged_holds
        .lock()
        .unwrap()
        .extend(damaged.iter().copied());
    let mut ended = 0;
    for _ in 0..10 {
        ended += world.wallet.sweep_expired(8).await.unwrap();
    }
    assert_eq!(ended, 11);
    assert_eq!(world.wallet.stats().damaged, 9);
    let reported = world.wallet.damaged_holds();
    let mut holds: Vec<HoldKey> = reported.iter().map(|(hold, _)| *hold).collect();
    holds.sort_unstable();
    let mut expected = damaged;
    expected.sort_unstable();
    assert_eq!(holds, expected);
    for (hold, error) in reported {
        assert!(error.context().contains(&hold.id.to_string()), "{error}");
    }
    let state = world
        .wallet
        .account(account_key(1))
        .await
        .unwrap()
        .unwrap()
        .state;
    assert_eq!(
        state.counters.debits_pending, 90,
        "of those that are damaged"
    );

    // Repaired: they end once they are tried again.
    world.store.damaged_holds.lock().unwrap().clear();
    world.clock.sleep(Duration::from_secs(31)).await;
    assert_eq!(world.wallet.sweep_expired(20).await.unwrap(), 9);
    assert_eq!(world.wallet.damaged_holds().len(), 0);
}

#[tokio::test]
async fn a_hold_whose_expiry_meets_a_damaged_row_is_left_out_as_well() {
    let world = World::new().await;
    let hold = |payer| {
        let hold = PlaceHold::new(account(payer), account(2), euros(10));
        hold.with_expires_in(Duration::from_secs(10))
    };
    let mut placed = Vec::new();
    for payer in 3..6 {
        let request = Request::new(key(&format!("hold {payer}")), hold(payer));
        let answer = world.wallet.submit_raw(request).await.unwrap();
        placed.push(answer.hold().unwrap().unwrap().key);
    }
    world.clock.sleep(Duration::from_secs(12)).await;
    let sweeps = world.wallet.sweep_expired(10);
    let expiry = expiry_key(placed[1]);
    world
        .store
        .poison
        .lock()
        .unwrap()
        .insert(expiry, StoreErrorKind::Corrupt);
    assert_eq!(sweeps.await.unwrap(), 2);
    assert_eq!(world.wallet.damaged_holds()[0].0, placed[1]);
    assert_eq!(world.wallet.sweep_expired(10).await.unwrap(), 0);
    assert_eq!(world.wallet.stats().damaged, 1, "not tried again at once");
}

/// The key under which the sweep ends a hold.
fn expiry_key(hold: HoldKey) -> wallet_core::ledger::RecordKey {
    let ids = wallet_testkit::SeededIds::new(7);
    wallet_core::request::PreparedRequest::expiry(hold, &ids).key()
}
