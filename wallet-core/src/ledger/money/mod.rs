//! Money: exact integers in a currency's minor units, never floats.
//!
//! | type | what it counts | range |
//! |---|---|---|
//! | [`Amount`] | what one leg moves | 1 ..= 10^28 - 1 |
//! | [`Money`] | an [`Amount`] of one [`Currency`] | the same |
//! | [`SignedMoney`] | a balance: [`Money`] with a sign, or zero | any `i128` |
//! | [`Counters`](crate::ledger::Counters), balances | running sums (`i128`) | up to 10^38 - 1 |
//!
//! Decimals such as `"10.50"` exist only at the edges. [`Money::parse`] reads them
//! exactly or not at all, and [`format_minor`] writes them. With the feature `decimal`,
//! [`Money`] converts from and to `rust_decimal::Decimal`, and takes percentages and
//! rates.

mod amount;
mod currency;
mod decimal;
mod proportion;
#[cfg(feature = "decimal")]
mod rates;
#[cfg(feature = "decimal")]
mod rust_decimal;
mod signed;
mod split;

pub use amount::{Amount, AmountError};
pub use currency::{Currency, CurrencyCode, CurrencyError, CurrencyTable};
pub use decimal::{DecimalError, format_minor, parse_minor};
pub(crate) use proportion::cut_in_proportion;
#[cfg(feature = "decimal")]
pub use rates::{PercentError, Rounding, basis_points};
pub use signed::SignedMoney;
pub use split::{SplitError, split_amount};

/// The greatest value of a running counter: 10^38 - 1, which is the maximum of
/// `DECIMAL(38,0)`.
pub const COUNTER_MAX: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// An [`Amount`] of one [`Currency`].
///
/// ```
/// use wallet_core::{Currency, Money};
/// let price = Money::parse("10.50", Currency::iso("EUR")?)?;
/// assert_eq!(price.amount.minor(), 1050);
/// assert_eq!(price.to_string(), "10.50 EUR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount, in minor units of `currency`.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` minor units of `currency`: `Money::minor(1050, EUR)` is 10.50 EUR.
    ///
    /// # Errors
    /// [`AmountError`] when `minor` is not in 1 ..= 10^28 - 1.
    pub fn minor(minor: i128, currency: Currency) -> Result<Self, AmountError> {
        Ok(Self {
            amount: Amount::new(minor)?,
            currency,
        })
    }

    /// Parses a plain decimal such as `"10.50"`, exactly.
    ///
    /// # Errors
    /// [`DecimalError`] for a sign, an exponent, more decimals than the currency
    /// has, zero, overflow, or any text that is no decimal. Nothing is rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, DecimalError> {
        let minor = parse_minor(text, currency)?;
        Self::minor(minor, currency).map_err(DecimalError::Amount)
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format_minor(self.amount.minor(), self.currency);
        write!(f, "{text} {}", self.currency.code())
    }
}
