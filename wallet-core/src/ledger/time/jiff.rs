use super::{Timestamp, TimestampError};

/// Cuts the time to whole microseconds, towards the past.
///
/// ```
/// use wallet_core::Timestamp;
/// let at: jiff::Timestamp = "2026-11-28T12:34:56.0000019Z".parse()?;
/// assert_eq!(Timestamp::from(at).to_string(), "2026-11-28T12:34:56.000001Z");
/// # Ok::<(), jiff::Error>(())
/// ```
impl From<jiff::Timestamp> for Timestamp {
    fn from(at: jiff::Timestamp) -> Self {
        let micros = at.as_microsecond();
        // jiff cuts towards 1970.
        let nanos = at.subsec_nanosecond();
        let is_cut_up = nanos < 0 && nanos.rem_euclid(1_000) != 0;
        Self(if is_cut_up {
            micros.saturating_sub(1)
        } else {
            micros
        })
    }
}

/// Exact for the years -9999 to 9999.
///
/// ```
/// use wallet_core::Timestamp;
/// let at = jiff::Timestamp::try_from(Timestamp::from_micros(1))?;
/// assert_eq!(at.as_microsecond(), 1);
/// assert!(jiff::Timestamp::try_from(Timestamp::from_micros(i64::MAX)).is_err());
/// # Ok::<(), wallet_core::ledger::TimestampError>(())
/// ```
impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = TimestampError;

    fn try_from(at: Timestamp) -> Result<Self, TimestampError> {
        // The constructor from microseconds refuses the last second that jiff has.
        let nanos = i128::from(at.0).saturating_mul(1_000);
        Self::from_nanosecond(nanos).map_err(|_| TimestampError::OutOfRange)
    }
}
