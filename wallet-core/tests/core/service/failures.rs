use std::sync::Arc;
use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::store::StoreErrorKind;
use wallet_core::{Currency, OpenAccount, Owner, Receipt, Request, Settings, Wallet, WalletError};
use wallet_sim::{Fault, FaultyStore, ScriptedFaults};

use crate::service::scripted::Step;
use crate::service::world::{JumpClock, World, account_key, key, quiet, record, settle, transfer};

fn three_tries() -> Settings {
    Settings {
        tries_max: 3,
        ..quiet()
    }
}

impl World {
    fn play(&self, steps: impl IntoIterator<Item = Step>) {
        self.store.script.lock().unwrap().extend(steps);
    }

    /// Four requests in one batch, after a batch in flight.
    async fn four(
        &self,
    ) -> Vec<tokio::task::JoinHandle<Result<wallet_core::service::Answer, WalletError>>> {
        self.store.close();
        let busy = self.submit(transfer("busy", 30, 31)).await;
        let mut tasks = Vec::new();
        for number in 1..=4 {
            tasks.push(
                self.submit(transfer(&format!("t{number}"), number, number + 10))
                    .await,
            );
        }
        self.store.open(1);
        busy.await.unwrap().unwrap().accepted().unwrap();
        tasks
    }
}

#[tokio::test]
async fn data_that_the_store_refuses_fails_alone_and_unrecorded() {
    for culprit in 1..=4 {
        let world = World::new().await;
        let poisoned = record(&format!("t{culprit}"));
        let kind = StoreErrorKind::Invalid;
        world.store.poison.lock().unwrap().insert(poisoned, kind);
        let tasks = world.four().await;
        world.store.open_wide();
        for (task, number) in tasks.into_iter().zip(1..) {
            let answer = task.await.unwrap();
            if number == culprit {
                let Err(WalletError::Store(error)) = answer else {
                    panic!("an error of the store, not {answer:?}");
                };
                assert_eq!(error.kind(), StoreErrorKind::Invalid);
            } else {
                answer.unwrap().accepted().unwrap();
            }
        }
        assert!(!world.is_recorded(&format!("t{culprit}")).await);
        assert_eq!(world.wallet.stats().splits, 2);
        // Every part keeps the order: its first request is the first half's.
        let batches = world.store.batches.lock().unwrap().clone();
        let firsts = [record("busy"), record("t1"), record("t1")];
        assert_eq!(
            batches
                .iter()
                .take(3)
                .map(|keys| keys[0])
                .collect::<Vec<_>>(),
            firsts
        );
        assert_eq!(batches[1].len(), 4);
        assert_eq!(batches[2], [record("t1"), record("t2")]);
    }
}

#[tokio::test]
async fn trouble_that_passes_repeats_the_whole_batch_and_never_splits_it() {
    for kind in [
        StoreErrorKind::Unavailable,
        StoreErrorKind::Conflict,
        StoreErrorKind::Indeterminate,
    ] {
        let world = World::new().await;
        let tasks = world.four().await;
        world.play([Step::Fail(kind), Step::Fail(kind)]);
        world.store.open_wide();
        for task in tasks {
            let answer = task.await.unwrap().unwrap();
            answer.accepted().unwrap();
            assert!(!answer.replayed);
        }
        assert_eq!(world.store.sizes(), [1, 4, 4, 4]);
        let stats = world.wallet.stats();
        assert_eq!((stats.splits, stats.retries), (0, 2));
        assert_eq!(world.posted(1).await, 9900);
    }
}

#[tokio::test]
async fn an_outage_that_lasts_is_an_error_and_the_key_stays_free() {
    let world = World::with(three_tries()).await;
    world.play([Step::Fail(StoreErrorKind::Unavailable); 3]);
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await;
    let Err(error) = answer else {
        panic!("an error");
    };
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("store_unavailable", true)
    );
    assert!(!world.is_recorded("t").await);
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await.unwrap();
    assert!(!answer.replayed);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_and_nothing_is_applied_twice() {
    let world = World::new().await;
    world.play([Step::LoseAnswer]);
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await.unwrap();
    answer.accepted().unwrap();
    assert!(!answer.replayed, "it is the caller's own first answer");
    assert_eq!(
        (world.posted(1).await, world.posted(2).await),
        (9900, 10_100)
    );
    assert_eq!(world.wallet.stats().settled, 1);
    assert!(
        world
            .wallet
            .submit_raw(transfer("t", 1, 2))
            .await
            .unwrap()
            .replayed
    );
}

#[tokio::test]
async fn an_outage_after_a_lost_answer_is_indeterminate_with_key_and_ids() {
    for then in [StoreErrorKind::Unavailable, StoreErrorKind::Internal] {
        let world = World::with(three_tries()).await;
        world.play([Step::LoseAnswer, Step::Fail(then), Step::Fail(then)]);
        let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await;
        let Err(WalletError::Indeterminate { key, ids }) = answer else {
            panic!("indeterminate, not {answer:?}");
        };
        assert_eq!(key, record("t"));
        let outcome = world.wallet.recorded(key).await.unwrap().unwrap();
        let made: Vec<_> = outcome
            .transfers()
            .map(|transfer| transfer.key.id.uuid())
            .collect();
        assert_eq!(made, ids);
    }
}

#[tokio::test]
async fn a_commit_still_under_way_is_waited_for() {
    let clock = JumpClock::new();
    let inner = Arc::new(MemoryStore::new(clock.clone()));
    let faults = Arc::new(ScriptedFaults::new([Fault::CommitLater(
        Duration::from_millis(700),
    )]));
    let store = Arc::new(FaultyStore::new(inner.clone(), clock.clone(), faults));
    let builder = Wallet::builder(store.clone())
        .clock(clock)
        .settings(quiet());
    let (wallet, driver) = builder.build().unwrap();
    tokio::spawn(driver);
    let landing = tokio::spawn(async move { store.run().await });

    let open = OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso("EUR").unwrap());
    let answer = wallet
        .submit_raw(Request::new(key("open"), open))
        .await
        .unwrap();
    assert!(!answer.replayed);
    let Receipt::AccountOpened(account) = &answer.accepted().unwrap()[0] else {
        panic!("an account");
    };
    let stored: Vec<_> = inner
        .shared()
        .tables()
        .account_order
        .iter()
        .copied()
        .collect();
    assert_eq!(
        stored,
        [account.state.key],
        "one account, though it was submitted twice"
    );
    assert!(wallet.stats().settled == 1 && wallet.stats().retries > 0);
    landing.abort();
}

#[tokio::test]
async fn a_store_that_panics_leaves_its_batch_unknown_and_the_service_alive() {
    let world = World::new().await;
    world.play([Step::Panic]);
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await;
    assert!(matches!(answer, Err(WalletError::Indeterminate { .. })));
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await.unwrap();
    assert!(!answer.replayed, "the panic came before any effect");
    assert_eq!(world.wallet.stats().panics, 1);
}

#[tokio::test]
async fn an_outage_that_lasts_fails_a_batch_as_a_whole_without_splitting_it() {
    for (kind, tries) in [
        (StoreErrorKind::Unavailable, 3),
        (StoreErrorKind::Internal, 1),
    ] {
        let world = World::with(three_tries()).await;
        let tasks = world.four().await;
        world.play([Step::Fail(kind); 3]);
        world.store.open_wide();
        for task in tasks {
            let Err(WalletError::Store(error)) = task.await.unwrap() else {
                panic!("an error of the store");
            };
            assert_eq!(error.kind(), kind);
        }
        assert_eq!(world.store.sizes()[1..], vec![4; tries]);
        assert_eq!(world.wallet.stats().splits, 0);
    }
}

#[tokio::test]
async fn an_answer_lost_before_a_foreign_lock_is_still_the_callers_own() {
    let world = World::new().await;
    let lock = world.store.inner.lock_account(account_key(1)).unwrap();
    world.store.close();
    world.play([Step::CommitLater]);
    let task = world.submit(transfer("t", 1, 2)).await;
    // The commit itself locks the account while it is in flight.
    world.store.open(2);
    settle().await;
    assert!(world.wallet.stats().blocked > 0 && !task.is_finished());
    drop(lock);
    world.store.land().await;
    world.store.open_wide();
    let answer = task.await.unwrap().unwrap();
    assert!(!answer.replayed, "it is the caller's own first answer");
    assert_eq!(world.posted(1).await, 9_900);
}
