//! Quotas: how much may be used up, and how it comes back.

use std::time::Duration;

use thiserror::Error;

use crate::edge::LimitState;
use crate::ledger::Timestamp;

/// The most units that a bucket holds: what a float of 64 bits counts exactly,
/// for limiters that know no other numbers.
const UNITS_MAX: u64 = 1 << 53;

/// How much a limit admits: a bucket of `capacity` tokens, into which `refill`
/// of them flow every `period`, evenly (the rule known as GCRA).
///
/// It is counted in whole units, of which a token has as many as make both the
/// flow per microsecond and the token whole numbers. So nothing is ever rounded.
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
    /// Units of a token.
    token: u64,
    /// Units that flow in per microsecond.
    flow: u64,
}

/// Why a quota is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// Without capacity, without refill, or without a period of at least a
    /// microsecond.
    #[error("capacity, refill and period must be more than zero")]
    Zero,
    /// Capacity times period exceeds what can be counted exactly.
    #[error("the quota is too large to be counted exactly")]
    TooLarge,
}

impl Quota {
    /// A bucket of `capacity` tokens, `refill` of which come back per `period`
    /// (whole microseconds; what is less is cut off).
    ///
    /// # Errors
    /// [`QuotaError`].
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

    /// How many tokens there are at most.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many units a token has; at most 2^53 with the capacity.
    #[must_use]
    pub const fn token_units(&self) -> u64 {
        self.token
    }

    /// How many units flow in per microsecond.
    #[must_use]
    pub const fn flow_units(&self) -> u64 {
        self.flow
    }

    /// The same with another capacity.
    #[cfg(feature = "test-hooks")]
    pub(crate) const fn with_capacity(self, capacity: u32) -> Self {
        Self { capacity, ..self }
    }

    /// The same where a token takes whole microseconds, cut off.
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

    /// How long until so many units have flown in.
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

/// How full a limit is: what a limiter keeps of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Units that are taken and have not come back.
    used: u64,
    /// As of when.
    at: Timestamp,
}

impl Bucket {
    /// A bucket of which so many units are taken as of `at`.
    #[must_use]
    pub const fn of_units(used: u64, at: Timestamp) -> Self {
        Self { used, at }
    }

    /// The bucket at `now`. A clock that steps back lets nothing flow in, and
    /// keeps nothing from flowing in later.
    #[must_use]
    pub fn at(self, quota: &Quota, now: Timestamp) -> Self {
        let micros = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let flown = micros.saturating_mul(quota.flow);
        Self {
            used: self.used.saturating_sub(flown),
            at: now,
        }
    }

    /// Whether it stands in the future: the clock has stepped back.
    pub(crate) fn is_ahead(self, now: Timestamp) -> bool {
        self.at > now
    }

    /// How it stands towards a charge of `cost` tokens.
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
