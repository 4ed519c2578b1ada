use thiserror::Error;

/// A count of minor units: an integer, 1 ..= 10^28 - 1, never a float.
///
/// The upper end is the greatest whole number of 28 digits, so that every
/// amount fits `rust_decimal::Decimal` and `DECIMAL(28,0)` exactly.
///
/// ```
/// use wallet_core::Amount;
/// let cents = Amount::new(1050)?;
/// assert_eq!(cents.minor(), 1050);
/// assert!(Amount::new(0).is_err());
/// # Ok::<(), wallet_core::ledger::AmountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// One minor unit.
    pub const MIN: Self = Self(1);
    /// 10^28 - 1 minor units.
    pub const MAX: Self = Self(9_999_999_999_999_999_999_999_999_999);

    /// An amount of `minor` minor units.
    ///
    /// # Errors
    /// [`AmountError::NotPositive`] below 1, [`AmountError::TooLarge`] above
    /// 10^28 - 1.
    pub const fn new(minor: i128) -> Result<Self, AmountError> {
        if minor < Self::MIN.0 {
            Err(AmountError::NotPositive)
        } else if minor > Self::MAX.0 {
            Err(AmountError::TooLarge)
        } else {
            Ok(Self(minor))
        }
    }

    /// The count of minor units, 1 ..= 10^28 - 1.
    #[must_use]
    pub const fn minor(self) -> i128 {
        self.0
    }
}

impl TryFrom<i128> for Amount {
    type Error = AmountError;

    fn try_from(minor: i128) -> Result<Self, AmountError> {
        Self::new(minor)
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The reason why a number is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Zero or negative.
    #[error("an amount must be greater than zero")]
    NotPositive,
    /// Above 10^28 - 1 minor units.
    #[error("an amount must not exceed 10^28 - 1 minor units")]
    TooLarge,
}
