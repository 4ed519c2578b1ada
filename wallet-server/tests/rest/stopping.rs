//! Time limits, a full queue and a graceful shutdown: no answer is ever wrong.

use serde_json::json;
use wallet_core::ledger::AccountKey;
use wallet_core::{LedgerId, Settings};

use crate::support::{World, memory_store};

/// The account of this text in the default ledger.
pub(crate) fn account(id: &str) -> AccountKey {
    AccountKey::new(LedgerId::default(), id.parse().unwrap())
}

/// Waits until the service has taken `count` requests in all.
pub(crate) fn wait_for_submitted(world: &World, count: u64) {
    while world.wallet.stats().submitted < count {
        std::thread::yield_now();
    }
}

#[test]
fn a_request_that_takes_too_long_may_still_happen_and_is_found_by_its_key() {
    let store = memory_store();
    let world = World::over(
        store.clone(),
        Settings::default(),
        &["--request-timeout-ms", "1000"],
    );
    let client = world.client();
    let ada = client.open("ada");
    let lock = store.lock_account(account(&ada)).unwrap();
    let late = client.deposit(&ada, "slow", "1.00").problem(504, "timeout");
    assert!(late.header("retry-after").is_some());
    drop(lock);
    // The request was never withdrawn: the same key finds it done once.
    let found = (0..100).map(|_| client.deposit(&ada, "slow", "1.00"));
    let found = found
        .into_iter()
        .find(|answer| answer.status == 201)
        .unwrap();
    assert!(found.is_replayed());
    assert_eq!(client.posted(&ada), "1.00");
}

#[test]
fn a_full_queue_is_503_at_once_and_nothing_is_done() {
    let store = memory_store();
    let settings = Settings {
        queue_capacity: 1,
        ..Settings::default()
    };
    let world = World::over(store.clone(), settings, &[]);
    let client = world.client();
    let ada = client.open("ada");
    let lock = store.lock_account(account(&ada)).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let answers: Vec<_> = std::thread::scope(|scope| {
        for index in 0..16 {
            let (ada, sender) = (&ada, sender.clone());
            scope.spawn(move || {
                let answer = client.deposit(ada, &format!("d{index}"), "1.00");
                sender.send(answer).unwrap();
            });
        }
        drop(sender);
        // The accepted requests wait for the lock, so this one was refused.
        let first = receiver.recv().unwrap().problem(503, "overloaded");
        assert_eq!(first.header("retry-after"), Some("1"));
        drop(lock);
        receiver.iter().collect()
    });
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(done > 0);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.problem(503, "overloaded");
    }
    assert_eq!(client.posted(&ada), format!("{done}.00"));
}

#[test]
fn stopping_lets_open_requests_end() {
    let store = memory_store();
    let mut world = World::over(store.clone(), Settings::default(), &[]);
    let client = world.client();
    let ada = client.open("ada");
    let lock = store.lock_account(account(&ada)).unwrap();
    let before = world.wallet.stats().submitted;
    std::thread::scope(|scope| {
        let open = scope.spawn(|| client.deposit(&ada, "d", "1.00"));
        wait_for_submitted(&world, before + 1);
        world.stop();
        while std::net::TcpStream::connect(world.address).is_ok() {
            std::thread::yield_now();
        }
        drop(lock);
        world.join();
        // When the server has ended, the request has ended too.
        assert_eq!(world.booked(account(&ada)), 100);
        let answer = open.join().unwrap().expect(201);
        assert_eq!(answer.text("/legs/0/amount"), "1.00");
    });
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let store = memory_store();
    let mut world = World::over(
        store.clone(),
        Settings::default(),
        &["--shutdown-timeout-ms", "50"],
    );
    let client = world.client();
    let ada = client.open("ada");
    let _lock = store.lock_account(account(&ada)).unwrap();
    let before = world.wallet.stats().submitted;
    let path = format!("/v1/accounts/{ada}/deposits");
    std::thread::scope(|scope| {
        let open = scope.spawn(|| client.try_post(&path, "d", &json!({"amount": "1.00"})));
        wait_for_submitted(&world, before + 1);
        world.stop();
        world.join();
        drop(world);
        // No answer, or an unknown outcome: never a confirmed one.
        let answer = open.join().unwrap();
        assert!(answer.map_or(true, |answer| answer.status >= 500));
    });
}
