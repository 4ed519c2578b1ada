use thiserror::Error;

use super::{AmountError, Currency};

/// Parses a plain decimal (`digits[.digits]`) into minor units of `currency`,
/// exactly: `"10.5"` EUR is 1050. Zero is allowed. So is every value that a balance
/// may have, which is more than an [`Amount`](super::Amount).
///
/// # Errors
/// [`DecimalError`]. Nothing is rounded. A sign, an exponent, a blank or a
/// separator is refused.
pub fn parse_minor(text: &str, currency: Currency) -> Result<i128, DecimalError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some(parts) => parts,
        None => (text, ""),
    };
    let mut digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits.all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let exponent = usize::from(currency.exponent());
    let Some(missing) = exponent.checked_sub(fraction.len()) else {
        return Err(DecimalError::TooPrecise);
    };
    let too_large = DecimalError::Amount(AmountError::TooLarge);
    let length = whole.len().saturating_add(fraction.len());
    if length > 60 {
        return Err(too_large);
    }
    let digits = whole.bytes().chain(fraction.bytes());
    let mut digits = digits.chain(std::iter::repeat_n(b'0', missing));
    // Nearly all numbers fit into the fast integer type.
    if length.saturating_add(missing) < 19 {
        let minor = digits.try_fold(0_i64, |sum, digit| {
            let value = i64::from(digit.checked_sub(b'0')?);
            sum.checked_mul(10)?.checked_add(value)
        });
        return minor.map(i128::from).ok_or(too_large);
    }
    let minor = digits.try_fold(0_i128, |sum, digit| {
        let value = i128::from(digit.checked_sub(b'0')?);
        sum.checked_mul(10)?.checked_add(value)
    });
    minor.ok_or(too_large)
}

/// Writes `minor` units of `currency` as a plain decimal with all the
/// currency's decimals: 1050 EUR is `"10.50"`, -5 EUR is `"-0.05"`.
#[must_use]
pub fn format_minor(minor: i128, currency: Currency) -> String {
    let exponent = usize::from(currency.exponent());
    let abs = minor.unsigned_abs();
    // Formatting 128-bit numbers takes several times as long.
    let digits = u64::try_from(abs).map_or_else(|_| abs.to_string(), |abs| abs.to_string());
    let mut text = String::with_capacity(digits.len().max(exponent).saturating_add(3));
    if minor < 0 {
        text.push('-');
    }
    let (whole, decimals) = digits.split_at(digits.len().saturating_sub(exponent));
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if exponent > 0 {
        text.push('.');
        let missing = exponent.saturating_sub(decimals.len());
        text.extend(std::iter::repeat_n('0', missing));
        text.push_str(decimals);
    }
    text
}

/// The reason why a text or number is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text is not `digits` or `digits.digits`.
    #[error("not a plain decimal such as 10.50")]
    Malformed,
    /// The text or number has more decimals than the currency.
    #[error("more decimals than the currency has")]
    TooPrecise,
    /// The text or number is a decimal but no [`Amount`](super::Amount).
    #[error(transparent)]
    Amount(AmountError),
}
