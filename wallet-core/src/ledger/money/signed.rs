use super::{Amount, AmountError, Currency, DecimalError, Money, format_minor, parse_minor};

/// A balance or a sum: money that may be zero or negative. It counts minor units of one
/// [`Currency`] in an `i128`. What a leg moves is [`Money`], which is never zero or
/// negative.
///
/// ```
/// use wallet_core::{Currency, SignedMoney};
/// let overdrawn = SignedMoney::new(-5, Currency::iso("EUR")?);
/// assert_eq!(overdrawn.to_string(), "-0.05 EUR");
/// assert!(overdrawn.is_negative());
/// # Ok::<(), wallet_core::ledger::CurrencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignedMoney {
    /// The count of minor units of `currency`.
    pub minor: i128,
    /// The currency.
    pub currency: Currency,
}

impl SignedMoney {
    /// `minor` minor units of `currency`.
    #[must_use]
    pub const fn new(minor: i128, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Parses a plain decimal with an optional minus sign, such as `"-10.50"`, exactly.
    ///
    /// ```
    /// use wallet_core::{Currency, SignedMoney};
    /// let eur = Currency::iso("EUR")?;
    /// assert_eq!(SignedMoney::parse("-10.5", eur)?.minor, -1_050);
    /// assert!(SignedMoney::parse("-10.505", eur).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DecimalError`] for a plus sign, an exponent, more decimals than the currency
    /// has, overflow, or any text that is no decimal. Nothing is rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, DecimalError> {
        let minor = match text.strip_prefix('-') {
            None => parse_minor(text, currency)?,
            Some(digits) => parse_minor(digits, currency)?.saturating_neg(),
        };
        Ok(Self::new(minor, currency))
    }

    /// Whether it is exactly zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.minor < 0
    }
}

impl From<Money> for SignedMoney {
    fn from(money: Money) -> Self {
        Self::new(money.amount.minor(), money.currency)
    }
}

/// Succeeds for what a leg can move.
///
/// ```
/// use wallet_core::ledger::AmountError;
/// use wallet_core::{Currency, Money, SignedMoney};
/// let balance = SignedMoney::new(1_050, Currency::iso("EUR")?);
/// assert_eq!(Money::try_from(balance)?.to_string(), "10.50 EUR");
/// let zero = SignedMoney::new(0, balance.currency);
/// assert_eq!(Money::try_from(zero), Err(AmountError::NotPositive));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl TryFrom<SignedMoney> for Money {
    type Error = AmountError;

    fn try_from(money: SignedMoney) -> Result<Self, AmountError> {
        Ok(Self {
            amount: Amount::new(money.minor)?,
            currency: money.currency,
        })
    }
}

impl std::fmt::Display for SignedMoney {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format_minor(self.minor, self.currency);
        write!(f, "{text} {}", self.currency.code())
    }
}
