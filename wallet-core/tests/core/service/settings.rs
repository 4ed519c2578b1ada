use std::sync::Arc;
use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Backoff;
use wallet_core::runtime::Clock;
use wallet_core::service::BuildError;
use wallet_core::store::StoreErrorKind;
use wallet_core::{Settings, Wallet};

use crate::service::scripted::Step;
use crate::service::world::{JumpClock, World, quiet, transfer};

fn build(settings: Settings) -> Result<(), BuildError> {
    let clock = JumpClock::new();
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let built = Wallet::builder(store).clock(clock).settings(settings);
    built.build().map(drop)
}

#[test]
fn a_setting_that_would_make_the_service_stand_still_is_refused_by_name() {
    type Zero = fn(&mut Settings);
    let zeros: [(&str, Zero); 6] = [
        ("queue_capacity", |all| all.queue_capacity = 0),
        ("committers", |all| all.committers = 0),
        ("batch_requests_max", |all| all.batch_requests_max = 0),
        ("tries_max", |all| all.tries_max = 0),
        ("history_wait", |all| all.history_wait = Duration::ZERO),
        ("sweep_interval", |all| {
            all.sweep_interval = Some(Duration::ZERO);
        }),
    ];
    for (name, zero) in zeros {
        let mut settings = quiet();
        zero(&mut settings);
        assert_eq!(build(settings), Err(BuildError::Zero(name)));
    }
    // A service would reserve memory for each.
    for (name, settings) in [
        (
            "committers",
            Settings {
                committers: 1_001,
                ..quiet()
            },
        ),
        (
            "busy_committers",
            Settings {
                busy_committers: usize::MAX,
                ..quiet()
            },
        ),
    ] {
        let max = 1_000;
        assert_eq!(build(settings), Err(BuildError::TooLarge { name, max }));
    }
    let least = Settings {
        queue_capacity: 1,
        committers: 1,
        batch_requests_max: 1,
        tries_max: 1,
        history_wait: Duration::from_nanos(1),
        sweep_interval: Some(Duration::from_nanos(1)),
        ..quiet()
    };
    assert_eq!(build(least), Ok(()));
}

#[test]
fn settings_for_a_server_let_batches_overlap_and_change_nothing_else() {
    let expected = Settings {
        committers: 2,
        busy_committers: 3,
        ..Settings::default()
    };
    assert_eq!(Settings::for_server(), expected);
}

#[tokio::test]
async fn pauses_double_from_the_first_to_the_longest() {
    let settings = Settings {
        retry: Backoff::new(Duration::from_millis(5), Duration::from_millis(30)),
        ..quiet()
    };
    let world = World::with(settings).await;
    let outage = [Step::Fail(StoreErrorKind::Unavailable); 5];
    world.store.script.lock().unwrap().extend(outage);
    let begun = world.clock.now();
    let answer = world.wallet.submit_raw(transfer("t", 1, 2)).await.unwrap();
    answer.accepted().unwrap();
    let paused = Duration::from_millis(5 + 10 + 20 + 30 + 30);
    assert_eq!(world.clock.now().since(begun), paused);
}
