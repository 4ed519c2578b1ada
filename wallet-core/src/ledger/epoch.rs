//! Epochs separate the state before a restore or failover that lost commits from
//! the state after it.

use std::fmt;

use thiserror::Error;

use crate::ledger::{RaisedBy, Timestamp, Version};

/// A number that rises each time a database goes back to an earlier state: to the next
/// number, or to the seconds since 1970 if that is greater. It is 1 while the database
/// never went back, and at most 2^53 - 1.
///
/// Every answer and event names the epoch that it was written in. Of two states of
/// an account, the state of the later epoch is the newer one, whatever their
/// versions are. See [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

/// The reason why no epoch was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EpochError {
    /// The time that the database was restored to is later than its clock.
    #[error("a database cannot be restored to a time that lies ahead")]
    RestoredToLater,
    /// No number is left.
    #[error("the numbers of epochs are used up")]
    UsedUp,
}

impl Epoch {
    /// The epoch of a database that never went back.
    pub const FIRST: Self = Self(1);
    /// The greatest number. Every program that reads JSON represents it exactly.
    pub const MAX: u64 = (1 << 53) - 1;

    /// The epoch of a number from 1 to [`Epoch::MAX`].
    ///
    /// ```
    /// use wallet_core::ledger::Epoch;
    /// assert_eq!(Epoch::new(1), Some(Epoch::FIRST));
    /// assert_eq!((Epoch::new(0), Epoch::new(Epoch::MAX + 1)), (None, None));
    /// ```
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number >= 1 && number <= Self::MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The number as a database stores it.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// The epoch that a raise at `now` begins: the whole seconds since 1970, or the
    /// next number where that is greater. `None` when the numbers are used up.
    ///
    /// Two restores from one backup begin with the same number in the database. The
    /// clock separates their epochs. The second restore gets a greater number than
    /// the first one, although the backup does not contain the first one.
    ///
    /// ```
    /// use wallet_core::Timestamp;
    /// use wallet_core::ledger::Epoch;
    /// let first = Epoch::FIRST.next(Timestamp::from_micros(1_800_000_000_000_000)).unwrap();
    /// assert_eq!(first.number(), 1_800_000_000);
    /// let again = Epoch::FIRST.next(Timestamp::from_micros(1_800_000_600_000_000)).unwrap();
    /// assert!(again > first);
    /// assert_eq!(Epoch::FIRST.next(Timestamp::EPOCH), Epoch::new(2));
    /// ```
    #[must_use]
    pub fn next(self, now: Timestamp) -> Option<Self> {
        let seconds = now.as_micros().div_euclid(1_000_000).max(0);
        Self::new(self.0.checked_add(1)?.max(seconds.unsigned_abs()))
    }
}

impl Default for Epoch {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in an account's effects, ordered by epoch, then by version.
///
/// ```
/// use wallet_core::ledger::{Epoch, Position};
/// let lost = Position::new(Epoch::FIRST, 7);
/// let after_the_restore = Position::new(Epoch::new(2).unwrap(), 6);
/// assert!(after_the_restore > lost);
/// assert!(Position::default() < Position::new(Epoch::FIRST, 1));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The epoch.
    pub epoch: Epoch,
    /// The account's version; 0 before its first effect.
    pub version: Version,
}

impl Position {
    /// Before the first effect.
    pub const START: Self = Self::new(Epoch::FIRST, 0);

    /// The position of a version in an epoch.
    #[must_use]
    pub const fn new(epoch: Epoch, version: Version) -> Self {
        Self { epoch, version }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.version)
    }
}

/// An epoch that was raised, as the database stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedEpoch {
    /// The epoch's number, at least 2.
    pub epoch: Epoch,
    /// The state that the database went back to. All commits up to this time are in
    /// it. Later commits of earlier epochs may be lost.
    pub restored_to: Timestamp,
    /// The time of the raise, by the store's clock.
    pub raised_at: Timestamp,
    /// The operator or program that raised the epoch.
    pub by: RaisedBy,
}

/// The data about a raise that readers of events need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Restore {
    /// The epoch that was raised.
    pub epoch: Epoch,
    /// All commits up to this time are in the database. Later commits of earlier
    /// epochs may be lost.
    pub restored_to: Timestamp,
}

impl Restore {
    /// The time after which effects of `epoch` may be lost, according to these
    /// restores. `None` where no restore is later than the epoch.
    #[must_use]
    pub fn lost_after(restores: &[Self], epoch: Epoch) -> Option<Timestamp> {
        let later = restores.iter().filter(|one| one.epoch > epoch);
        later.map(|one| one.restored_to).min()
    }

    /// The epoch of a database that went through these restores.
    #[must_use]
    pub fn current(restores: &[Self]) -> Epoch {
        let epochs = restores.iter().map(|one| one.epoch);
        epochs.max().unwrap_or(Epoch::FIRST)
    }

    /// Whether a database certainly holds an effect of `epoch` at `at`. `restores`
    /// must be all restores that the database went through. A later restore erased
    /// any epoch that is not among them, with all its effects.
    ///
    /// ```
    /// use wallet_core::Timestamp;
    /// use wallet_core::ledger::{Epoch, Restore};
    /// let at = Timestamp::from_micros;
    /// let [two, three] = [2, 3].map(|number| Epoch::new(number).unwrap());
    /// let restores = [Restore { epoch: three, restored_to: at(50) }];
    /// assert!(Restore::holds(&restores, Epoch::FIRST, at(50)));
    /// assert!(!Restore::holds(&restores, Epoch::FIRST, at(51)));
    /// assert!(!Restore::holds(&restores, two, at(40)));
    /// assert!(Restore::holds(&restores, three, at(99)));
    /// ```
    #[must_use]
    pub fn holds(restores: &[Self], epoch: Epoch, at: Timestamp) -> bool {
        let is_own = epoch == Epoch::FIRST || restores.iter().any(|one| one.epoch == epoch);
        is_own && Self::lost_after(restores, epoch).is_none_or(|last| at <= last)
    }
}

/// The epochs of a database: every raise in order, none for a database that
/// never went back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epochs {
    raised: Vec<RaisedEpoch>,
}

impl Epochs {
    /// Builds the epochs from these raises, in any order.
    #[must_use]
    pub fn new(mut raised: Vec<RaisedEpoch>) -> Self {
        raised.sort_by_key(|one| one.epoch);
        Self { raised }
    }

    /// The current epoch.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.raised.last().map_or(Epoch::FIRST, |last| last.epoch)
    }

    /// Every raise, the oldest first.
    #[must_use]
    pub fn raised(&self) -> &[RaisedEpoch] {
        &self.raised
    }

    /// The time after which effects of `epoch` may be lost: the least of the times
    /// that the database went back to since. `None` while `epoch` is the current
    /// one.
    #[must_use]
    pub fn lost_after(&self, epoch: Epoch) -> Option<Timestamp> {
        let later = self.raised.iter().filter(|one| one.epoch > epoch);
        later.map(|one| one.restored_to).min()
    }

    /// The newest restores, at most `most`, the oldest first. The oldest of them
    /// stands for all restores before it, with the least of their times.
    #[must_use]
    pub fn restores(&self, most: usize) -> Vec<Restore> {
        let cut = self.raised.len().saturating_sub(most);
        let (old, new) = self.raised.split_at(cut);
        let restore = |one: &RaisedEpoch| Restore {
            epoch: one.epoch,
            restored_to: one.restored_to,
        };
        let mut restores: Vec<Restore> = new.iter().map(restore).collect();
        let least = old.iter().map(|one| one.restored_to).min();
        if let (Some(first), Some(least)) = (restores.first_mut(), least) {
            first.restored_to = first.restored_to.min(least);
        }
        restores
    }

    /// Every restore, the oldest first.
    #[must_use]
    pub fn all_restores(&self) -> Vec<Restore> {
        self.restores(usize::MAX)
    }

    /// Whether an effect of `epoch` at `at` may be lost: its epoch is earlier than
    /// the current one, and `at` is later than the time of the restored state.
    #[must_use]
    pub fn may_be_lost(&self, epoch: Epoch, at: Timestamp) -> bool {
        self.lost_after(epoch).is_some_and(|last| at > last)
    }

    /// The epoch that a raise at `now` leads to. The raise is idempotent: if the
    /// last raise was by the same operator for the same time, the current epoch is
    /// returned. Every store uses this function to raise an epoch.
    ///
    /// # Errors
    /// [`EpochError`]: no epoch is raised.
    pub fn raise(
        &self,
        restored_to: Timestamp,
        by: &RaisedBy,
        now: Timestamp,
    ) -> Result<RaisedEpoch, EpochError> {
        let asked_before = |last: &&RaisedEpoch| last.restored_to == restored_to && last.by == *by;
        if let Some(last) = self.raised.last().filter(asked_before) {
            return Ok(last.clone());
        }
        if restored_to > now {
            return Err(EpochError::RestoredToLater);
        }
        let epoch = self.current().next(now).ok_or(EpochError::UsedUp)?;
        Ok(RaisedEpoch {
            epoch,
            restored_to,
            raised_at: now,
            by: by.clone(),
        })
    }

    /// The same epochs with one more raise.
    #[must_use]
    pub fn with(&self, raised: RaisedEpoch) -> Self {
        let mut all = self.raised.clone();
        if all.iter().all(|one| one.epoch != raised.epoch) {
            all.push(raised);
        }
        Self::new(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(number: u64, restored_to: i64) -> RaisedEpoch {
        RaisedEpoch {
            epoch: Epoch::new(number).unwrap(),
            restored_to: Timestamp::from_micros(restored_to),
            raised_at: Timestamp::from_micros(restored_to.saturating_add(10)),
            by: RaisedBy::new("ops").unwrap(),
        }
    }

    #[test]
    fn what_may_be_lost_follows_from_the_least_time_since() {
        let epochs = Epochs::new(vec![raised(5, 40), raised(2, 50)]);
        let at = Timestamp::from_micros;
        assert_eq!(epochs.current().number(), 5);
        assert_eq!(epochs.lost_after(Epoch::FIRST), Some(at(40)));
        assert_eq!(epochs.lost_after(Epoch::new(5).unwrap()), None);
        assert!(epochs.may_be_lost(Epoch::FIRST, at(41)));
        assert!(!epochs.may_be_lost(Epoch::FIRST, at(40)));
        assert!(!epochs.may_be_lost(Epoch::new(5).unwrap(), at(99)));
        assert_eq!(Epochs::default().lost_after(Epoch::FIRST), None);
    }

    #[test]
    fn the_oldest_restore_that_is_named_stands_for_all_before_it() {
        let epochs = Epochs::new(vec![
            raised(2, 50),
            raised(3, 90),
            raised(4, 70),
            raised(5, 80),
        ]);
        let listed = |most| {
            let restores = epochs.restores(most).into_iter();
            let parts = restores.map(|one| (one.epoch.number(), one.restored_to.as_micros()));
            parts.collect::<Vec<_>>()
        };
        assert_eq!(listed(9), [(2, 50), (3, 90), (4, 70), (5, 80)]);
        assert_eq!(listed(2), [(4, 50), (5, 80)]);
        assert_eq!(listed(0), []);
        let lost = Restore::lost_after(&epochs.restores(2), Epoch::FIRST);
        assert_eq!(lost, epochs.lost_after(Epoch::FIRST));
    }

    #[test]
    fn numbers_are_used_up_at_the_end() {
        let last = Epoch::new(Epoch::MAX).unwrap();
        assert_eq!(last.next(Timestamp::EPOCH), None);
        assert_eq!(
            Epoch::FIRST.next(Timestamp::from_micros(i64::MIN)),
            Epoch::new(2)
        );
    }
}
