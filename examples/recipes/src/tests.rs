//! Every recipe, on books in memory.

use wallet::prelude::*;
use wallet::{Decimal, LedgerId, Timestamp};

use crate::subscription::{Charged, TRIES};
use crate::{daily_limit, escrow, exchange, hold, month_end, opening, payout, refund};
use crate::{subscription, tenants};

struct Shop {
    books: Books,
    keys: wallet::Scope,
}

fn eur(amount: &str) -> Money {
    Currency::iso("EUR").unwrap().parse(amount).unwrap()
}

fn rejection<T: std::fmt::Debug>(done: Result<T, WalletError>) -> Rejection {
    done.unwrap_err().rejected().unwrap().rejection
}

impl Shop {
    async fn open() -> Self {
        let books = Books::open("memory:").await.unwrap();
        let keys = books.scope("shop").unwrap();
        Self { books, keys }
    }

    /// An account with money.
    async fn with(&self, owner: &str, money: Option<Money>) -> AccountId {
        let currency = Currency::iso("EUR").unwrap();
        let open = OpenAccount::new(owner.parse().unwrap(), currency);
        let account = self.books.ensure_account(open).await.unwrap().id();
        if let Some(money) = money {
            let funds = Deposit::new(account, money, "bank".parse().unwrap());
            self.keys
                .run(&format!("funds-{owner}"), funds)
                .await
                .unwrap();
        }
        account
    }

    async fn has(&self, account: AccountId) -> String {
        let found = self.books.account(account).await.unwrap().unwrap();
        found.available().to_string()
    }
}

#[tokio::test]
async fn a_deposit_is_held_charged_in_part_or_released() {
    let shop = Shop::open().await;
    let guest = shop.with("guest", Some(eur("500.00"))).await;
    let host = shop.with("host", None).await;
    for _ in 0..2 {
        let held = hold::reserve(&shop.keys, 1, guest, host, eur("300.00"))
            .await
            .unwrap();
        hold::charge_damage(&shop.keys, 1, held, eur("40.00"))
            .await
            .unwrap();
        assert_eq!(
            (shop.has(guest).await, shop.has(host).await),
            ("460.00 EUR".into(), "40.00 EUR".into())
        );
    }
    let held = hold::reserve(&shop.keys, 2, guest, host, eur("300.00"))
        .await
        .unwrap();
    let more = hold::charge_damage(&shop.keys, 2, held, eur("300.01")).await;
    assert_eq!(rejection(more), Rejection::CaptureExceedsHold);
    hold::release(&shop.keys, 2, held).await.unwrap();
    assert_eq!(shop.has(guest).await, "460.00 EUR");
}

#[tokio::test]
async fn a_sale_is_settled_or_given_back_and_never_both() {
    let shop = Shop::open().await;
    let buyer = shop.with("buyer", Some(eur("30.00"))).await;
    let [merchant, platform] = [
        shop.with("merchant", None).await,
        shop.with("platform", None).await,
    ];
    let price = eur("10.01");
    let first = escrow::pay_in(&shop.books, 1, buyer, price).await.unwrap();
    let second = escrow::pay_in(&shop.books, 2, buyer, price).await.unwrap();
    assert_ne!(first, second);
    for _ in 0..2 {
        escrow::settle(&shop.books, 1, first, price, [merchant, platform])
            .await
            .unwrap();
        escrow::give_back(&shop.books, 2, second, buyer, price)
            .await
            .unwrap();
    }
    let both = escrow::give_back(&shop.books, 1, first, buyer, price).await;
    assert!(matches!(both, Err(WalletError::IdempotencyMismatch)));
    assert_eq!(shop.has(merchant).await, "9.51 EUR");
    assert_eq!(shop.has(platform).await, "0.50 EUR");
    assert_eq!(shop.has(buyer).await, "19.99 EUR");
}

#[tokio::test]
async fn refunds_in_parts_end_at_zero() {
    let shop = Shop::open().await;
    let buyer = shop.with("buyer", Some(eur("1.01"))).await;
    let parts = [("merchant", 8_300), ("platform", 1_000), ("tax", 700)];
    let mut shares = Vec::new();
    for (owner, share_bp) in parts {
        let to = shop.with(owner, None).await;
        shares.push(wallet::Share { to, share_bp });
    }
    let split = Split::new(buyer, eur("1.01"), shares.clone());
    let sale = shop.keys.run("sale", split).await.unwrap().id();
    for (refund, money) in [("r-1", "0.33"), ("r-2", "0.33"), ("r-2", "0.33")] {
        refund::part(&shop.keys, refund, sale, eur(money))
            .await
            .unwrap();
    }
    let more = refund::part(&shop.keys, "r-3", sale, eur("0.36")).await;
    assert_eq!(rejection(more), Rejection::ReversalExceedsTransfer);
    refund::charge_back(&shop.keys, "case-1", sale)
        .await
        .unwrap();
    assert_eq!(shop.has(buyer).await, "1.01 EUR");
    for share in shares {
        assert_eq!(shop.has(share.to).await, "0.00 EUR");
    }
}

#[tokio::test]
async fn a_payout_that_came_back_is_undone_once() {
    let shop = Shop::open().await;
    let mia = shop.with("mia", Some(eur("50.00"))).await;
    let sent = payout::send(&shop.keys, 1, mia, eur("20.00"))
        .await
        .unwrap();
    assert_eq!(shop.has(mia).await, "30.00 EUR");
    for _ in 0..2 {
        payout::returned(&shop.keys, 1, sent).await.unwrap();
    }
    assert_eq!(shop.has(mia).await, "50.00 EUR");
}

#[tokio::test]
async fn a_month_is_charged_once_after_any_number_of_tries() {
    let shop = Shop::open().await;
    let ada = shop.with("ada", None).await;
    let till = shop.with("till", None).await;
    let pay = PostTransfer::simple(ada, till, eur("9.00"));
    let charge = async |month| {
        subscription::charge(&shop.keys, 7, month, &pay)
            .await
            .unwrap()
    };
    assert_eq!(charge("2026-11").await, Charged::Later);
    shop.with("ada", Some(eur("100.00"))).await;
    for _ in 0..3 {
        assert_eq!(charge("2026-11").await, Charged::Paid);
    }
    assert_eq!(shop.has(till).await, "9.00 EUR");
    assert_eq!(charge("2026-12").await, Charged::Paid);

    let poor = shop.with("poor", None).await;
    let pay = PostTransfer::simple(poor, till, eur("9.00"));
    for _ in 0..TRIES {
        let tried = subscription::charge(&shop.keys, 8, "2026-11", &pay).await;
        assert_eq!(tried.unwrap(), Charged::Later);
    }
    let over = subscription::charge(&shop.keys, 8, "2026-11", &pay).await;
    assert_eq!(over.unwrap(), Charged::GivenUp);
}

#[tokio::test]
async fn nobody_spends_more_than_the_limit_of_a_day() {
    let shop = Shop::open().await;
    let ada = shop.with("ada", Some(eur("2000.00"))).await;
    let till = shop.with("till", None).await;
    let owner: Owner = "ada".parse().unwrap();
    let pay = async |key: &str, day: &str, amount: &str| {
        let money = eur(amount);
        let transfer = PostTransfer::simple(ada, till, money);
        daily_limit::pay(&shop.books, key, &owner, day, transfer, money).await
    };
    pay("p-1", "2026-11-28", "400.00").await.unwrap();
    pay("p-1", "2026-11-28", "400.00").await.unwrap();
    let over = pay("p-2", "2026-11-28", "100.01").await.unwrap_err();
    let today = daily_limit::allowance(&owner, "2026-11-28").unwrap();
    let subject = over.rejected().map(|rejected| rejected.subject);
    assert_eq!(subject, Some(today.uuid()));
    pay("p-3", "2026-11-28", "100.00").await.unwrap();
    pay("p-4", "2026-11-29", "500.00").await.unwrap();
    assert_eq!(shop.has(till).await, "1000.00 EUR");
}

#[tokio::test]
async fn an_exchange_moves_both_sides_or_none() {
    let shop = Shop::open().await;
    let usd = Currency::iso("USD").unwrap();
    let ada = shop.with("ada", Some(eur("10.00"))).await;
    let open = OpenAccount::new("ada".parse().unwrap(), usd);
    let dollars = shop.books.ensure_account(open).await.unwrap().id();
    // 9.99 x 1.0837 = 10.826163
    let quote = exchange::quote(eur("9.99"), Decimal::new(10_837, 4), usd).unwrap();
    assert_eq!(quote.gets.to_string(), "10.82 USD");
    for _ in 0..2 {
        exchange::exchange(&shop.books, "x-1", quote, [ada, dollars])
            .await
            .unwrap();
    }
    let more = exchange::exchange(&shop.books, "x-2", quote, [ada, dollars]).await;
    assert_eq!(rejection(more), Rejection::InsufficientFunds);
    assert_eq!(
        (shop.has(ada).await, shop.has(dollars).await),
        ("0.01 EUR".into(), "10.82 USD".into())
    );
    let nothing = exchange::quote(eur("0.01"), Decimal::new(1, 3), usd);
    assert!(matches!(nothing, Err(WalletError::Value(_))));
}

#[tokio::test]
async fn a_month_that_has_ended_has_its_balance() {
    let shop = Shop::open().await;
    let ada = shop.with("ada", Some(eur("10.00"))).await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let long_ago = at("2020-01-01T00:00:00Z");
    let before = month_end::balance(&shop.books, ada, long_ago)
        .await
        .unwrap();
    assert_eq!(before.unwrap().to_string(), "0.00 EUR");
    let future = month_end::balance(&shop.books, ada, at("2120-01-01T00:00:00Z")).await;
    assert_eq!(future.unwrap_err().code(), "store_refused");
}

#[tokio::test]
async fn balances_are_taken_over_once() {
    let shop = Shop::open().await;
    let currency = Currency::iso("EUR").unwrap();
    let rows = [("ada", Some(eur("12.34"))), ("bob", None)];
    let mut accounts = Vec::new();
    for _ in 0..2 {
        for (customer, balance) in rows {
            let account = opening::take_over(&shop.books, customer, balance, currency).await;
            accounts.push(account.unwrap());
        }
    }
    assert_eq!(accounts[..2], accounts[2..]);
    assert_eq!(shop.has(accounts[0]).await, "12.34 EUR");
    let changed = opening::take_over(&shop.books, "ada", Some(eur("1.00")), currency).await;
    assert!(matches!(changed, Err(WalletError::IdempotencyMismatch)));
}

#[tokio::test]
async fn tenants_share_nothing() {
    let shop = Shop::open().await;
    let [one, two] = [1, 2].map(|number| tenants::tenant(&shop.books, number).unwrap());
    let currency = Currency::iso("EUR").unwrap();
    let ada = tenants::account(&one, "ada", currency).await.unwrap();
    let other = tenants::account(&two, "ada", currency).await.unwrap();
    let funds = |to| Deposit::new(to, eur("5.00"), "bank".parse().unwrap());
    one.run("funds", funds(ada)).await.unwrap();
    // The same key of another tenant is another key, and its accounts are not there.
    let across = two.run("funds", funds(ada)).await;
    assert_eq!(rejection(across), Rejection::AccountNotFound);
    two.run("funds-2", funds(other)).await.unwrap();
    let found = shop.books.account(ada).await.unwrap();
    assert!(found.is_none(), "the default ledger has no such account");
    let key = wallet::core::ledger::InLedger::new(LedgerId::new(1), ada);
    let found = shop.books.account(key).await.unwrap().unwrap();
    assert_eq!(found.available().to_string(), "5.00 EUR");
}
