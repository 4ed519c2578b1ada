//! A service over a scripted store, with accounts that have money.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use uuid::Uuid;
use wallet_core::ledger::{InLedger, KeyScope, KeyText};
use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::service::{Answer, WalletBuilder};
use wallet_core::store::LedgerStore;
use wallet_core::{
    AccountId, Command, Currency, IdempotencyKey, LedgerId, Leg, Money, OpenAccount, Owner, Policy,
    PostTransfer, Request, Settings, Timestamp, Wallet, WalletError,
};
use wallet_testkit::SeededIds;

use crate::service::scripted::Scripted;

/// A clock that a sleep moves forward at once, so that no test waits.
#[derive(Debug)]
pub(crate) struct JumpClock(AtomicI64);

impl JumpClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000_000)))
    }

    pub(crate) fn pass(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<Scripted>,
    pub(crate) wallet: Wallet,
    pub(crate) driver: JoinHandle<()>,
    pub(crate) clock: Arc<JumpClock>,
}

pub(crate) fn quiet() -> Settings {
    Settings {
        sweep_interval: None,
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(quiet()).await
    }

    /// Accounts 1 to 40 have 100.00 euros each. The store's log is empty.
    pub(crate) async fn with(settings: Settings) -> Self {
        Self::built(settings, |builder| builder).await
    }

    /// The same with more components.
    pub(crate) async fn built(
        settings: Settings,
        more: impl FnOnce(WalletBuilder) -> WalletBuilder,
    ) -> Self {
        let clock = JumpClock::new();
        let store = Arc::new(Scripted::new(MemoryStore::new(clock.clone())));
        let builder = Wallet::builder(store.clone())
            .clock(clock.clone())
            .ids(Arc::new(SeededIds::new(1)))
            .settings(settings);
        let (wallet, driver) = more(builder).build().unwrap();
        let driver = tokio::spawn(driver);
        let mut commands: Vec<Command> = vec![open(99).with_policy(Policy::Unlimited).into()];
        for number in 1..=40 {
            commands.push(open(number).into());
            commands.push(PostTransfer::new(vec![leg(99, number, 10_000)]).into());
        }
        let set_up = Request::of_many(key("set up"), commands);
        wallet.submit_raw(set_up).await.unwrap().accepted().unwrap();
        settle().await;
        store.batches.lock().unwrap().clear();
        store.begun.send_replace(0);
        Self {
            store,
            wallet,
            driver,
            clock,
        }
    }

    /// Submits from a separate task. When this returns, the request is in the queue
    /// or was refused.
    pub(crate) async fn submit(&self, request: Request) -> JoinHandle<Result<Answer, WalletError>> {
        let wallet = self.wallet.clone();
        let task = tokio::spawn(async move { wallet.submit_raw(request).await });
        settle().await;
        task
    }

    pub(crate) async fn posted(&self, number: u128) -> i128 {
        let account = self.wallet.account(account_key(number)).await.unwrap();
        account.unwrap().state.counters.posted()
    }

    pub(crate) async fn is_recorded(&self, text: &str) -> bool {
        let outcome = self.wallet.outcome(LedgerId::default(), &key(text)).await;
        outcome.unwrap().is_some()
    }
}

/// Lets every ready task run.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(KeyScope::new("test").unwrap(), KeyText::new(text).unwrap())
}

pub(crate) fn account(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

pub(crate) fn account_key(number: u128) -> InLedger<AccountId> {
    InLedger::new(LedgerId::default(), account(number))
}

pub(crate) fn euros(cents: i128) -> Money {
    Money::minor(cents, Currency::iso("EUR").unwrap()).unwrap()
}

pub(crate) fn open(number: u128) -> OpenAccount {
    let owner = Owner::new("somebody").unwrap();
    OpenAccount::new(owner, Currency::iso("EUR").unwrap()).with_id(account(number))
}

pub(crate) fn leg(from: u128, to: u128, cents: i128) -> Leg {
    Leg::new(account(from), account(to), euros(cents))
}

/// One euro from one account to another under the key `text`.
pub(crate) fn transfer(text: &str, from: u128, to: u128) -> Request {
    Request::new(key(text), PostTransfer::new(vec![leg(from, to, 100)]))
}

/// The record key of the text `text`.
pub(crate) fn record(text: &str) -> wallet_core::ledger::RecordKey {
    key(text).record_key(LedgerId::default())
}

#[tokio::test]
async fn a_dry_run_answers_and_records_nothing() {
    let world = World::new().await;
    let answer = world.wallet.dry_run(transfer("t", 1, 2)).await.unwrap();
    assert!(answer.posted().unwrap().is_some());
    assert_eq!(world.posted(1).await, 10_000);
    assert!(!world.is_recorded("t").await);
    assert_eq!(world.store.limits(), world.store.inner.limits());
    assert!(world.store.sizes().is_empty(), "no commit");
}
