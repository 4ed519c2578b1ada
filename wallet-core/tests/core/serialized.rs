//! `Serialize` and `Deserialize`: the forms, and that reading checks what constructors
//! check.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wallet_core::ledger::{
    AccountChanged, AccountState, COUNTER_MAX, Counters, CurrencyCode, Description, Details,
    Direction, Effect, EffectKind, EntryMark, Epoch, HoldStatus, InLedger, KeyScope, KeyText,
    LimitName, Metadata, PastBalance, Position, Posted, Restore, Reversal, StatementLine,
    TransferKind, TransferWithReversals,
};
use wallet_core::{
    Account, AccountId, Amount, Balance, Currency, Entry, Hold, HoldId, IdempotencyKey, LedgerId,
    Leg, Money, Outcome, Owner, Policy, Receipt, Reference, Rejected, Rejection, SettlementName,
    SignedMoney, Status, Timestamp, Transfer, TransferId,
};

use crate::codec::strategies;

const ADA: AccountId = AccountId::from_bytes([1; 16]);
const SHOP: AccountId = AccountId::from_bytes([2; 16]);
const ADA_TEXT: &str = "01010101-0101-0101-0101-010101010101";
const SHOP_TEXT: &str = "02020202-0202-0202-0202-020202020202";
const NINES: &str = "09090909-0909-0909-0909-090909090909";
const AT: Timestamp = Timestamp::from_micros(1_795_869_296_000_001);
const AT_TEXT: &str = "2026-11-28T12:34:56.000001Z";

fn eur(minor: i128) -> Money {
    Money::minor(minor, Currency::iso("EUR").unwrap()).unwrap()
}

fn btc() -> Currency {
    Currency::new("BTC", 8).unwrap()
}

/// `value` is written as `form`, and `form` reads as `value`.
fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, form: &Value) {
    assert_eq!(&serde_json::to_value(value).unwrap(), form);
    assert_eq!(&serde_json::from_value::<T>(form.clone()).unwrap(), value);
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
}

fn error<T: DeserializeOwned + std::fmt::Debug>(form: Value) -> String {
    serde_json::from_value::<T>(form).unwrap_err().to_string()
}

#[test]
fn what_is_one_text_is_written_as_it_is_shown() {
    same(&ADA, &json!(ADA_TEXT));
    same(&HoldId::from_bytes([2; 16]), &json!(SHOP_TEXT));
    same(&TransferId::from_bytes([9; 16]), &json!(NINES));
    same(&LedgerId::new(7), &json!(7));
    same(
        &InLedger::new(LedgerId::new(7), ADA),
        &json!({"ledger": 7, "id": ADA_TEXT}),
    );
    same(&Owner::new("Zoë").unwrap(), &json!("Zoë"));
    same(&Reference::new("order-7").unwrap(), &json!("order-7"));
    same(&SettlementName::new("bank").unwrap(), &json!("bank"));
    same(&CurrencyCode::new("EUR").unwrap(), &json!("EUR"));
    same(&AT, &json!(AT_TEXT));
    same(
        &Timestamp::from_micros(i64::MIN),
        &json!("-290308-12-21T19:59:05.224192Z"),
    );
    same(
        &Timestamp::from_micros(i64::MAX),
        &json!("+294247-01-10T04:00:54.775807Z"),
    );
    same(
        &Metadata::parse(r#"{"order":7}"#).unwrap(),
        &json!({"order": 7}),
    );
    same(
        &Epoch::new(Epoch::MAX).unwrap(),
        &json!(9_007_199_254_740_991_u64),
    );
    let key = IdempotencyKey::parse("shop", "order-7").unwrap();
    same(&key, &json!({"scope": "shop", "key": "order-7"}));
    same(
        &key.item(3),
        &json!({"scope": "shop", "key": "order-7", "item": 3}),
    );
    let restore = Restore {
        epoch: Epoch::FIRST,
        restored_to: AT,
    };
    same(&restore, &json!({"epoch": 1, "restored_to": AT_TEXT}));
}

#[test]
fn enums_are_written_by_their_names_and_rejections_by_their_codes() {
    for rejection in Rejection::ALL {
        same(rejection, &json!(rejection.code()));
    }
    for kind in EffectKind::ALL {
        same(kind, &json!(kind.name()));
    }
    for status in Status::ALL {
        same(status, &json!(status.name()));
    }
    for status in HoldStatus::ALL {
        same(status, &json!(status.name()));
    }
    for kind in TransferKind::ALL {
        same(kind, &json!(kind.name()));
    }
    for direction in Direction::ALL {
        same(direction, &json!(direction.name()));
    }
    assert!(error::<Rejection>(json!("no_such_code")).contains("unknown code"));
    assert!(error::<Direction>(json!("Debit")).contains("expected one of debit, credit"));
    let rejected = Rejected {
        rejection: Rejection::InsufficientFunds,
        command: 2,
        subject: ADA.uuid(),
    };
    let form = json!({"code": "insufficient_funds", "command": 2, "subject": ADA_TEXT});
    same(&rejected, &form);
}

#[test]
fn money_is_decimal_text_with_its_currency() {
    same(&eur(1_050), &json!({"amount": "10.50", "currency": "EUR"}));
    let yen = Money::minor(7, Currency::iso("JPY").unwrap()).unwrap();
    same(&yen, &json!({"amount": "7", "currency": "JPY"}));
    let coin = Money::minor(1, btc()).unwrap();
    same(
        &coin,
        &json!({"amount": "0.00000001", "currency": "BTC", "exponent": 8}),
    );
    let debt = SignedMoney::new(-5, eur(1).currency);
    same(&debt, &json!({"amount": "-0.05", "currency": "EUR"}));
    let sum = SignedMoney::new(-COUNTER_MAX, Currency::new("WEI", 18).unwrap());
    let text = "-99999999999999999999.999999999999999999";
    same(
        &sum,
        &json!({"amount": text, "currency": "WEI", "exponent": 18}),
    );
    same(&Amount::MAX, &json!("9999999999999999999999999999"));
    same(&eur(1).currency, &json!("EUR"));
    same(&btc(), &json!("BTC:8"));
    // The exponent of ISO 4217 may be given, if it is the right one.
    for form in [
        json!({"amount": "10.5", "currency": "EUR"}),
        json!({"amount": "10.50", "currency": "EUR", "exponent": 2}),
        json!({"amount": "10.50", "currency": "EUR", "exponent": null, "more": 1}),
    ] {
        assert_eq!(serde_json::from_value::<Money>(form).unwrap(), eur(1_050));
    }
    let given = serde_json::from_value::<Currency>(json!("EUR:2")).unwrap();
    assert_eq!(given, eur(1).currency);
}

#[test]
fn money_that_could_be_read_in_two_ways_is_refused() {
    for (form, why) in [
        (json!({"amount": 10.5, "currency": "EUR"}), "invalid type"),
        (json!({"amount": 10, "currency": "EUR"}), "invalid type"),
        (
            json!({"amount": "10.505", "currency": "EUR"}),
            "more decimals",
        ),
        (
            json!({"amount": "10.500", "currency": "EUR"}),
            "more decimals",
        ),
        (
            json!({"amount": "0.00", "currency": "EUR"}),
            "greater than zero",
        ),
        (
            json!({"amount": "-1.00", "currency": "EUR"}),
            "not a plain decimal",
        ),
        (
            json!({"amount": "1e3", "currency": "EUR"}),
            "not a plain decimal",
        ),
        (
            json!({"amount": "99999999999999999999999999999", "currency": "JPY"}),
            "10^28 - 1",
        ),
        (
            json!({"amount": "1.00", "currency": "eur"}),
            "currency code",
        ),
        (json!({"amount": "1.00"}), "missing field `currency`"),
        (
            json!({"amount": "1.00", "currency": "BTC"}),
            "exponent must be given",
        ),
        (
            json!({"amount": "1.00", "currency": "BTC", "exponent": 19}),
            "0 to 18 decimals",
        ),
        (
            json!({"amount": "1.00", "currency": "BTC", "exponent": 256}),
            "invalid value",
        ),
        (
            json!({"amount": "1.00", "currency": "EUR", "exponent": 3}),
            "2 decimals in ISO 4217",
        ),
    ] {
        let found = error::<Money>(form.clone());
        assert!(found.contains(why), "{form}: {found}");
    }
    for (form, why) in [
        ("BTC", "exponent must be given"),
        ("EUR:3", "2 decimals in ISO 4217"),
        ("BTC:08", "the exponent"),
        ("BTC:+8", "the exponent"),
        ("BTC:", "the exponent"),
        ("BTC:19", "0 to 18"),
        ("btc:8", "currency code"),
        (":8", "currency code"),
    ] {
        let found = error::<Currency>(json!(form));
        assert!(found.contains(why), "{form}: {found}");
    }
    // Written as it is, so that no reader takes it for the currency of ISO 4217.
    let odd = Currency::new("EUR", 3).unwrap();
    assert_eq!(serde_json::to_value(odd).unwrap(), "EUR:3");
    let odd = Money::minor(1, odd).unwrap();
    let form = json!({"amount": "0.001", "currency": "EUR", "exponent": 3});
    assert_eq!(serde_json::to_value(odd).unwrap(), form);
}

#[test]
fn a_number_beyond_two_to_the_53_is_text() {
    let position = |version| Position::new(Epoch::FIRST, version);
    let safe = 9_007_199_254_740_991_i64;
    same(&position(0), &json!({"epoch": 1, "version": 0}));
    same(&position(safe), &json!({"epoch": 1, "version": safe}));
    same(
        &position(safe + 1),
        &json!({"epoch": 1, "version": "9007199254740992"}),
    );
    same(
        &position(i64::MAX),
        &json!({"epoch": 1, "version": "9223372036854775807"}),
    );
    let read = serde_json::from_value::<Position>(json!({"epoch": 1, "version": "7"}));
    assert_eq!(read.unwrap(), position(7));
    for version in [
        json!("07"),
        json!("+7"),
        json!("9223372036854775808"),
        json!(1.0),
        json!(u64::MAX),
    ] {
        error::<Position>(json!({"epoch": 1, "version": version}));
    }
    for epoch in [
        json!(0),
        json!(9_007_199_254_740_992_u64),
        json!("1"),
        json!(-1),
    ] {
        error::<Position>(json!({"epoch": epoch, "version": 1}));
    }
    for amount in [
        json!(1),
        json!("0"),
        json!("-1"),
        json!("01"),
        json!("+1"),
        json!("1.0"),
        json!("10000000000000000000000000000"),
    ] {
        error::<Amount>(amount);
    }
}

fn state() -> AccountState {
    AccountState {
        key: InLedger::new(LedgerId::default(), ADA),
        currency: eur(1).currency,
        system: false,
        policy: Policy::Overdraft(Amount::new(10_000).unwrap()),
        max_balance: Some(Amount::new(50_000).unwrap()),
        status: Status::Active,
        counters: Counters {
            debits_posted: 1_055,
            credits_posted: 1_050,
            debits_pending: 200,
            credits_pending: 1,
        },
        version: 4,
        sequence: 2,
        last_at: AT,
    }
}

fn state_form() -> Value {
    json!({
        "ledger": 0,
        "id": ADA_TEXT,
        "system": false,
        "currency": "EUR",
        "status": "active",
        "policy": {"overdraft": "100.00"},
        "max_balance": "500.00",
        "version": 4,
        "sequence": 2,
        "balance": {
            "posted": "-0.05",
            "available": "-2.05",
            "pending_in": "0.01",
            "pending_out": "2.00",
            "debits_posted": "10.55",
            "credits_posted": "10.50",
        },
        "as_of": AT_TEXT,
    })
}

#[test]
fn an_account_and_its_balances_have_the_fields_of_the_rest_api() {
    let account = Account {
        state: state(),
        owner: Owner::new("ada").unwrap(),
        metadata: Some(Metadata::parse(r#"{"tier":1}"#).unwrap()),
        created_at: AT,
    };
    let mut form = state_form();
    same(&state(), &form);
    form["owner"] = json!("ada");
    form["metadata"] = json!({"tier": 1});
    form["created_at"] = json!(AT_TEXT);
    same(&account, &form);

    let balance = Balance::of(&state(), Epoch::FIRST);
    let mut form = state_form()["balance"].clone();
    form["ledger"] = json!(0);
    form["account"] = json!(ADA_TEXT);
    form["currency"] = json!("EUR");
    form["epoch"] = json!(1);
    form["version"] = json!(4);
    same(&balance, &form);

    let past = PastBalance {
        posted: -5,
        sequence: 2,
        currency: btc(),
    };
    let form = json!({
        "posted": "-0.00000005", "sequence": 2, "currency": "BTC", "exponent": 8,
    });
    same(&past, &form);
    for policy in [Policy::NonNegative, Policy::Unlimited] {
        let form = serde_json::to_value(AccountState { policy, ..state() }).unwrap();
        assert_eq!(form["policy"], policy.name());
    }
}

#[test]
fn an_account_that_contradicts_itself_is_refused() {
    for (path, value, why) in [
        ("/balance/posted", json!("0.05"), "not what the sums give"),
        (
            "/balance/available",
            json!("-2.050"),
            "not what the sums give",
        ),
        (
            "/balance/debits_posted",
            json!("-1.00"),
            "debits_posted: not a plain decimal",
        ),
        (
            "/balance/pending_in",
            json!("1000000000000000000000000000000000000.00"),
            "above 10^38 - 1",
        ),
        ("/policy/overdraft", json!("0.00"), "overdraft: an amount"),
        ("/max_balance", json!("1.001"), "max_balance: more decimals"),
        ("/status", json!("Active"), "unknown name `Active`"),
        ("/id", json!("ada"), "invalid length"),
        ("/currency", json!("BTC"), "exponent must be given"),
    ] {
        let mut form = state_form();
        *form.pointer_mut(path).unwrap() = value;
        let found = error::<AccountState>(form);
        assert!(found.contains(why), "{path}: {found}");
    }
}

fn transfer() -> Transfer {
    Transfer {
        key: InLedger::new(LedgerId::default(), TransferId::from_bytes([9; 16])),
        kind: TransferKind::Transfer,
        legs: vec![
            Leg::new(ADA, SHOP, eur(1_050)),
            Leg::new(SHOP, ADA, Money::minor(1, btc()).unwrap()),
        ],
        details: Details {
            code: 4,
            reference: Some(Reference::new("order-7").unwrap()),
            description: Some(Description::new("Shoes").unwrap()),
            metadata: None,
            effective_at: Some(AT),
        },
        hold: None,
        reversal: None,
        created_at: AT,
    }
}

fn transfer_form() -> Value {
    json!({
        "ledger": 0,
        "id": NINES,
        "kind": "transfer",
        "legs": [
            {"from": ADA_TEXT, "to": SHOP_TEXT, "amount": "10.50", "currency": "EUR"},
            {
                "from": SHOP_TEXT, "to": ADA_TEXT,
                "amount": "0.00000001", "currency": "BTC", "exponent": 8,
            },
        ],
        "code": 4,
        "reference": "order-7",
        "description": "Shoes",
        "effective_at": AT_TEXT,
        "created_at": AT_TEXT,
    })
}

#[test]
fn transfers_holds_and_entries_have_the_fields_of_the_rest_api() {
    same(&transfer(), &transfer_form());
    let mut form = transfer_form();
    form["legs"][0]["reversed"] = json!("0.50");
    let row = TransferWithReversals {
        transfer: transfer(),
        reversed: vec![50, 0],
    };
    same(&row, &form);
    form["legs"][0]["reversed"] = json!("10.51");
    assert!(error::<TransferWithReversals>(form).contains("more than the amount"));

    let mut form = transfer_form();
    for code in [json!(4_294_967_296_u64), json!(-1), json!(1.5)] {
        form["code"] = code;
        error::<Transfer>(form.clone());
    }
    error::<LedgerId>(json!(4_294_967_296_u64));

    let reversal = Transfer {
        kind: TransferKind::Reversal,
        hold: Some(HoldId::from_bytes([2; 16])),
        reversal: Some(Reversal {
            transfer: TransferId::from_bytes([1; 16]),
            legs: vec![1, 0],
            forced: true,
        }),
        ..transfer()
    };
    let mut form = transfer_form();
    form["kind"] = json!("reversal");
    form["hold"] = json!(SHOP_TEXT);
    form["reverses"] = json!(ADA_TEXT);
    form["reverses_legs"] = json!([1, 0]);
    form["forced"] = json!(true);
    same(&reversal, &form);
    form.as_object_mut().unwrap().remove("reverses");
    assert!(error::<Transfer>(form).contains("belong together"));

    let hold = Hold {
        key: InLedger::new(LedgerId::new(7), HoldId::from_bytes([9; 16])),
        from: ADA,
        to: SHOP,
        money: eur(1_050),
        captured: 50,
        released: 0,
        status: HoldStatus::Pending,
        expires_at: Some(AT),
        details: Details::default(),
        created_at: AT,
    };
    let mut form = json!({
        "ledger": 7, "id": NINES, "from": ADA_TEXT, "to": SHOP_TEXT,
        "amount": "10.50", "captured": "0.50", "released": "0.00", "currency": "EUR",
        "status": "pending", "expires_at": AT_TEXT, "created_at": AT_TEXT,
    });
    same(&hold, &form);
    form["captured"] = json!("10.51");
    assert!(error::<Hold>(form).contains("captured: more than the amount"));

    let entry = Entry {
        account: InLedger::new(LedgerId::default(), ADA),
        sequence: 1,
        epoch: Epoch::FIRST,
        version: 2,
        direction: Direction::Debit,
        amount: Amount::new(1_050).unwrap(),
        balance_after: -COUNTER_MAX,
        transfer: TransferId::from_bytes([9; 16]),
        leg: 0,
        created_at: AT,
    };
    let form = json!({
        "ledger": 0, "account": ADA_TEXT, "sequence": 1, "epoch": 1, "version": 2,
        "direction": "debit", "amount_minor": "1050",
        "balance_after_minor": "-99999999999999999999999999999999999999",
        "transfer": NINES, "leg": 0, "created_at": AT_TEXT,
    });
    same(&entry, &form);

    let entry = Entry {
        account: InLedger::new(transfer().key.ledger, ADA),
        transfer: transfer().key.id,
        ..entry
    };
    let line = StatementLine::of(entry, &transfer()).unwrap();
    let mut form = serde_json::to_value(entry).unwrap();
    let of_transfer = serde_json::to_value(transfer()).unwrap();
    form["currency"] = json!("EUR");
    form["counterparty"] = json!(SHOP_TEXT);
    for name in ["kind", "code", "reference", "description", "effective_at"] {
        form[name] = of_transfer[name].clone();
    }
    same(&line, &form);
    form["currency"] = json!("BTC");
    assert!(error::<StatementLine>(form).contains("exponent"));
}

#[test]
fn an_outcome_has_its_receipts_or_its_rejection() {
    let effect = Effect {
        account: ADA,
        system: false,
        kind: EffectKind::Debited,
        version: 5,
        counters: state().counters,
        entry: Some(EntryMark {
            sequence: 3,
            leg: 0,
            direction: Direction::Debit,
            amount: Amount::new(1_050).unwrap(),
        }),
    };
    let outcome = Outcome {
        at: AT,
        epoch: Epoch::FIRST,
        result: Ok(vec![
            Receipt::AccountChanged(AccountChanged {
                state: state(),
                effect: Some(EffectKind::LimitsChanged),
            }),
            Receipt::Posted(Posted {
                transfer: transfer(),
                hold: None,
                effects: vec![effect],
            }),
            Receipt::BulkAccepted { items: 3 },
        ]),
    };
    let mut form = json!({
        "recorded_at": AT_TEXT,
        "epoch": 1,
        "receipts": [
            {"account_changed": {"account": state_form(), "effect": "account.limits_changed"}},
            {"posted": {"transfer": transfer_form(), "effects": [{
                "account": ADA_TEXT,
                "system": false,
                "kind": "account.debited",
                "version": 5,
                "counters": {
                    "debits_posted_minor": "1055",
                    "credits_posted_minor": "1050",
                    "debits_pending_minor": "200",
                    "credits_pending_minor": "1",
                },
                "entry": {
                    "sequence": 3, "leg": 0, "direction": "debit", "amount_minor": "1050",
                },
            }]}},
            {"bulk_accepted": {"items": 3}},
        ],
    });
    same(&outcome, &form);
    let sum = "/receipts/1/posted/effects/0/counters/debits_posted_minor";
    for (given, why) in [("-1", "0 to 10^38 - 1"), ("1.5", "an integer as text")] {
        let mut form = form.clone();
        *form.pointer_mut(sum).unwrap() = json!(given);
        let found = error::<Outcome>(form);
        assert!(found.contains(why), "{found}");
    }
    form["rejected"] = json!({"code": "account_closed", "command": 0, "subject": ADA_TEXT});
    assert!(error::<Outcome>(form.clone()).contains("receipts or is rejected"));
    form.as_object_mut().unwrap().remove("receipts");
    let rejected = Rejected {
        rejection: Rejection::AccountClosed,
        command: 0,
        subject: ADA.uuid(),
    };
    let refused = Outcome {
        result: Err(rejected),
        ..outcome
    };
    same(&refused, &form);
}

/// What is written reads back, except for a currency that contradicts ISO 4217, which
/// [`strategies`] makes now and then.
fn reads_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(value).unwrap();
    match serde_json::from_str::<T>(&text) {
        Ok(read) => prop_assert_eq!(&read, value),
        Err(error) => {
            let error = error.to_string();
            prop_assert!(
                error.contains("decimals in ISO 4217"),
                "{}: {}",
                error,
                text
            );
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_outcome_reads_back(outcome in strategies::outcome()) {
        reads_back(&outcome)?;
        for balance in outcome.balances() {
            reads_back(&balance)?;
        }
        for entry in outcome.entries() {
            reads_back(&entry)?;
        }
    }

    #[test]
    fn every_transfer_and_hold_reads_back(
        transfer in strategies::transfer(),
        hold in strategies::hold(),
    ) {
        reads_back(&transfer)?;
        reads_back(&hold)?;
    }

    /// Reading accepts exactly what the constructor accepts.
    #[test]
    fn no_text_is_read_that_its_constructor_refuses(
        text in "\\PC{0,40}|[A-Z]{1,13}|[a-z0-9_-]{0,40}|[ \u{200b}\u{3164}a]{0,4}|[0-9.-]{0,40}|\\PC{120,140}",
    ) {
        macro_rules! as_constructed {
            ($($value:ty,)*) => {$(
                let read = serde_json::from_value::<$value>(json!(text)).ok();
                prop_assert_eq!(read, <$value>::new(&text).ok());
            )*};
        }
        as_constructed! {
            CurrencyCode, Description, KeyScope, KeyText, LimitName, Owner, Reference,
            SettlementName,
        }
        let time = serde_json::from_value::<Timestamp>(json!(text)).ok();
        prop_assert_eq!(time, text.parse().ok());
        let id = serde_json::from_value::<AccountId>(json!(text)).ok();
        prop_assert_eq!(id, text.parse().ok());
        for currency in ["EUR", "JPY", "KWD"] {
            let form = json!({"amount": text, "currency": currency});
            let currency = Currency::iso(currency).unwrap();
            let money = serde_json::from_value::<Money>(form.clone()).ok();
            prop_assert_eq!(money, Money::parse(&text, currency).ok());
            let signed = serde_json::from_value::<SignedMoney>(form).ok();
            prop_assert_eq!(signed, SignedMoney::parse(&text, currency).ok());
        }
    }

    #[test]
    fn no_number_is_read_that_its_constructor_refuses(
        minor in prop_oneof![any::<i128>(), -3_i128..3, Just(Amount::MAX.minor() + 1)],
        epoch in prop_oneof![any::<u64>(), 0_u64..3, Just(Epoch::MAX), Just(Epoch::MAX + 1)],
        (code, exponent) in ("[A-Z]{3}|[A-Z][A-Z0-9_]{0,12}", 0_u8..22),
    ) {
        let amount = serde_json::from_value::<Amount>(json!(minor.to_string())).ok();
        prop_assert_eq!(amount, Amount::new(minor).ok());
        let read = serde_json::from_value::<Epoch>(json!(epoch)).ok();
        prop_assert_eq!(read, Epoch::new(epoch));
        if let Ok(read) = serde_json::from_value::<Currency>(json!(format!("{code}:{exponent}"))) {
            prop_assert_eq!(Ok(read), Currency::new(&code, exponent));
        }
    }

    #[test]
    fn metadata_is_read_as_its_constructor_reads_it(
        names in proptest::collection::vec("\\PC{0,9}", 0..4),
        number in any::<f64>(),
        depth in 0_usize..12,
        text in "\\PC{0,4200}",
    ) {
        let mut value = json!(text);
        for name in &names {
            value = json!({ name.as_str(): value, "number": number });
        }
        for _ in 0..depth {
            value = json!([value]);
        }
        let forms = [value.clone(), json!({ "value": value })];
        for form in forms {
            let due = Metadata::from_value(&form).ok();
            prop_assert_eq!(serde_json::from_value::<Metadata>(form).ok(), due);
        }
    }
}
