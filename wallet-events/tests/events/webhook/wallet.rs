use std::time::Duration;

use wallet_core::messaging::EventPublisher;
use wallet_events::{Event, Parsed};

use crate::kit::World;
use crate::webhook::receiver::{Answer, Receiver};
use crate::webhook::route::Route;

/// A subscriber receives every event of the ledger, with the same JSON and in the order
/// of its account, although some attempts fail.
#[tokio::test(start_paused = true)]
async fn what_the_ledger_publishes_is_what_a_subscriber_gets() {
    let world = World::new();
    let [ada, bob] = world.accounts().await;
    for _ in 0..5 {
        world.pay(ada, bob).await;
    }
    let published = world.published(World::settings("first")).await;
    assert_eq!(published.len(), 14);

    let receiver = Receiver::start().await;
    let route = Route::start(&receiver.url());
    for _ in 0..3 {
        receiver.then(Answer::Status(500));
        receiver.then(Answer::Status(200));
    }
    for message in &published {
        route
            .queue
            .publish(std::slice::from_ref(message))
            .await
            .unwrap();
    }
    route.emptied().await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    assert_eq!(route.forwarder.stats().forwarded, 14);
    assert_eq!(route.forwarder.stats().failed, 3);
    for account in [ada, bob] {
        let came = receiver.came().into_iter().filter_map(|came| {
            let event = match Event::parse(&came.body).unwrap() {
                Parsed::Known(event) => event,
                Parsed::Unknown { kind, .. } => panic!("{kind}"),
            };
            assert_eq!(event.id(), came.id());
            (event.account.id == account).then_some((event.version, came.body))
        });
        // A failed event came twice, one directly after the other.
        let mut came: Vec<_> = came.collect();
        came.dedup();
        let due = published.iter().map(crate::kit::event);
        let due = due.zip(&published).filter_map(|(event, message)| {
            let body = message.body.clone();
            (event.account.id == account).then_some((event.version, body))
        });
        assert_eq!(came, due.collect::<Vec<_>>());
    }
}
