use wallet_core::request::InvalidRequest;
use wallet_core::store::Limits;
use wallet_core::{PostTransfer, Request, WalletError};

use crate::service::world::{World, key, leg, transfer};

#[tokio::test]
async fn batches_are_cut_to_what_the_store_can_take() {
    let world = World::new().await;
    world.store.close();
    let mut tasks = vec![world.submit(transfer("first", 1, 2)).await];
    for number in 1..=10 {
        tasks.push(
            world
                .submit(transfer(&format!("t{number}"), number, number + 20))
                .await,
        );
    }
    let requests = Limits {
        requests: 4,
        ..*world.store.limits.lock().unwrap()
    };
    *world.store.limits.lock().unwrap() = requests;
    world.store.open_wide();
    for task in tasks {
        task.await.unwrap().unwrap().accepted().unwrap();
    }
    assert_eq!(world.store.sizes(), [1, 4, 4, 2]);
}

#[tokio::test]
async fn rows_and_bytes_cut_a_batch_as_well() {
    for limits in [(20, usize::MAX), (usize::MAX, 3_000)] {
        let world = World::new().await;
        let (rows, bytes) = limits;
        *world.store.limits.lock().unwrap() = Limits {
            requests: 100,
            rows,
            bytes,
        };
        world.store.close();
        let mut tasks = vec![world.submit(transfer("first", 1, 2)).await];
        for number in 1..=6 {
            tasks.push(
                world
                    .submit(transfer(&format!("t{number}"), number, number + 20))
                    .await,
            );
        }
        world.store.open_wide();
        for task in tasks {
            task.await.unwrap().unwrap().accepted().unwrap();
        }
        assert_eq!(world.store.sizes(), [1, 2, 2, 2]);
    }
}

#[tokio::test]
async fn a_request_that_can_never_fit_is_refused_before_anything_is_read() {
    let world = World::new().await;
    *world.store.limits.lock().unwrap() = Limits {
        requests: 100,
        rows: 100,
        bytes: usize::MAX,
    };
    let legs = vec![leg(1, 2, 1); 30];
    let large = Request::new(key("large"), PostTransfer::new(legs));
    let answer = world.wallet.submit_raw(large).await;
    assert!(matches!(
        answer,
        Err(WalletError::Invalid(InvalidRequest::TooLarge))
    ));
    assert!(world.store.sizes().is_empty());
    assert!(!world.is_recorded("large").await);
}
