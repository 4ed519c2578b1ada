use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::AccountId;
use wallet_core::ledger::Version;

use crate::kit::{World, assert_in_order, event, spawn};
use crate::relay::publisher::Recorder;

/// Ten thousand events, and a hundred relays that die at any point.
#[tokio::test(start_paused = true)]
async fn ten_thousand_events_and_a_hundred_deaths() {
    let world = World::new();
    let accounts = world.accounts::<20>().await;
    let recorder = Recorder::new();
    let mut rng = fastrand::Rng::with_seed(5);
    let mut deaths = 0;
    let mut commands = 0;
    while deaths < 100 || commands < 5_000 {
        let mut settings = World::settings(&format!("relay-{deaths}"));
        settings.lease = Duration::from_millis(200);
        let running = spawn(&world.relay_with(Arc::<Recorder>::clone(&recorder), settings));
        for _ in 0..rng.u32(30..75) {
            let [from, to] = [rng.usize(..20), rng.usize(..19)];
            let to = if from == to { 19 } else { to };
            world.pay(accounts[from], accounts[to]).await;
            commands += 1;
            if rng.u8(..10) == 0 {
                tokio::time::sleep(Duration::from_micros(rng.u64(..9_000))).await;
            }
        }
        tokio::time::sleep(Duration::from_micros(rng.u64(150_000..450_000))).await;
        running.kill().await;
        deaths += 1;
    }
    let running =
        spawn(&world.relay_with(Arc::<Recorder>::clone(&recorder), World::settings("last")));
    world.drained().await;
    running.stop().await;

    let messages = recorder.published();
    let again = assert_in_order(&messages);
    assert!(again > 0, "no death left anything to repeat");
    // A consumer's inbox: a position for each account.
    let mut inbox: BTreeMap<AccountId, Version> = BTreeMap::new();
    let mut caught = 0;
    for message in &messages {
        let event = event(message);
        let position = inbox.entry(event.account.id).or_default();
        if event.version == *position + 1 {
            *position = event.version;
        } else {
            assert!(event.version <= *position, "a gap before {}", message.id);
            caught += 1;
        }
    }
    assert_eq!(caught, again);
    assert!(messages.len() - again >= 10_000);
    for account in accounts {
        assert_eq!(inbox[&account], world.version(account).await);
    }
}
