//! Quotas: the capacity of a rate limit and its refill rate.

use std::time::Duration;

use thiserror::Error;

use crate::edge::LimitState;
use crate::ledger::Timestamp;

/// The greatest number of units in a bucket. A 64-bit float counts it exactly, for
/// limiters that have no other numbers.
const UNITS_MAX: u64 = 1 << 53;

/// A token bucket: it holds `capacity` tokens, and `refill` tokens flow in every
/// `period`, evenly (the algorithm known as GCRA).
///
/// The bucket counts whole units. The unit is chosen so that a token and the flow
/// per microsecond are both whole numbers. So nothing is ever rounded.
///
/// ```
/// # use std::time::Duration;
/// # use wallet_core::edge::Quota;
/// // Bursts of 20, and 100 a minute in the long run.
/// let quota = Quota::new(20, 100, Duration::from_secs(60))?;
/// assert_eq!(quota.capacity(), 20);
/// # Ok::<(), wallet_core::edge::QuotaError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quota {
    capacity: u32,
    /// The number of units per token.
    token: u64,
    /// The number of units that flow in per microsecond.
    flow: u64,
}

/// The reason why a quota is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// The capacity or the refill is zero, or the period is below a microsecond.
    #[error("capacity, refill and period must be more than zero")]
    Zero,
    /// Capacity times period exceeds the range of exact counting.
    #[error("the quota is too large to be counted exactly")]
    TooLarge,
}

impl Quota {
    /// A bucket of `capacity` tokens, with `refill` tokens per `period`. The period
    /// is rounded down to whole microseconds.
    ///
    /// # Errors
    /// [`QuotaError`]: the quota is zero or too large.
    pub fn new(capacity: u32, refill: u32, period: Duration) -> Result<Self, QuotaError> {
        let micros = u64::try_from(period.as_micros()).map_err(|_| QuotaError::TooLarge)?;
        if capacity == 0 || refill == 0 || micros == 0 {
            return Err(QuotaError::Zero);
        }
        let common = greatest_common_divisor(micros, u64::from(refill));
        let token = micros.checked_div(common).unwrap_or(micros);
        let flow = u64::from(refill).checked_div(common).unwrap_or(1);
        let units = token.checked_mul(u64::from(capacity));
        match units {
            Some(units) if units <= UNITS_MAX => Ok(Self {
                capacity,
                token,
                flow,
            }),
            Some(_) | None => Err(QuotaError::TooLarge),
        }
    }

    /// The greatest number of tokens.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The number of units per token. Times the capacity it is at most 2^53.
    #[must_use]
    pub const fn token_units(&self) -> u64 {
        self.token
    }

    /// The number of units that flow in per microsecond.
    #[must_use]
    pub const fn flow_units(&self) -> u64 {
        self.flow
    }

    /// The same quota with another capacity.
    #[cfg(feature = "test-hooks")]
    pub(crate) const fn with_capacity(self, capacity: u32) -> Self {
        Self { capacity, ..self }
    }

    /// The same quota with a token time of whole microseconds, rounded down.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn without_fractions(self) -> Self {
        let token = self.token.checked_div(self.flow).unwrap_or(1).max(1);
        Self {
            token,
            flow: 1,
            ..self
        }
    }

    const fn full(&self) -> u64 {
        self.token.saturating_mul(u64_of(self.capacity))
    }

    const fn cost(&self, tokens: u32) -> u64 {
        self.token.saturating_mul(u64_of(tokens))
    }

    /// The time until this many units have flowed in.
    const fn time_for(&self, units: u64) -> Duration {
        // The flow is never zero.
        match units.checked_add(self.flow.saturating_sub(1)) {
            Some(sum) => match sum.checked_div(self.flow) {
                Some(micros) => Duration::from_micros(micros),
                None => Duration::ZERO,
            },
            None => Duration::MAX,
        }
    }
}

const fn u64_of(value: u32) -> u64 {
    #[allow(clippy::as_conversions, reason = "a widening in a constant function")]
    {
        value as u64
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        a = b;
        b = rest;
    }
    a
}

/// The fill level of a limit, as a limiter stores it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Units that were taken and have not flowed back.
    used: u64,
    /// The time of this level.
    at: Timestamp,
}

impl Bucket {
    /// A bucket with this many units taken at `at`.
    #[must_use]
    pub const fn of_units(used: u64, at: Timestamp) -> Self {
        Self { used, at }
    }

    /// The bucket at `now`. When the clock steps back, nothing flows in, and the
    /// later flow is not reduced.
    #[must_use]
    pub fn at(self, quota: &Quota, now: Timestamp) -> Self {
        let micros = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let flown = micros.saturating_mul(quota.flow);
        Self {
            used: self.used.saturating_sub(flown),
            at: now,
        }
    }

    /// Whether the bucket's time is in the future, because the clock has stepped
    /// back.
    pub(crate) fn is_ahead(self, now: Timestamp) -> bool {
        self.at > now
    }

    /// The state of the limit for a charge of `cost` tokens.
    #[must_use]
    pub fn state(self, quota: &Quota, cost: u32) -> LimitState {
        let left = quota.full().saturating_sub(self.used);
        let tokens = left.checked_div(quota.token).unwrap_or(0);
        LimitState {
            remaining: u32::try_from(tokens).unwrap_or(u32::MAX),
            retry_after: quota.time_for(quota.cost(cost).saturating_sub(left)),
            reset_after: quota.time_for(self.used),
        }
    }

    /// The bucket with `cost` tokens taken.
    #[must_use]
    pub fn take(self, quota: &Quota, cost: u32) -> Self {
        Self {
            used: self.used.saturating_add(quota.cost(cost)),
            at: self.at,
        }
    }
}
