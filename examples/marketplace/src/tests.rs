//! Every job of the market, on a SQLite file.

#[cfg(feature = "mysql")]
mod servers;

use std::cell::Cell;

use tempfile::TempDir;
use wallet::Decimal;
use wallet::core::ledger::{Epoch, RecordKey};
use wallet::core::messaging::{EventPublisher, Published};
use wallet::core::request::Recorded;
use wallet::core::store::CommitSignal;
use wallet::prelude::*;
use wallet_events::{Balance, Event};

use crate::error::Error;
use crate::market::{Market, percentage, retry};
use crate::orders::Order;
use crate::view::{self, Feed, View};

/// An order of a customer from a merchant.
const fn sale(id: i64, customer: AccountId, merchant: AccountId, price: Money) -> Order {
    Order {
        id,
        customer,
        merchant,
        price,
    }
}

async fn market() -> (TempDir, Market) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("market.db").display());
    let market = Market::open(&url, CommitSignal::default()).await.unwrap();
    (folder, market)
}

impl Market {
    fn euros(&self, text: &str) -> Money {
        self.eur.parse(text).unwrap()
    }

    /// A customer with money.
    async fn customer(&self, owner: &str, money: &str) -> AccountId {
        let account = self.account(owner, self.eur).await.unwrap();
        self.top_up(owner, account, self.euros(money))
            .await
            .unwrap();
        account
    }

    async fn merchant(&self) -> AccountId {
        self.account("mia", self.eur).await.unwrap()
    }

    /// The available balance.
    async fn has(&self, account: AccountId) -> String {
        let found = self.books.account(account).await.unwrap().unwrap();
        found.available().to_string()
    }

    /// States of orders.
    async fn orders(&self) -> Vec<String> {
        let sql = "SELECT state FROM market_deal ORDER BY name";
        let rows = self.books.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| row.text(0).unwrap().to_owned())
            .collect()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result.unwrap_err() {
        Error::Wallet(error) => error.code(),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_customer_has_one_account_per_currency() {
    let (_folder, market) = market().await;
    let euros = market.account("ada", market.eur).await.unwrap();
    let points = market.account("ada", market.points).await.unwrap();
    assert_ne!(euros, points);
    assert_eq!(market.account("ada", market.eur).await.unwrap(), euros);
    for (name, paid) in [("one", "12.99"), ("one", "12.99"), ("little", "0.99")] {
        market
            .grant_points(name, "ada", market.euros(paid))
            .await
            .unwrap();
    }
    assert_eq!(market.has(points).await, "12 POINTS");
}

#[tokio::test]
async fn an_order_exists_if_it_is_paid() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "5.00").await,
        market.merchant().await,
    );
    let order = sale(7, ada, mia, market.euros("9.00"));
    assert_eq!(code(market.place(&order).await), "insufficient_funds");
    assert!(market.orders().await.is_empty());
    assert!(matches!(market.paid(7).await, Err(Error::State(_))));

    // The refusal left nothing, also under the key.
    market
        .top_up("more", ada, market.euros("5.00"))
        .await
        .unwrap();
    let paid = market.place(&order).await.unwrap();
    assert_eq!(market.place(&order).await.unwrap(), paid);
    assert_eq!(market.paid(7).await.unwrap(), paid);
    assert_eq!(market.has(ada).await, "1.00 EUR");
    // Another order with this number.
    let other = sale(7, ada, mia, market.euros("1.00"));
    assert_eq!(code(market.place(&other).await), "idempotency_mismatch");
    assert_eq!(market.orders().await, ["paid"]);

    for _ in 0..2 {
        market.ship(&paid).await.unwrap();
    }
    assert_eq!(market.orders().await, ["shipped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_sent_at_the_same_time_is_paid_once() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "9.00").await,
        market.merchant().await,
    );
    let mut clicks = Vec::new();
    for _ in 0..8 {
        let (market, price) = (market.clone(), market.euros("9.00"));
        clicks.push(tokio::spawn(async move {
            market.place(&sale(1, ada, mia, price)).await.unwrap()
        }));
    }
    for click in clicks {
        assert_eq!(click.await.unwrap(), market.paid(1).await.unwrap());
    }
    assert_eq!(market.has(ada).await, "0.00 EUR");
}

#[tokio::test]
async fn a_recorded_refusal_is_no_payment() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "5.00").await,
        market.merchant().await,
    );
    let pay = PostTransfer::simple(ada, mia, market.euros("9.00"));
    assert_eq!(code(market.run("order-7", pay).await), "insufficient_funds");
    assert_eq!(code(market.paid(7).await), "insufficient_funds");
}

#[tokio::test]
async fn a_sale_is_split_and_refunded_in_parts() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "100.00").await,
        market.merchant().await,
    );
    let order = sale(1, ada, mia, market.euros("80.01"));
    let payment = market.place(&order).await.unwrap().payment;
    let shares = [mia, market.platform, market.tax, market.till];
    let mut balances = Vec::new();
    for account in shares {
        balances.push(market.has(account).await);
    }
    assert_eq!(balances, ["70.01 EUR", "6.00 EUR", "4.00 EUR", "0.00 EUR"]);

    for (name, part) in [("bell", "10.00"), ("bell", "10.00"), ("lamp", "20.01")] {
        market
            .refund(name, &payment, market.euros(part))
            .await
            .unwrap();
    }
    assert_eq!(market.has(ada).await, "50.00 EUR");
    let more = market
        .refund("wheel", &payment, market.euros("50.01"))
        .await;
    assert_eq!(code(more), "reversal_exceeds_transfer");
    let points = market.points.parse("1").unwrap();
    let other = market.refund("points", &payment, points).await;
    assert_eq!(code(other), "currency_mismatch");
    market
        .refund("rest", &payment, market.euros("50.00"))
        .await
        .unwrap();
    assert_eq!(market.has(ada).await, "100.00 EUR");
    for account in shares {
        assert_eq!(market.has(account).await, "0.00 EUR");
    }
}

#[tokio::test]
async fn a_booking_is_held_charged_in_part_and_finished() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "20.00").await,
        market.merchant().await,
    );
    let price = market.euros("45.00");
    let refused = market.book(1, 1, ada, mia, price).await.unwrap_err();
    assert!(refused.wants_another_key());
    market
        .top_up("more", ada, market.euros("40.00"))
        .await
        .unwrap();
    // The refusal is recorded under its key.
    assert_eq!(
        code(market.book(1, 1, ada, mia, price).await),
        "insufficient_funds"
    );
    let hold = market.book(1, 2, ada, mia, price).await.unwrap();
    assert_eq!(market.book(1, 2, ada, mia, price).await.unwrap(), hold);
    assert_eq!(market.has(ada).await, "15.00 EUR");

    let payment = market.charge(1, hold, market.euros("15.00")).await.unwrap();
    assert_eq!(market.has(ada).await, "15.00 EUR");
    let too_much = market.charge(2, hold, market.euros("30.01")).await;
    assert_eq!(code(too_much), "capture_exceeds_hold");
    for _ in 0..2 {
        market.finish(1, hold).await.unwrap();
    }
    assert_eq!(market.has(ada).await, "45.00 EUR");
    assert_eq!(market.has(mia).await, "15.00 EUR");

    for (name, part) in [("late", "5.00"), ("rude", "10.00")] {
        market
            .refund(name, &payment, market.euros(part))
            .await
            .unwrap();
    }
    assert_eq!(market.has(ada).await, "60.00 EUR");
}

#[tokio::test]
async fn a_payout_comes_back_with_its_fee() {
    let (_folder, market) = market().await;
    let mia = market.customer("mia", "50.00").await;
    for _ in 0..2 {
        market.pay_out(1, mia, market.euros("20.00")).await.unwrap();
    }
    assert_eq!(market.has(mia).await, "29.90 EUR");
    for _ in 0..2 {
        market.payout_returned(1).await.unwrap();
    }
    assert_eq!(market.has(mia).await, "50.00 EUR");
    assert!(matches!(
        market.payout_arrived(1).await,
        Err(Error::State(_))
    ));

    market.pay_out(2, mia, market.euros("0.50")).await.unwrap();
    for _ in 0..2 {
        market.payout_arrived(2).await.unwrap();
    }
    // What has arrived does not come back, and nothing of it moves.
    assert!(matches!(
        market.payout_returned(2).await,
        Err(Error::State(_))
    ));
    assert_eq!(market.has(mia).await, "49.50 EUR");
    assert!(matches!(
        market.payout_returned(3).await,
        Err(Error::State(_))
    ));
}

#[tokio::test]
async fn a_statement_is_printed() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "10.00").await,
        market.merchant().await,
    );
    let order = sale(1, ada, mia, market.euros("8.00"));
    let paid = market.place(&order).await.unwrap();
    market
        .refund("bell", &paid.payment, market.euros("0.50"))
        .await
        .unwrap();
    let lines = market.statement("ada", market.eur).await.unwrap();
    let words = lines.iter().map(|line| line.split_once(' ').unwrap().1);
    let expected = [
        "+10.00 EUR, then 10.00 EUR: paid in by card",
        "-8.00 EUR, then 2.00 EUR: an order",
        "+0.50 EUR, then 2.50 EUR: a refund",
    ];
    assert_eq!(words.collect::<Vec<_>>(), expected);
    // More than a page.
    for top_up in 0..120 {
        let name = format!("many-{top_up}");
        market
            .top_up(&name, ada, market.euros("0.01"))
            .await
            .unwrap();
    }
    assert_eq!(
        market.statement("ada", market.eur).await.unwrap().len(),
        123
    );
}

#[test]
fn a_percentage_is_rounded_and_may_be_nothing() {
    let eur = Currency::iso("EUR").unwrap();
    let fee = |price: &str| percentage(eur.parse(price).unwrap(), Decimal::new(29, 1)).unwrap();
    assert_eq!(fee("10.50").unwrap().to_string(), "0.30 EUR");
    assert_eq!(fee("0.18").unwrap().to_string(), "0.01 EUR");
    assert_eq!(fee("0.17"), None);
}

/// An answer that was lost, after the call was carried out.
fn lost() -> WalletError {
    let key = IdempotencyKey::parse("market", "lost").unwrap();
    let key: RecordKey = key.record_key(wallet::LedgerId::default());
    WalletError::Indeterminate {
        key,
        ids: Vec::new(),
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let (_folder, market) = market().await;
    let ada = market.account("ada", market.eur).await.unwrap();
    let bank = SettlementName::new("bank").unwrap();
    let deposit = &Deposit::new(ada, market.euros("3.00"), bank);
    let (calls, keys) = (&Cell::new(0), &market.keys);
    let paid = retry(|| async move {
        let answer = keys.run("deposit", deposit.clone()).await;
        calls.set(calls.get() + 1);
        if calls.get() < 3 { Err(lost()) } else { answer }
    });
    paid.await.unwrap();
    assert_eq!(market.has(ada).await, "3.00 EUR");

    // A refusal is an answer.
    calls.set(0);
    let pay = &Withdrawal::new(
        ada,
        market.euros("4.00"),
        SettlementName::new("bank").unwrap(),
    );
    let refused = retry(|| async move {
        calls.set(calls.get() + 1);
        keys.run("withdrawal", pay.clone()).await
    });
    assert_eq!(code(refused.await), "insufficient_funds");
    assert_eq!(calls.get(), 1);
}

#[tokio::test]
async fn a_cancelled_key_moves_nothing() {
    let (_folder, market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "9.00").await,
        market.merchant().await,
    );
    let recorded = market.keys.cancel("booking-1-1").await.unwrap();
    assert!(matches!(recorded, Recorded::Request(outcome) if outcome.is_cancelled()));
    let cancelled = market
        .book(1, 1, ada, mia, market.euros("9.00"))
        .await
        .unwrap_err();
    assert!(cancelled.wants_another_key());
    assert_eq!(market.has(ada).await, "9.00 EUR");
    market
        .book(1, 2, ada, mia, market.euros("9.00"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_without_an_answer_ends_for_certain() {
    let (_folder, mut market) = market().await;
    let (ada, mia) = (
        market.customer("ada", "9.00").await,
        market.merchant().await,
    );
    // Every answer comes too late.
    market.keys = market.keys.within(std::time::Duration::ZERO);
    let booked = market.book(1, 1, ada, mia, market.euros("9.00")).await;
    let held = if booked.is_ok() {
        "0.00 EUR"
    } else {
        "9.00 EUR"
    };
    assert_eq!(market.has(ada).await, held);
}

#[tokio::test]
async fn the_view_follows_the_books() {
    let (_folder, market) = market().await;
    let feed = Feed::start(&market, CommitSignal::default()).unwrap();
    let (ada, mia) = (
        market.customer("ada", "9.00").await,
        market.merchant().await,
    );
    let order = sale(1, ada, mia, market.euros("8.00"));
    drop(market.place(&order).await.unwrap());
    feed.caught_up().await.unwrap();
    feed.stop().await;
    let expected = [
        "view: ada has 1.00 EUR",
        "view: mia has 7.00 EUR",
        "view: platform has 0.60 EUR",
        "view: tax has 0.40 EUR",
        "view: till has 0.00 EUR",
    ];
    assert_eq!(view::balances(&market.books).await.unwrap(), expected);

    // Another process goes on where the first one ended.
    market
        .top_up("more", ada, market.euros("1.00"))
        .await
        .unwrap();
    let feed = Feed::start(&market, CommitSignal::default()).unwrap();
    feed.caught_up().await.unwrap();
    feed.stop().await;
    let rows = view::balances(&market.books).await.unwrap();
    assert_eq!(rows[0], "view: ada has 2.00 EUR");

    // An event that comes again changes nothing.
    let account = market.books.account(ada).await.unwrap().unwrap();
    let old = Event {
        account: account.key(),
        epoch: Epoch::FIRST,
        version: 2,
        kind: wallet::core::ledger::EffectKind::Credited,
        at: account.created_at,
        owner: account.owner.clone(),
        currency: market.eur,
        balance: Balance {
            posted: 900,
            available: 900,
            pending_in: 0,
            pending_out: 0,
        },
        entry: None,
        transfer: None,
        hold: None,
        terms: None,
        restores: Vec::new(),
    };
    let view = View(market.clone());
    let published = view.publish(&[old.message("/test").unwrap()]).await;
    assert_eq!(published.unwrap(), [Published::Done]);
    assert_eq!(view::balances(&market.books).await.unwrap(), rows);
}

#[tokio::test]
async fn the_day_runs_twice() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("market.db").display());
    let first = crate::trade(&url).await.unwrap();
    assert_eq!(crate::trade(&url).await.unwrap(), first);
}
