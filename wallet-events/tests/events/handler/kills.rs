use std::sync::Arc;
use std::time::Duration;

use wallet_events::HandlerPublisher;

use crate::consumer::books::{Books, Way};
use crate::handler::place::Place;
use crate::kit::{World, spawn};

/// Ten thousand events, and a hundred processes that die at any point: before, in and after
/// the handler's transactions. Every effect happens once, in order.
#[tokio::test(start_paused = true)]
async fn a_hundred_processes_die_and_every_effect_happens_once() {
    let place = Place::with(Books::slow(Way::Together, Duration::from_millis(1)));
    let accounts = place.world.accounts::<20>().await;
    let mut rng = fastrand::Rng::with_seed(17);
    let mut duplicates = 0;
    for number in 0..100 {
        let mut settings = World::settings(&format!("relay-{number}"));
        settings.lease = Duration::from_millis(200);
        let handler = place.handler();
        let publisher = Arc::<HandlerPublisher>::clone(&handler);
        let running = spawn(&place.world.relay_with(publisher, settings));
        for _ in 0..50 {
            let [from, to] = [rng.usize(..20), rng.usize(..19)];
            let to = if from == to { 19 } else { to };
            place.world.pay(accounts[from], accounts[to]).await;
        }
        tokio::time::sleep(Duration::from_micros(rng.u64(150_000..450_000))).await;
        running.kill().await;
        duplicates += handler.stats().duplicates;
    }
    let running = spawn(&place.world.relay(place.handler()));
    place.world.drained().await;
    running.stop().await;

    let mut effects = 0;
    for account in accounts {
        let versions = place.books.versions(account);
        let due: Vec<_> = (1..=place.world.version(account).await).collect();
        assert_eq!(versions, due, "effects of {account}");
        effects += versions.len();
    }
    assert!(effects >= 10_000);
    assert!(duplicates > 0, "nothing ever came twice");
}
