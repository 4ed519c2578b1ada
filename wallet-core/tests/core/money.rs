//! Money at the edges: exact or refused, never rounded.

use proptest::collection::vec;
use proptest::prelude::*;
use wallet_core::ledger::{
    AccountState, AmountError, COUNTER_MAX, Counters, CurrencyError, CurrencyTable, DecimalError,
    Details, Epoch, HoldStatus, InLedger, PastBalance, SplitError, format_minor, parse_minor,
    split_amount,
};
use wallet_core::{
    Account, AccountId, Amount, Balance, Currency, Hold, HoldId, LedgerId, Money, Owner, Policy,
    SignedMoney, Status, Timestamp,
};

fn currency(exponent: u8) -> Currency {
    Currency::new("XYZ", exponent).unwrap()
}

fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}

fn amount(minor: i128) -> Amount {
    Amount::new(minor).unwrap()
}

#[test]
fn an_amount_is_one_to_ten_to_the_28_less_one() {
    let max = 10_i128.pow(28) - 1;
    assert_eq!(Amount::new(1), Ok(Amount::MIN));
    assert_eq!(Amount::new(max), Ok(Amount::MAX));
    assert_eq!(Amount::new(max + 1), Err(AmountError::TooLarge));
    assert_eq!(Amount::new(i128::MAX), Err(AmountError::TooLarge));
    assert_eq!(Amount::new(0), Err(AmountError::NotPositive));
    assert_eq!(Amount::new(-1), Err(AmountError::NotPositive));
    assert_eq!(Amount::new(i128::MIN), Err(AmountError::NotPositive));
    assert_eq!(COUNTER_MAX, 10_i128.pow(38) - 1);
}

#[test]
fn plain_decimals_are_read_exactly() {
    for (text, exponent, minor) in [
        ("10.50", 2, 1_050),
        ("10.5", 2, 1_050),
        ("10", 2, 1_000),
        ("0.01", 2, 1),
        ("007", 2, 700),
        ("10", 0, 10),
        ("0", 2, 0),
        ("0.00", 2, 0),
        ("1.000000000000000001", 18, 1_000_000_000_000_000_001),
        ("9999999999999999999999999999", 0, Amount::MAX.minor()),
        ("99999999999999999999999999.99", 2, Amount::MAX.minor()),
        ("9999999999.999999999999999999", 18, Amount::MAX.minor()),
        // Balances are greater than amounts.
        ("99999999999999999999999999999999999999", 0, COUNTER_MAX),
        ("999999999999999999999999999999999999.99", 2, COUNTER_MAX),
    ] {
        assert_eq!(parse_minor(text, currency(exponent)), Ok(minor), "{text}");
    }
    for zeros in [0, 1, 20, 30, 56] {
        let text = format!("{}12.34", "0".repeat(zeros));
        assert_eq!(parse_minor(&text, eur()), Ok(1_234), "{text}");
    }
}

#[test]
fn what_is_no_plain_decimal_is_refused() {
    for text in [
        "", " ", ".", "1.", ".5", "1..5", "1.2.3", "+1", "-1", "-0", "1-", "1e5", "1E5", "0x10",
        "1,5", "1,000", "1 000", "1_000", " 1", "1 ", "1\n", "1\0", "NaN", "nan", "inf",
        "Infinity", "null", "true", "one", "€1", "1€", "١٢", "１２", "1２", "½", "²", "1.٥",
    ] {
        let read = Money::parse(text, eur());
        assert_eq!(read, Err(DecimalError::Malformed), "{text:?}");
    }
}

#[test]
fn more_decimals_than_the_currency_has_are_refused_even_if_zero() {
    for (text, exponent) in [
        ("1.005", 2),
        ("1.000", 2),
        ("1.0", 0),
        ("0.0000000000000000001", 18),
    ] {
        let read = Money::parse(text, currency(exponent));
        assert_eq!(read, Err(DecimalError::TooPrecise), "{text}");
    }
}

#[test]
fn what_exceeds_the_range_is_refused() {
    let too_large = Err(DecimalError::Amount(AmountError::TooLarge));
    let long = "9".repeat(1_000_000);
    let longer_than_any_integer = "9".repeat(60);
    for (text, exponent) in [
        ("10000000000000000000000000000", 0),
        ("100000000000000000000000000.00", 2),
        ("100000000000000000000000000", 2),
        ("10000000000", 18),
        ("79228162514264337593543950336", 0),
        (long.as_str(), 2),
        (longer_than_any_integer.as_str(), 18),
    ] {
        assert_eq!(Money::parse(text, currency(exponent)), too_large);
    }
    for text in ["0", "0.00", "000"] {
        let zero = Err(DecimalError::Amount(AmountError::NotPositive));
        assert_eq!(Money::parse(text, eur()), zero, "{text}");
    }
}

#[test]
fn money_is_written_with_all_its_decimals() {
    for (minor, exponent, text) in [
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (1_050, 2, "10.50"),
        (-1_050, 0, "-1050"),
        (1, 18, "0.000000000000000001"),
        (COUNTER_MAX, 0, "99999999999999999999999999999999999999"),
        (i128::MIN, 18, "-170141183460469231731.687303715884105728"),
    ] {
        assert_eq!(format_minor(minor, currency(exponent)), text);
    }
    let money = Money::minor(1_050, eur()).unwrap();
    assert_eq!(money.to_string(), "10.50 EUR");
}

#[test]
fn signed_money_is_shown_as_money_is_and_reads_back() {
    for (minor, exponent, text) in [
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (-1_050, 0, "-1050"),
        (-1, 8, "-0.00000001"),
        (-COUNTER_MAX, 18, "-99999999999999999999.999999999999999999"),
        (i128::MAX, 0, "170141183460469231731687303715884105727"),
    ] {
        let money = SignedMoney::new(minor, currency(exponent));
        assert_eq!(money.to_string(), format!("{text} XYZ"));
        assert_eq!(SignedMoney::parse(text, money.currency), Ok(money));
        assert_eq!(
            (money.is_zero(), money.is_negative()),
            (minor == 0, minor < 0)
        );
    }
    for text in ["--1", "+1", "-", "", "- 1", "1-"] {
        let refused = SignedMoney::parse(text, eur());
        assert_eq!(refused, Err(DecimalError::Malformed), "{text:?}");
    }
    let finer = SignedMoney::parse("-0.001", eur());
    assert_eq!(finer, Err(DecimalError::TooPrecise));
}

#[test]
fn signed_money_is_money_where_a_leg_can_move_it() {
    let money = Money::minor(Amount::MAX.minor(), eur()).unwrap();
    assert_eq!(Money::try_from(SignedMoney::from(money)), Ok(money));
    for (minor, error) in [
        (0, AmountError::NotPositive),
        (-1, AmountError::NotPositive),
        (Amount::MAX.minor() + 1, AmountError::TooLarge),
    ] {
        let found = Money::try_from(SignedMoney::new(minor, eur()));
        assert_eq!(found, Err(error), "{minor}");
    }
}

#[test]
fn iso_currencies_have_the_exponents_of_iso_4217() {
    for (code, exponent) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
        assert_eq!(Currency::iso(code).unwrap().exponent(), exponent, "{code}");
    }
    // Gold and the test codes have no minor unit; the others are no codes.
    for code in ["XAU", "XXX", "XTS", "BTC", "ZZZ", "eur", ""] {
        assert_eq!(Currency::iso(code), Err(CurrencyError::Unknown), "{code}");
    }
}

#[test]
fn a_currency_has_a_code_of_one_shape_and_at_most_18_decimals() {
    for code in ["EU", "POINTS", "A_1", "ABCDEFGHIJKL"] {
        assert_eq!(Currency::new(code, 18).unwrap().code().as_str(), code);
    }
    for code in [
        "",
        "E",
        "eur",
        "1EUR",
        "_EUR",
        "EU R",
        "EÜR",
        "ABCDEFGHIJKLM",
    ] {
        let refused = Currency::new(code, 2);
        assert_eq!(refused, Err(CurrencyError::BadCode), "{code}");
    }
    assert_eq!(Currency::new("BTC", 19), Err(CurrencyError::BadExponent));
}

#[test]
fn a_table_finds_iso_and_what_the_host_registered() {
    let mut table = CurrencyTable::iso();
    assert_eq!(table.find("EUR"), Ok(eur()));
    assert_eq!(table.find("BTC"), Err(CurrencyError::Unknown));
    assert_eq!(table.find("btc"), Err(CurrencyError::BadCode));

    let bitcoin = Currency::new("BTC", 8).unwrap();
    assert_eq!(table.register(bitcoin), Ok(()));
    assert_eq!(table.register(bitcoin), Ok(()));
    assert_eq!(table.find("BTC"), Ok(bitcoin));
    let taken = Err(CurrencyError::Registered);
    assert_eq!(table.register(Currency::new("BTC", 9).unwrap()), taken);
    assert_eq!(table.register(Currency::new("EUR", 3).unwrap()), taken);
    assert_eq!(table.register(eur()), Ok(()));
    assert_eq!(table.find("BTC"), Ok(bitcoin));
    assert_eq!(table.find("EUR"), Ok(eur()));
}

#[test]
fn the_largest_remainders_take_what_is_left_and_ties_go_to_the_earlier() {
    for (total, shares, parts) in [
        (100, &[3_333, 3_333, 3_334][..], &[33, 33, 34][..]),
        (1, &[5_000, 5_000], &[1, 0]),
        (2, &[2_500; 4], &[1, 1, 0, 0]),
        (1, &[3_333, 3_333, 3_334], &[0, 0, 1]),
        (10, &[1_500, 8_500], &[2, 8]),
        (10, &[8_500, 1_500], &[9, 1]),
        (7, &[10_000], &[7]),
        (1, &[1, 9_999], &[0, 1]),
    ] {
        let split = split_amount(amount(total), shares).unwrap();
        assert_eq!(split, parts, "{total} by {shares:?}");
    }
}

#[test]
fn shares_must_add_up_to_the_whole_and_none_be_zero() {
    for shares in [
        &[][..],
        &[0],
        &[9_999],
        &[10_001],
        &[10_000, 0],
        &[0, 10_000],
        &[u32::MAX, 10_001],
        &[5_000, 5_000, u32::MAX],
    ] {
        let split = split_amount(amount(100), shares);
        assert_eq!(split, Err(SplitError::BadShares), "{shares:?}");
    }
}

#[test]
fn accounts_holds_and_past_balances_return_money_of_their_currency() {
    let currency = currency(8);
    let shown = |minor: i128| SignedMoney::new(minor, currency);
    let counters = Counters {
        debits_posted: 7,
        credits_posted: 2,
        debits_pending: 3,
        credits_pending: 100,
    };
    let state = AccountState {
        key: InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16])),
        currency,
        system: false,
        policy: Policy::Unlimited,
        max_balance: None,
        status: Status::Active,
        counters,
        version: 1,
        sequence: 1,
        last_at: Timestamp::EPOCH,
    };
    let balance = Balance::of(&state, Epoch::FIRST);
    assert_eq!(
        (balance.posted(), balance.available()),
        (shown(-5), shown(-8))
    );
    assert_eq!(balance.held(), shown(3));
    let account = Account {
        state,
        owner: Owner::new("ada").unwrap(),
        metadata: None,
        created_at: Timestamp::EPOCH,
    };
    assert_eq!(
        (account.posted(), account.available()),
        (shown(-5), shown(-8))
    );
    assert_eq!(account.held(), shown(3));
    let past = PastBalance {
        posted: -5,
        sequence: 1,
        currency,
    };
    assert_eq!(past.posted_money(), shown(-5));
    let hold = Hold {
        key: InLedger::new(LedgerId::default(), HoldId::from_bytes([1; 16])),
        from: AccountId::from_bytes([1; 16]),
        to: AccountId::from_bytes([2; 16]),
        money: Money::minor(10, currency).unwrap(),
        captured: 3,
        released: 2,
        status: HoldStatus::Pending,
        expires_at: None,
        details: Details::default(),
        created_at: Timestamp::EPOCH,
    };
    assert_eq!(hold.remaining_money(), shown(5));
}

fn any_amount() -> impl Strategy<Value = Amount> {
    let max = Amount::MAX.minor();
    prop_oneof![1_i128..200, 1..=max, Just(max)].prop_map(amount)
}

/// Positive shares that add up to 10,000.
fn shares() -> impl Strategy<Value = Vec<u32>> {
    vec(1_u32..10_000, 0..12).prop_map(|mut cuts| {
        cuts.extend([0, 10_000]);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(minor in 0..=COUNTER_MAX, exponent in 0_u8..=18) {
        let currency = currency(exponent);
        let text = format_minor(minor, currency);
        prop_assert_eq!(parse_minor(&text, currency), Ok(minor));
    }

    #[test]
    fn any_text_is_read_exactly_or_refused(text in "\\PC{0,40}|[0-9.eE+-]{0,40}") {
        if let Ok(minor) = parse_minor(&text, eur()) {
            let written = format_minor(minor, eur());
            let whole = text.trim_start_matches('0');
            let (left, right) = whole.split_once('.').unwrap_or((whole, ""));
            let left = if left.is_empty() { "0" } else { left };
            prop_assert_eq!(written, format!("{left}.{right:0<2}"));
        }
    }

    #[test]
    fn parts_add_up_and_are_never_one_off(total in any_amount(), shares in shares()) {
        let parts = split_amount(total, &shares).unwrap();
        prop_assert_eq!(parts.iter().sum::<i128>(), total.minor());
        for (part, share) in parts.iter().zip(&shares) {
            let exact = total.minor() * i128::from(*share);
            prop_assert!((part * 10_000 - exact).abs() < 10_000);
        }
    }

    #[test]
    fn whoever_gets_one_more_had_the_larger_remainder(
        total in any_amount(),
        shares in shares(),
    ) {
        let parts = split_amount(total, &shares).unwrap();
        let ranked: Vec<(bool, i128)> = parts
            .iter()
            .zip(&shares)
            .map(|(part, share)| {
                let exact = total.minor() * i128::from(*share);
                (part * 10_000 > exact, exact % 10_000)
            })
            .collect();
        for (at, (got, remainder)) in ranked.iter().enumerate() {
            for (other_at, (other_got, other)) in ranked.iter().enumerate() {
                let before = remainder > other || (remainder == other && at < other_at);
                prop_assert!(!before || *got || !other_got, "{:?} of {:?}", parts, shares);
            }
        }
    }
}
