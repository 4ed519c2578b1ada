//! The ends of every range: amounts, texts, numbers.

use super::steps::{
    all_entries, amount, at_home, cents, eur, given, held, opened, owner, posted, settlement,
    transfer,
};
use crate::StoreKit;
use wallet_core::ledger::{Description, Details};
use wallet_core::request::Change;
use wallet_core::store::{AccountQuery, ReferenceQuery};
use wallet_core::{
    Amount, Capture, ChangeLimits, Currency, Deposit, LedgerId, Leg, Metadata, Money, OpenAccount,
    Owner, PlaceHold, Policy, PostTransfer, Reference, Reverse, Timestamp, Withdrawal,
};

fn greatest() -> Money {
    Money {
        amount: Amount::MAX,
        currency: eur(),
    }
}

/// The greatest amount moves exactly, in and out.
pub async fn the_greatest_amount_moves_exactly(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    kit.accept(Deposit::new(ada, greatest(), settlement("bank")))
        .await;
    kit.accept(PostTransfer::new(vec![Leg::new(ada, bob, greatest())]))
        .await;
    kit.accept(Withdrawal::new(bob, cents(1), settlement("bank")))
        .await;
    let left = Amount::MAX.minor() - 1;
    assert_eq!(kit.balances(bob).await, (left, left));
    assert_eq!(kit.entries(bob).await[0].amount, Amount::MAX);
}

/// Sums beyond 64 and 96 bits, and beyond a float's range, are exact: posted,
/// pending, and in every entry.
pub async fn sums_beyond_any_float_stay_exact(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let bob = kit.open("bob").await;
    kit.accept(ChangeLimits::new(ada).with_policy(Some(Policy::Unlimited)))
        .await;
    let legs = vec![Leg::new(ada, bob, greatest()); 15];
    for _ in 0..14 {
        kit.accept(PostTransfer::new(legs.clone())).await;
    }
    let sum = Amount::MAX.minor() * 210;
    assert_eq!(sum, 2_099_999_999_999_999_999_999_999_999_790);
    assert_eq!(kit.balances(bob).await, (sum, sum));
    assert_eq!(kit.balances(ada).await, (-sum, -sum));
    let last = kit.entries(ada).await.pop().unwrap();
    assert_eq!((last.sequence, last.balance_after), (210, -sum));
    let hold = held(&kit.accept(PlaceHold::new(bob, ada, greatest())).await)
        .key
        .id;
    let available = sum - Amount::MAX.minor();
    assert_eq!(kit.balances(bob).await, (sum, available));
    let captured = kit.accept(Capture::new(hold)).await;
    kit.accept(Reverse::new(posted(&captured).transfer.key.id))
        .await;
    assert_eq!(kit.balances(bob).await, (sum, sum));
    kit.reopen().await;
    assert_eq!(
        kit.account(bob).await.state.counters.credits_posted,
        sum + Amount::MAX.minor()
    );
}

/// The greatest limits are stored exactly.
pub async fn the_greatest_limits_are_kept(kit: &StoreKit) {
    let command = OpenAccount::new(owner("ada"), eur())
        .with_policy(Policy::Overdraft(Amount::MAX))
        .with_max_balance(Some(Amount::MAX));
    let ada = kit.open_as(command).await;
    let bob = kit.open("bob").await;
    kit.accept(PostTransfer::new(vec![Leg::new(ada, bob, greatest())]))
        .await;
    let over = kit.refuse(transfer(ada, bob, 1)).await;
    assert_eq!(over, wallet_core::Rejection::InsufficientFunds);
    let back = vec![Leg::new(bob, ada, greatest())];
    kit.accept(PostTransfer::new(back)).await;
    kit.accept(Deposit::new(ada, greatest(), settlement("bank")))
        .await;
    let over = kit.refuse(super::steps::deposit(ada, 1)).await;
    assert_eq!(over, wallet_core::Rejection::MaxBalanceExceeded);
    let state = kit.account(ada).await.state;
    assert_eq!(state.policy, Policy::Overdraft(Amount::MAX));
    assert_eq!(state.max_balance, Some(Amount::MAX));
    let least = ChangeLimits::new(bob).with_max_balance(Change::Set(Amount::MIN));
    kit.accept(least).await;
    assert_eq!(kit.account(bob).await.state.max_balance, Some(amount(1)));
}

/// `length` bytes of hard text: wide, combining, right-to-left, quoting,
/// the last code point of every plane, and a blank at the end.
fn hard_text(length: usize) -> String {
    let hard = "' \" \\ % _ ; -- \u{FFFD}\u{FFFF}\u{10FFFF}e\u{0301}\u{05D0}\u{202E}\u{1F468}\u{200D}\u{1F469}\u{FEFF}\u{2028}";
    filled(hard, ' ', length)
}

/// Hard text within the rules for an owner: composed, without a blank at an end and
/// without marks that turn the direction.
fn hard_owner() -> String {
    let hard = "' \" \\ % _ ; -- \u{FFFD}\u{FFFF}\u{10FFFF}\u{E9}\u{05D0}\u{1F468}\u{308}\u{1F469}";
    filled(hard, '.', Owner::MAX_BYTES)
}

/// Repeats `hard`, and fills up with `last` to this number of bytes.
fn filled(hard: &str, last: char, length: usize) -> String {
    let mut text: String = hard
        .chars()
        .cycle()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes < length).then_some(c)
        })
        .collect();
    while text.len() < length {
        text.push(last);
    }
    text
}

/// Texts of the greatest length, with any characters, read back byte by byte: from
/// accounts, from records, and after a reopen.
pub async fn the_hardest_texts_come_back(kit: &StoreKit) {
    let wide = "\u{1F34E}".repeat((Metadata::MAX_BYTES - 8) / 4);
    let metadata = Metadata::parse(&format!(r#"{{"a":"{wide}"}}"#)).unwrap();
    assert!(metadata.as_str().len() > Metadata::MAX_BYTES - 8);
    let who = Owner::new(&hard_owner()).unwrap();
    let command = OpenAccount::new(who.clone(), eur()).with_metadata(Some(metadata.clone()));
    let account = opened(&kit.accept(command).await);
    let bob = kit.open_with("bob", 100).await;
    let details = Details {
        code: u32::MAX,
        reference: Some(Reference::new(&hard_text(Reference::MAX_BYTES)).unwrap()),
        description: Some(Description::new(&hard_text(Description::MAX_BYTES)).unwrap()),
        metadata: Some(metadata),
        effective_at: Some(Timestamp::from_micros(i64::MIN)),
    };
    let ada = account.state.key.id;
    let asked = transfer(bob, ada, 1).with_details(details.clone());
    let paid = posted(&kit.accept(asked).await).transfer;
    let late = Details {
        effective_at: Some(Timestamp::from_micros(i64::MAX)),
        ..details.clone()
    };
    let place = PlaceHold::new(bob, ada, cents(1)).with_details(late.clone());
    let hold = held(&kit.accept(place).await).key.id;
    kit.reopen().await;
    let stored = kit.account(ada).await;
    assert_eq!((&stored.owner, &stored.metadata), (&who, &account.metadata));
    let row = kit.transfer_now(paid.key.id).await;
    assert_eq!(row.transfer, paid);
    assert_eq!(row.transfer.details, details);
    assert_eq!(kit.hold_now(hold).await.details, late);
    let query = ReferenceQuery {
        ledger: LedgerId::default(),
        reference: details.reference.unwrap(),
        after: None,
        limit: 10,
    };
    assert_eq!(kit.store().list_transfers(&query).await.unwrap(), [row]);
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: Some(who),
        currency: None,
        after: None,
        limit: 10,
    };
    assert_eq!(kit.store().list_accounts(&query).await.unwrap(), [stored]);
}

/// Metadata keeps its numbers and nesting up to the limits of their ranges.
pub async fn metadata_keeps_its_ends(kit: &StoreKit) {
    let json = r#"{"":{"a":[[[[[[]]]]]]},"\u0000":"\u0007\\\"","i":-9223372036854775808,"u":18446744073709551615}"#;
    let metadata = Metadata::parse(json).unwrap();
    let command = OpenAccount::new(owner("ada"), eur()).with_metadata(Some(metadata.clone()));
    let id = opened(&kit.accept(command).await).state.key.id;
    kit.reopen().await;
    let stored = kit.account(id).await.metadata.unwrap();
    assert_eq!(stored.as_str(), metadata.as_str());
}

/// Owners and references are compared byte by byte: by case, accent and zero-width
/// characters. References also differ by composition and trailing blank.
pub async fn texts_are_compared_byte_by_byte(kit: &StoreKit) {
    let texts = [
        "ada",
        "Ada",
        "ada ",
        "\u{E5}da",
        "a\u{30A}da",
        "\u{FF41}da",
        "\u{DF}",
        "ss",
    ];
    let mut ids = Vec::new();
    // An owner ends with no blank and is composed.
    let owner_of = |text| match text {
        "ada " => "ada\u{591}",
        "a\u{30A}da" => "ADA",
        text => text,
    };
    for text in texts {
        let account = kit.open_with(owner_of(text), 10).await;
        let details = Details {
            reference: Some(Reference::new(text).unwrap()),
            ..Details::default()
        };
        let pay = super::steps::withdrawal(account, 1).with_details(details);
        ids.push((account, posted(&kit.accept(pay).await).transfer.key.id));
    }
    for (text, (account, paid)) in texts.into_iter().zip(ids) {
        let query = AccountQuery {
            ledger: LedgerId::default(),
            owner: Some(owner(owner_of(text))),
            currency: None,
            after: None,
            limit: 10,
        };
        let found = kit.store().list_accounts(&query).await.unwrap();
        let found: Vec<_> = found.iter().map(|a| a.state.key.id).collect();
        assert_eq!(found, [account], "{text:?}");
        let query = ReferenceQuery {
            ledger: LedgerId::default(),
            reference: Reference::new(text).unwrap(),
            after: None,
            limit: 10,
        };
        let found = kit.store().list_transfers(&query).await.unwrap();
        let found: Vec<_> = found.iter().map(|row| row.transfer.key.id).collect();
        assert_eq!(found, [paid], "{text:?}");
    }
}

/// Currencies with the least and greatest exponent and the longest code are stored.
pub async fn currencies_keep_their_ends(kit: &StoreKit) {
    for (code, exponent) in [("AB", 0), ("A23456789_12", 18), ("JPY", 0)] {
        let currency = Currency::new(code, exponent).unwrap();
        let id = kit.open_as(OpenAccount::new(owner("ada"), currency)).await;
        let money = Money {
            amount: Amount::MAX,
            currency,
        };
        kit.accept(Deposit::new(id, money, settlement(&"s".repeat(32))))
            .await;
        let stored = kit.account(id).await.state;
        assert_eq!(stored.currency, currency);
        assert_eq!(stored.counters.posted(), Amount::MAX.minor());
    }
}

/// The longest life of a hold is stored, and a cursor beyond every row returns an
/// empty page.
pub async fn the_longest_hold_is_kept(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let life = wallet_core::request::HOLD_LIFE_MAX;
    let place = PlaceHold::new(ada, bob, cents(1)).with_expires_in(Some(life));
    let hold = held(&kit.accept(place).await);
    let stored = kit.hold_now(hold.key.id).await;
    assert_eq!(
        stored.expires_at,
        Some(hold.created_at.saturating_add(life))
    );
    let query = wallet_core::EntryQuery {
        after: Some(i64::MAX),
        ..all_entries(at_home(ada))
    };
    assert_eq!(kit.store().entries(&query).await.unwrap(), []);
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: None,
        currency: None,
        after: Some(wallet_core::AccountId::new(uuid::Uuid::max())),
        limit: 10,
    };
    assert_eq!(kit.store().list_accounts(&query).await.unwrap(), []);
    let none = wallet_core::AccountId::new(given(404));
    assert_eq!(kit.entries(none).await, []);
}
