//! Amounts, currencies and money.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Minor, by_checked_fields};
use crate::ledger::{
    Amount, COUNTER_MAX, Currency, CurrencyCode, Money, SignedMoney, format_minor, parse_minor,
};

/// The count of minor units as text, `"1050"`.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Minor(self.minor()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Minor(minor) = Minor::deserialize(deserializer)?;
        Self::new(minor).map_err(D::Error::custom)
    }
}

/// The exponent, where ISO 4217 does not give the same one.
fn own_exponent(currency: Currency) -> Option<u8> {
    let is_iso = Currency::iso(currency.code().as_str()) == Ok(currency);
    (!is_iso).then_some(currency.exponent())
}

/// The currency of a code and of an exponent where one is given.
fn currency_of(code: CurrencyCode, exponent: Option<u8>) -> Result<Currency, String> {
    let iso = Currency::iso(code.as_str());
    match (iso, exponent) {
        (Ok(iso), None) => Ok(iso),
        (Ok(iso), Some(exponent)) if iso.exponent() == exponent => Ok(iso),
        (Ok(iso), Some(exponent)) => Err(format!(
            "{code} has {} decimals in ISO 4217, not {exponent}",
            iso.exponent()
        )),
        (Err(_), Some(exponent)) => {
            Currency::from_parts(code, exponent).map_err(|error| error.to_string())
        }
        (Err(error), None) => Err(format!(
            "{error}: {code} is not in ISO 4217, so its exponent must be given"
        )),
    }
}

/// `"EUR"`, or `"BTC:8"` outside of ISO 4217.
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match own_exponent(*self) {
            None => self.code().serialize(serializer),
            Some(exponent) => serializer.collect_str(&format_args!("{}:{exponent}", self.code())),
        }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (code, exponent) = match text.split_once(':') {
            None => (text.as_str(), None),
            Some((code, exponent)) => {
                let number = exponent
                    .parse()
                    .ok()
                    .filter(|number: &u8| number.to_string() == exponent);
                let bad = || D::Error::custom("the exponent of a currency is 0 to 18");
                (code, Some(number.ok_or_else(bad)?))
            }
        };
        let code = CurrencyCode::new(code).map_err(D::Error::custom)?;
        currency_of(code, exponent).map_err(D::Error::custom)
    }
}

/// The currency among the fields of a value with amounts.
#[derive(Serialize, Deserialize)]
pub(super) struct CurrencyFields {
    currency: CurrencyCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exponent: Option<u8>,
}

impl CurrencyFields {
    pub(super) fn of(currency: Currency) -> Self {
        Self {
            currency: currency.code(),
            exponent: own_exponent(currency),
        }
    }

    pub(super) fn value(&self) -> Result<Currency, String> {
        currency_of(self.currency, self.exponent)
    }
}

/// Money among the fields of a value.
#[derive(Serialize, Deserialize)]
pub(super) struct MoneyFields {
    amount: String,
    #[serde(flatten)]
    currency: CurrencyFields,
}

impl MoneyFields {
    pub(super) fn of(money: &Money) -> Self {
        Self::of_signed(&(*money).into())
    }

    fn of_signed(money: &SignedMoney) -> Self {
        Self {
            amount: format_minor(money.minor, money.currency),
            currency: CurrencyFields::of(money.currency),
        }
    }

    pub(super) fn value(&self) -> Result<Money, String> {
        let money = Money::parse(&self.amount, self.currency.value()?);
        money.map_err(|error| format!("amount: {error}"))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SignedFields(MoneyFields);

impl SignedFields {
    fn of(money: &SignedMoney) -> Self {
        Self(MoneyFields::of_signed(money))
    }

    fn value(&self) -> Result<SignedMoney, String> {
        let money = SignedMoney::parse(&self.0.amount, self.0.currency.value()?);
        money.map_err(|error| format!("amount: {error}"))
    }
}

by_checked_fields! {
    Money: MoneyFields,
    SignedMoney: SignedFields,
}

/// A limit, an amount of the currency.
pub(super) fn amount(name: &str, text: &str, currency: Currency) -> Result<Amount, String> {
    let money = Money::parse(text, currency);
    money
        .map(|money| money.amount)
        .map_err(|error| format!("{name}: {error}"))
}

/// A running sum: 0 to 10^38 - 1 minor units.
pub(super) fn sum(name: &str, text: &str, currency: Currency) -> Result<i128, String> {
    let sum = parse_minor(text, currency).map_err(|error| format!("{name}: {error}"))?;
    if sum > COUNTER_MAX {
        return Err(format!("{name}: above 10^38 - 1 minor units"));
    }
    Ok(sum)
}
