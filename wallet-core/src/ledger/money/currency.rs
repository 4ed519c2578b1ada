use std::collections::BTreeMap;

use thiserror::Error;

use super::{DecimalError, Money};

/// The longest currency code, in characters.
const CODE_MAX: usize = 12;
/// The greatest number of decimals a currency may have.
const EXPONENT_MAX: u8 = 18;

/// A currency's code: 2 to 12 characters of `A-Z`, `0-9` and `_`, starting
/// with a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode {
    bytes: [u8; CODE_MAX],
    len: u8,
}

impl CurrencyCode {
    /// Checks `code` and builds the type from it.
    ///
    /// # Errors
    /// [`CurrencyError::BadCode`] when the shape differs from the one above.
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        let source = code.as_bytes();
        let shape = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_';
        let starts = source.first().is_some_and(u8::is_ascii_uppercase);
        if !starts || source.len() < 2 || !source.iter().all(shape) {
            return Err(CurrencyError::BadCode);
        }
        let mut bytes = [0; CODE_MAX];
        let target = bytes
            .get_mut(..source.len())
            .ok_or(CurrencyError::BadCode)?;
        target.copy_from_slice(source);
        let len = u8::try_from(source.len()).map_err(|_| CurrencyError::BadCode)?;
        Ok(Self { bytes, len })
    }

    /// The code as text, such as `"EUR"`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl std::fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for CurrencyCode {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::new(code)
    }
}

/// A currency: its code and its exponent, the number of decimals of its minor
/// unit (0 ..= 18). EUR has 2: one minor unit is 0.01 EUR.
///
/// ISO 4217 currencies come from the table of the crate `iso_currency`. A host
/// defines further ones with [`Currency::new`]. A store remembers the exponent of
/// every currency that it holds, and refuses another exponent later.
///
/// ```
/// use wallet_core::Currency;
/// assert_eq!(Currency::iso("JPY")?.exponent(), 0);
/// assert_eq!(Currency::new("BTC", 8)?.exponent(), 8);
/// assert!(Currency::iso("BTC").is_err());
/// # Ok::<(), wallet_core::ledger::CurrencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: CurrencyCode,
    exponent: u8,
}

impl Currency {
    /// A currency that the host defines, such as `("BTC", 8)` or `("POINTS", 0)`.
    ///
    /// # Errors
    /// [`CurrencyError::BadCode`] or [`CurrencyError::BadExponent`].
    pub fn new(code: &str, exponent: u8) -> Result<Self, CurrencyError> {
        Self::from_parts(CurrencyCode::new(code)?, exponent)
    }

    /// Builds the currency from a checked code.
    ///
    /// # Errors
    /// [`CurrencyError::BadExponent`] above 18.
    pub const fn from_parts(code: CurrencyCode, exponent: u8) -> Result<Self, CurrencyError> {
        if exponent > EXPONENT_MAX {
            return Err(CurrencyError::BadExponent);
        }
        Ok(Self { code, exponent })
    }

    /// A currency of ISO 4217 by its three-letter code.
    ///
    /// # Errors
    /// [`CurrencyError::Unknown`] when ISO 4217 has no such code or gives it no
    /// minor unit (gold, test codes).
    pub fn iso(code: &str) -> Result<Self, CurrencyError> {
        let known = iso_currency::Currency::from_code(code).ok_or(CurrencyError::Unknown)?;
        let exponent = known.exponent().ok_or(CurrencyError::Unknown)?;
        let exponent = u8::try_from(exponent).map_err(|_| CurrencyError::BadExponent)?;
        Self::new(code, exponent)
    }

    /// Parses an amount of this currency, exactly: see [`Money::parse`].
    ///
    /// ```
    /// let eur = wallet_core::Currency::iso("EUR")?;
    /// assert_eq!(eur.parse("10.50")?.to_string(), "10.50 EUR");
    /// assert!(eur.parse("10.505").is_err());
    /// # Ok::<(), wallet_core::WalletError>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`Money::parse`].
    pub fn parse(self, amount: &str) -> Result<Money, DecimalError> {
        Money::parse(amount, self)
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> CurrencyCode {
        self.code
    }

    /// The number of decimals, 0 ..= 18.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }
}

/// Finds a [`Currency`] by its code, in ISO 4217 and in the host's registered
/// currencies.
///
/// This is for the edges of a program (JSON bodies, command lines), where a
/// currency is only a code.
#[derive(Debug, Clone, Default)]
pub struct CurrencyTable {
    own: BTreeMap<CurrencyCode, Currency>,
}

impl CurrencyTable {
    /// The table of ISO 4217 alone.
    #[must_use]
    pub fn iso() -> Self {
        Self::default()
    }

    /// Adds a currency of the host.
    ///
    /// # Errors
    /// [`CurrencyError::Registered`] when the code already means another
    /// exponent, in ISO 4217 or by an earlier call.
    pub fn register(&mut self, currency: Currency) -> Result<(), CurrencyError> {
        match self.find(currency.code().as_str()) {
            Ok(known) if known != currency => Err(CurrencyError::Registered),
            Ok(_) | Err(_) => {
                self.own.insert(currency.code(), currency);
                Ok(())
            }
        }
    }

    /// The currency with this code.
    ///
    /// # Errors
    /// [`CurrencyError::BadCode`] or [`CurrencyError::Unknown`].
    pub fn find(&self, code: &str) -> Result<Currency, CurrencyError> {
        let code = CurrencyCode::new(code)?;
        match self.own.get(&code) {
            Some(own) => Ok(*own),
            None => Currency::iso(code.as_str()),
        }
    }
}

/// The reason why a currency is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CurrencyError {
    /// The shape is not 2 to 12 characters of `A-Z 0-9 _`.
    #[error("a currency code is 2 to 12 characters of A-Z, 0-9 and _, starting with a letter")]
    BadCode,
    /// The exponent is above 18.
    #[error("a currency has 0 to 18 decimals")]
    BadExponent,
    /// The code is neither in ISO 4217 nor registered.
    #[error("unknown currency")]
    Unknown,
    /// The code already has another exponent.
    #[error("the currency code is already registered with another exponent")]
    Registered,
}
