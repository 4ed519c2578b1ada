use rust_decimal::Decimal;

use super::rates::ten_to;
use super::{AmountError, Currency, DecimalError, Money, SignedMoney};

impl Money {
    /// The money of a decimal, exactly: nothing is rounded.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::ledger::DecimalError;
    /// use wallet_core::{Currency, Money};
    /// let eur = Currency::iso("EUR")?;
    /// let price = Money::from_decimal(Decimal::new(10_500, 3), eur)?;
    /// assert_eq!(price.to_string(), "10.50 EUR");
    /// let finer = Money::from_decimal(Decimal::new(10_505, 3), eur);
    /// assert_eq!(finer, Err(DecimalError::TooPrecise));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DecimalError::Amount`] with [`AmountError::NotPositive`] for zero and below,
    /// [`DecimalError::TooPrecise`] for a digit other than zero beyond the currency's
    /// decimals, [`DecimalError::Amount`] with [`AmountError::TooLarge`] above
    /// 10^28 - 1 minor units.
    pub fn from_decimal(decimal: Decimal, currency: Currency) -> Result<Self, DecimalError> {
        if decimal.mantissa() <= 0 {
            return Err(DecimalError::Amount(AmountError::NotPositive));
        }
        let minor = minor_of(decimal, currency)?;
        Self::minor(minor, currency).map_err(DecimalError::Amount)
    }

    /// The decimal, always exact, with all the currency's decimals. The greatest amount
    /// has 94 bits, and a currency has at most 18 decimals; `Decimal` has 96 and 28.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::{Currency, Money};
    /// let price = Money::parse("10.5", Currency::iso("EUR")?)?;
    /// assert_eq!(price.to_decimal(), Decimal::new(1_050, 2));
    /// assert_eq!(price.to_decimal().to_string(), "10.50");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        let bytes = self.amount.minor().to_le_bytes();
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, ..] = bytes;
        let low = u32::from_le_bytes([b0, b1, b2, b3]);
        let middle = u32::from_le_bytes([b4, b5, b6, b7]);
        let high = u32::from_le_bytes([b8, b9, b10, b11]);
        let scale = u32::from(self.currency.exponent());
        Decimal::from_parts(low, middle, high, false, scale)
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        money.to_decimal()
    }
}

impl SignedMoney {
    /// The signed money of a decimal, exactly: nothing is rounded.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::{Currency, SignedMoney};
    /// let eur = Currency::iso("EUR")?;
    /// assert_eq!(SignedMoney::from_decimal(Decimal::new(-5, 2), eur)?.minor, -5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DecimalError::TooPrecise`] for a digit other than zero beyond the currency's
    /// decimals, [`DecimalError::Amount`] with [`AmountError::TooLarge`] above the
    /// range of an `i128`.
    pub fn from_decimal(decimal: Decimal, currency: Currency) -> Result<Self, DecimalError> {
        Ok(Self::new(minor_of(decimal, currency)?, currency))
    }

    /// The decimal, exact; `None` when the count of minor units needs more than the 96
    /// bits of `Decimal`. A balance is a sum of amounts, so it can be that great:
    /// [`minor`](Self::minor) is always exact.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::ledger::COUNTER_MAX;
    /// use wallet_core::{Currency, SignedMoney};
    /// let eur = Currency::iso("EUR")?;
    /// assert_eq!(SignedMoney::new(-5, eur).to_decimal(), Some(Decimal::new(-5, 2)));
    /// assert_eq!(SignedMoney::new(COUNTER_MAX, eur).to_decimal(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_decimal(self) -> Option<Decimal> {
        let scale = u32::from(self.currency.exponent());
        Decimal::try_from_i128_with_scale(self.minor, scale).ok()
    }
}

/// The minor units of a decimal, exactly.
fn minor_of(decimal: Decimal, currency: Currency) -> Result<i128, DecimalError> {
    let too_large = DecimalError::Amount(AmountError::TooLarge);
    let (digits, scale) = (decimal.mantissa(), decimal.scale());
    let exponent = u32::from(currency.exponent());
    if let Some(missing) = exponent.checked_sub(scale) {
        let factor = ten_to(missing).and_then(|factor| i128::try_from(factor).ok());
        let minor = factor.and_then(|factor| digits.checked_mul(factor));
        return minor.ok_or(too_large);
    }
    let beyond = ten_to(scale.saturating_sub(exponent));
    let divisor = beyond.and_then(|beyond| i128::try_from(beyond).ok());
    let divisor = divisor.ok_or(too_large)?;
    if digits.checked_rem(divisor) == Some(0) {
        digits.checked_div(divisor).ok_or(too_large)
    } else {
        Err(DecimalError::TooPrecise)
    }
}
