//! Accounts: opening, status, limits.

use super::steps::{amount, at_home, cents, deposit, eur, given, opened, owner, transfer};
use crate::StoreKit;
use wallet_core::ledger::{Counters, EffectKind};
use wallet_core::request::Change;
use wallet_core::store::AccountQuery;
use wallet_core::{
    AccountId, ChangeLimits, ChangeStatus, Command, Currency, LedgerId, Metadata, OpenAccount,
    PlaceHold, Policy, Receipt, Rejection, Release, Status,
};

/// An opened account reads back with every field, at version 1 and with zero
/// counters.
pub async fn an_opened_account_reads_back_whole(kit: &StoreKit) {
    let metadata = Metadata::parse(r#"{"tier":"gold"}"#).unwrap();
    let command = OpenAccount::new(owner("ada"), eur())
        .with_policy(Policy::Overdraft(amount(500)))
        .with_max_balance(Some(amount(10_000)))
        .with_metadata(Some(metadata.clone()))
        .with_system(true);
    let answered = opened(&kit.accept(command).await);
    let read = kit.account(answered.state.key.id).await;
    assert_eq!(read, answered);
    assert_eq!(read.owner, owner("ada"));
    assert_eq!(read.metadata, Some(metadata));
    assert_eq!(read.state.currency, eur());
    assert_eq!(read.state.policy, Policy::Overdraft(amount(500)));
    assert_eq!(read.state.max_balance, Some(amount(10_000)));
    assert_eq!(read.state.status, Status::Active);
    assert_eq!(read.state.counters, Counters::default());
    assert_eq!((read.state.version, read.state.sequence), (1, 0));
    assert_eq!(read.state.last_at, read.created_at);
    assert!(read.state.system);
}

/// A second account under the same id is refused and changes nothing.
pub async fn an_id_that_is_taken_is_refused(kit: &StoreKit) {
    let id = kit.open("ada").await;
    let again = OpenAccount::new(owner("eve"), eur()).with_id(Some(id));
    assert_eq!(kit.refuse(again).await, Rejection::IdTaken);
    let account = kit.account_at(at_home(id)).await.unwrap();
    assert_eq!(account.owner, owner("ada"));
}

/// Accounts are returned in the order of the keys, with `None` for missing ones.
pub async fn a_missing_account_is_none_in_its_place(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let nobody = AccountId::new(given(404));
    let keys = [bob, nobody, ada, bob].map(at_home);
    let found = kit.store().accounts(&keys).await.unwrap();
    let ids: Vec<_> = found
        .iter()
        .map(|account| account.as_ref().map(|account| account.state.key.id))
        .collect();
    assert_eq!(ids, [Some(bob), None, Some(ada), Some(bob)]);
}

/// Each status refuses exactly its debits and credits. An account that is active
/// again takes both.
pub async fn a_status_refuses_what_it_says(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open_with("bob", 1_000).await;
    let table = [
        (Status::DebitsFrozen, true, false),
        (Status::CreditsFrozen, false, true),
        (Status::Frozen, true, true),
        (Status::Active, false, false),
    ];
    for (status, refuses_debits, refuses_credits) in table {
        kit.accept(ChangeStatus::new(ada, status)).await;
        assert_eq!(kit.account(ada).await.state.status, status);
        for (from, to, refuses) in [(ada, bob, refuses_debits), (bob, ada, refuses_credits)] {
            if refuses {
                let refused = kit.refuse(transfer(from, to, 1)).await;
                assert_eq!(refused, Rejection::AccountFrozen, "{status:?}");
            } else {
                kit.pay(from, to, 1).await;
            }
        }
    }
    assert_eq!(kit.balances(ada).await, (1_000, 1_000));
}

/// An account closes only without holds and at balance zero. Then it takes part in
/// nothing.
pub async fn an_account_closes_only_when_it_is_empty(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let close = ChangeStatus::new(ada, Status::Closed);
    let hold = kit.hold(ada, bob, 40).await;
    assert_eq!(kit.refuse(close.clone()).await, Rejection::HoldsOutstanding);
    let close_bob = ChangeStatus::new(bob, Status::Closed);
    assert_eq!(kit.refuse(close_bob).await, Rejection::HoldsOutstanding);
    kit.accept(Release::new(hold)).await;
    assert_eq!(kit.refuse(close.clone()).await, Rejection::BalanceNotZero);
    kit.pay(ada, bob, 100).await;
    kit.accept(close).await;
    assert_eq!(kit.account(ada).await.state.status, Status::Closed);
    let commands: [Command; 5] = [
        transfer(bob, ada, 1).into(),
        deposit(ada, 1).into(),
        PlaceHold::new(bob, ada, cents(1)).into(),
        ChangeStatus::new(ada, Status::Active).into(),
        ChangeLimits::new(ada)
            .with_policy(Some(Policy::Unlimited))
            .into(),
    ];
    for command in commands {
        assert_eq!(kit.refuse(command).await, Rejection::AccountClosed);
    }
}

/// Setting the current status or limits changes nothing.
pub async fn what_is_so_already_has_no_effect(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let before = kit.account(ada).await;
    let same: [Command; 2] = [
        ChangeStatus::new(ada, Status::Active).into(),
        ChangeLimits::new(ada)
            .with_policy(Some(Policy::NonNegative))
            .into(),
    ];
    for command in same {
        match kit.accept(command).await {
            Receipt::AccountChanged(changed) => assert_eq!(changed.effect, None),
            other => panic!("not a change: {other:?}"),
        }
    }
    assert_eq!(kit.account(ada).await, before);
}

/// A change of status or limits raises the version by one and is returned.
pub async fn a_change_raises_the_version(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let freeze = kit.accept(ChangeStatus::new(ada, Status::Frozen)).await;
    let Receipt::AccountChanged(frozen) = freeze else {
        panic!("not a change: {freeze:?}");
    };
    assert_eq!(frozen.effect, Some(EffectKind::StatusChanged));
    assert_eq!(frozen.state.version, 2);
    let raise = ChangeLimits::new(ada).with_max_balance(Change::Set(amount(5)));
    let raise = kit.accept(raise).await;
    let Receipt::AccountChanged(raised) = raise else {
        panic!("not a change: {raise:?}");
    };
    assert_eq!(raised.effect, Some(EffectKind::LimitsChanged));
    assert_eq!(raised.state.version, 3);
    assert_eq!(kit.account(ada).await.state, raised.state);
}

/// A new overdraft limit is effective from then on. A limit that the balance breaks
/// is refused.
pub async fn an_overdraft_ends_at_its_limit(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let too_much = kit.refuse(transfer(ada, bob, 1)).await;
    assert_eq!(too_much, Rejection::InsufficientFunds);
    let limit = |minor| {
        let policy = Some(Policy::Overdraft(amount(minor)));
        ChangeLimits::new(ada).with_policy(policy)
    };
    kit.accept(limit(100)).await;
    kit.pay(ada, bob, 100).await;
    assert_eq!(kit.balances(ada).await, (-100, -100));
    let too_much = kit.refuse(transfer(ada, bob, 1)).await;
    assert_eq!(too_much, Rejection::InsufficientFunds);
    assert_eq!(kit.refuse(limit(99)).await, Rejection::LimitBreached);
    kit.accept(ChangeLimits::new(ada).with_policy(Some(Policy::Unlimited)))
        .await;
    kit.pay(ada, bob, 1_000_000).await;
    assert_eq!(kit.balances(ada).await, (-1_000_100, -1_000_100));
}

/// A maximum balance counts pending credits, is effective when it is set, and can
/// be removed.
pub async fn a_ceiling_counts_what_is_pending(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open_with("bob", 100).await;
    let ceiling = |change| ChangeLimits::new(bob).with_max_balance(change);
    let below = kit.refuse(ceiling(Change::Set(amount(99)))).await;
    assert_eq!(below, Rejection::LimitBreached);
    kit.accept(ceiling(Change::Set(amount(300)))).await;
    kit.hold(ada, bob, 150).await;
    let over = kit.refuse(transfer(ada, bob, 51)).await;
    assert_eq!(over, Rejection::MaxBalanceExceeded);
    let over = kit.refuse(PlaceHold::new(ada, bob, cents(51))).await;
    assert_eq!(over, Rejection::MaxBalanceExceeded);
    kit.pay(ada, bob, 50).await;
    kit.accept(ceiling(Change::Clear)).await;
    kit.pay(ada, bob, 500).await;
    assert_eq!(kit.account(bob).await.state.max_balance, None);
    assert_eq!(kit.balances(bob).await, (650, 650));
}

/// A currency code keeps its first exponent in every ledger, also after a reopen.
pub async fn a_currency_keeps_its_exponent(kit: &StoreKit) {
    let points = |exponent| Currency::new("POINTS", exponent).unwrap();
    kit.open_as(OpenAccount::new(owner("ada"), points(0))).await;
    let other = OpenAccount::new(owner("bob"), points(2));
    let refused = kit.refuse(other.clone()).await;
    assert_eq!(refused, Rejection::CurrencyExponentMismatch);
    kit.reopen().await;
    let refused = kit.refuse(other).await;
    assert_eq!(refused, Rejection::CurrencyExponentMismatch);
    kit.open_as(OpenAccount::new(owner("bob"), points(0))).await;
}

/// Accounts are listed ascending by the bytes of their ids, page by page, without
/// duplicates or omissions.
pub async fn accounts_come_in_pages_by_id(kit: &StoreKit) {
    let numbers = [5_u128, 1 << 61, 3, (1 << 61) + 1, 7];
    let mut ids = Vec::new();
    for number in numbers {
        let id = AccountId::new(given(number));
        let command = OpenAccount::new(owner("ada"), eur()).with_id(Some(id));
        ids.push(kit.open_as(command).await);
    }
    // First bytes with and without the highest bit: the order is unsigned.
    for first in [0x00_u8, 0x7F, 0x80, 0xFF] {
        let mut bytes = *given(9).as_bytes();
        bytes[0] = first;
        let id = AccountId::from_bytes(bytes);
        let command = OpenAccount::new(owner("ada"), eur()).with_id(Some(id));
        ids.push(kit.open_as(command).await);
    }
    ids.sort_unstable();
    for limit in [1, 2, 4, 9, 100, u32::MAX] {
        assert_eq!(pages(kit, limit).await, ids, "pages of {limit}");
    }
}

async fn pages(kit: &StoreKit, limit: u32) -> Vec<AccountId> {
    let mut query = everyone(limit);
    let mut ids = Vec::new();
    loop {
        let page = kit.store().list_accounts(&query).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        let Some(last) = page.last() else {
            return ids;
        };
        query.after = Some(last.state.key.id);
        ids.extend(page.iter().map(|account| account.state.key.id));
    }
}

const fn everyone(limit: u32) -> AccountQuery {
    AccountQuery {
        ledger: LedgerId::new(0),
        owner: None,
        currency: None,
        after: None,
        limit,
    }
}

/// An owner's accounts are found, by currency too. Other owners' accounts are not.
pub async fn accounts_are_found_by_owner_and_currency(kit: &StoreKit) {
    let usd = Currency::iso("USD").unwrap();
    let ada_eur = kit.open("ada").await;
    let ada_usd = kit.open_as(OpenAccount::new(owner("ada"), usd)).await;
    let ada_two = kit.open("ada").await;
    let bob_usd = kit.open_as(OpenAccount::new(owner("bob"), usd)).await;
    let find = async |who: Option<&str>, currency: Option<Currency>| {
        let query = AccountQuery {
            owner: who.map(owner),
            currency,
            ..everyone(100)
        };
        let found = kit.store().list_accounts(&query).await.unwrap();
        found.iter().map(|a| a.state.key.id).collect::<Vec<_>>()
    };
    assert_eq!(find(Some("ada"), None).await, [ada_eur, ada_usd, ada_two]);
    assert_eq!(find(Some("ada"), Some(eur())).await, [ada_eur, ada_two]);
    assert_eq!(find(Some("bob"), Some(eur())).await, []);
    assert_eq!(find(Some("ad"), None).await, []);
    assert_eq!(find(None, Some(usd)).await, [ada_usd, bob_usd]);
    let query = AccountQuery {
        owner: Some(owner("ada")),
        after: Some(ada_eur),
        ..everyone(1)
    };
    let page = kit.store().list_accounts(&query).await.unwrap();
    assert_eq!(page, [kit.account(ada_usd).await]);
}

/// Accounts are durable with all fields after a reopen.
pub async fn accounts_are_durable(kit: &StoreKit) {
    let ada = kit.open_with("ada", 70).await;
    let before = kit.account(ada).await;
    kit.reopen().await;
    assert_eq!(kit.account(ada).await, before);
    kit.accept(deposit(ada, 30)).await;
    assert_eq!(kit.balances(ada).await, (100, 100));
}
