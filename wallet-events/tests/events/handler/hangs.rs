//! A handler that does not answer fails like one that answers with an error.

use std::sync::Arc;
use std::time::Duration;

use wallet_events::{HandlerPublisher, HandlerSettings};

use crate::consumer::books::Failing;
use crate::consumer::shop::NAME;
use crate::handler::place::Place;
use crate::kit::{spawn, until};

#[tokio::test(start_paused = true)]
async fn an_event_without_an_answer_is_parked_after_its_attempts_and_others_go_on() {
    let place = Place::new();
    let [ada, bob] = place.world.accounts().await;
    place.world.deposit(bob).await;
    place.world.deposit(bob).await;
    // Ada has two events and Bob four.
    place.books.fail_by(Failing::Hang, 4, u32::MAX);
    let mut settings = HandlerSettings::new(NAME);
    settings.attempts_max = Some(3);
    settings.handler_wait = Duration::from_secs(2);
    let handler = place.handler_with(settings);
    let running = spawn(&place.world.relay(Arc::<HandlerPublisher>::clone(&handler)));
    let events = place.world.parked(1).await;
    assert_eq!((events[0].account.id, events[0].version), (bob, 4));
    let words = "the handler did not answer within 2s";
    assert!(events[0].reason.contains(words), "{events:?}");
    assert_eq!(handler.stats().failures, 3);
    let took = place.world.clock.elapsed();
    let most = Duration::from_secs(8);
    assert!(took >= Duration::from_secs(6) && took < most, "{took:?}");
    // The relay goes on.
    place.world.pay(ada, bob).await;
    until(|| place.books.versions(ada) == [1, 2, 3]).await;
    running.stop().await;
}
