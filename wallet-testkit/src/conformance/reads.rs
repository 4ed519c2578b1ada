//! Reads: snapshots, entries, ledgers, pages.

use std::time::Duration;

use super::steps::{
    all_entries, at_home, cents, deposit, eur, given, opened, owner, receipts, request, settlement,
    transfer,
};
use crate::StoreKit;
use crate::store_kit::{fresh, record_key};
use wallet_core::ledger::{Decided, InLedger};
use wallet_core::request::Batch;
use wallet_core::store::{AccountQuery, HoldQuery, Order, ReferenceQuery};
use wallet_core::{
    AccountId, Amount, Capture, Currency, Deposit, EntryQuery, LedgerId, Money, OpenAccount,
    Reference, Rejection, Reverse, Timestamp, TransferId,
};

/// A dry run decides the same on a snapshot as the commit would, and writes
/// nothing.
pub async fn a_dry_run_writes_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let prepared = kit.prepare(request("dry", transfer(ada, bob, 60)));
    let batch = Batch::new(vec![prepared.clone()]);
    let before = kit.account(ada).await;
    let snapshot = kit.store().snapshot(batch.reads()).await.unwrap();
    let planned = wallet_core::decide::decide(&batch, &snapshot).decided;
    assert_eq!(kit.account(ada).await, before);
    assert_eq!(kit.entries(bob).await, []);
    let none = kit.store().records(&[record_key("dry")]).await.unwrap();
    assert_eq!(none, [None]);
    let committed = fresh(kit.transact(vec![prepared]).await.remove(0));
    let [Decided::Fresh(planned)] = planned.as_slice() else {
        panic!("not decided afresh: {planned:?}");
    };
    assert_eq!(planned.result.is_ok(), committed.result.is_ok());
    if kit.drives_the_clock() {
        assert_eq!(*planned, committed);
    }
}

/// A snapshot holds all requested rows, sorted: accounts (`None` for missing ones),
/// records, currencies, and the accounts of holds and transfers.
pub async fn a_snapshot_holds_all_that_was_asked_for(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let hold = kit.hold(ada, bob, 10).await;
    let paid = kit.pay(ada, eve, 10).await;
    let known = kit.prepare(request("known", deposit(ada, 1)));
    let outcome = fresh(kit.transact(vec![known.clone()]).await.remove(0));
    let new = AccountId::new(given(1));
    let open = OpenAccount::new(owner("new"), eur()).with_id(Some(new));
    let ask = |command: wallet_core::Command| {
        kit.prepare(wallet_core::Request::new(kit.fresh_key(), command))
    };
    let batch = Batch::new(vec![
        known,
        ask(open.into()),
        ask(Capture::new(hold).into()),
        ask(Reverse::new(paid).into()),
        ask(Capture::new(wallet_core::HoldId::new(given(404))).into()),
    ]);
    let snapshot = kit.store().snapshot(batch.reads()).await.unwrap();
    let accounts: Vec<_> = snapshot.accounts.iter().map(|(key, _)| *key).collect();
    let mut right = [ada, bob, eve, new, super::steps::bank()].map(at_home);
    right.sort_unstable();
    assert_eq!(accounts, right);
    for (key, state) in &snapshot.accounts {
        let stored = kit.account_at(*key).await;
        assert_eq!(*state, stored.map(|account| account.state));
    }
    let records: Vec<_> = snapshot
        .records
        .iter()
        .map(|r| (r.key, &r.outcome))
        .collect();
    assert_eq!(records, [(record_key("known"), &outcome)]);
    assert_eq!(snapshot.holds, [kit.hold_now(hold).await]);
    assert_eq!(snapshot.transfers, [kit.transfer_now(paid).await]);
    assert_eq!(snapshot.currencies, [eur()]);
}

/// Entries are paged in both orders, without duplicates or omissions.
pub async fn entries_come_in_pages_both_ways(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    for minor in 1..=7 {
        kit.accept(deposit(ada, minor)).await;
    }
    let all = kit.entries(ada).await;
    let sequences: Vec<_> = all.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7]);
    for order in [Order::Ascending, Order::Descending] {
        let mut right = all.clone();
        if order == Order::Descending {
            right.reverse();
        }
        for limit in [1, 3, 7, 50] {
            let mut listed = Vec::new();
            let mut query = EntryQuery {
                order,
                limit,
                ..all_entries(at_home(ada))
            };
            loop {
                let page = kit.store().entries(&query).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(last) = page.last() else {
                    break;
                };
                query.after = Some(last.sequence);
                listed.extend(page);
            }
            assert_eq!(listed, right, "{order:?} in pages of {limit}");
        }
    }
}

/// Entries are found by time, from (inclusive) and to (exclusive), together with a
/// cursor, in both orders.
pub async fn entries_are_found_by_time(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open("ada").await;
    let second = Duration::from_secs(1);
    let start = kit.now();
    let at = |seconds: u32| start.saturating_add(second * seconds);
    for minor in 1..=5 {
        kit.advance(second);
        kit.accept(deposit(ada, minor)).await;
    }
    let find = async |from: Option<Timestamp>, to: Option<Timestamp>, order, after| {
        let query = EntryQuery {
            from,
            to,
            order,
            after,
            ..all_entries(at_home(ada))
        };
        let found = kit.store().entries(&query).await.unwrap();
        found.iter().map(|entry| entry.sequence).collect::<Vec<_>>()
    };
    let (up, down) = (Order::Ascending, Order::Descending);
    assert_eq!(find(Some(at(2)), Some(at(4)), up, None).await, [2, 3]);
    assert_eq!(find(Some(at(2)), Some(at(4)), down, None).await, [3, 2]);
    assert_eq!(find(Some(at(4)), None, up, None).await, [4, 5]);
    assert_eq!(find(None, Some(at(2)), down, None).await, [1]);
    assert_eq!(find(Some(at(2)), Some(at(2)), up, None).await, [0_i64; 0]);
    assert_eq!(find(Some(at(4)), Some(at(2)), up, None).await, [0_i64; 0]);
    assert_eq!(find(Some(at(2)), None, up, Some(3)).await, [4, 5]);
    assert_eq!(find(Some(at(2)), None, down, Some(4)).await, [3, 2]);
    let next = at(3).saturating_add(Duration::from_micros(1));
    assert_eq!(find(Some(next), None, up, None).await, [4, 5]);
    assert_eq!(find(None, Some(next), up, None).await, [1, 2, 3]);
}

/// An empty store, an unknown account and a limit of 0 give an empty page and no
/// error.
pub async fn what_is_not_there_is_an_empty_page(kit: &StoreKit) {
    let store = kit.store();
    assert_eq!(store.ledgers().await.unwrap(), []);
    assert_eq!(store.accounts(&[]).await.unwrap(), []);
    assert_eq!(store.holds(&[]).await.unwrap(), []);
    assert_eq!(store.transfers(&[]).await.unwrap(), []);
    assert_eq!(store.expired_holds(10).await.unwrap(), []);
    for filled in [false, true] {
        let (mut account, mut limit) = (AccountId::new(given(404)), 10);
        if filled {
            let bob = kit.open("bob").await;
            account = kit.open_with("ada", 100).await;
            let details = wallet_core::ledger::Details {
                reference: Some(Reference::new("x").unwrap()),
                ..wallet_core::ledger::Details::default()
            };
            kit.accept(transfer(account, bob, 1).with_details(details))
                .await;
            kit.hold(account, bob, 1).await;
            limit = 0;
        }
        let ledger = LedgerId::default();
        let account = InLedger::new(ledger, account);
        let entries = EntryQuery {
            limit,
            ..all_entries(account)
        };
        assert_eq!(store.entries(&entries).await.unwrap(), []);
        let holds = HoldQuery {
            account,
            status: None,
            after: None,
            limit,
        };
        assert_eq!(store.list_holds(&holds).await.unwrap(), []);
        let accounts = AccountQuery {
            ledger,
            owner: None,
            currency: None,
            after: None,
            limit,
        };
        assert_eq!(store.list_accounts(&accounts).await.unwrap(), []);
        let reference = ReferenceQuery {
            ledger,
            reference: Reference::new("x").unwrap(),
            after: None,
            limit,
        };
        assert_eq!(store.list_transfers(&reference).await.unwrap(), []);
    }
}

/// Ledgers are separate: the same ids name other accounts, transfers and holds
/// there. Nothing crosses, and each ledger is listed once, in order.
pub async fn ledgers_are_separate_books(kit: &StoreKit) {
    let ledgers = [LedgerId::new(0), LedgerId::new(7), LedgerId::new(u32::MAX)];
    let (ada, bob) = (AccountId::new(given(1)), AccountId::new(given(2)));
    let paid = TransferId::new(given(3));
    let hold = wallet_core::HoldId::new(given(4));
    let details = wallet_core::ledger::Details {
        reference: Some(Reference::new("r").unwrap()),
        ..wallet_core::ledger::Details::default()
    };
    for (ledger, minor) in ledgers.into_iter().zip([100, 200, 300]).rev() {
        let open = |id, name: &str| {
            OpenAccount::new(owner(name), eur())
                .with_id(Some(id))
                .into()
        };
        let pay = transfer(ada, bob, minor - 1);
        let commands = vec![
            open(ada, "ada"),
            open(bob, "bob"),
            deposit(ada, minor).into(),
            pay.with_id(Some(paid)).with_details(details.clone()).into(),
            wallet_core::PlaceHold::new(bob, ada, cents(minor - 2))
                .with_id(Some(hold))
                .into(),
        ];
        let request = wallet_core::Request::of_many(kit.fresh_key(), commands).in_ledger(ledger);
        receipts(&fresh(kit.submit(request).await));
    }
    let store = kit.store();
    assert_eq!(store.ledgers().await.unwrap(), ledgers);
    for (ledger, minor) in ledgers.into_iter().zip([100, 200, 300]) {
        let key = InLedger::new(ledger, bob);
        let account = kit.account_at(key).await.unwrap();
        assert_eq!(account.state.key, key);
        assert_eq!(account.state.counters.posted(), minor - 1);
        assert_eq!(account.state.counters.available(), 1);
        let entries = store.entries(&all_entries(key)).await.unwrap();
        assert_eq!((entries.len(), entries[0].account), (1, key));
        let query = ReferenceQuery {
            ledger,
            reference: Reference::new("r").unwrap(),
            after: None,
            limit: 10,
        };
        let named = store.list_transfers(&query).await.unwrap();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].transfer.key, InLedger::new(ledger, paid));
        let query = HoldQuery {
            account: key,
            status: None,
            after: None,
            limit: 10,
        };
        let holds = store.list_holds(&query).await.unwrap();
        assert_eq!(holds.len(), 1);
        assert_eq!(holds[0].money, cents(minor - 2));
        let at = account.state.last_at;
        if kit.drives_the_clock() {
            let past = store.balance_at(key, at).await.unwrap().unwrap();
            assert_eq!(past.posted, minor - 1);
        }
    }
    let mut only_here = opened(&kit.accept(OpenAccount::new(owner("eve"), eur())).await);
    let elsewhere =
        wallet_core::Request::new(kit.fresh_key(), transfer(ada, only_here.state.key.id, 1));
    let outcome = fresh(kit.submit(elsewhere.in_ledger(LedgerId::new(7))).await);
    assert_eq!(
        super::steps::refusal(&outcome).rejection,
        Rejection::AccountNotFound
    );
    only_here.state.key.ledger = LedgerId::new(7);
    assert_eq!(kit.account_at(only_here.state.key).await, None);
}

/// Thousands of keys are answered at once, known, unknown and repeated ones, each
/// in its place.
pub async fn thousands_of_keys_are_answered_at_once(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let paid = kit.pay(ada, bob, 1).await;
    let hold = kit.hold(ada, bob, 1).await;
    fresh(kit.submit(request("known", deposit(ada, 1))).await);
    let known = |number: u128| number % 500 == 7;
    let numbers = || 0..3_000_u128;
    let right: Vec<bool> = numbers().map(known).collect();
    let some = |number| {
        if known(number) {
            ada
        } else {
            AccountId::new(given(number))
        }
    };
    let keys: Vec<_> = numbers().map(some).map(at_home).collect();
    let found = kit.store().accounts(&keys).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), right);
    let some = |number| {
        if known(number) {
            paid
        } else {
            TransferId::new(given(number))
        }
    };
    let keys: Vec<_> = numbers().map(some).map(at_home).collect();
    let found = kit.store().transfers(&keys).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), right);
    let some = |number| {
        if known(number) {
            hold
        } else {
            wallet_core::HoldId::new(given(number))
        }
    };
    let keys: Vec<_> = numbers().map(some).map(at_home).collect();
    let found = kit.store().holds(&keys).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), right);
    let text = |number| {
        if known(number) {
            "known".to_owned()
        } else {
            format!("{number}")
        }
    };
    let keys: Vec<_> = numbers().map(|number| record_key(&text(number))).collect();
    let found = kit.store().records(&keys).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), right);
}

/// A trial balance adds up each currency of a ledger, including system accounts.
/// Other ledgers are not in it.
pub async fn a_trial_balance_adds_up_each_currency(kit: &StoreKit) {
    let abroad = LedgerId::new(7);
    let currencies = ["JPY", "EUR", "USD"].map(|code| Currency::iso(code).unwrap());
    for (ledger, count) in [(LedgerId::default(), 3), (abroad, 1)] {
        for (number, currency) in (1..).zip(currencies) {
            for (account, minor) in (1..=count).zip(1..) {
                let id = AccountId::new(given(number * 10 + account));
                let open = OpenAccount::new(owner("ada"), currency).with_id(Some(id));
                let amount = Amount::new(minor).unwrap();
                let deposit = Deposit::new(id, Money { amount, currency }, settlement("bank"));
                let commands = match number {
                    // Accounts at zero count too.
                    1 => vec![open.into()],
                    _ => vec![open.into(), deposit.into()],
                };
                let request = wallet_core::Request::of_many(kit.fresh_key(), commands);
                receipts(&fresh(kit.submit(request.in_ledger(ledger)).await));
            }
        }
    }
    let store = kit.store();
    for (ledger, count) in [(LedgerId::default(), 3), (abroad, 1)] {
        let sums = store.trial_balance(ledger).await.unwrap();
        let found: Vec<_> = sums
            .iter()
            .map(|sum| (sum.currency, sum.accounts, sum.posted))
            .collect();
        let [jpy, eur, usd] = currencies;
        // The bank has one account per currency that it paid.
        let due = [(eur, count + 1, 0), (jpy, count, 0), (usd, count + 1, 0)];
        assert_eq!(found, due);
    }
    assert_eq!(store.trial_balance(LedgerId::new(9)).await.unwrap(), []);
}

/// A probe changes neither the accounts nor the outbox, and needs no row that
/// another transaction has locked.
pub async fn a_probe_leaves_nothing_behind(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (store, outbox) = (kit.store(), kit.outbox());
    let before = (kit.account(ada).await, outbox.depth().await.unwrap());
    for result in futures_util::future::join_all((0..8).map(|_| store.probe())).await {
        result.unwrap();
    }
    let after = (kit.account(ada).await, outbox.depth().await.unwrap());
    assert_eq!(after, before);
    let sums = store.trial_balance(LedgerId::default()).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.posted).sum::<i128>(), 0);
}
