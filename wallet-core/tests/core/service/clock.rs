//! The store's clock stepped forward and was corrected. Accounts that were used
//! meanwhile have a time in the future, and a raise of the bound unblocks them.

use std::sync::Arc;
use std::time::Duration;

use wallet_core::memory::MemoryStore;
use wallet_core::runtime::Clock;
use wallet_core::service::{MAX_AHEAD_RAISE, MAX_RAISE_LIFE, RaiseError};
use wallet_core::{
    AccountId, Currency, Deposit, IdempotencyKey, Money, OpenAccount, Owner, Request,
    SettlementName, Timestamp, Wallet, WalletError,
};
use wallet_testkit::ManualClock;

use crate::service::world::{JumpClock, quiet};

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

struct Bank {
    wallet: Wallet,
    /// The store's clock.
    store: Arc<ManualClock>,
    /// The service's clock.
    service: Arc<JumpClock>,
    ada: AccountId,
}

impl Bank {
    async fn new() -> Self {
        let (store, service) = (Arc::new(ManualClock::default()), JumpClock::new());
        let books = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&store)));
        let builder = Wallet::builder(books).clock(Arc::<JumpClock>::clone(&service));
        let wallet = builder.settings(quiet()).spawn().unwrap();
        let open = OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso("EUR").unwrap());
        let key = IdempotencyKey::parse("test", "open").unwrap();
        let opened = wallet.submit_raw(Request::new(key, open)).await.unwrap();
        let ada = opened.account().unwrap().unwrap().state.key.id;
        Self {
            wallet,
            store,
            service,
            ada,
        }
    }

    /// Deposits a cent. Returns the time of the deposit.
    async fn deposit(&self, key: &str) -> Result<Timestamp, WalletError> {
        let money = Money::parse("0.01", Currency::iso("EUR").unwrap()).unwrap();
        let deposit = Deposit::new(self.ada, money, SettlementName::new("bank").unwrap());
        let key = IdempotencyKey::parse("test", key).unwrap();
        let answer = self.wallet.submit_raw(Request::new(key, deposit)).await?;
        answer.accepted().unwrap();
        Ok(answer.outcome.at)
    }

    /// This much later by the service's clock.
    fn in_time(&self, later: Duration) -> Timestamp {
        self.service.now().saturating_add(later)
    }
}

/// A deposit while the clock is an hour ahead. Returns the time of the deposit.
async fn stepped(bank: &Bank) -> Timestamp {
    bank.store.advance(HOUR);
    let future = bank.deposit("ahead").await.unwrap();
    bank.store.step_back(HOUR);
    future
}

#[tokio::test]
async fn a_raise_that_ends_lets_accounts_of_the_future_move() {
    let bank = Bank::new().await;
    let future = stepped(&bank).await;
    let refused = bank.deposit("locked out").await.unwrap_err();
    assert!(
        matches!(
            refused,
            WalletError::ClockBehind {
                ahead_micros: 3_600_000_000
            }
        ),
        "{refused:?}"
    );
    assert_eq!(bank.wallet.max_ahead(), 2 * SECOND);

    let until = bank.in_time(600 * SECOND);
    bank.wallet.raise_max_ahead(HOUR, until).unwrap();
    assert_eq!(bank.wallet.max_ahead(), HOUR);
    // The key was not used, and times do not go back.
    assert_eq!(bank.deposit("locked out").await.unwrap(), future);
    bank.store.advance(SECOND);
    assert_eq!(bank.deposit("again").await.unwrap(), future);

    bank.service.sleep(600 * SECOND).await;
    assert_eq!(bank.wallet.max_ahead(), 2 * SECOND);
    let refused = bank.deposit("too late").await.unwrap_err();
    assert!(
        matches!(refused, WalletError::ClockBehind { .. }),
        "{refused:?}"
    );

    // Once the clock has caught up, times rise again.
    bank.store.advance(HOUR);
    assert_eq!(bank.deposit("too late").await.unwrap(), bank.store.now());
}

#[tokio::test]
async fn a_raise_below_what_an_account_is_ahead_does_not_help_it() {
    let bank = Bank::new().await;
    stepped(&bank).await;
    let until = bank.in_time(600 * SECOND);
    let below = HOUR.saturating_sub(Duration::from_micros(1));
    bank.wallet.raise_max_ahead(below, until).unwrap();
    let refused = bank.deposit("locked out").await.unwrap_err();
    assert!(
        matches!(refused, WalletError::ClockBehind { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_raise_is_limited_in_time_and_in_distance() {
    let bank = Bank::new().await;
    let wallet = &bank.wallet;
    let soon = bank.in_time(SECOND);
    let micro = Duration::from_micros(1);
    for (bound, until, why) in [
        (MAX_AHEAD_RAISE + micro, soon, RaiseError::TooFar),
        (HOUR, bank.in_time(Duration::ZERO), RaiseError::Over),
        (
            HOUR,
            bank.in_time(MAX_RAISE_LIFE + micro),
            RaiseError::TooLong,
        ),
    ] {
        assert_eq!(wallet.raise_max_ahead(bound, until), Err(why));
    }
    assert_eq!(wallet.max_ahead(), 2 * SECOND);
    // A bound below the current one changes nothing.
    wallet.raise_max_ahead(SECOND, soon).unwrap();
    assert_eq!(wallet.max_ahead(), 2 * SECOND);
    let longest = bank.in_time(MAX_RAISE_LIFE);
    wallet.raise_max_ahead(MAX_AHEAD_RAISE, longest).unwrap();
    assert_eq!(wallet.max_ahead(), MAX_AHEAD_RAISE);
}
