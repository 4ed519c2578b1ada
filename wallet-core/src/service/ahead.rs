//! The bound on how far accounts' times may be ahead of the store's clock, and a
//! temporary raise of that bound.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use super::Wallet;
use crate::ledger::Timestamp;

/// The greatest bound after a raise: seven days.
pub const MAX_AHEAD_RAISE: Duration = Duration::from_secs(7 * 86_400);
/// The longest duration of a raise: a day.
pub const MAX_RAISE_LIFE: Duration = Duration::from_secs(86_400);

/// A raise that is in effect.
#[derive(Debug, Clone, Copy)]
struct Raise {
    bound: Duration,
    until: Timestamp,
}

/// The raised bound, if a raise is in effect.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<Option<Raise>>);

impl Ahead {
    /// The bound at `now`. `usual` is the bound without a raise.
    pub(super) fn bound(&self, usual: Duration, now: Timestamp) -> Duration {
        let raise = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raise
            .filter(|raise| now < raise.until)
            .map_or(usual, |raise| raise.bound.max(usual))
    }

    fn set(&self, raise: Raise) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(raise);
    }
}

impl Wallet {
    /// Lets accounts' times be ahead of the store's clock by up to `bound`, until
    /// `until` by the service's clock. Use it after the store's clock stepped
    /// forward and was corrected. Accounts that were used meanwhile refuse every
    /// request with [`ClockBehind`](crate::service::WalletError::ClockBehind).
    ///
    /// Nothing is rewritten. New effects of these accounts get the account's latest
    /// time, which is in the future, until the clock has caught up. A later raise
    /// replaces this one. The raise is valid for this process and ends with it. The
    /// service does not log it, so the host should.
    ///
    /// # Errors
    /// [`RaiseError`]: nothing is changed.
    pub fn raise_max_ahead(&self, bound: Duration, until: Timestamp) -> Result<(), RaiseError> {
        let now = self.shared.clock.now();
        if bound > MAX_AHEAD_RAISE {
            return Err(RaiseError::TooFar);
        }
        if until <= now {
            return Err(RaiseError::Over);
        }
        if until > now.saturating_add(MAX_RAISE_LIFE) {
            return Err(RaiseError::TooLong);
        }
        self.shared.ahead.set(Raise { bound, until });
        Ok(())
    }

    /// The current bound on how far accounts' times may be ahead of the store's
    /// clock.
    #[must_use]
    pub fn max_ahead(&self) -> Duration {
        self.shared.max_ahead()
    }
}

/// The reason why the bound is not raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RaiseError {
    /// The bound exceeds [`MAX_AHEAD_RAISE`].
    #[error("the bound cannot be raised beyond seven days")]
    TooFar,
    /// The raise lasts longer than [`MAX_RAISE_LIFE`].
    #[error("a raise cannot last longer than a day")]
    TooLong,
    /// The end of the raise is already past.
    #[error("the raise is over already")]
    Over,
}
