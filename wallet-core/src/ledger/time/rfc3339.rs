//! Times as texts of RFC 3339.
//!
//! RFC 3339 has the years 0000 to 9999. A time of another year is written with a
//! sign and six digits of the year, as ISO 8601 expands it. [`FromStr`] reads RFC 3339
//! alone; [`Timestamp::from_shown`] reads the expanded years too.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Timestamp, TimestampError};

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;
const YEARS: RangeInclusive<i64> = 0..=9_999;

/// The days from 1 March of the year 0 to 1 January 1970.
const EPOCH_DAYS: i64 = 719_468;
/// The days of 400 years, after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with six digits: `2026-11-28T12:34:56.000001Z`.
    ///
    /// RFC 3339 has no text for a year outside 0000 to 9999. Such a year is written
    /// with a sign and six digits, as ISO 8601 expands it:
    ///
    /// ```
    /// use wallet_core::Timestamp;
    /// let last = Timestamp::from_micros(i64::MAX);
    /// assert_eq!(last.to_string(), "+294247-01-10T04:00:54.775807Z");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.0.div_euclid(DAY_MICROS));
        let micros = self.0.rem_euclid(DAY_MICROS);
        let (seconds, micros) = (
            micros.div_euclid(SECOND_MICROS),
            micros.rem_euclid(SECOND_MICROS),
        );
        let (minutes, second) = (seconds.div_euclid(60), seconds.rem_euclid(60));
        let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
        if YEARS.contains(&year) {
            write!(f, "{year:04}")?;
        } else {
            write!(f, "{year:+07}")?;
        }
        write!(
            f,
            "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
        )
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses a time of RFC 3339 with any offset. Digits after the sixth of the
    /// second's fraction are cut off. A leap second (`:60`) is the second before it.
    ///
    /// ```
    /// use wallet_core::Timestamp;
    /// use wallet_core::ledger::TimestampError;
    /// assert_eq!("1970-01-01T00:00:00Z".parse(), Ok(Timestamp::EPOCH));
    /// let refused = |text: &str| text.parse::<Timestamp>().unwrap_err();
    /// assert_eq!(refused("1970-01-01 00:00"), TimestampError::Malformed);
    /// assert_eq!(refused("1970-02-30T00:00:00Z"), TimestampError::NoSuchTime);
    /// ```
    ///
    /// # Errors
    /// [`TimestampError::Malformed`] or [`TimestampError::NoSuchTime`].
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let mut text = Parser { rest: text };
        let year = text.digits(4).ok_or(TimestampError::Malformed)?;
        text.time_in(year)
    }
}

impl Timestamp {
    /// Parses what `Display` writes of any time, and RFC 3339.
    #[cfg(feature = "serde")]
    pub(in crate::ledger) fn from_shown(text: &str) -> Result<Self, TimestampError> {
        let sign = match text.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return text.parse(),
        };
        let mut text = Parser {
            rest: text.get(1..).unwrap_or_default(),
        };
        let year = text.digits(6).ok_or(TimestampError::Malformed)?;
        let year = year.saturating_mul(sign);
        if YEARS.contains(&year) {
            return Err(TimestampError::Malformed);
        }
        text.time_in(year)
    }
}

/// Reads a text from its start.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    /// The number of exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        are_digits.then(|| digits.parse().ok())?
    }

    /// One character, in either case.
    fn letter(&mut self, letter: char) -> Option<()> {
        let mut rest = self.rest.chars();
        let is_it = rest.next()?.eq_ignore_ascii_case(&letter);
        self.rest = rest.as_str();
        is_it.then_some(())
    }

    /// `-MM-DDThh:mm:ss` as month, day, hour, minute and second.
    fn point(&mut self) -> Option<[i64; 5]> {
        let mut number = |before| {
            self.letter(before)?;
            self.digits(2)
        };
        Some([
            number('-')?,
            number('-')?,
            number('T')?,
            number(':')?,
            number(':')?,
        ])
    }

    /// The fraction of a second in microseconds, cut after the sixth digit.
    fn fraction(&mut self) -> Option<i64> {
        let Some(fraction) = self.rest.strip_prefix('.') else {
            return Some(0);
        };
        let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        let count = fraction
            .len()
            .checked_sub(rest.len())
            .filter(|count| *count > 0)?;
        self.rest = rest;
        let digits = fraction.bytes().take(count).chain(std::iter::repeat(b'0'));
        digits.take(6).try_fold(0_i64, |sum, digit| {
            let digit = i64::from(digit.checked_sub(b'0')?);
            sum.checked_mul(10)?.checked_add(digit)
        })
    }

    /// The sign, the hours and the minutes of the offset, at the end of the text.
    fn offset(&mut self) -> Option<(i64, i64, i64)> {
        let offset = match self.rest.chars().next()? {
            'Z' | 'z' => {
                self.letter('Z')?;
                (1, 0, 0)
            }
            sign => {
                self.letter(if sign == '-' { '-' } else { '+' })?;
                let hours = self.digits(2)?;
                self.letter(':')?;
                (if sign == '-' { -1 } else { 1 }, hours, self.digits(2)?)
            }
        };
        self.rest.is_empty().then_some(offset)
    }

    /// The time of the text after its `year`.
    fn time_in(mut self, year: i64) -> Result<Timestamp, TimestampError> {
        let parts = (|| Some((self.point()?, self.fraction()?, self.offset()?)))();
        let (point, micros, offset) = parts.ok_or(TimestampError::Malformed)?;
        micros_of(year, point, micros, offset).ok_or(TimestampError::NoSuchTime)
    }
}

fn micros_of(
    year: i64,
    [month, day, hour, minute, second]: [i64; 5],
    micros: i64,
    (sign, hours, minutes): (i64, i64, i64),
) -> Option<Timestamp> {
    let days = days_of(year, month, day);
    let exists = date_of(days) == (year, month, day)
        && (hour <= 23 && minute <= 59 && second <= 60)
        && (hours <= 23 && minutes <= 59);
    if !exists {
        return None;
    }
    let of_day = |hours: i64, minutes: i64| hours.checked_mul(60)?.checked_add(minutes);
    let minutes = of_day(hour, minute)?.checked_sub(of_day(hours, minutes)?.checked_mul(sign)?)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second.min(59))?;
    // The first day of the range begins before the first microsecond of the range.
    let micros = seconds.checked_mul(SECOND_MICROS)?.checked_add(micros)?;
    let whole = i128::from(days).checked_mul(i128::from(DAY_MICROS))?;
    let whole = whole.checked_add(i128::from(micros))?;
    i64::try_from(whole).ok().map(Timestamp)
}

/// Year, month and day of the day that is `days` after 1970-01-01, in the Gregorian
/// calendar. Years begin in March here, so that a leap day is the last day of its
/// year.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(EPOCH_DAYS);
    let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let leap_days = day
        .div_euclid(1_460)
        .saturating_sub(day.div_euclid(36_524))
        .saturating_add(day.div_euclid(146_096));
    let year = day.saturating_sub(leap_days).div_euclid(365);
    let day = day.saturating_sub(days_of_years(year));
    let month = day.saturating_mul(5).saturating_add(2).div_euclid(153);
    let day = day.saturating_sub(days_of_months(month)).saturating_add(1);
    let (month, next) = if month < 10 {
        (month.saturating_add(3), 0)
    } else {
        (month.saturating_sub(9), 1)
    };
    let year = cycle.saturating_mul(400).saturating_add(year);
    (year.saturating_add(next), month, day)
}

/// The days from 1970-01-01 to the date. The inverse of [`date_of`] where the date
/// exists.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 {
        year.saturating_sub(1)
    } else {
        year
    };
    let month = month.saturating_add(9).rem_euclid(12);
    days_of_years(year)
        .saturating_add(days_of_months(month))
        .saturating_add(day.saturating_sub(1))
        .saturating_sub(EPOCH_DAYS)
}

/// The days before year `years`, counted from the year 0.
fn days_of_years(years: i64) -> i64 {
    years
        .saturating_mul(365)
        .saturating_add(years.div_euclid(4))
        .saturating_sub(years.div_euclid(100))
        .saturating_add(years.div_euclid(400))
}

/// The days before month `months` of a year, counted from March.
fn days_of_months(months: i64) -> i64 {
    months.saturating_mul(153).saturating_add(2).div_euclid(5)
}
