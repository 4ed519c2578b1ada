use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::edge::Quota;
use crate::ledger::{LimitName, LimitScope};
use crate::store::{StoreError, StoreErrorKind};

/// Counts what callers use up, over all processes. What holds while it fails is
/// the host's to say: see [`GuardedLimiter`](crate::edge::GuardedLimiter).
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Takes the cost of every charge from its limit, or nothing from any of
    /// them when one has too little left: all in one step, by the limiter's
    /// clock. A cost of 0 takes nothing and tells how a limit stands. A limit
    /// that was not used before, or not for long, is full.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for what [`Charge::validate`] refuses. After an
    /// error something may have been taken.
    async fn take(&self, scope: &LimitScope, charges: &[Charge]) -> Result<Verdict, StoreError>;
}

/// What a call costs of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Which limit, within its scope.
    pub limit: LimitName,
    /// How much it admits.
    pub quota: Quota,
    /// How much is taken.
    pub cost: u32,
}

impl Charge {
    /// The most charges of one call.
    pub const CALL_MAX: usize = 32;

    /// A charge of `cost`.
    #[must_use]
    pub const fn new(limit: LimitName, quota: Quota, cost: u32) -> Self {
        Self { limit, quota, cost }
    }

    /// Checks what every limiter refuses: more than [`Self::CALL_MAX`] charges,
    /// two of one limit, a cost that its quota never admits.
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

/// What a limiter says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How each charge's limit stands after the call, in the order given.
    pub limits: Vec<LimitState>,
}

impl Verdict {
    /// Whether everything was taken; otherwise nothing was.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.retry_after().is_zero()
    }

    /// After how long the same call would be admitted if nobody else used the
    /// limits; zero where it was.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let each = self.limits.iter().map(|limit| limit.retry_after);
        each.max().unwrap_or_default()
    }
}

/// How a limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitState {
    /// How much can be taken now.
    pub remaining: u32,
    /// After how long what was asked of it can be taken, in whole microseconds;
    /// zero where it could be taken now.
    pub retry_after: Duration,
    /// After how long it is full again, in whole microseconds.
    pub reset_after: Duration,
}
