use wallet_events::memory::{Fault, ScriptedPublisher};
use wallet_events::{Forwarder, ForwarderSettings};

use super::*;

const MAX_RECEIVES: u32 = 3;

/// A queue with dead letters, a topic with scripted faults, and the queue behind it.
struct Setup {
    clock: Arc<TestClock>,
    queue: Arc<MemoryQueue>,
    dead: Arc<MemoryQueue>,
    topic: Arc<ScriptedPublisher>,
    taken: Arc<MemoryQueue>,
}

impl Setup {
    fn new() -> Self {
        let clock = clock();
        let dead = Arc::new(MemoryQueue::new(clock.clone()));
        let queue = MemoryQueue::new(clock.clone()).with_dead_letters(MAX_RECEIVES, dead.clone());
        // The queue has no deduplication, so that repetitions are visible.
        let taken = MemoryQueue::new(clock.clone()).with_window(Duration::ZERO);
        let taken = Arc::new(taken);
        let topic = ScriptedPublisher::new(taken.clone(), clock.clone());
        Self {
            clock,
            queue: Arc::new(queue),
            dead,
            topic: Arc::new(topic),
            taken,
        }
    }

    fn forwarder(&self) -> Forwarder {
        let (queue, topic) = (self.queue.clone(), self.topic.clone());
        Forwarder::new(queue, topic, self.clock.clone())
    }

    /// Forwards for this long, then stops.
    async fn forward(&self, forwarder: &Forwarder, seconds: u64) {
        forwarder.run(pass(seconds)).await;
    }

    fn fail(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned());
        self.topic.then(Fault::Fail(names.collect()));
    }
}

#[tokio::test(start_paused = true)]
async fn messages_arrive_as_they_were_and_leave_the_queue() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "b1", "a2"]).await;
    let forwarder = setup.forwarder();
    assert_eq!(forwarder.step().await, 3);
    let taken = setup.taken.messages();
    assert_eq!(taken, [message("a1"), message("b1"), message("a2")]);
    assert!(setup.queue.messages().is_empty());
    assert_eq!(forwarder.stats().forwarded, 3);
    assert_eq!(forwarder.step().await, 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_no_later_message_of_its_group_overtakes() {
    for failing in ["a1", "a2", "a3"] {
        let setup = Setup::new();
        send(&setup.queue, &["a1", "b1", "a2", "b2", "a3"]).await;
        for _ in 0..3 {
            setup.fail(&[failing]);
        }
        let forwarder = setup.forwarder();
        setup.forward(&forwarder, 60).await;
        let taken = names(&setup.taken);
        let group = |group: &str| -> Vec<_> {
            let of = taken.iter().filter(|name| name.starts_with(group));
            of.cloned().collect()
        };
        assert_eq!(
            group("a"),
            ["a1", "a2", "a3"],
            "{failing} failing: {taken:?}"
        );
        assert_eq!(group("b"), ["b1", "b2"]);
        assert!(setup.queue.messages().is_empty());
        assert!(setup.dead.messages().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_what_is_behind_it_goes_back_in_order() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2", "a3", "b1"]).await;
    setup.fail(&["a1"]);
    let forwarder = setup.forwarder();
    forwarder.step().await;
    assert_eq!(names(&setup.taken), ["b1"]);
    assert_eq!(names(&setup.queue), ["a1", "a2", "a3"]);
    let stats = forwarder.stats();
    assert_eq!((stats.failed, stats.held_back, stats.refused), (1, 2, 0));
    // Not at once, and a1 comes first.
    assert_eq!(receive(&setup.queue, 30).await, []);
    pass(1).await;
    let back = receive(&setup.queue, 30).await.into_iter();
    assert_eq!(
        back.map(|(id, _)| id).collect::<Vec<_>>(),
        ["a1", "a2", "a3"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_repeats_messages_and_loses_none() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2"]).await;
    setup.topic.then(Fault::ErrorAfter);
    let forwarder = setup.forwarder();
    forwarder.step().await;
    assert_eq!(names(&setup.taken), ["a1", "a1", "a2"]);
    assert!(setup.queue.messages().is_empty());
    let stats = forwarder.stats();
    assert_eq!((stats.forwarded, stats.publish_errors), (2, 1));
    assert!(stats.last_error.unwrap().contains("scripted to fail after"));
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_publishing_and_deleting_repeats_and_loses_nothing() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2"]).await;
    // The topic accepts a2 and answers too late: the process is gone.
    setup.topic.then(Fault::None);
    setup.topic.then(Fault::DelayAfter(Duration::from_secs(10)));
    let forwarder = setup.forwarder();
    let crash = Duration::from_secs(5);
    let ended = tokio::time::timeout(crash, forwarder.step()).await;
    assert!(ended.is_err());
    assert_eq!(names(&setup.taken), ["a1", "a2"]);
    assert_eq!(names(&setup.queue), ["a2"]);
    let next = setup.forwarder();
    setup.forward(&next, 60).await;
    assert_eq!(names(&setup.taken), ["a1", "a2", "a2"]);
    assert!(setup.queue.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn visibility_is_extended_while_a_slow_topic_works() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2"]).await;
    setup
        .topic
        .then(Fault::DelayBefore(Duration::from_secs(300)));
    let forwarder = setup.forwarder();
    let others = async {
        // The visibility timeout is 30 seconds.
        for _ in 0..29 {
            pass(10).await;
            assert_eq!(receive(&setup.queue, 1).await, []);
        }
    };
    tokio::join!(forwarder.step(), others);
    assert_eq!(names(&setup.taken), ["a1", "a2"]);
    assert!(setup.queue.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_topic_counts_no_receive() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "b1"]).await;
    for _ in 0..10 {
        setup.topic.then(Fault::ErrorBefore);
    }
    let forwarder = setup.forwarder();
    setup.forward(&forwarder, 600).await;
    assert_eq!(names(&setup.taken), ["a1", "b1"]);
    assert!(setup.dead.messages().is_empty());
    assert_eq!(forwarder.stats().publish_errors, 10);
    assert_eq!(forwarder.stats().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn poison_goes_to_the_dead_letters_and_frees_its_group() {
    for is_refused in [false, true] {
        let setup = Setup::new();
        send(&setup.queue, &["a1", "b1"]).await;
        if is_refused {
            setup.topic.always_refuse("a1");
        } else {
            setup.topic.always_fail("a1");
        }
        let forwarder = setup.forwarder();
        setup.forward(&forwarder, 60).await;
        assert_eq!(names(&setup.dead), ["a1"]);
        let (refused, failed) = (forwarder.stats().refused, forwarder.stats().failed);
        let times = u64::from(MAX_RECEIVES);
        let expected = if is_refused { (times, 0) } else { (0, times) };
        assert_eq!((refused, failed), expected);
        send(&setup.queue, &["a2"]).await;
        setup.forward(&forwarder, 60).await;
        assert_eq!(names(&setup.taken), ["b1", "a2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_for_the_topic_is_refused_and_no_other() {
    let setup = Setup::new();
    let large = Message {
        body: "x".repeat(500),
        ..message("a1")
    };
    setup.queue.publish(&[large, message("b1")]).await.unwrap();
    let limits = wallet_core::messaging::PublisherLimits {
        bytes: 400,
        ..setup.taken.limits()
    };
    let topic = Arc::new(MemoryQueue::new(setup.clock.clone()).with_limits(limits));
    let forwarder = Forwarder::new(setup.queue.clone(), topic.clone(), setup.clock.clone());
    forwarder.step().await;
    assert_eq!(names(&topic), ["b1"]);
    assert_eq!(forwarder.stats().refused, 1);
    assert_eq!(names(&setup.queue), ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_held() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2", "a3"]).await;
    setup
        .topic
        .then(Fault::DelayBefore(Duration::from_secs(10)));
    let forwarder = setup.forwarder();
    setup.forward(&forwarder, 5).await;
    assert_eq!(names(&setup.taken), ["a1", "a2", "a3"]);
    assert!(setup.queue.messages().is_empty());
    assert_eq!(setup.clock.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_topic_that_is_away() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "a2"]).await;
    for _ in 0..100 {
        setup.topic.then(Fault::ErrorBefore);
    }
    let forwarder = setup.forwarder();
    setup.forward(&forwarder, 5).await;
    assert_eq!(setup.clock.elapsed(), Duration::from_secs(5));
    assert_eq!(names(&setup.queue), ["a1", "a2"]);
    assert!(setup.taken.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_further_call_either() {
    let setup = Setup::new();
    send(&setup.queue, &["a1", "b1", "c1"]).await;
    let limits = wallet_core::messaging::PublisherLimits {
        messages: 1,
        ..setup.taken.limits()
    };
    let taken = Arc::new(MemoryQueue::new(setup.clock.clone()).with_limits(limits));
    let topic = ScriptedPublisher::new(taken.clone(), setup.clock.clone());
    for _ in 0..4 {
        topic.then(Fault::ErrorBefore);
    }
    let (queue, topic) = (setup.queue.clone(), Arc::new(topic));
    let forwarder = Forwarder::new(queue, topic, setup.clock.clone());
    setup.forward(&forwarder, 5).await;
    assert_eq!(setup.clock.elapsed(), Duration::from_secs(5));
    // Every message that could be published at once was published.
    assert_eq!(names(&taken), ["c1"]);
    assert_eq!(names(&setup.queue), ["a1", "b1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_wait_for_messages() {
    let clock = clock();
    let queue = MemoryQueue::new(clock.clone()).with_wait(Duration::from_secs(20));
    let topic = MemoryQueue::new(clock.clone());
    let forwarder = Forwarder::new(Arc::new(queue), Arc::new(topic), clock.clone());
    forwarder.run(pass(3)).await;
    assert_eq!(clock.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn several_workers_keep_the_order_of_every_group() {
    let setup = Setup::new();
    let mut expected = std::collections::BTreeMap::<String, Vec<String>>::new();
    for number in 0..40 {
        for group in ["a", "b", "c", "d", "e"] {
            let name = format!("{group}{number}");
            send(&setup.queue, &[&name]).await;
            expected.entry(group.to_owned()).or_default().push(name);
        }
    }
    // From time to time a message of a group fails, or a call does.
    for number in 0..30 {
        match number % 3 {
            0 => setup.fail(&["a3", "b7", "c11"]),
            1 => setup.topic.then(Fault::ErrorAfter),
            _ => setup.topic.then(Fault::DelayBefore(Duration::from_secs(1))),
        }
    }
    let settings = ForwarderSettings {
        workers: 8,
        ..ForwarderSettings::default()
    };
    let forwarder = Arc::new(setup.forwarder().with_settings(settings));
    let running = forwarder.clone();
    let run = tokio::spawn(async move { running.run(pass(600)).await });
    run.await.unwrap();
    let mut seen = std::collections::BTreeMap::<String, Vec<String>>::new();
    for message in setup.taken.messages() {
        let of_group = seen.entry(message.group).or_default();
        if !of_group.contains(&message.id) {
            of_group.push(message.id);
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(forwarder.stats().forwarded, 200);
    assert!(setup.queue.messages().is_empty());
}
