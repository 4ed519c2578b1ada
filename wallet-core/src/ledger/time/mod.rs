//! Points in time: whole microseconds since 1970-01-01T00:00:00Z.
//!
//! [`Timestamp`] is an integer. `rfc3339` writes it as text and reads it. The
//! conversions from and to other crates' types are behind the features `jiff` and
//! `chrono`.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
mod rfc3339;

use std::time::Duration;

use thiserror::Error;

/// A point in time in microseconds since the Unix epoch, UTC, without leap
/// seconds. Negative before 1970.
///
/// It is shown as RFC 3339 in UTC, always with six digits of the second's fraction,
/// so that the order of the texts is the order of the times. It is parsed from any
/// text of RFC 3339.
///
/// ```
/// use wallet_core::Timestamp;
/// let at = Timestamp::from_micros(1_795_869_296_000_001);
/// assert_eq!(at.to_string(), "2026-11-28T12:34:56.000001Z");
/// assert_eq!("2026-11-28T13:34:56.000001+01:00".parse(), Ok(at));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The point `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// `self + duration`, at most the greatest representable time.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// `self - duration`, at least the least representable time.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// The time from `earlier` to `self`; zero when `self` is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_micros(micros.unsigned_abs())
    }
}

/// The reason why a text or a value is no [`Timestamp`], or a time has no value of
/// another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text does not have the form of RFC 3339.
    #[error("not a time of RFC 3339 such as 2026-11-28T12:34:56Z")]
    Malformed,
    /// The text has the form, but no such date, hour, minute, second or offset
    /// exists: 30 February, 24:00:00, +24:00.
    #[error("a date, a time of day or an offset that does not exist")]
    NoSuchTime,
    /// The other type does not reach this time.
    #[error("a time out of range")]
    OutOfRange,
}
