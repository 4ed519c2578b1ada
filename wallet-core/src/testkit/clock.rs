use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Clock, Timestamp};

/// A clock that stands still until it is told otherwise.
///
/// A sleep ends once time has been advanced by its length in total; a step
/// back lengthens no sleep.
#[derive(Debug)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    /// All that was ever advanced.
    elapsed: Duration,
    sleepers: Vec<(Duration, Waker)>,
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
            sleepers: Vec::new(),
        }))
    }

    /// Moves it forward and wakes whose sleep is over.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.saturating_add(by);
        hands.elapsed = hands.elapsed.saturating_add(by);
        let elapsed = hands.elapsed;
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut hands.sleepers)
            .into_iter()
            .partition(|(until, _)| *until <= elapsed);
        hands.sleepers = rest;
        drop(hands);
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Moves it back; no sleep ends or is lengthened.
    pub fn step_back(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.saturating_sub(by);
    }

    /// Sets it, forward or back.
    pub fn set(&self, now: Timestamp) {
        let before = self.now();
        if now >= before {
            self.advance(now.since(before));
        } else {
            self.step_back(before.since(now));
        }
    }

    /// How long until the next sleep ends; `None` when nobody sleeps.
    #[must_use]
    pub fn next_wake_in(&self) -> Option<Duration> {
        let hands = self.hands();
        let next = hands.sleepers.iter().map(|(until, _)| *until).min()?;
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
        Sleep { clock: self, until }.await;
    }
}

struct Sleep<'a> {
    clock: &'a ManualClock,
    until: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut hands = self.clock.hands();
        if hands.elapsed >= self.until {
            return Poll::Ready(());
        }
        let (until, waker) = (self.until, context.waker());
        let known = |(at, known): &(Duration, Waker)| *at == until && known.will_wake(waker);
        if !hands.sleepers.iter().any(known) {
            hands.sleepers.push((until, waker.clone()));
        }
        Poll::Pending
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
}
