use std::time::Duration;

use wallet_core::runtime::Clock;
use wallet_core::store::Purge;

use crate::service::world::{World, transfer};

#[tokio::test]
async fn records_are_kept_for_thirty_days_and_not_deleted_before() {
    let world = World::new().await;
    let answer = world
        .wallet
        .submit_raw(transfer("old", 1, 2))
        .await
        .unwrap();
    answer.accepted().unwrap();
    let day = Duration::from_secs(86_400);
    world.clock.sleep(29 * day).await;
    assert_eq!(world.wallet.purge(Purge::old_records(10)).await.unwrap(), 0);
    assert!(
        world
            .wallet
            .submit_raw(transfer("old", 1, 2))
            .await
            .unwrap()
            .replayed
    );
    let answer = world
        .wallet
        .submit_raw(transfer("new", 1, 2))
        .await
        .unwrap();
    answer.accepted().unwrap();
    world.clock.sleep(day).await;
    // What set the world up, and the first transfer.
    assert_eq!(world.wallet.purge(Purge::old_records(10)).await.unwrap(), 2);
    assert!(!world.is_recorded("old").await);
    assert!(world.is_recorded("new").await);
}
