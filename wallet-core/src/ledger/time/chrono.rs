use chrono::{DateTime, Utc};

use super::{Timestamp, TimestampError};

/// Cuts the time to whole microseconds, towards the past. A leap second is the second
/// before it.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use wallet_core::Timestamp;
/// let at: DateTime<Utc> = "2026-11-28T12:34:56.0000019Z".parse()?;
/// assert_eq!(Timestamp::from(at).to_string(), "2026-11-28T12:34:56.000001Z");
/// # Ok::<(), chrono::ParseError>(())
/// ```
impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        // chrono counts a leap second as 1,000 to 1,999 ms of the second before it.
        let micros = i64::from(at.timestamp_subsec_micros()).rem_euclid(1_000_000);
        let seconds = at.timestamp().saturating_mul(1_000_000);
        Self(seconds.saturating_add(micros))
    }
}

/// Exact where chrono reaches the year, -262142 to 262142.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use wallet_core::Timestamp;
/// let at = DateTime::<Utc>::try_from(Timestamp::from_micros(1))?;
/// assert_eq!(at.timestamp_micros(), 1);
/// assert!(DateTime::<Utc>::try_from(Timestamp::from_micros(i64::MAX)).is_err());
/// # Ok::<(), wallet_core::ledger::TimestampError>(())
/// ```
impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = TimestampError;

    fn try_from(at: Timestamp) -> Result<Self, TimestampError> {
        Self::from_timestamp_micros(at.0).ok_or(TimestampError::OutOfRange)
    }
}
