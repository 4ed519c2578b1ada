//! How far accounts' times may run ahead of the store's clock, and a raise of that
//! bound which is limited in time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use super::Wallet;
use crate::ledger::Timestamp;

/// The furthest that the bound can be raised: seven days.
pub const MAX_AHEAD_RAISE: Duration = Duration::from_secs(7 * 86_400);
/// The longest that a raise lasts: a day.
pub const MAX_RAISE_LIFE: Duration = Duration::from_secs(86_400);

/// A raise that was asked for.
#[derive(Debug, Clone, Copy)]
struct Raise {
    bound: Duration,
    until: Timestamp,
}

/// The bound as it is raised for now, if it is.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<Option<Raise>>);

impl Ahead {
    /// The bound at `now`, where `usual` holds without a raise.
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
    /// Lets accounts' times run ahead of the store's clock by up to `bound`, until
    /// `until` by the service's clock: the way out where the store's clock stepped
    /// forward, was set right, and accounts that were used meanwhile refuse
    /// everything as [`ClockBehind`](crate::service::WalletError::ClockBehind).
    ///
    /// Nothing is rewritten: what these accounts do takes their latest time, which
    /// lies in the future by as much, until the clock has caught up. A later raise
    /// takes the place of this one; it holds for this process and is forgotten at
    /// its end. Log it: nobody else does.
    ///
    /// # Errors
    /// [`RaiseError`]; nothing is changed.
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

    /// How far accounts' times may run ahead of the store's clock at present.
    #[must_use]
    pub fn max_ahead(&self) -> Duration {
        self.shared.max_ahead()
    }
}

/// Why the bound is not raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RaiseError {
    /// Further than [`MAX_AHEAD_RAISE`].
    #[error("the bound cannot be raised beyond seven days")]
    TooFar,
    /// Longer than [`MAX_RAISE_LIFE`].
    #[error("a raise cannot last longer than a day")]
    TooLong,
    /// Its end has come already.
    #[error("the raise is over already")]
    Over,
}
