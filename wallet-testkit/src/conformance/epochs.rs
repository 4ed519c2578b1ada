//! Epochs: after a restore to an earlier state, everything that a database writes
//! has the new epoch.

use std::sync::Mutex;
use std::time::Duration;

use super::steps::{at_home, deposit, open_rows, request, withdrawal};
use crate::StoreKit;
use crate::store_kit::{fresh, replayed};
use wallet_core::ledger::{Balance, Epoch, Epochs, RaisedBy, RaisedEpoch};
use wallet_core::store::{StoreErrorKind, codec};
use wallet_core::{AccountId, Outcome, Request, Timestamp};

/// A time long before that of any store's clock.
const LONG_AGO: Timestamp = Timestamp::from_micros(1_000_000);
/// A time that no clock shows.
const FAR_AHEAD: Timestamp = Timestamp::from_micros(i64::MAX);

fn by(text: &str) -> RaisedBy {
    RaisedBy::new(text).expect("a name")
}

impl StoreKit {
    async fn raise(&self, restored_to: Timestamp, name: &str) -> RaisedEpoch {
        let raised = self.store().raise_epoch(restored_to, &by(name)).await;
        raised.expect("a raise")
    }

    async fn epochs(&self) -> Epochs {
        self.store().epochs().await.expect("the epochs")
    }

    async fn deposited(&self, account: AccountId, minor: i128) -> std::sync::Arc<Outcome> {
        self.decide(vec![deposit(account, minor).into()]).await
    }
}

/// A database that was never restored is in its first epoch, and writes it.
pub async fn a_store_begins_in_its_first_epoch(kit: &StoreKit) {
    assert_eq!(kit.epochs().await, Epochs::default());
    let ada = kit.open("ada").await;
    assert_eq!(kit.deposited(ada, 5).await.epoch, Epoch::FIRST);
    assert_eq!(kit.entries(ada).await[0].epoch, Epoch::FIRST);
}

/// Writes after a raise have the new epoch, and earlier writes keep theirs: in
/// outcomes, entries, replays and the outbox.
pub async fn effects_keep_the_epoch_that_they_were_written_in(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let before = fresh(kit.submit(request("before", deposit(ada, 5))).await);
    let raised = kit.raise(LONG_AGO, "ops").await;
    assert!(raised.epoch > Epoch::FIRST, "{raised:?}");
    let after = kit.deposited(ada, 7).await;
    let refused = kit.decide(vec![withdrawal(ada, 1_000).into()]).await;
    assert_eq!(
        (before.epoch, after.epoch, refused.epoch),
        (Epoch::FIRST, raised.epoch, raised.epoch)
    );
    let replay = kit.submit(request("before", deposit(ada, 5))).await;
    assert_eq!(replayed(replay), before);
    let epochs: Vec<_> = kit.entries(ada).await.iter().map(|e| e.epoch).collect();
    assert_eq!(epochs, [Epoch::FIRST, raised.epoch]);
    let rows = open_rows(kit.outbox().as_ref()).await;
    let published = rows.iter().flat_map(|row| {
        let outcomes = codec::decode_outbox(&row.payload).expect("a payload");
        outcomes.into_iter().map(|(_, outcome)| outcome.epoch)
    });
    let published: Vec<_> = published.collect();
    assert_eq!(published, [Epoch::FIRST, Epoch::FIRST, raised.epoch]);
}

/// Balances agree with the accounts, in the order of the keys. They have the epoch of the
/// database, also after a raise that no effect of the account has followed.
pub async fn balances_are_those_of_the_accounts_in_the_current_epoch(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    kit.deposited(ada, 5).await;
    let nobody = AccountId::from_bytes([0xEE; 16]);
    let keys = [bob, nobody, ada, ada].map(at_home);
    let accounts = kit.store().accounts(&keys).await.expect("accounts");
    let balances = || async { kit.store().balances(&keys).await.expect("balances") };
    let expected = |epoch| {
        let accounts = accounts.iter().map(Option::as_ref);
        let balances = accounts.map(|one| one.map(|account| Balance::of(&account.state, epoch)));
        balances.collect::<Vec<_>>()
    };
    assert_eq!(balances().await, expected(Epoch::FIRST));
    let raised = kit.raise(LONG_AGO, "ops").await;
    assert_eq!(balances().await, expected(raised.epoch));
}

/// A raise is recorded as it was returned. Every reader sees it, also after a
/// reopen.
pub async fn a_raised_epoch_is_durable(kit: &StoreKit) {
    let raised = kit.raise(LONG_AGO, "ops \u{1F4BE} of the bank").await;
    assert_eq!(raised.restored_to, LONG_AGO);
    assert_eq!(raised.by.as_str(), "ops \u{1F4BE} of the bank");
    assert_eq!(kit.epochs().await.raised(), std::slice::from_ref(&raised));
    kit.reopen().await;
    assert_eq!(kit.epochs().await.raised(), std::slice::from_ref(&raised));
    let ada = kit.open("ada").await;
    assert_eq!(kit.deposited(ada, 5).await.epoch, raised.epoch);
}

/// A repeated raise is idempotent. Another restore raises again.
pub async fn a_raise_asked_for_twice_is_one(kit: &StoreKit) {
    let first = kit.raise(LONG_AGO, "ops").await;
    assert_eq!(kit.raise(LONG_AGO, "ops").await, first);
    assert_eq!(kit.epochs().await.raised(), std::slice::from_ref(&first));
    let second = kit.raise(LONG_AGO, "somebody else").await;
    assert!(second.epoch > first.epoch);
    let later = LONG_AGO.saturating_add(Duration::from_secs(1));
    let third = kit.raise(later, "somebody else").await;
    assert!(third.epoch > second.epoch);
    let again = kit.raise(later, "somebody else").await;
    assert_eq!(kit.epochs().await.raised(), [first, second, third.clone()]);
    assert_eq!(again, third);
}

/// A restore time in the future is refused, and nothing is raised.
pub async fn a_restore_to_the_future_is_refused(kit: &StoreKit) {
    let refused = kit.store().raise_epoch(FAR_AHEAD, &by("ops")).await;
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Invalid);
    assert_eq!(kit.epochs().await, Epochs::default());
}

/// A process that was running all the time writes in the epoch that another process
/// raised.
pub async fn an_epoch_raised_by_the_other_counts_at_once(kit: &StoreKit) {
    let Some(other) = kit.another().await else {
        return;
    };
    let ada = kit.open("ada").await;
    assert_eq!(other.deposited(ada, 1).await.epoch, Epoch::FIRST);
    let raised = kit.raise(LONG_AGO, "ops").await;
    assert_eq!(other.deposited(ada, 2).await.epoch, raised.epoch);
    assert_eq!(other.epochs().await, kit.epochs().await);
}

/// Under concurrency, no commit of an earlier epoch lands after a raise was
/// answered.
pub async fn no_commit_of_an_earlier_epoch_lands_after_a_raise(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let list = || {
        let pay = |_| Request::new(kit.fresh_key(), withdrawal(ada, 1));
        (0..40).map(pay).collect::<Vec<_>>()
    };
    let lists = [list(), list()];
    let raise = Mutex::new(None);
    std::thread::scope(|scope| {
        let threads = lists.map(|list| {
            scope.spawn(|| {
                kit.factory().block_on(Box::pin(async {
                    for request in list {
                        kit.submit(request).await;
                    }
                }));
            })
        });
        let raise = &raise;
        scope.spawn(move || {
            kit.factory().block_on(Box::pin(async {
                // The raise happens midway.
                while kit.account(ada).await.state.sequence < 20
                    && !threads
                        .iter()
                        .all(std::thread::ScopedJoinHandle::is_finished)
                {
                    std::thread::yield_now();
                }
                let raised = raise_while_busy(kit).await;
                let version = kit.account(ada).await.state.version;
                *raise.lock().expect("not poisoned") = Some((raised, version));
            }));
        });
    });
    let raise = raise.into_inner().expect("not poisoned");
    let (raised, version) = raise.expect("it was raised");
    for _ in 0..3 {
        kit.accept(withdrawal(ada, 1)).await;
    }
    let entries = kit.entries(ada).await;
    let epochs: Vec<_> = entries.iter().map(|entry| entry.epoch).collect();
    assert!(epochs.is_sorted(), "{epochs:?}");
    let late = entries.iter().filter(|entry| entry.version > version);
    let late: Vec<_> = late.map(|entry| entry.epoch).collect();
    assert!(!late.is_empty());
    assert!(late.iter().all(|epoch| *epoch == raised.epoch), "{late:?}");
    assert_eq!(kit.epochs().await.raised(), [raised]);
    let found = kit.store().accounts(&[at_home(ada)]).await.expect("ada");
    assert_eq!(found.len(), 1);
}

/// Raises the epoch, with retries while commits conflict.
async fn raise_while_busy(kit: &StoreKit) -> RaisedEpoch {
    for _ in 0..1_000 {
        match kit.store().raise_epoch(LONG_AGO, &by("ops")).await {
            Err(error) if error.kind() == StoreErrorKind::Conflict => {}
            raised => return raised.expect("a raise"),
        }
    }
    panic!("commits were always in the way");
}
