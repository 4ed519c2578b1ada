//! The retry of a host's transaction, over a store whose transactions fail as scripted.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use wallet_core::memory::MemoryStore;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{
    Applied, ApplyError, CommitSignal, HostTransaction, HostTransactions, SqlRow, SqlValue,
    StoreErrorKind,
};
use wallet_core::{PostTransfer, Rejection, Request, Settings, StoreError, WalletError};

use crate::service::world::{World, key, leg, quiet};

/// What happens to one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Fine,
    /// It cannot begin.
    BeginFails(StoreErrorKind),
    /// Its `apply` fails.
    ApplyFails(StoreErrorKind),
    /// The database rolls it back in `apply`.
    IsLost,
    /// The commit fails.
    CommitFails(StoreErrorKind),
    /// The answer to the commit is lost, after it took effect or before.
    Unknown {
        has_committed: bool,
    },
    /// A statement of the host has committed it.
    CommittedEarly,
    /// Its `apply` never answers.
    Hangs,
    /// The second one.
    SecondHangs,
    /// A statement of the host has committed it, which a rollback notices.
    RollbackIsLate,
}

#[derive(Debug)]
struct Flaky {
    store: MemoryStore,
    script: Mutex<VecDeque<Step>>,
    begun: AtomicU32,
}

#[async_trait]
impl HostTransactions for Flaky {
    async fn begin(&self) -> Result<Box<dyn HostTransaction>, StoreError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let step = self
            .script
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Step::Fine);
        if let Step::BeginFails(kind) = step {
            return Err(StoreError::new(kind, "a test"));
        }
        let inner = self.store.begin().await?;
        Ok(Box::new(FlakyTransaction { inner, step }))
    }

    async fn run_alone(&self, sql: &str) -> Result<(), ApplyError> {
        self.store.run_alone(sql).await
    }
}

#[derive(Debug)]
struct FlakyTransaction {
    inner: Box<dyn HostTransaction>,
    step: Step,
}

#[async_trait]
impl HostTransaction for FlakyTransaction {
    async fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, ApplyError> {
        self.inner.execute(sql, values).await
    }

    async fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, ApplyError> {
        self.inner.query(sql, values).await
    }

    async fn apply(&mut self, requests: &[Arc<PreparedRequest>]) -> Result<Applied, ApplyError> {
        match self.step {
            Step::ApplyFails(kind) => Err(StoreError::new(kind, "a test").into()),
            Step::IsLost => Err(ApplyError::TransactionLost(None)),
            Step::SecondHangs => {
                let applied = self.inner.apply(requests).await?;
                self.step = Step::Hangs;
                Ok(applied)
            }
            Step::Hangs => std::future::pending().await,
            _ => self.inner.apply(requests).await,
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), ApplyError> {
        let unknown = StoreError::new(StoreErrorKind::Indeterminate, "the answer is lost");
        match self.step {
            Step::CommitFails(kind) => Err(StoreError::new(kind, "a test").into()),
            Step::CommittedEarly => Err(ApplyError::CommittedEarly),
            Step::Unknown { has_committed } => {
                if has_committed {
                    self.inner.commit().await?;
                }
                Err(unknown.into())
            }
            _ => self.inner.commit().await,
        }
    }

    async fn rollback(self: Box<Self>) -> Result<(), ApplyError> {
        self.inner.rollback().await?;
        match self.step {
            Step::RollbackIsLate => Err(ApplyError::CommittedEarly),
            _ => Ok(()),
        }
    }

    fn inner(&mut self) -> &mut dyn Any {
        self
    }
}

struct Host {
    world: World,
    flaky: Flaky,
    runs: AtomicU32,
}

impl Host {
    async fn with(script: &[Step]) -> Self {
        let settings = Settings {
            tries_max: 3,
            ..quiet()
        };
        let world = World::with(settings).await;
        let flaky = Flaky {
            store: world.store.inner.clone(),
            script: Mutex::new(script.iter().copied().collect()),
            begun: AtomicU32::new(0),
        };
        Self {
            world,
            flaky,
            runs: AtomicU32::new(0),
        }
    }

    /// Pays from account 1 to account 2, under one key.
    async fn pay(&self, cents: i128) -> Result<u32, WalletError> {
        let wallet = &self.world.wallet;
        let done = wallet.in_transaction(&self.flaky, |tx| async move {
            let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
            let pay = PostTransfer::new(vec![leg(1, 2, cents)]);
            tx.apply(Request::new(key("order"), pay)).await?;
            Ok(run)
        });
        done.await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn paid(&self) -> i128 {
        self.world.posted(2).await - 10_000
    }
}

#[tokio::test]
async fn what_passes_is_run_again_and_paid_once() {
    use StoreErrorKind::{Conflict, Unavailable};
    let unknown = Step::Unknown {
        has_committed: false,
    };
    for step in [
        Step::BeginFails(Conflict),
        Step::BeginFails(Unavailable),
        Step::ApplyFails(Conflict),
        Step::ApplyFails(Unavailable),
        Step::IsLost,
        Step::CommitFails(Conflict),
        Step::CommitFails(Unavailable),
        unknown,
    ] {
        let host = Host::with(&[step, step]).await;
        let run = host.pay(100).await.unwrap();
        assert_eq!((run, host.paid().await), (host.runs(), 100), "{step:?}");
        assert_eq!(host.flaky.begun.load(Ordering::Relaxed), 3, "{step:?}");
        // There is a limit.
        let host = Host::with(&[step; 3]).await;
        let error = host.pay(100).await.unwrap_err();
        assert!(error.is_retryable(), "{step:?}: {error:?}");
        assert_eq!(host.paid().await, 0, "{step:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_run_once() {
    use StoreErrorKind::{Corrupt, Internal, Invalid};
    for kind in [Corrupt, Internal, Invalid] {
        for step in [
            Step::BeginFails(kind),
            Step::ApplyFails(kind),
            Step::CommitFails(kind),
        ] {
            let host = Host::with(&[step]).await;
            let error = host.pay(100).await.unwrap_err();
            assert!(!error.is_retryable(), "{step:?}: {error:?}");
            assert_eq!(host.flaky.begun.load(Ordering::Relaxed), 1);
            assert_eq!(host.paid().await, 0, "{step:?}");
        }
    }
    let host = Host::with(&[Step::CommittedEarly]).await;
    let error = host.pay(100).await.unwrap_err();
    assert_eq!((error.code(), host.runs()), ("committed_early", 1));
}

/// The worked example of ADR 29.
#[tokio::test]
async fn an_unknown_commit_that_happened_is_not_run_again() {
    let unknown = Step::Unknown {
        has_committed: true,
    };
    let host = Host::with(&[unknown]).await;
    assert_eq!(host.pay(100).await.unwrap(), 1);
    assert_eq!((host.runs(), host.paid().await), (1, 100));
    // A later call under the same key pays nothing more.
    assert_eq!(host.pay(100).await.unwrap(), 2);
    assert_eq!(host.paid().await, 100);
}

#[tokio::test]
async fn an_unknown_commit_of_a_key_that_was_cancelled_meanwhile_is_refused() {
    let unknown = Step::Unknown {
        has_committed: false,
    };
    let host = Host::with(&[unknown]).await;
    let wallet = &host.world.wallet;
    let error = wallet
        .in_transaction(&host.flaky, |tx| {
            let host = &host;
            async move {
                let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
                tx.apply(Request::new(key("order"), pay)).await?;
                if host.runs.fetch_add(1, Ordering::Relaxed) == 0 {
                    let other = host.world.wallet.clone();
                    let ledger = wallet_core::LedgerId::default();
                    let cancel = async move { other.cancel(ledger, &key("order")).await };
                    tokio::spawn(cancel).await.unwrap()?;
                }
                Ok::<_, WalletError>(())
            }
        })
        .await
        .unwrap_err();
    let rejected = error.rejected().map(|rejected| rejected.rejection);
    assert_eq!(rejected, Some(Rejection::Cancelled));
    assert_eq!(host.paid().await, 0);
}

#[tokio::test]
async fn an_unknown_commit_that_cannot_be_settled_stays_unknown() {
    let unknown = Step::Unknown {
        has_committed: true,
    };
    let host = Host::with(&[unknown]).await;
    host.world.store.fail_records(StoreErrorKind::Unavailable);
    let error = host.pay(100).await.unwrap_err();
    assert!(
        matches!(error, WalletError::Indeterminate { .. }),
        "{error:?}"
    );
    assert_eq!(host.runs(), 1);

    // Nothing was applied, so nothing can be proven.
    let host = Host::with(&[unknown]).await;
    let done = host.world.wallet.in_transaction(&host.flaky, |_| async {
        host.runs.fetch_add(1, Ordering::Relaxed);
        Ok::<_, WalletError>(())
    });
    let error = done.await.unwrap_err();
    assert_eq!((error.code(), host.runs()), ("commit_unknown", 1));
}

#[tokio::test]
async fn a_refusal_leaves_the_rest_and_is_not_recorded() {
    let host = Host::with(&[]).await;
    let wallet = &host.world.wallet;
    let done = wallet.in_transaction(&host.flaky, |tx| async move {
        let pay = |cents| PostTransfer::new(vec![leg(1, 2, cents)]);
        tx.run(key("first"), pay(100)).await?;
        let both = vec![
            Request::new(key("second"), pay(200)),
            Request::new(key("third"), pay(10_000)),
        ];
        let refused = tx.apply_all(both).await.unwrap_err();
        assert_eq!(refused.code(), "insufficient_funds");
        // The second one was rolled back with the third.
        tx.run(key("fourth"), pay(9_900)).await?;
        Ok::<_, WalletError>(tx)
    });
    let over = done.await.unwrap();
    assert_eq!(host.paid().await, 10_000);
    for (name, is_recorded) in [("first", true), ("second", false), ("third", false)] {
        assert_eq!(host.world.is_recorded(name).await, is_recorded, "{name}");
    }
    // A handle that was kept does nothing.
    let pay = PostTransfer::new(vec![leg(3, 4, 100)]);
    let error = over.run(key("late"), pay).await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("transaction_ended", false)
    );
}

/// The host's own error hides that the database refused a lock.
#[tokio::test]
async fn an_error_of_the_host_because_of_a_conflict_is_run_again() {
    let conflict = Step::ApplyFails(StoreErrorKind::Conflict);
    let host = Host::with(&[conflict]).await;
    let wallet = &host.world.wallet;
    let done = wallet.in_transaction(&host.flaky, |tx| {
        let host = &host;
        async move {
            host.runs.fetch_add(1, Ordering::Relaxed);
            let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
            let paid = tx.apply(Request::new(key("order"), pay)).await;
            paid.map(drop).map_err(|_| WalletError::ShuttingDown)
        }
    });
    done.await.unwrap();
    assert_eq!((host.runs(), host.paid().await), (2, 100));
}

/// Two transactions in memory that read the same account: the second one is run again.
#[tokio::test]
async fn another_commit_in_between_is_a_conflict_in_memory() {
    let host = Host::with(&[]).await;
    let wallet = &host.world.wallet;
    let done = wallet.in_transaction(&host.flaky, |tx| {
        let host = &host;
        async move {
            let pay = PostTransfer::new(vec![leg(1, 2, 6_000)]);
            tx.apply(Request::new(key("order"), pay.clone())).await?;
            if host.runs.fetch_add(1, Ordering::Relaxed) == 0 {
                let other = host.world.wallet.clone();
                let submit = async move { other.submit(Request::new(key("other"), pay)).await };
                tokio::spawn(submit).await.unwrap()?;
            }
            Ok::<_, WalletError>(())
        }
    });
    let error = done.await.unwrap_err();
    assert_eq!(error.code(), "insufficient_funds");
    assert_eq!(host.flaky.begun.load(Ordering::Relaxed), 2);
    assert_eq!(host.paid().await, 6_000);
}

/// Neither before the commit, nor after a rollback.
#[tokio::test]
async fn relays_are_notified_after_the_commit() {
    let signal = CommitSignal::default();
    let world = World::built(quiet(), |builder| builder.signal(signal.clone())).await;
    let store = world.store.inner.clone();
    let wallet = &world.wallet;
    for (price, is_paid) in [(10_001, false), (100, true)] {
        let mut watch = signal.watch();
        let done = wallet.in_transaction(&store, |tx| async move {
            let pay = PostTransfer::new(vec![leg(1, 2, price)]);
            tx.run(key("order"), pay).await
        });
        assert_eq!(done.await.is_ok(), is_paid);
        let was_notified = watch.changed().now_or_never().is_some();
        assert_eq!(was_notified, is_paid, "{price}");
    }
}

/// The thread goes on with other tasks.
#[tokio::test]
async fn a_closure_that_panics_leaves_the_wallet_as_it_was() {
    let host = Arc::new(Host::with(&[]).await);
    let at_work = Arc::clone(&host);
    let panicked = tokio::spawn(async move {
        let wallet = &at_work.world.wallet;
        let done = wallet.in_transaction(&at_work.flaky, |tx| async move {
            let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
            tx.run(key("order"), pay).await?;
            panic!("a bug of the host");
            #[allow(unreachable_code, reason = "it gives the closure its type")]
            Ok::<_, WalletError>(())
        });
        done.await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(host.paid().await, 0);
    assert_eq!(host.pay(100).await.unwrap(), 1);
    let pay = PostTransfer::new(vec![leg(3, 4, 100)]);
    host.world
        .wallet
        .submit(Request::new(key("later"), pay))
        .await
        .unwrap();
}

/// The rules of ADR 36.
#[tokio::test]
async fn a_statement_that_could_end_the_transaction_is_refused_before_it_is_sent() {
    let host = Host::with(&[]).await;
    let wallet = &host.world.wallet;
    let done = wallet.in_transaction(&host.flaky, |tx| async move {
        for sql in [
            "COMMIT AND CHAIN",
            "ROLLBACK TO a",
            "CREATE TABLE t (n INTEGER)",
        ] {
            for error in [
                tx.execute(sql, &[]).await.map(drop),
                tx.query(sql, &[]).await.map(drop),
            ] {
                let error = error.unwrap_err();
                assert_eq!(error.code(), "statement_refused");
                assert!(error.to_string().contains("SELECT, INSERT"), "{error}");
            }
        }
        let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
        tx.run(key("order"), pay).await
    });
    done.await.unwrap();
    assert_eq!(host.paid().await, 100);
    let error = wallet.run_alone(&host.flaky, "COMMIT").await.unwrap_err();
    assert!(error.to_string().contains("CREATE"), "{error}");
}

#[tokio::test]
async fn a_call_that_was_dropped_rolls_everything_back() {
    let host = &Host::with(&[Step::SecondHangs]).await;
    let wallet = &host.world.wallet;
    let pay = |cents| PostTransfer::new(vec![leg(1, 2, cents)]);
    let done = wallet.in_transaction(&host.flaky, |tx| async move {
        host.runs.fetch_add(1, Ordering::Relaxed);
        tx.run(key("first"), pay(100)).await?;
        let dropped = tx.run(key("dropped"), pay(200)).now_or_never();
        assert!(dropped.is_none(), "it waits");
        let error = tx.run(key("later"), pay(300)).await.unwrap_err();
        assert_eq!(error.code(), "call_dropped");
        Ok::<_, WalletError>("not paid")
    });
    let error = done.await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("call_dropped", false)
    );
    assert_eq!((host.runs(), host.paid().await), (1, 0));
}

/// Also where the closure never returns.
#[tokio::test]
async fn a_handle_that_outlives_its_closure_does_nothing() {
    let host = Arc::new(Host::with(&[]).await);
    for panics in [false, true] {
        let kept = Arc::new(Mutex::new(None));
        let (at_work, keep) = (Arc::clone(&host), Arc::clone(&kept));
        let running = tokio::spawn(async move {
            let wallet = &at_work.world.wallet;
            let done = wallet.in_transaction(&at_work.flaky, |tx| {
                let keep = Arc::clone(&keep);
                async move {
                    let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
                    tx.run(key("order"), pay).await?;
                    *keep.lock().unwrap() = Some(tx);
                    assert!(!panics, "a bug of the host");
                    std::future::pending::<Result<(), WalletError>>().await
                }
            });
            done.await
        });
        while kept.lock().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        running.abort();
        assert!(running.await.is_err());
        let handle = kept.lock().unwrap().take().unwrap();
        let pay = PostTransfer::new(vec![leg(3, 4, 100)]);
        let error = handle.run(key("late"), pay).await.unwrap_err();
        assert_eq!(error.code(), "transaction_ended");
        assert_eq!(host.paid().await, 0);
    }
}

/// What the host did there is not known.
#[tokio::test]
async fn after_the_adapters_own_transaction_nothing_is_run_again() {
    let unknown = |has_committed| Step::Unknown { has_committed };
    for (step, code, paid) in [
        (
            Step::ApplyFails(StoreErrorKind::Conflict),
            "store_conflict",
            0,
        ),
        (Step::IsLost, "transaction_lost", 0),
        (
            Step::CommitFails(StoreErrorKind::Unavailable),
            "store_unavailable",
            0,
        ),
        (unknown(false), "indeterminate", 0),
        (unknown(true), "paid", 100),
        (Step::Fine, "paid", 100),
    ] {
        let host = Host::with(&[step]).await;
        let wallet = &host.world.wallet;
        let done = wallet.in_transaction(&host.flaky, |tx| {
            let host = &host;
            async move {
                host.runs.fetch_add(1, Ordering::Relaxed);
                drop(tx.inner::<FlakyTransaction>().await?.unwrap());
                let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
                tx.run(key("order"), pay).await.map(drop)
            }
        });
        let done = done.await;
        let answer = done.as_ref().map_or_else(WalletError::code, |()| "paid");
        assert_eq!((answer, host.runs()), (code, 1), "{step:?}");
        assert_eq!(host.paid().await, paid, "{step:?}");
    }
}

#[tokio::test]
async fn a_rollback_that_came_too_late_is_the_answer() {
    let host = Host::with(&[Step::RollbackIsLate]).await;
    let wallet = &host.world.wallet;
    let done = wallet.in_transaction(&host.flaky, |_| async {
        host.runs.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(WalletError::Overloaded)
    });
    assert_eq!(done.await.unwrap_err().code(), "committed_early");
    assert_eq!(host.runs(), 1);
}

#[tokio::test]
async fn no_run_begins_after_the_time_to_answer() {
    let settings = Settings {
        answer_wait: Some(std::time::Duration::from_micros(1)),
        ..quiet()
    };
    let world = World::with(settings).await;
    let flaky = Flaky {
        store: world.store.inner.clone(),
        script: Mutex::new(VecDeque::from([Step::IsLost; 5])),
        begun: AtomicU32::new(0),
    };
    let done = world.wallet.in_transaction(&flaky, |tx| async move {
        let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
        tx.run(key("order"), pay).await
    });
    let error = done.await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("transaction_lost", true)
    );
    // The pause after the first one was longer.
    assert_eq!(flaky.begun.load(Ordering::Relaxed), 2);

    // The deadline of the caller counts too.
    let host = Host::with(&[Step::IsLost; 5]).await;
    let hurried = host
        .world
        .wallet
        .within(std::time::Duration::from_micros(1));
    let done = hurried.in_transaction(&host.flaky, |tx| async move {
        let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
        tx.run(key("order"), pay).await
    });
    assert_eq!(done.await.unwrap_err().code(), "transaction_lost");
    assert_eq!(host.flaky.begun.load(Ordering::Relaxed), 2);
}
