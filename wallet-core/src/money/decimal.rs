use thiserror::Error;

use super::{AmountError, Currency};

/// Reads a plain decimal (`digits[.digits]`) into minor units of `currency`,
/// exactly: `"10.5"` EUR is 1050. Zero is allowed here, and whatever a balance may
/// be, which is more than an amount.
///
/// # Errors
/// [`DecimalError`]; nothing is rounded, no sign, exponent, blank or separator
/// is accepted.
pub fn parse_minor(text: &str, currency: Currency) -> Result<i128, DecimalError> {
    let plain = |b: u8| b.is_ascii_digit() || b == b'.';
    let (first, last) = (text.bytes().next(), text.bytes().next_back());
    let ends_in_digits = [first, last]
        .iter()
        .all(|b| b.is_some_and(|b| b.is_ascii_digit()));
    if !ends_in_digits || !text.bytes().all(plain) {
        return Err(DecimalError::Malformed);
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if text.bytes().filter(|b| *b == b'.').count() > 1 {
        return Err(DecimalError::Malformed);
    }
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len());
    if decimals > usize::from(currency.exponent()) {
        return Err(DecimalError::TooPrecise);
    }
    if digits > 60 {
        return Err(DecimalError::Amount(AmountError::TooLarge));
    }
    let missing = usize::from(currency.exponent()).saturating_sub(decimals);
    let digits = text.bytes().filter(u8::is_ascii_digit);
    digits
        .chain(std::iter::repeat_n(b'0', missing))
        .try_fold(0_i128, |sum, digit| {
            let value = i128::from(digit.checked_sub(b'0')?);
            sum.checked_mul(10)?.checked_add(value)
        })
        .ok_or(DecimalError::Amount(AmountError::TooLarge))
}

/// Writes `minor` units of `currency` as a plain decimal with all the
/// currency's decimals: 1050 EUR is `"10.50"`, -5 EUR is `"-0.05"`.
#[must_use]
pub fn format_minor(minor: i128, currency: Currency) -> String {
    let exponent = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs().to_string();
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    let width = exponent.saturating_add(1);
    let padded = format!("{digits:0>width$}");
    let point = padded.len().saturating_sub(exponent);
    let (whole, fraction) = padded.split_at(point);
    format!("{sign}{whole}.{fraction}")
}

/// Why a text is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Not `digits` or `digits.digits`.
    #[error("not a plain decimal such as 10.50")]
    Malformed,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has")]
    TooPrecise,
    /// A decimal, but no [`Amount`](super::Amount).
    #[error(transparent)]
    Amount(AmountError),
}
