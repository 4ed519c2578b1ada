//! Money from and to `Decimal`, percentages and rates: exact, or rounded as named.

use proptest::prelude::*;
use rust_decimal::Decimal;
use wallet_core::ledger::Rounding::{Down, HalfDown, HalfEven, HalfUp, Up};
use wallet_core::ledger::{
    AmountError, COUNTER_MAX, DecimalError, PercentError, basis_points, split_amount,
};
use wallet_core::request::Share;
use wallet_core::{AccountId, Amount, Currency, Money, SignedMoney};

const MAX: i128 = Amount::MAX.minor();
const NOT_POSITIVE: DecimalError = DecimalError::Amount(AmountError::NotPositive);
const TOO_LARGE: DecimalError = DecimalError::Amount(AmountError::TooLarge);

fn currency(exponent: u8) -> Currency {
    Currency::new("XYZ", exponent).unwrap()
}

fn eur(text: &str) -> Money {
    Money::parse(text, Currency::iso("EUR").unwrap()).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

#[test]
fn a_decimal_is_money_exactly() {
    for (text, exponent, minor) in [
        ("10.50", 2, 1_050),
        ("10.5", 2, 1_050),
        ("10", 2, 1_000),
        ("0.01", 2, 1),
        // Zeros beyond the currency's decimals change nothing.
        ("10.5000000000000000000000000", 2, 1_050),
        ("10.0000000000000000000000000", 0, 10),
        ("7", 0, 7),
        ("0.00000001", 8, 1),
        ("0.000000000000000001", 18, 1),
        ("9999999999999999999999999999", 0, MAX),
        ("99999999999999999999999999.99", 2, MAX),
        ("99999999999999999999.99999999", 8, MAX),
        ("9999999999.999999999999999999", 18, MAX),
    ] {
        let money = Money::from_decimal(decimal(text), currency(exponent)).unwrap();
        assert_eq!(money.amount.minor(), minor, "{text}");
    }
}

#[test]
fn a_decimal_that_is_no_money_is_refused() {
    for (text, exponent, error) in [
        ("0", 2, NOT_POSITIVE),
        ("0.000", 2, NOT_POSITIVE),
        ("-0.01", 2, NOT_POSITIVE),
        ("-0.001", 2, NOT_POSITIVE),
        ("-79228162514264337593543950335", 18, NOT_POSITIVE),
        ("0.001", 2, DecimalError::TooPrecise),
        ("10.5", 0, DecimalError::TooPrecise),
        (
            "0.0000000000000000000000000001",
            18,
            DecimalError::TooPrecise,
        ),
        (
            "7.9228162514264337593543950335",
            18,
            DecimalError::TooPrecise,
        ),
        ("10000000000000000000000000000", 0, TOO_LARGE),
        ("100000000000000000000000000", 2, TOO_LARGE),
        ("10000000000", 18, TOO_LARGE),
        ("79228162514264337593543950335", 0, TOO_LARGE),
        ("79228162514264337593543950335", 18, TOO_LARGE),
    ] {
        let found = Money::from_decimal(decimal(text), currency(exponent));
        assert_eq!(found, Err(error), "{text}");
    }
}

#[test]
fn money_is_a_decimal_with_all_the_decimals_of_its_currency() {
    for (minor, exponent, text) in [
        (1_050, 2, "10.50"),
        (1, 0, "1"),
        (1, 8, "0.00000001"),
        (1, 18, "0.000000000000000001"),
        (MAX, 0, "9999999999999999999999999999"),
        (MAX, 2, "99999999999999999999999999.99"),
        (MAX, 18, "9999999999.999999999999999999"),
    ] {
        let money = Money::minor(minor, currency(exponent)).unwrap();
        assert_eq!(money.to_decimal().to_string(), text);
        assert_eq!(Decimal::from(money), decimal(text));
    }
}

#[test]
fn a_balance_is_a_decimal_up_to_96_bits_and_always_an_integer() {
    let greatest = 2_i128.pow(96) - 1;
    for (minor, exponent, text) in [
        (0, 2, "0.00"),
        (-5, 2, "-0.05"),
        (greatest, 0, "79228162514264337593543950335"),
        (-greatest, 18, "-79228162514.264337593543950335"),
    ] {
        let money = SignedMoney::new(minor, currency(exponent));
        let found = money.to_decimal().unwrap();
        assert_eq!(found.to_string(), text);
        assert_eq!(SignedMoney::from_decimal(found, money.currency), Ok(money));
    }
    for minor in [greatest + 1, -greatest - 1, COUNTER_MAX, i128::MIN] {
        assert_eq!(SignedMoney::new(minor, currency(2)).to_decimal(), None);
    }
    let finer = SignedMoney::from_decimal(decimal("-0.001"), currency(2));
    assert_eq!(finer, Err(DecimalError::TooPrecise));
    let above = SignedMoney::from_decimal(decimal("-79228162514264337593543950335"), currency(18));
    assert_eq!(above, Err(TOO_LARGE));
}

/// The worked example of the decision record about decimals.
#[test]
fn a_fee_is_rounded_once_and_as_the_caller_names_it() {
    for (price, percent, down, up, half_down, half_up, half_even) in [
        ("10.50", "2.9", "0.30", "0.31", "0.30", "0.30", "0.30"),
        ("0.20", "12.5", "0.02", "0.03", "0.02", "0.03", "0.02"),
        ("0.60", "2.5", "0.01", "0.02", "0.01", "0.02", "0.02"),
        ("10.00", "2.9", "0.29", "0.29", "0.29", "0.29", "0.29"),
    ] {
        for (rounding, due) in [
            (Down, down),
            (Up, up),
            (HalfDown, half_down),
            (HalfUp, half_up),
            (HalfEven, half_even),
        ] {
            let fee = eur(price).percent(decimal(percent), rounding).unwrap();
            assert_eq!(fee, eur(due), "{percent} percent of {price} {rounding:?}");
        }
    }
    for rounding in [Down, HalfDown, HalfUp, HalfEven] {
        let nothing = eur("0.01").percent(decimal("2.9"), rounding);
        assert_eq!(nothing, Err(AmountError::NotPositive), "{rounding:?}");
    }
    let one = eur("0.01").percent(decimal("2.9"), Up);
    assert_eq!(one, Ok(eur("0.01")));
}

#[test]
fn a_rate_at_the_edges_is_exact_or_refused() {
    let greatest = Money::minor(MAX, currency(0)).unwrap();
    let one = Money::minor(1, currency(0)).unwrap();
    assert_eq!(greatest.times(Decimal::ONE, Up), Ok(greatest));
    // 28 decimals of one are one.
    let one_in_full = decimal("1.0000000000000000000000000000");
    assert_eq!(greatest.times(one_in_full, Up), Ok(greatest));
    assert_eq!(greatest.percent(decimal("100"), Up), Ok(greatest));
    let least = decimal("0.0000000000000000000000000001");
    assert_eq!(greatest.times(least, Up), Ok(one));
    assert_eq!(greatest.times(least, HalfUp), Ok(one));
    assert_eq!(greatest.times(least, Down), Err(AmountError::NotPositive));
    assert_eq!(one.percent(least, Up), Ok(one));
    let too_large = Err(AmountError::TooLarge);
    let more = decimal("1.0000000000000000000000000001");
    assert_eq!(greatest.times(more, Up), too_large);
    assert_eq!(greatest.times(more, Down), Ok(greatest));
    assert_eq!(greatest.times(Decimal::TWO, Down), too_large);
    assert_eq!(greatest.times(Decimal::MAX, Down), too_large);
    for rate in [Decimal::ZERO, Decimal::NEGATIVE_ONE, Decimal::MIN] {
        assert_eq!(one.times(rate, Up), Err(AmountError::NotPositive));
        assert_eq!(one.percent(rate, Up), Err(AmountError::NotPositive));
    }
}

#[test]
fn a_percentage_is_basis_points_exactly_or_refused() {
    for (percent, bp) in [
        ("12.5", Ok(1_250)),
        ("12.500000", Ok(1_250)),
        ("0.01", Ok(1)),
        ("100", Ok(10_000)),
        ("100.00", Ok(10_000)),
        ("33.33", Ok(3_333)),
        ("33.333", Err(PercentError::TooPrecise)),
        ("0.001", Err(PercentError::TooPrecise)),
        ("0", Err(PercentError::OutOfRange)),
        ("-1", Err(PercentError::OutOfRange)),
        ("100.01", Err(PercentError::OutOfRange)),
        (
            "79228162514264337593543950335",
            Err(PercentError::OutOfRange),
        ),
    ] {
        assert_eq!(basis_points(decimal(percent)), bp, "{percent}");
        let to = AccountId::from_bytes([1; 16]);
        let share = Share::percent(to, decimal(percent));
        assert_eq!(
            share.map(|share| (share.to, share.share_bp)),
            bp.map(|bp| (to, bp))
        );
    }
    let shares = ["83", "10", "7"].map(|percent| basis_points(decimal(percent)).unwrap());
    assert_eq!(
        split_amount(eur("1.01").amount, &shares),
        Ok(vec![84, 10, 7])
    );
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let bits = 2_i128.pow(96) - 1;
    let small = prop_oneof![1 => -bits..=bits, 2 => -100_000_i128..100_000];
    (small, 0_u32..=28)
        .prop_map(|(digits, scale)| Decimal::try_from_i128_with_scale(digits, scale).unwrap())
}

proptest! {
    #[test]
    fn money_survives_a_decimal(minor in 1..=MAX, exponent in 0_u8..=18) {
        let money = Money::minor(minor, currency(exponent)).unwrap();
        prop_assert_eq!(money.to_decimal().to_string(), money.to_string().replace(" XYZ", ""));
        prop_assert_eq!(Money::from_decimal(money.to_decimal(), money.currency), Ok(money));
        let normal = money.to_decimal().normalize();
        prop_assert_eq!(Money::from_decimal(normal, money.currency), Ok(money));
    }

    #[test]
    fn a_decimal_that_is_accepted_is_the_same_number(
        decimal in any_decimal(),
        exponent in 0_u8..=18,
    ) {
        if let Ok(money) = Money::from_decimal(decimal, currency(exponent)) {
            prop_assert_eq!(money.to_decimal(), decimal);
        }
        if let Ok(money) = SignedMoney::from_decimal(decimal, currency(exponent)) {
            prop_assert_eq!(money.to_decimal().unwrap_or(decimal), decimal);
        }
    }

    /// Where `Decimal` itself calculates exactly, it is the oracle.
    #[test]
    fn rounding_agrees_with_rust_decimal(minor in 1_i128..1_000_000_000, digits in 1_i64..1_000_000) {
        use rust_decimal::RoundingStrategy as Strategy;
        let (money, rate) = (Money::minor(minor, currency(2)).unwrap(), Decimal::new(digits, 5));
        let exact = money.to_decimal() * rate;
        for (rounding, strategy) in [
            (Down, Strategy::ToZero),
            (Up, Strategy::AwayFromZero),
            (HalfDown, Strategy::MidpointTowardZero),
            (HalfUp, Strategy::MidpointAwayFromZero),
            (HalfEven, Strategy::MidpointNearestEven),
        ] {
            let due = exact.round_dp_with_strategy(2, strategy);
            let due = SignedMoney::from_decimal(due, currency(2)).unwrap();
            prop_assert_eq!(money.times(rate, rounding), Money::try_from(due));
            let percent = Decimal::new(digits, 3);
            prop_assert_eq!(money.percent(percent, rounding), Money::try_from(due));
        }
    }
}
