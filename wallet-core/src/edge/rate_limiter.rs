use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::edge::Quota;
use crate::ledger::{LimitName, LimitScope};
use crate::store::{StoreError, StoreErrorKind};

/// Rate limits of callers, shared by all processes. The host chooses whether it
/// fails open or closed: see [`GuardedLimiter`](crate::edge::GuardedLimiter).
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Takes the cost of every charge from its limit, atomically, by the limiter's
    /// clock. It takes nothing from any limit when one has too few tokens. A cost
    /// of 0 takes nothing and reports the state of a limit. A limit that is new, or
    /// unused for long enough, is full.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for charges that [`Charge::validate`] refuses.
    /// After an error, tokens may have been taken.
    async fn take(&self, scope: &LimitScope, charges: &[Charge]) -> Result<Verdict, StoreError>;
}

/// The cost of a call on one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The name of the limit within its scope.
    pub limit: LimitName,
    /// The quota of the limit.
    pub quota: Quota,
    /// The number of tokens to take.
    pub cost: u32,
}

impl Charge {
    /// The greatest number of charges in one call.
    pub const CALL_MAX: usize = 32;

    /// A charge of `cost`.
    #[must_use]
    pub const fn new(limit: LimitName, quota: Quota, cost: u32) -> Self {
        Self { limit, quota, cost }
    }

    /// Checks the rules of every limiter. It refuses more than [`Self::CALL_MAX`]
    /// charges, two charges of one limit, and a cost that the quota never admits.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate(charges: &[Self]) -> Result<(), StoreError> {
        let invalid = |context| Err(StoreError::new(StoreErrorKind::Invalid, context));
        if charges.len() > Self::CALL_MAX {
            return invalid("too many charges in one call");
        }
        let mut names: Vec<_> = charges.iter().map(|charge| &charge.limit).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < charges.len() {
            return invalid("two charges of one limit");
        }
        if charges.iter().any(|one| one.cost > one.quota.capacity()) {
            return invalid("a cost that its limit never admits");
        }
        Ok(())
    }
}

/// The limiter's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The state of each charge's limit after the call, in the order of the
    /// charges.
    pub limits: Vec<LimitState>,
}

impl Verdict {
    /// Whether all tokens were taken. If not, none were.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.retry_after().is_zero()
    }

    /// The time until the same call would be admitted if no other caller used the
    /// limits; zero where it was admitted.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let each = self.limits.iter().map(|limit| limit.retry_after);
        each.max().unwrap_or_default()
    }
}

/// The state of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitState {
    /// The number of tokens that can be taken now.
    pub remaining: u32,
    /// The time until the requested tokens can be taken, in whole microseconds;
    /// zero where they could be taken now.
    pub retry_after: Duration,
    /// The time until the limit is full again, in whole microseconds.
    pub reset_after: Duration,
}
