//! The service's report of its latest commit.

use wallet_core::WalletError;
use wallet_core::store::StoreErrorKind;

use crate::service::scripted::Step;
use crate::service::world::{World, transfer};

#[tokio::test]
async fn the_latest_commit_says_whether_the_store_can_commit() {
    let world = World::with(wallet_core::Settings {
        tries_max: 1,
        ..crate::service::world::quiet()
    })
    .await;
    world.store.open_wide();
    let last = || world.wallet.last_commit().unwrap();
    let submit = async |key: String| world.submit(transfer(&key, 1, 2)).await.await.unwrap();
    let play = |step| world.store.script.lock().unwrap().push_back(step);
    submit("first".to_owned())
        .await
        .unwrap()
        .accepted()
        .unwrap();
    let done = last();
    assert_eq!(done.failure, None);

    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Indeterminate] {
        play(Step::Fail(kind));
        submit(format!("{kind:?}")).await.unwrap_err();
        assert_eq!(last().failure, Some(kind));
        // A replay writes nothing, and proves nothing.
        assert!(submit("first".to_owned()).await.unwrap().replayed);
        assert_eq!(last().failure, Some(kind));
        submit(format!("after {kind:?}"))
            .await
            .unwrap()
            .accepted()
            .unwrap();
        assert_eq!(last().failure, None);
    }
    // An error that only the batch causes says nothing about the next one.
    for kind in [
        StoreErrorKind::Conflict,
        StoreErrorKind::Invalid,
        StoreErrorKind::Corrupt,
        StoreErrorKind::Internal,
    ] {
        play(Step::Fail(kind));
        submit(format!("{kind:?}")).await.unwrap_err();
        assert_eq!(last().failure, None, "{kind:?}");
    }
}

#[tokio::test]
async fn a_probe_fails_as_a_commit_does() {
    let world = World::new().await;
    world.wallet.probe().await.unwrap();
    let fails = Step::Fail(StoreErrorKind::Unavailable);
    world.store.script.lock().unwrap().push_back(fails);
    let Err(WalletError::Store(error)) = world.wallet.probe().await else {
        panic!("it must fail");
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}
