use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{ManualClock, planted_bugs};
use wallet_core::edge::{Charge, LimitState, Quota, RateLimiter, Verdict};
use wallet_core::ledger::{LimitName, LimitScope};
use wallet_core::memory::MemoryLimiter;
use wallet_core::runtime::Clock;
use wallet_core::test_hooks::yield_once;
use wallet_core::{StoreError, Timestamp, test_hooks};

planted_bugs! {
    /// A bug that a rate limiter is planted with.
    LimitBug {
        /// Admits one more than the capacity.
        AdmitsOneMore,
        /// Gives nothing back.
        GivesNothingBack,
        /// Gives back a microsecond early.
        GivesBackEarly,
        /// Admits twice the capacity after a long rest.
        Overfills,
        /// Tells times in whole milliseconds.
        TellsMilliseconds,
        /// Counts a token's time in whole microseconds.
        CutsFractions,
        /// Takes one token a call.
        IgnoresCosts,
        /// Takes a token for looking.
        ChargesForLooking,
        /// Takes from each limit by itself.
        TakesOneByOne,
        /// Tells the longest wait for every limit.
        TellsOneWaitForAll,
        /// Joins scope and name to one text.
        JoinsNames,
        /// Keeps the quota that a limit was used with first.
        KeepsTheFirstQuota,
        /// Takes a step back of the clock for time that has passed.
        CountsStepsBack,
        /// Waits for a clock that has stepped back.
        WaitsForTheClock,
        /// Admits what can never be admitted.
        AdmitsAnything,
        /// Looks first, and takes later.
        LooksThenTakes,
    }
}

/// A limiter behind a bug.
#[derive(Debug)]
pub struct BrokenLimiter {
    bug: Option<LimitBug>,
    clock: Arc<ManualClock>,
    /// What drives the limiter inside, as the bug has it.
    inner_clock: Arc<ManualClock>,
    inner: MemoryLimiter,
    past: Mutex<Past>,
}

/// What was seen before.
#[derive(Debug, Default)]
struct Past {
    at: Timestamp,
    quotas: BTreeMap<LimitName, Quota>,
}

impl BrokenLimiter {
    /// Every limit is full.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, bug: Option<LimitBug>) -> Self {
        let inner_clock = Arc::new(ManualClock::new(clock.now()));
        Self {
            bug,
            inner: MemoryLimiter::new(Arc::<ManualClock>::clone(&inner_clock)),
            past: Mutex::new(Past {
                at: clock.now(),
                quotas: BTreeMap::new(),
            }),
            clock,
            inner_clock,
        }
    }

    fn has(&self, bug: LimitBug) -> bool {
        self.bug == Some(bug)
    }

    /// Sets the inner clock; answers how long nothing was asked.
    fn follow(&self) -> Duration {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let (forward, back) = (now.since(past.at), past.at.since(now));
        past.at = now;
        match self.bug {
            Some(LimitBug::GivesNothingBack) => {}
            Some(LimitBug::CountsStepsBack) => self.inner_clock.advance(forward + back),
            Some(LimitBug::WaitsForTheClock) => {
                let latest = self.inner_clock.now().max(now);
                self.inner_clock.set(latest);
            }
            Some(LimitBug::GivesBackEarly) if forward.is_zero() => {}
            Some(LimitBug::GivesBackEarly) => {
                self.inner_clock.advance(forward + Duration::from_micros(1));
            }
            _ => self.inner_clock.set(now),
        }
        forward
    }

    fn charge(&self, scope: &LimitScope, charge: &Charge, rest: Duration) -> Charge {
        let mut charge = charge.clone();
        let quota = charge.quota;
        match self.bug {
            Some(LimitBug::AdmitsOneMore) => {
                charge.quota = test_hooks::with_capacity(quota, quota.capacity() + 1);
            }
            Some(LimitBug::Overfills) if rest > Duration::from_secs(3_600) => {
                charge.quota = test_hooks::with_capacity(quota, quota.capacity() * 2);
            }
            Some(LimitBug::CutsFractions) => charge.quota = test_hooks::without_fractions(quota),
            Some(LimitBug::IgnoresCosts) => charge.cost = charge.cost.min(1),
            Some(LimitBug::ChargesForLooking) => charge.cost = charge.cost.max(1),
            Some(LimitBug::JoinsNames) => {
                let joined = format!("{scope}:{}", charge.limit);
                charge.limit = LimitName::new(&joined).expect("short enough");
            }
            Some(LimitBug::KeepsTheFirstQuota) => {
                let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
                let first = past.quotas.entry(charge.limit.clone()).or_insert(quota);
                charge.quota = *first;
                charge.cost = charge.cost.min(first.capacity());
            }
            _ => {}
        }
        charge
    }
}

fn to_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX))
}

#[async_trait]
impl RateLimiter for BrokenLimiter {
    async fn take(&self, scope: &LimitScope, charges: &[Charge]) -> Result<Verdict, StoreError> {
        let rest = self.follow();
        let own = charges.iter().map(|one| self.charge(scope, one, rest));
        let own: Vec<_> = own.collect();
        if self.has(LimitBug::AdmitsAnything) && Charge::validate(&own).is_err() {
            return Ok(Verdict::default());
        }
        let one = LimitScope::new("one").expect("a scope");
        let scope = if self.has(LimitBug::JoinsNames) {
            &one
        } else {
            scope
        };
        if self.has(LimitBug::TakesOneByOne) {
            let mut verdict = Verdict::default();
            for charge in own {
                let part = self.inner.take(scope, &[charge]).await?;
                verdict.limits.extend(part.limits);
            }
            return Ok(verdict);
        }
        if self.has(LimitBug::LooksThenTakes) {
            let look = |charge: &Charge| Charge {
                cost: 0,
                ..charge.clone()
            };
            let looks: Vec<_> = own.iter().map(look).collect();
            let seen = self.inner.take(scope, &looks).await?;
            let mut each = seen.limits.iter().zip(&own);
            if each.all(|(state, charge)| state.remaining >= charge.cost) {
                yield_once().await;
                self.inner.take(scope, &own).await?;
                return Ok(seen);
            }
        }
        let mut verdict = self.inner.take(scope, &own).await?;
        let longest = verdict.retry_after();
        for state in &mut verdict.limits {
            let LimitState {
                retry_after,
                reset_after,
                ..
            } = state;
            if self.has(LimitBug::TellsMilliseconds) {
                (*retry_after, *reset_after) = (to_millis(*retry_after), to_millis(*reset_after));
            }
            if self.has(LimitBug::TellsOneWaitForAll) {
                *retry_after = longest;
            }
        }
        Ok(verdict)
    }
}
