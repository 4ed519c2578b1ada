//! A host's transaction, with its retry.

use std::sync::Arc;

use super::{Accepted, Answer, Wallet, WalletError, other_receipt};
use crate::ledger::{Decided, IdempotencyKey, Outcome, RecordKey};
use crate::request::{PreparedRequest, Request, TypedCommand};
use crate::store::{
    ApplyError, HostTransaction, HostTransactions, NotAccepted, SqlRow, SqlValue, StoreError,
    StoreErrorKind,
};

/// An open transaction of the host, from [`Wallet::in_transaction`].
#[derive(Debug)]
pub struct Transaction<'w> {
    wallet: &'w Wallet,
    open: Box<dyn HostTransaction>,
    /// The answers to the requests that were applied.
    decided: Vec<Decided>,
    /// The first request that was applied now, with its outcome.
    first: Option<Applied>,
    /// Whether a step failed in a way that another run may not.
    is_to_retry: bool,
}

/// A request that was applied now.
#[derive(Debug)]
struct Applied {
    key: RecordKey,
    ids: Vec<uuid::Uuid>,
    outcome: Arc<Outcome>,
}

impl Transaction<'_> {
    /// Runs a statement of the host and returns the number of changed rows. Each `?` in
    /// `sql` stands for one value.
    ///
    /// # Errors
    /// [`WalletError::Statement`]: the database refused the statement; the transaction
    /// goes on without it. Otherwise [`WalletError`].
    pub async fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, WalletError> {
        let done = self.open.execute(sql, values).await;
        self.noted(done)
    }

    /// Runs a query of the host and returns all its rows.
    ///
    /// # Errors
    /// The same as [`execute`](Self::execute).
    pub async fn query(
        &mut self,
        sql: &str,
        values: &[SqlValue],
    ) -> Result<Vec<SqlRow>, WalletError> {
        let done = self.open.query(sql, values).await;
        self.noted(done)
    }

    /// Carries out one command in this transaction and returns its receipt, like
    /// [`Scope::run`](super::Scope::run).
    ///
    /// # Errors
    /// [`WalletError::Rejected`] where the rules refuse the command: the transaction goes
    /// on without it, and the refusal is not recorded. Otherwise [`WalletError`].
    pub async fn run<C: TypedCommand>(
        &mut self,
        key: IdempotencyKey,
        command: C,
    ) -> Result<C::Receipt, WalletError>
    where
        C::Receipt: Clone,
    {
        let accepted = self.apply(Request::new(key, command)).await?;
        let receipt = accepted.receipts().first().and_then(C::receipt);
        receipt.cloned().ok_or_else(other_receipt)
    }

    /// Carries out a request in this transaction.
    ///
    /// # Errors
    /// The same as [`run`](Self::run).
    pub async fn apply(&mut self, request: Request) -> Result<Accepted, WalletError> {
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
    pub async fn apply_all(
        &mut self,
        requests: Vec<Request>,
    ) -> Result<Vec<Accepted>, WalletError> {
        let prepared = requests.into_iter().map(|request| {
            let prepared = self.wallet.prepare(request)?;
            Ok(Arc::new(prepared))
        });
        let prepared = prepared.collect::<Result<Vec<_>, WalletError>>()?;
        let applied = self.open.apply(&prepared).await;
        let applied = self.noted(applied)?;
        let mut accepted = Vec::with_capacity(prepared.len());
        for (request, decided) in prepared.iter().zip(applied.decided()) {
            let (outcome, replayed) = match decided {
                Decided::Fresh(outcome) => {
                    self.first.get_or_insert_with(|| Applied {
                        key: request.key(),
                        ids: request.ids(),
                        outcome: Arc::clone(outcome),
                    });
                    (outcome, false)
                }
                Decided::Replayed(outcome) => (outcome, true),
                _ => return Err(other_receipt()),
            };
            let outcome = Arc::clone(outcome);
            accepted.push(Answer { outcome, replayed }.try_into()?);
        }
        self.decided.extend_from_slice(applied.decided());
        Ok(accepted)
    }

    /// The adapter's own transaction, for what only its driver can do. Each adapter's
    /// documentation names the type.
    pub fn inner<T: 'static>(&mut self) -> Option<&mut T> {
        self.open.inner().downcast_mut()
    }

    /// Notes whether another run may do what this step did not.
    fn noted<T>(&mut self, done: Result<T, ApplyError>) -> Result<T, WalletError> {
        done.map_err(|error| {
            self.is_to_retry |= can_retry(&error);
            error.into()
        })
    }
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
    /// `work` may run several times: after a deadlock, a lost connection, or an unknown
    /// commit that proves not to have happened. Only effects on the database belong in
    /// it. What it returns is returned once.
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
    /// let paid = wallet.in_transaction(&*store, async |tx| {
    ///     // On a database: tx.execute("INSERT INTO shop_order (id) VALUES (?)", &[8.into()])
    ///     tx.run(key.clone(), PostTransfer::simple(ada, till, price)).await
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
    /// was lost, and its result could not be read. Otherwise [`WalletError`].
    pub async fn in_transaction<T, E, F>(
        &self,
        store: &(impl HostTransactions + ?Sized),
        mut work: F,
    ) -> Result<T, E>
    where
        F: AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
        E: From<WalletError>,
    {
        let settings = &self.shared.settings;
        let mut failures = 0_u32;
        loop {
            let error = match self.run_once(store, &mut work).await {
                End::Final(done) => return done,
                End::Again(error) => error,
            };
            failures = failures.saturating_add(1);
            if failures >= settings.tries_max {
                return Err(error);
            }
            self.shared
                .clock
                .sleep(settings.retry.pause(failures))
                .await;
        }
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
        work: &mut F,
    ) -> End<T, E>
    where
        F: AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
        E: From<WalletError>,
    {
        let open = match store.begin().await {
            Ok(open) => open,
            Err(error) if is_passing(&error) => return End::Again(WalletError::from(error).into()),
            Err(error) => return End::Final(Err(WalletError::from(error).into())),
        };
        let mut transaction = Transaction {
            wallet: self,
            open,
            decided: Vec::new(),
            first: None,
            is_to_retry: false,
        };
        let value = match work(&mut transaction).await {
            Ok(value) => value,
            Err(error) => {
                let is_to_retry = transaction.is_to_retry;
                // The transaction is gone in every case.
                let _ = transaction.open.rollback().await;
                return if is_to_retry {
                    End::Again(error)
                } else {
                    End::Final(Err(error))
                };
            }
        };
        let Transaction {
            open,
            decided,
            first,
            ..
        } = transaction;
        match open.commit().await {
            Ok(()) => {}
            Err(ApplyError::Store(error)) if error.kind() == StoreErrorKind::Indeterminate => {
                match self.has_committed(first, error).await {
                    Ok(true) => {}
                    Ok(false) => {
                        let error = WalletError::TransactionLost;
                        return End::Again(error.into());
                    }
                    Err(error) => return End::Final(Err(error.into())),
                }
            }
            Err(error) if can_retry(&error) => return End::Again(WalletError::from(error).into()),
            Err(error) => return End::Final(Err(WalletError::from(error).into())),
        }
        self.after_commit(&decided);
        End::Final(Ok(value))
    }

    /// Whether a transaction with an unknown commit is committed. The read of its key
    /// waits for a transaction that still holds it.
    async fn has_committed(
        &self,
        first: Option<Applied>,
        unknown: StoreError,
    ) -> Result<bool, WalletError> {
        let Some(Applied { key, ids, outcome }) = first else {
            return Err(unknown.into());
        };
        let settings = &self.shared.settings;
        for failures in 1..=settings.tries_max {
            match self.recorded(key).await {
                Ok(found) => return Ok(found.is_some_and(|found| found == outcome)),
                Err(error) if !error.is_retryable() => break,
                Err(_) => {
                    self.shared
                        .clock
                        .sleep(settings.retry.pause(failures))
                        .await;
                }
            }
        }
        Err(WalletError::Indeterminate { key, ids })
    }
}
