use wallet_core::ledger::{CurrencyCode, format_minor, parse_minor};
use wallet_core::{Amount, Currency, Money};

/// A currency by its exponent, then a decimal.
pub(crate) fn check(bytes: &[u8]) {
    let Some((exponent, text)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let currency = currency(*exponent);
    if let Ok(code) = text.parse::<CurrencyCode>() {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(money) = Money::parse(text, currency) {
        assert!((1..=Amount::MAX.minor()).contains(&money.amount.minor()));
        let shown = money.to_string();
        let shown = shown.split(' ').next().unwrap();
        assert_eq!(Money::parse(shown, currency), Ok(money), "{text}");
    }
    if let Ok(minor) = parse_minor(text, currency) {
        let shown = format_minor(minor, currency);
        assert_eq!(parse_minor(&shown, currency), Ok(minor), "{text}");
        let has_point = shown.contains('.');
        assert_eq!(has_point, currency.exponent() > 0, "{shown}");
    }
}

fn currency(exponent: u8) -> Currency {
    Currency::new("TEST", exponent % 29).unwrap_or(Currency::iso("EUR").unwrap())
}
