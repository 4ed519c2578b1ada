use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::Timestamp;
use wallet_core::runtime::Clock;

/// A clock that stands still until a test moves it.
///
/// A sleep ends once the clock was advanced by its length in total. A step back
/// does not lengthen a sleep.
#[derive(Debug)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    /// The total time by which the clock was advanced.
    elapsed: Duration,
    /// The sleepers, by the time when they end and by their number.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    /// The number of sleeps so far.
    begun: u64,
}

impl ManualClock {
    /// 2025-01-01T00:00:00Z.
    pub const START: Timestamp = Timestamp::from_micros(1_735_689_600_000_000);

    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Hands {
            now,
            elapsed: Duration::ZERO,
            sleepers: BTreeMap::new(),
            begun: 0,
        }))
    }

    /// Moves the clock forward and wakes sleepers whose time is over.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        let elapsed = hands.elapsed.saturating_add(by);
        // Whole microseconds of the total time. Otherwise fractions would be lost, and a
        // waiting task would never reach its time.
        let passed = elapsed.as_micros() - hands.elapsed.as_micros();
        let passed = Duration::from_micros(u64::try_from(passed).unwrap());
        hands.now = hands.now.saturating_add(passed);
        hands.elapsed = elapsed;
        let mut due = Vec::new();
        while let Some(first) = hands.sleepers.first_entry()
            && first.key().0 <= elapsed
        {
            due.push(first.remove());
        }
        drop(hands);
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the clock back. No sleep ends or is lengthened.
    pub fn step_back(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.saturating_sub(by);
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        let before = self.now();
        if now >= before {
            self.advance(now.since(before));
        } else {
            self.step_back(before.since(now));
        }
    }

    /// The time until the next sleep ends; `None` when no task sleeps.
    #[must_use]
    pub fn next_wake_in(&self) -> Option<Duration> {
        let hands = self.hands();
        let ((next, _), _) = hands.sleepers.first_key_value()?;
        Some(next.saturating_sub(hands.elapsed))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// A clock that shows [`ManualClock::START`].
    fn default() -> Self {
        Self::new(Self::START)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands().now
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.hands().elapsed.saturating_add(duration);
        let (clock, number) = (self, None);
        Sleep {
            clock,
            until,
            number,
        }
        .await;
    }
}

struct Sleep<'a> {
    clock: &'a ManualClock,
    until: Duration,
    /// The number among the sleepers, once it sleeps.
    number: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock;
        let mut hands = clock.hands();
        if hands.elapsed >= self.until {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert(hands.begun);
        hands.begun = hands.begun.max(number + 1);
        let waker = context.waker();
        let place = (self.until, number);
        let known = hands.sleepers.entry(place).or_insert_with(|| waker.clone());
        known.clone_from(waker);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // A sleep that was dropped wakes no task.
            self.clock.hands().sleepers.remove(&(self.until, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(future: Pin<&mut (dyn Future<Output = ()> + Send + '_)>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        future.poll(&mut context).is_ready()
    }

    #[test]
    fn a_sleep_ends_when_time_was_advanced_by_its_length() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(5));
        assert!(!poll(sleep.as_mut()));
        assert_eq!(clock.next_wake_in(), Some(Duration::from_secs(5)));
        clock.advance(Duration::from_secs(3));
        clock.step_back(Duration::from_secs(60));
        assert!(!poll(sleep.as_mut()));
        clock.advance(Duration::from_secs(2));
        assert!(poll(sleep.as_mut()));
        assert_eq!(clock.next_wake_in(), None);
        let shown = ManualClock::START.saturating_sub(Duration::from_secs(55));
        assert_eq!(clock.now(), shown);
    }

    #[test]
    fn parts_of_a_microsecond_add_up() {
        let clock = ManualClock::default();
        for _ in 0..10 {
            clock.advance(Duration::from_nanos(300));
        }
        assert_eq!(clock.now().since(ManualClock::START).as_micros(), 3);
    }

    #[test]
    fn a_sleep_that_is_given_up_wakes_nobody() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(5));
        assert!(!poll(sleep.as_mut()));
        drop(sleep);
        assert_eq!(clock.next_wake_in(), None);
    }
}
