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
    /// A bug that is planted in a rate limiter.
    LimitBug {
        /// Admits one token more than the capacity.
        AdmitsOneMore,
        /// Never refills.
        GivesNothingBack,
        /// Refills a microsecond early.
        GivesBackEarly,
        /// Admits twice the capacity after a long idle time.
        Overfills,
        /// Returns times in whole milliseconds.
        TellsMilliseconds,
        /// Rounds a token's time down to whole microseconds.
        CutsFractions,
        /// Takes one token per call, whatever the cost is.
        IgnoresCosts,
        /// Takes a token for a cost of 0.
        ChargesForLooking,
        /// Takes from each limit separately, which is not atomic.
        TakesOneByOne,
        /// Returns the longest wait for every limit.
        TellsOneWaitForAll,
        /// Joins scope and name into one text.
        JoinsNames,
        /// Uses the first quota of a limit for ever.
        KeepsTheFirstQuota,
        /// Counts a backward clock step as passed time.
        CountsStepsBack,
        /// Stops refilling until a clock that stepped back has caught up.
        WaitsForTheClock,
        /// Admits charges that can never be admitted.
        AdmitsAnything,
        /// Checks first and takes later, which is not atomic.
        LooksThenTakes,
    }
}

/// A rate limiter with a bug.
#[derive(Debug)]
pub struct BrokenLimiter {
    bug: Option<LimitBug>,
    clock: Arc<ManualClock>,
    /// The clock of the inner limiter, which the bug controls.
    inner_clock: Arc<ManualClock>,
    inner: MemoryLimiter,
    past: Mutex<Past>,
}

/// The state at the last call.
#[derive(Debug, Default)]
struct Past {
    at: Timestamp,
    quotas: BTreeMap<LimitName, Quota>,
}

impl BrokenLimiter {
    /// A limiter with every limit full.
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

    /// Sets the inner clock. Returns the time since the last call.
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
