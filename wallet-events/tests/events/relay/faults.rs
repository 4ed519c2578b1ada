use std::sync::Arc;
use std::time::Duration;

use wallet_core::messaging::{Message, Published};

use crate::kit::{World, assert_in_order, event, spawn};
use crate::relay::publisher::{Recorder, failed};

fn version(message: &Message) -> i64 {
    event(message).version
}

#[tokio::test(start_paused = true)]
async fn behind_an_event_that_fails_its_account_waits_and_others_do_not() {
    let world = World::new();
    let [ada, bob, carl] = world.accounts().await;
    world.pay(ada, carl).await;
    world.pay(bob, carl).await;
    let slow = format!("0/{ada}");
    let recorder = Recorder::scripted(move |message, tried| {
        let is_bad = message.group == slow && version(message) == 2 && tried < 8;
        if is_bad { failed() } else { Published::Done }
    });
    let recorder = Arc::new(recorder);
    let relay = world.relay(Arc::<Recorder>::clone(&recorder));
    let running = spawn(&relay);
    world.drained().await;
    running.stop().await;
    let messages = recorder.published();
    assert_eq!(assert_in_order(&messages), 0);
    assert_eq!(relay.stats().failed, 8);
    // All others were published before the event that failed eight times.
    let last: Vec<_> = messages.iter().rev().take(2).map(event).collect();
    assert!(last.iter().all(|event| event.account.id == ada), "{last:?}");
    assert_eq!(relay.stats().last_failure.as_deref(), Some("busy"));
}

#[tokio::test(start_paused = true)]
async fn partial_failures_lose_nothing_and_let_nothing_overtake() {
    for seed in 0..30 {
        for keeps_order in [false, true] {
            let world = World::new();
            let accounts = world.accounts::<5>().await;
            let mut rng = fastrand::Rng::with_seed(seed);
            for _ in 0..40 {
                let [from, to] = [rng.usize(..5), rng.usize(..4)];
                let to = if from == to { 4 } else { to };
                world.pay(accounts[from], accounts[to]).await;
            }
            let recorder = Recorder::scripted(move |message, tried| {
                let mut rng = fastrand::Rng::with_seed(
                    seed ^ u64::from(tried) << 32 ^ u64::try_from(message.body.len()).unwrap(),
                );
                if rng.u8(..100) < 30 {
                    failed()
                } else {
                    Published::Done
                }
            });
            let recorder =
                Arc::new(recorder.with_limits(|limits| limits.keeps_order = keeps_order));
            let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
            world.drained().await;
            running.stop().await;
            assert_eq!(assert_in_order(&recorder.published()), 0, "seed {seed}");
            assert_eq!(recorder.published().len(), 5 * 2 + 80, "seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_unknown_fate_is_made_again() {
    for publishes_anyway in [false, true] {
        let world = World::new();
        let [ada, bob] = world.accounts().await;
        for _ in 0..10 {
            world.pay(ada, bob).await;
        }
        let recorder = Recorder::new();
        recorder.fail(7, publishes_anyway);
        let relay = world.relay(Arc::<Recorder>::clone(&recorder));
        let running = spawn(&relay);
        world.drained().await;
        running.stop().await;
        let again = assert_in_order(&recorder.published());
        assert_eq!(again > 0, publishes_anyway);
        assert!(relay.stats().failed >= 7);
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_is_away_is_asked_by_one_call_at_a_time() {
    let world = World::new();
    world.accounts::<40>().await;
    let recorder = Recorder::new();
    recorder.fail(u32::MAX, false);
    let relay = world.relay(Arc::<Recorder>::clone(&recorder));
    let running = spawn(&relay);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let calls = recorder.calls().len();
    // First up to 32 calls were in flight; then one call every 2.5 to 5 seconds.
    assert!((20..70).contains(&calls), "{calls}");
    let failure = relay.stats().last_failure.unwrap();
    assert!(failure.contains("the network is away"), "{failure}");
    recorder.fail(0, false);
    let back = tokio::time::Instant::now();
    world.drained().await;
    assert!(
        back.elapsed() <= Duration::from_secs(6),
        "{:?}",
        back.elapsed()
    );
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_missing_count_as_a_failure() {
    #[derive(Debug)]
    struct Short(Arc<Recorder>, std::sync::atomic::AtomicU32);
    #[async_trait::async_trait]
    impl wallet_core::messaging::EventPublisher for Short {
        fn limits(&self) -> wallet_core::messaging::PublisherLimits {
            self.0.limits()
        }
        async fn publish(
            &self,
            messages: &[Message],
        ) -> Result<Vec<Published>, wallet_core::messaging::DeliveryError> {
            let mut answers = self.0.publish(messages).await?;
            if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                answers.pop();
            }
            Ok(answers)
        }
    }
    let world = World::new();
    world.accounts::<3>().await;
    let recorder = Recorder::new();
    let short = Short(Arc::<Recorder>::clone(&recorder), 0.into());
    let relay = world.relay(Arc::new(short));
    let running = spawn(&relay);
    world.drained().await;
    running.stop().await;
    assert!(assert_in_order(&recorder.published()) > 0);
    let failure = relay.stats().last_failure.unwrap();
    assert!(failure.contains("left out answers"), "{failure}");
}
