use std::collections::BTreeMap;

use wallet_core::runtime::Clock;
use wallet_events::memory::{Fault, ScriptedPublisher};
use wallet_events::{Redrive, RedriveError, RedriveFate, RedriveReport};
use wallet_testkit::ManualClock;

use super::*;

/// A queue, its dead letters, and a publisher with scripted faults.
struct Setup {
    clock: Arc<TestClock>,
    queue: Arc<MemoryQueue>,
    dead: Arc<MemoryQueue>,
    back: Arc<ScriptedPublisher>,
}

impl Setup {
    /// A setup with these dead letters, which were sent to the queue just now.
    async fn with(dead_letters: &[&str]) -> Self {
        let clock = clock();
        let dead = Arc::new(MemoryQueue::new(clock.clone()));
        let queue = MemoryQueue::new(clock.clone()).with_dead_letters(1, dead.clone());
        send(&queue, dead_letters).await;
        loop {
            let received = receive(&queue, 60).await;
            if received.is_empty() {
                break;
            }
            for (_, receipt) in received.into_iter().rev() {
                queue.extend(&receipt, Duration::ZERO).await.unwrap();
            }
        }
        assert_eq!(names(&dead), dead_letters);
        let queue = Arc::new(queue);
        let back = ScriptedPublisher::new(queue.clone(), clock.clone());
        Self {
            clock,
            queue,
            dead,
            back: Arc::new(back),
        }
    }

    fn redrive(&self) -> Redrive {
        let (dead, back) = (self.dead.clone(), self.back.clone());
        Redrive::new(dead, back, self.clock.clone())
    }
}

async fn run(redrive: &Redrive) -> (RedriveReport, BTreeMap<String, RedriveFate>) {
    let mut fates = BTreeMap::new();
    let report = redrive.run(|step| {
        fates.insert(step.message.id.clone(), step.fate.clone());
    });
    let report = report.await.unwrap();
    (report, fates)
}

#[tokio::test(start_paused = true)]
async fn dead_letters_go_back_in_order_though_their_ids_were_just_sent() {
    let many: Vec<_> = (10..40).map(|number| format!("a{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let setup = Setup::with(&many).await;
    let (report, _) = run(&setup.redrive()).await;
    assert_eq!(report.moved, 30);
    assert_eq!(names(&setup.queue), many);
    assert!(setup.dead.messages().is_empty());
    assert_eq!(setup.queue.messages()[0], message("a10"));
}

#[tokio::test(start_paused = true)]
async fn behind_one_that_stays_its_group_stays_and_keeps_its_order() {
    let setup = Setup::with(&["a1", "a2", "b1", "a3"]).await;
    let redrive = setup.redrive();
    // By the id under which the redrive sends it.
    let run_at = setup.clock.now().as_micros();
    setup.back.always_refuse(format!("a2~{run_at}-1"));
    let (report, fates) = run(&redrive).await;
    assert_eq!((report.moved, report.refused, report.behind), (2, 1, 1));
    assert_eq!(fates["a1"], RedriveFate::Moved);
    assert!(matches!(fates["a2"], RedriveFate::Refused { .. }));
    assert_eq!(fates["a3"], RedriveFate::Behind);
    assert_eq!(names(&setup.queue), ["a1", "b1"]);
    assert_eq!(names(&setup.dead), ["a2", "a3"]);
    // The redrive gives it back at the end of the run.
    let again = receive(&setup.dead, 30).await.into_iter();
    assert_eq!(again.map(|(id, _)| id).collect::<Vec<_>>(), ["a2", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_repeated_after_an_unknown_outcome_sends_nothing_twice() {
    let setup = Setup::with(&["a1", "b1"]).await;
    setup.back.then(Fault::ErrorAfter);
    setup.back.then(Fault::ErrorBefore);
    let (report, _) = run(&setup.redrive()).await;
    assert_eq!(report.moved, 2);
    assert_eq!(names(&setup.queue), ["a1", "b1"]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_ends_the_run_and_everything_stays() {
    let setup = Setup::with(&["a1", "a2"]).await;
    for _ in 0..4 {
        setup.back.then(Fault::ErrorBefore);
    }
    let mut fates = Vec::new();
    let redrive = setup.redrive();
    let ended = redrive.run(|step| fates.push(step.fate.clone())).await;
    assert!(matches!(ended, Err(RedriveError::Publish(_))));
    assert!(matches!(
        fates[..],
        [RedriveFate::Failed { .. }, RedriveFate::Behind]
    ));
    assert_eq!(names(&setup.dead), ["a1", "a2"]);
    let (report, _) = run(&redrive).await;
    assert_eq!(report.moved, 2);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_kept_from_others_while_a_slow_queue_works() {
    let setup = Setup::with(&["a1", "a2"]).await;
    setup
        .back
        .then(Fault::DelayBefore(Duration::from_secs(300)));
    let redrive = setup.redrive();
    let others = async {
        // The visibility timeout is 60 seconds.
        for _ in 0..29 {
            pass(10).await;
            assert_eq!(receive(&setup.dead, 1).await, []);
        }
    };
    let ((report, _), ()) = tokio::join!(run(&redrive), others);
    assert_eq!(report.moved, 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_moves_the_oldest() {
    let setup = Setup::with(&["a1", "b1", "a2", "b2"]).await;
    let (report, _) = run(&setup.redrive().with_limit(3)).await;
    assert_eq!(report.moved, 3);
    assert_eq!(names(&setup.queue), ["a1", "b1", "a2"]);
    assert_eq!(names(&setup.dead), ["b2"]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_lists_and_moves_nothing() {
    let setup = Setup::with(&["a1", "b1", "a2"]).await;
    let redrive = setup.redrive();
    for _ in 0..2 {
        let listed = redrive.list().await.unwrap().into_iter();
        let listed: Vec<_> = listed.map(|received| received.message.id).collect();
        assert_eq!(listed, ["a1", "b1", "a2"]);
    }
    assert_eq!(redrive.with_limit(1).list().await.unwrap().len(), 1);
    assert!(setup.queue.messages().is_empty());
    let (report, _) = run(&setup.redrive()).await;
    assert_eq!(report.moved, 3);
}

#[tokio::test(start_paused = true)]
async fn one_event_may_come_back_again_and_again() {
    let setup = Setup::with(&["a1"]).await;
    for _ in 0..3 {
        let (report, _) = run(&setup.redrive()).await;
        assert_eq!(report.moved, 1);
        assert_eq!(receive(&setup.queue, 1).await.len(), 1);
        pass(1).await;
        assert_eq!(receive(&setup.queue, 1).await, []);
        assert_eq!(setup.dead.messages(), [message("a1")]);
    }
}

#[tokio::test]
async fn a_run_over_an_empty_queue_ends_though_the_clock_steps_back() {
    let clock = Arc::new(ManualClock::default());
    let queue = || MemoryQueue::new(clock.clone()).with_wait(Duration::from_secs(10));
    let redrive = Redrive::new(Arc::new(queue()), Arc::new(queue()), clock.clone());
    let ran = tokio::spawn(async move { redrive.run(|_| ()).await });
    let mut waited = Duration::ZERO;
    while !ran.is_finished() {
        if let Some(pause) = clock.next_wake_in() {
            clock.advance(pause);
            clock.step_back(Duration::from_secs(3_600));
            waited += pause;
            assert!(waited <= Duration::from_secs(10), "{waited:?}");
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(ran.await.unwrap().unwrap().moved, 0);
}
