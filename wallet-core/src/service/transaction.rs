//! A host's transaction, with its retry.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::ops::DerefMut;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::{Accepted, Answer, Wallet, WalletError, other_receipt};
use crate::ledger::{Decided, IdempotencyKey, Outcome, RecordKey};
use crate::request::{PreparedRequest, Request, TypedCommand};
use crate::store::{
    ApplyError, HostTransaction, HostTransactions, NotAccepted, SqlRow, SqlValue, StoreError,
    StoreErrorKind, check_alone, check_rows,
};

/// An open transaction of the host, from [`Wallet::in_transaction`]. It is over when the
/// closure that got it ends: a handle that was kept refuses further work.
#[derive(Debug)]
pub struct Transaction {
    wallet: Wallet,
    place: Arc<Place>,
}

/// Where an open transaction is, for its closure and for whoever commits it.
#[derive(Debug)]
struct Place {
    open: Mutex<Option<Open>>,
    /// Whether the closure has ended.
    is_over: AtomicBool,
}

impl Place {
    /// Ends the transaction of a closure that has ended. A call that is still waiting for an
    /// answer ends it afterwards.
    fn end(&self) -> Option<Open> {
        self.is_over.store(true, Ordering::Release);
        self.open.try_lock().ok().and_then(|mut open| open.take())
    }
}

/// Ends the transaction when the closure returns, panics or is dropped.
struct EndsWithClosure(Arc<Place>);

impl Drop for EndsWithClosure {
    fn drop(&mut self) {
        drop(self.0.end());
    }
}

#[derive(Debug)]
struct Open {
    transaction: Box<dyn HostTransaction>,
    /// The answers to the requests that were applied.
    decided: Vec<Decided>,
    /// The first request that was applied now, with its outcome.
    first: Option<Applied>,
    /// Whether a step failed in a way that another run may not.
    is_to_retry: bool,
    /// Whether a call has begun and not answered.
    is_in_call: bool,
    /// Whether the host had the adapter's own transaction, and may have done anything.
    is_opaque: bool,
}

/// A request that was applied now.
#[derive(Debug)]
struct Applied {
    key: RecordKey,
    ids: Vec<uuid::Uuid>,
    outcome: Arc<Outcome>,
}

impl Transaction {
    /// Runs a statement of the host and returns the number of changed rows. Each `?` in
    /// `sql` stands for one value.
    ///
    /// It runs statements on rows: `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `REPLACE`, `WITH`
    /// and `VALUES`. Others could end the transaction, or change the connection for the next
    /// user, and are refused.
    ///
    /// # Errors
    /// [`WalletError::Statement`]: the statement was refused; the transaction goes on
    /// without it. Otherwise [`WalletError`].
    pub async fn execute(&self, sql: &str, values: &[SqlValue]) -> Result<u64, WalletError> {
        check_rows(sql)?;
        let mut open = self.begin_call().await?;
        let done = open.transaction.execute(sql, values).await;
        self.end_call(open, done)
    }

    /// Runs a query of the host and returns all its rows.
    ///
    /// # Errors
    /// The same as [`execute`](Self::execute).
    pub async fn query(&self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, WalletError> {
        check_rows(sql)?;
        let mut open = self.begin_call().await?;
        let done = open.transaction.query(sql, values).await;
        self.end_call(open, done)
    }

    /// Carries out one command in this transaction and returns its receipt, like
    /// [`Scope::run`](super::Scope::run).
    ///
    /// # Errors
    /// [`WalletError::Rejected`] where the rules refuse the command: the transaction goes
    /// on without it, and the refusal is not recorded. Otherwise [`WalletError`].
    pub async fn run<C: TypedCommand>(
        &self,
        key: IdempotencyKey,
        command: C,
    ) -> Result<C::Receipt, WalletError> {
        let accepted = self.apply(Request::new(key, command)).await?;
        let receipt = accepted.receipts().first().and_then(C::receipt);
        receipt.cloned().ok_or_else(other_receipt)
    }

    /// Carries out a request in this transaction.
    ///
    /// # Errors
    /// The same as [`run`](Self::run).
    pub async fn apply(&self, request: Request) -> Result<Accepted, WalletError> {
        let accepted = self.apply_all(vec![request]).await?.pop();
        accepted.ok_or_else(other_receipt)
    }

    /// Carries out several requests in this transaction, all or none. Two transactions
    /// that apply one by one may lock accounts in different orders, and one of them must
    /// run again.
    ///
    /// # Errors
    /// [`WalletError::Rejected`] where the rules refuse a request. Otherwise
    /// [`WalletError`]. The transaction goes on without any of them.
    pub async fn apply_all(&self, requests: Vec<Request>) -> Result<Vec<Accepted>, WalletError> {
        let prepared = requests.into_iter().map(|request| {
            let prepared = self.wallet.prepare(request)?;
            Ok(Arc::new(prepared))
        });
        let prepared = prepared.collect::<Result<Vec<_>, WalletError>>()?;
        let mut open = self.begin_call().await?;
        let applied = open.transaction.apply(&prepared).await;
        if let Ok(applied) = &applied {
            open.note_applied(&prepared, applied.decided());
        }
        let applied = self.end_call(open, applied)?;
        let each = applied.decided().iter().map(|decided| {
            let (outcome, replayed) = match decided {
                Decided::Fresh(outcome) => (outcome, false),
                Decided::Replayed(outcome) => (outcome, true),
                _ => return Err(other_receipt()),
            };
            let outcome = Arc::clone(outcome);
            Ok(Answer { outcome, replayed }.try_into()?)
        });
        each.collect()
    }

    /// The adapter's own transaction, for what only its driver can do; `None` for another
    /// adapter. On MySQL it is the adapter's `HostTransaction`; on SQLite and in memory there
    /// is none. Other calls of this transaction wait until the returned guard is dropped.
    ///
    /// What is done there is not seen: it must neither end the transaction, nor change the
    /// connection's session, nor use the savepoint `wallet_host`. After this call, a run that
    /// fails is not repeated, and an unknown commit may stay unknown.
    ///
    /// # Errors
    /// [`WalletError::TransactionLost`].
    pub async fn inner<T: 'static>(
        &self,
    ) -> Result<Option<impl DerefMut<Target = T> + use<'_, T>>, WalletError> {
        let mut open = self.open().await?;
        open.is_opaque = true;
        let inner = MappedMutexGuard::try_map(open, |open| open.transaction.inner().downcast_mut());
        Ok(inner.ok())
    }

    async fn open(&self) -> Result<MappedMutexGuard<'_, Open>, WalletError> {
        let mut open = self.place.open.lock().await;
        if self.place.is_over.load(Ordering::Acquire) {
            drop(open.take());
        }
        let open = MutexGuard::try_map(open, Option::as_mut);
        let open = open.map_err(|_| WalletError::TransactionEnded)?;
        if open.is_in_call {
            return Err(WalletError::CallDropped);
        }
        Ok(open)
    }

    async fn begin_call(&self) -> Result<MappedMutexGuard<'_, Open>, WalletError> {
        let mut open = self.open().await?;
        open.is_in_call = true;
        Ok(open)
    }

    /// Notes that a call has answered, and whether another run may do what it did not.
    fn end_call<T>(
        &self,
        mut open: MappedMutexGuard<'_, Open>,
        done: Result<T, ApplyError>,
    ) -> Result<T, WalletError> {
        open.is_in_call = false;
        let done = done.map_err(|error| {
            open.is_to_retry |= can_retry(&error);
            error.into()
        });
        drop(open);
        if self.place.is_over.load(Ordering::Acquire) {
            drop(self.place.end());
        }
        done
    }
}

impl Open {
    fn note_applied(&mut self, requests: &[Arc<PreparedRequest>], decided: &[Decided]) {
        for (request, decided) in requests.iter().zip(decided) {
            if let Decided::Fresh(outcome) = decided {
                self.first.get_or_insert_with(|| Applied {
                    key: request.key(),
                    ids: request.ids(),
                    outcome: Arc::clone(outcome),
                });
            }
        }
        self.decided.extend_from_slice(decided);
    }
}

thread_local! {
    /// Whether this thread is polling the closure of a transaction.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller runs inside the closure of a transaction, in the same task.
pub(super) fn is_inside() -> bool {
    IS_INSIDE.get()
}

/// Marks this thread while it polls a closure, also if the closure panics.
struct Inside {
    before: bool,
}

impl Inside {
    fn enter() -> Self {
        Self {
            before: IS_INSIDE.replace(true),
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        IS_INSIDE.set(self.before);
    }
}

/// Runs `work` as the closure of a transaction.
async fn inside<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _inside = Inside::enter();
        work.as_mut().poll(context)
    })
    .await
}

/// Whether nothing was done, and another run may succeed.
fn can_retry(error: &ApplyError) -> bool {
    match error {
        ApplyError::TransactionLost(_) => true,
        ApplyError::NotAccepted(refused) => match refused {
            NotAccepted::Blocked { .. } | NotAccepted::ClockBehind { .. } => true,
            NotAccepted::Rejected { .. } | NotAccepted::IdempotencyMismatch { .. } => false,
        },
        ApplyError::Store(error) => is_passing(error),
        ApplyError::Statement(_) | ApplyError::CommittedEarly => false,
    }
}

/// Whether a statement of the host has ended the transaction, and may have committed it.
fn has_ended(error: &ApplyError) -> bool {
    match error {
        ApplyError::CommittedEarly => true,
        ApplyError::Store(error) => error.kind() == StoreErrorKind::Invalid,
        _ => false,
    }
}

fn is_passing(error: &StoreError) -> bool {
    let kind = error.kind();
    kind == StoreErrorKind::Conflict || kind == StoreErrorKind::Unavailable
}

/// The end of one run.
enum End<T, E> {
    /// It is final.
    Final(Result<T, E>),
    /// Nothing of it is committed, and another run may succeed.
    Again(E),
}

impl Wallet {
    /// Runs `work` in a transaction on the host's tables and the ledger, and commits if
    /// it returns `Ok`. On `Err`, everything is rolled back. A refused payment is an
    /// error, so an order cannot be committed without its payment by mistake.
    ///
    /// `store` is the wallet's own store. Inside `work`, use the transaction and not the
    /// wallet: a [`submit`](Self::submit) there fails with
    /// [`WalletError::InsideTransaction`], and so does another `in_transaction`. A task that
    /// `work` spawns is not seen. On the same accounts, and on SQLite on any account, it
    /// waits for this transaction until it gives up.
    ///
    /// `work` may run several times: after a deadlock, a lost connection, or an unknown
    /// commit that proves not to have happened. After the
    /// deadline of [`within`](Self::within) no other run begins. Only effects on the
    /// database belong in it. What it returns is returned once.
    ///
    /// If `work` drops a call before it has answered, for example in a `select!`, everything
    /// is rolled back: [`WalletError::CallDropped`].
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use wallet_core::memory::MemoryStore;
    /// use wallet_core::prelude::*;
    /// # use std::sync::Arc;
    /// # use wallet_core::SystemClock;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    /// let wallet = Wallet::builder(store.clone()).spawn()?;
    /// let eur = Currency::iso("EUR")?;
    /// let ada = wallet.ensure_account(OpenAccount::new("ada".parse()?, eur)).await?.id();
    /// let till = wallet.ensure_account(OpenAccount::new("till".parse()?, eur)).await?.id();
    /// let shop = wallet.scope("shop")?;
    /// let deposit = Deposit::new(ada, eur.parse("5.00")?, SettlementName::new("bank")?);
    /// shop.run("deposit", deposit).await?;
    ///
    /// let price = eur.parse("4.00")?;
    /// let key = shop.key("order-8")?;
    /// let paid = wallet.in_transaction(&*store, |tx| {
    ///     let key = key.clone();
    ///     async move {
    ///         // On a database, the order is inserted here with `tx.execute`.
    ///         tx.run(key, PostTransfer::simple(ada, till, price)).await
    ///     }
    /// });
    /// assert_eq!(paid.await?.transfer.legs[0].money, price);
    /// # Ok::<(), WalletError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The error of `work`. [`WalletError::Indeterminate`] where the answer to the commit
    /// was lost, and its result could not be read; [`WalletError::CommitUnknown`] where
    /// nothing was applied in it. Otherwise [`WalletError`].
    pub async fn in_transaction<T, E, F>(
        &self,
        store: &(impl HostTransactions + ?Sized),
        mut work: impl FnMut(Transaction) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<WalletError>,
    {
        if is_inside() {
            return Err(WalletError::InsideTransaction.into());
        }
        let settings = &self.shared.settings;
        let mut deadline = self.deadline();
        let mut failures = 0_u32;
        loop {
            let error = match self.run_once(store, &mut work).await {
                End::Final(done) => return done,
                End::Again(error) => error,
            };
            failures = failures.saturating_add(1);
            let pause = self.shared.clock.sleep(settings.retry.pause(failures));
            if failures >= settings.tries_max || deadline.bound(pause).await.is_none() {
                return Err(error);
            }
        }
    }

    /// Runs one statement of the host outside of every transaction, for example to create a
    /// table: see [`HostTransactions::run_alone`]. It is run once. Allowed are statements on
    /// rows, and `CREATE`, `ALTER`, `DROP`, `RENAME` and `TRUNCATE`.
    ///
    /// # Errors
    /// [`WalletError::Statement`]: the database refused the statement.
    /// [`WalletError::InsideTransaction`] inside of
    /// [`in_transaction`](Self::in_transaction). Otherwise [`WalletError`].
    pub async fn run_alone(
        &self,
        store: &(impl HostTransactions + ?Sized),
        sql: &str,
    ) -> Result<(), WalletError> {
        if is_inside() {
            return Err(WalletError::InsideTransaction);
        }
        check_alone(sql)?;
        Ok(store.run_alone(sql).await?)
    }

    /// Prepares a request: checks it and makes its ids, with the settings of this
    /// wallet. A host needs it only to call a store directly.
    ///
    /// # Errors
    /// [`WalletError::Invalid`].
    pub fn prepare(&self, request: Request) -> Result<PreparedRequest, WalletError> {
        let shards = &self.shared.settings.settlement_shards;
        Ok(PreparedRequest::new(request, &*self.shared.ids, shards)?)
    }

    async fn run_once<T, E, F>(
        &self,
        store: &(impl HostTransactions + ?Sized),
        work: &mut impl FnMut(Transaction) -> F,
    ) -> End<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<WalletError>,
    {
        if self.shared.queue.is_closed() {
            return End::Final(Err(WalletError::ShuttingDown.into()));
        }
        let transaction = match store.begin().await {
            Ok(open) => open,
            Err(error) if is_passing(&error) => return End::Again(WalletError::from(error).into()),
            Err(error) => return End::Final(Err(WalletError::from(error).into())),
        };
        let place = Arc::new(Place {
            open: Mutex::new(Some(Open {
                transaction,
                decided: Vec::new(),
                first: None,
                is_to_retry: false,
                is_in_call: false,
                is_opaque: false,
            })),
            is_over: AtomicBool::new(false),
        });
        let ends = EndsWithClosure(Arc::clone(&place));
        let done = inside(work(Transaction {
            wallet: self.clone(),
            place,
        }))
        .await;
        let Some(open) = ends.0.end() else {
            // A task that the closure has left behind is in a call.
            return End::Final(Err(WalletError::CallDropped.into()));
        };
        if open.is_in_call {
            // Dropping it rolls back, without waiting for the answer.
            drop(open);
            return End::Final(Err(WalletError::CallDropped.into()));
        }
        let value = match done {
            Ok(value) => value,
            Err(error) => {
                let rolled_back = open.transaction.rollback().await;
                return match rolled_back {
                    Err(ended) if has_ended(&ended) => {
                        End::Final(Err(WalletError::from(ended).into()))
                    }
                    _ if open.is_to_retry && !open.is_opaque => End::Again(error),
                    _ => End::Final(Err(error)),
                };
            }
        };
        let Open {
            transaction,
            decided,
            first,
            is_opaque,
            ..
        } = open;
        match transaction.commit().await {
            Ok(()) => {}
            Err(ApplyError::Store(error)) if error.kind() == StoreErrorKind::Indeterminate => {
                match self.has_committed(first, is_opaque).await {
                    Ok(true) => {}
                    Ok(false) => {
                        let error = WalletError::TransactionLost(Some(Arc::new(error)));
                        return End::Again(error.into());
                    }
                    Err(error) => return End::Final(Err(error.into())),
                }
            }
            Err(error) if can_retry(&error) && !is_opaque => {
                return End::Again(WalletError::from(error).into());
            }
            Err(error) => return End::Final(Err(WalletError::from(error).into())),
        }
        // What the host did on its own may have undone some of it.
        self.after_commit(if is_opaque { &[] } else { &decided });
        End::Final(Ok(value))
    }

    /// Whether a transaction with an unknown commit is committed. The read of its key
    /// waits for a transaction that still holds it. If the host may have undone what was
    /// applied, a missing key proves nothing.
    async fn has_committed(
        &self,
        first: Option<Applied>,
        is_opaque: bool,
    ) -> Result<bool, WalletError> {
        let Some(Applied { key, ids, outcome }) = first else {
            return Err(WalletError::CommitUnknown);
        };
        let settings = &self.shared.settings;
        for failures in 1..=settings.tries_max {
            match self.recorded(key).await {
                Ok(found) => {
                    let is_ours = found.is_some_and(|found| found == outcome);
                    if is_ours || !is_opaque {
                        return Ok(is_ours);
                    }
                    break;
                }
                Err(error) if !error.is_retryable() => break,
                Err(_) => {
                    let pause = settings.retry.pause(failures);
                    self.shared.clock.sleep(pause).await;
                }
            }
        }
        Err(WalletError::Indeterminate { key, ids })
    }
}
