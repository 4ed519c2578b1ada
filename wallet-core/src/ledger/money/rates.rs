//! Percentages and rates of money. The product is exact and is rounded once, as the
//! caller names it.

use rust_decimal::Decimal;
use thiserror::Error;

use super::proportion::divided_product;
use super::{AmountError, Money};

/// How a result between two minor units becomes a whole number of them.
///
/// There is no default: the caller names the rounding at every calculation. All
/// amounts are positive, so down is towards zero.
///
/// ```
/// use rust_decimal::Decimal;
/// use wallet_core::ledger::Rounding;
/// use wallet_core::{Currency, Money};
/// let price = Money::parse("0.20", Currency::iso("EUR")?)?;
/// let percent = Decimal::new(125, 1);
/// // 12.5 percent of 0.20 is 0.025: exactly between 0.02 and 0.03.
/// for (rounding, fee) in [
///     (Rounding::Down, "0.02 EUR"),
///     (Rounding::Up, "0.03 EUR"),
///     (Rounding::HalfDown, "0.02 EUR"),
///     (Rounding::HalfUp, "0.03 EUR"),
///     (Rounding::HalfEven, "0.02 EUR"),
/// ] {
///     assert_eq!(price.percent(percent, rounding)?.to_string(), fee);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The lower of the two units, however little is missing.
    Down,
    /// The higher of the two units, however little is over.
    Up,
    /// The nearest unit; from exactly between two units, the lower one.
    HalfDown,
    /// The nearest unit; from exactly between two units, the higher one.
    HalfUp,
    /// The nearest unit; from exactly between two units, the even one (banker's
    /// rounding).
    HalfEven,
}

impl Rounding {
    /// Whether `quotient` and a `remainder` above zero, both of a division by `whole`,
    /// become the next higher number.
    fn rounds_up(self, quotient: u128, remainder: u128, whole: u128) -> bool {
        if remainder == 0 {
            return false;
        }
        // The same as comparing twice the remainder with the whole, without an overflow.
        let half = remainder.cmp(&whole.saturating_sub(remainder));
        match self {
            Self::Down => false,
            Self::Up => true,
            Self::HalfDown => half.is_gt(),
            Self::HalfUp => half.is_ge(),
            Self::HalfEven => half.is_gt() || half.is_eq() && quotient.rem_euclid(2) == 1,
        }
    }
}

impl Money {
    /// This money times a `rate`: an exchange factor, a discount, a quantity. The product
    /// is exact; then it is rounded once, to whole minor units of the same currency.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::ledger::Rounding;
    /// use wallet_core::{Currency, Money};
    /// let price = Money::parse("10.50", Currency::iso("EUR")?)?;
    /// // 10.50 * 0.029 = 0.3045
    /// let fee = price.times(Decimal::new(29, 3), Rounding::HalfEven)?;
    /// assert_eq!(fee.to_string(), "0.30 EUR");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AmountError::NotPositive`] for a rate of zero or below, and where the result is
    /// rounded to zero: no leg moves nothing. [`AmountError::TooLarge`] above
    /// 10^28 - 1 minor units.
    pub fn times(self, rate: Decimal, rounding: Rounding) -> Result<Self, AmountError> {
        self.scaled(rate, rate.scale(), rounding)
    }

    /// `percent` percent of this money: `2.9` is 2.9 percent. It is
    /// [`times`](Self::times) with a hundredth of the number.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::ledger::Rounding;
    /// use wallet_core::{Currency, Money};
    /// let price = Money::parse("10.50", Currency::iso("EUR")?)?;
    /// let fee = price.percent(Decimal::new(29, 1), Rounding::Up)?;
    /// assert_eq!(fee.to_string(), "0.31 EUR");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`times`](Self::times).
    pub fn percent(self, percent: Decimal, rounding: Rounding) -> Result<Self, AmountError> {
        self.scaled(percent, percent.scale().saturating_add(2), rounding)
    }

    /// This money times the digits of `factor`, divided by 10^`scale`.
    fn scaled(self, factor: Decimal, scale: u32, rounding: Rounding) -> Result<Self, AmountError> {
        let digits = u128::try_from(factor.mantissa()).map_err(|_| AmountError::NotPositive)?;
        let amount = u128::try_from(self.amount.minor()).map_err(|_| AmountError::NotPositive)?;
        let minor = ten_to(scale).and_then(|whole| {
            let (quotient, remainder) = divided_product(amount, digits, whole)?;
            let up = u128::from(rounding.rounds_up(quotient, remainder, whole));
            i128::try_from(quotient.checked_add(up)?).ok()
        });
        Self::minor(minor.ok_or(AmountError::TooLarge)?, self.currency)
    }
}

/// The basis points of a percentage, exactly: 12.5 percent is 1,250.
///
/// ```
/// use rust_decimal::Decimal;
/// use wallet_core::ledger::{PercentError, basis_points};
/// assert_eq!(basis_points(Decimal::new(125, 1)), Ok(1_250));
/// assert_eq!(basis_points(Decimal::new(33_333, 3)), Err(PercentError::TooPrecise));
/// assert_eq!(basis_points(Decimal::ZERO), Err(PercentError::OutOfRange));
/// ```
///
/// # Errors
/// [`PercentError`]. Nothing is rounded.
pub fn basis_points(percent: Decimal) -> Result<u32, PercentError> {
    let digits = percent.normalize();
    let bp = match digits.scale() {
        0 => digits.mantissa().checked_mul(100),
        1 => digits.mantissa().checked_mul(10),
        2 => Some(digits.mantissa()),
        _ => return Err(PercentError::TooPrecise),
    };
    let bp = bp.filter(|bp| (1..=10_000).contains(bp));
    let bp = bp.and_then(|bp| u32::try_from(bp).ok());
    bp.ok_or(PercentError::OutOfRange)
}

/// The reason why a percentage is no share of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PercentError {
    /// The percentage is finer than a basis point, 0.01 percent.
    #[error("a share has at most two decimals of a percent")]
    TooPrecise,
    /// The percentage is not 0.01 to 100.
    #[error("a share is 0.01 to 100 percent")]
    OutOfRange,
}

/// 10^`power`, where it fits.
pub(super) fn ten_to(power: u32) -> Option<u128> {
    10_u128.checked_pow(power)
}
