//! Applies requests inside a transaction of the host.

use std::sync::Arc;

use sqlx::{Connection, MySql, MySqlConnection, Transaction};
use wallet_core::StoreError;
use wallet_core::decide::Decision;
use wallet_core::ledger::{Decided, RecordKey};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{Applied, StoreErrorKind};

use crate::error::{Doing, Failed, code};
use crate::read::ask_keys_locked;
use crate::run::{Answers, Runner};
use crate::sql::Script;
use crate::{AuroraStore, commit, number};
use wallet_core::store::{ApplyError, TransactionLost};

const IDENTITY: &str = "SELECT id FROM wallet_identity";
/// Fails with a distinct code exactly while a transaction is open.
const PROBE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// The isolation variable has a different name on each server.
const SESSION: &str =
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')";
const MODE: &str = "SELECT @@sql_mode";
const SAVE: &str = "SAVEPOINT wallet_apply";
const RELEASE: &str = "RELEASE SAVEPOINT wallet_apply";
const UNDO: &str = "ROLLBACK TO SAVEPOINT wallet_apply";

/// The packet limit in bytes. Every server takes packets of this size by default.
pub(crate) const PACKET_BYTES: usize = 1 << 20;

/// A transaction of the host at READ COMMITTED, on a connection of the host to the ledger's
/// database.
///
/// The server rolls back a whole transaction on some errors (a deadlock, a lost
/// connection). Afterwards the connection commits every statement on its own. If that
/// happens in [`AuroraStore::apply_in`], this handle refuses further work with
/// [`TransactionLost`]. So an order is never committed without its payment. The handle
/// cannot see errors of the host's own statements. Drop the handle when one of them fails.
///
/// A consumer's inbox needs no ledger. Its steps are recorded in such a transaction on any
/// database ([`AuroraInbox::advance_in`](crate::AuroraInbox::advance_in)).
///
/// Dropping the handle rolls back, at the latest when the connection is used next.
///
/// A refused payment is an answer and not an error. Commit the order only when
/// [`accepted`](Applied::accepted) returns `Ok`. Roll back otherwise.
///
/// # A host that vanishes
/// A host may vanish without closing its connection. The accounts that it has locked then
/// stay locked until the server times the connection out: after eight hours by default
/// (`wait_timeout`). Set `SET SESSION wait_timeout = 15, net_read_timeout = 15,
/// net_write_timeout = 15` on the host's connections. The value must exceed the longest
/// pause between two statements. Let the host's pool test or replace a connection that was
/// idle for longer. On MariaDB, `idle_transaction_timeout` applies only to open transactions.
/// [`AuroraStore::lock_holders`] lists the current lock holders.
///
/// ```no_run
/// # use std::sync::Arc;
/// use sqlx::{Connection, Executor, MySqlConnection};
/// use wallet_aurora::{AuroraSettings, AuroraStore, HostTransaction, sqlx};
/// use wallet_core::{AccountId, Currency, IdempotencyKey, Leg, Money, PostTransfer};
/// use wallet_core::Request;
/// use wallet_core::ledger::SettlementShards;
/// use wallet_core::request::PreparedRequest;
/// use wallet_core::runtime::Uuid7;
/// # async fn order(ada: AccountId, shop: AccountId) -> Result<(), Box<dyn std::error::Error>> {
/// let url = "mysql://shop:secret@localhost/shop";
/// let store = AuroraStore::open(&AuroraSettings::new(url)).await?;
/// let mut connection = MySqlConnection::connect(url).await?;
///
/// let price = Money::parse("9.00", Currency::iso("EUR")?)?;
/// let pay = PostTransfer::new(vec![Leg::new(ada, shop, price)]);
/// let pay = Request::new(IdempotencyKey::parse("shop", "order-7")?, pay);
/// let pay = Arc::new(PreparedRequest::new(pay, &Uuid7, &SettlementShards::new())?);
///
/// let mut transaction = HostTransaction::begin(&mut connection).await?;
/// let host = transaction.connection()?;
/// host.execute("INSERT INTO shop_order (id) VALUES (7)").await?;
/// let applied = store.apply_in(&mut transaction, &[pay]).await?;
/// match applied.accepted() {
///     Ok(_) => transaction.commit().await?,
///     Err(refused) => {
///         transaction.rollback().await?;
///         return Err(refused.into());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HostTransaction<'c> {
    transaction: Transaction<'c, MySql>,
    /// Whether the handle refuses further work. It is also set while requests are being
    /// applied. A caller that drops the future must not commit a part.
    is_lost: bool,
    /// The identity of the books in the database, once it is known.
    identity: Option<[u8; 16]>,
    /// A key that this transaction recorded first.
    recorded: Option<RecordKey>,
}

impl<'c> HostTransaction<'c> {
    /// Begins a transaction at READ COMMITTED.
    ///
    /// # Errors
    /// `Invalid`: a transaction is open on the connection already, or its `sql_mode` is not
    /// strict. `Unavailable`.
    pub async fn begin(connection: &'c mut MySqlConnection) -> Result<Self, StoreError> {
        if in_transaction(connection).await? {
            return Err(invalid("a transaction is under way on the connection"));
        }
        check_mode(connection).await?;
        let begun = Connection::begin(connection).await;
        let context = "beginning the host's transaction";
        let transaction =
            begun.map_err(|error| Failed::new(error, Doing::Work, context, false).error)?;
        Ok(Self {
            transaction,
            is_lost: false,
            identity: None,
            recorded: None,
        })
    }

    /// Takes over a transaction that the host has begun. The isolation level is read from
    /// the session. A `SET TRANSACTION` for this one transaction is not visible, so do not
    /// use it to set another level. If you did, the decision and the commit still agree.
    /// The transaction may then lock more rows and make others wait.
    ///
    /// # Errors
    /// `Invalid`: the session is not at READ COMMITTED, is not strict, or no transaction is
    /// open. `Unavailable`. The transaction is rolled back on every error.
    pub async fn adopt(mut transaction: Transaction<'c, MySql>) -> Result<Self, StoreError> {
        let connection: &mut MySqlConnection = &mut transaction;
        if !in_transaction(connection).await? {
            return Err(invalid("no transaction is under way"));
        }
        let script = Script::of("asking for the isolation", SESSION);
        let rows = run(connection, &script).await?.rows();
        // MariaDB 11 and later has both names for this value.
        let mut levels = Vec::with_capacity(rows.len());
        for row in &rows {
            levels.push(row.text(1)?);
        }
        if levels.is_empty() || levels.iter().any(|level| *level != "READ-COMMITTED") {
            return Err(invalid("the host's transaction must be at READ COMMITTED"));
        }
        check_mode(connection).await?;
        Ok(Self {
            transaction,
            is_lost: false,
            identity: None,
            recorded: None,
        })
    }

    /// The connection, for the host's own statements in this transaction.
    ///
    /// # Errors
    /// [`TransactionLost`]: the transaction is gone.
    pub fn connection(&mut self) -> Result<&mut MySqlConnection, TransactionLost> {
        if self.is_lost {
            return Err(TransactionLost);
        }
        Ok(&mut self.transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`]: there was nothing left to commit.
    /// [`ApplyError::Store`] of kind `Indeterminate`: the outcome is unknown; look the
    /// requests up by their keys. `Conflict` and `Unavailable`: nothing was committed.
    pub async fn commit(mut self) -> Result<(), ApplyError> {
        let connection = self.connection()?;
        if !in_transaction(connection).await? {
            // An error of the host's own statements, or a change of schema, ended the
            // transaction.
            return Err(self.over().await);
        }
        let committed = self.transaction.commit().await;
        let context = "committing the host's transaction";
        committed.map_err(|error| Failed::new(error, Doing::Commit, context, true).error)?;
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// `Unavailable`: the connection is lost. The transaction is gone in every case.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let rolled_back = self.transaction.rollback().await;
        let context = "rolling the host's transaction back";
        rolled_back.map_err(|error| Failed::new(error, Doing::Work, context, false).error)
    }

    /// Reads which books the connection's database holds.
    async fn identity(&mut self) -> Result<[u8; 16], ApplyError> {
        if let Some(known) = self.identity {
            return Ok(known);
        }
        let script = Script::of("reading the books' identity", IDENTITY);
        let identity = match run(&mut self.transaction, &script).await {
            Ok(mut answers) => answers.row()?.array(0)?,
            Err(failed) if failed.code == Some(code::NO_TABLE) => {
                let context = "the host's connection is to a database without a ledger";
                return Err(invalid(context).into());
            }
            Err(failed) => return Err(self.lose(failed)),
        };
        self.identity = Some(identity);
        Ok(identity)
    }

    /// Finds out how a transaction that is no longer open has ended. If the key that it
    /// recorded is stored, a statement has committed it early.
    async fn over(&mut self) -> ApplyError {
        self.is_lost = true;
        let Some(key) = self.recorded else {
            return ApplyError::TransactionLost(None);
        };
        let mut script = Script::default();
        ask_keys_locked(&mut script, &[key]);
        let found = run(&mut self.transaction, &script).await;
        match found.map(|mut answers| answers.rows().is_empty()) {
            Ok(true) => ApplyError::TransactionLost(None),
            Ok(false) => ApplyError::CommittedEarly,
            Err(failed) => {
                let kind = StoreErrorKind::Indeterminate;
                let context = "whether the host's transaction was committed is not known";
                StoreError::new(kind, context)
                    .with_source(failed.error)
                    .into()
            }
        }
    }

    fn lose(&mut self, failed: Failed) -> ApplyError {
        self.is_lost = true;
        ApplyError::TransactionLost(Some(failed.error))
    }
}

impl AuroraStore {
    /// Applies `requests` inside the host's transaction. The rules, records and events are
    /// those of [`transact`](wallet_core::store::LedgerStore::transact). Everything is
    /// committed or rolled back together with the host's own work. Pass several requests in
    /// one call: two calls could lock accounts in different orders. The method never
    /// retries. It waits for locks as long as the host's session allows.
    ///
    /// The accounts stay locked until the host ends its transaction, so keep it short. If
    /// the future is dropped before it ends, the handle refuses further work.
    ///
    /// # Errors
    /// - [`ApplyError::Store`]: nothing of the requests remains in the transaction, which
    ///   is as it was before the call. `Invalid`: the connection belongs to other books,
    ///   two requests have one key, or the store refuses the data. `Conflict`: an account
    ///   was locked for too long, or another transaction took a key or a caller's id
    ///   meanwhile.
    /// - [`ApplyError::TransactionLost`]: the server has rolled back the host's
    ///   transaction.
    /// - [`ApplyError::CommittedEarly`]: the host has changed a schema in the transaction.
    pub async fn apply_in(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
    ) -> Result<Applied, ApplyError> {
        let batch = Batch::with_max_ahead(requests.to_vec(), self.max_ahead);
        if batch.requests().len() != requests.len() {
            return Err(invalid("two requests have the same key").into());
        }
        transaction.connection()?;
        // If the caller drops the future from here on, the handle refuses further work.
        transaction.is_lost = true;
        let applied = self.apply(transaction, &batch).await;
        let (applied, is_over) = match applied {
            Ok(decision) => (Ok(decision), false),
            Err(End::UnderWay(error)) => (Err(error), false),
            Err(End::Over(error)) => (Err(error), true),
        };
        transaction.is_lost = is_over;
        let decision = applied?;
        let fresh = batch.requests().iter().zip(&decision.decided);
        let mut fresh = fresh.filter(|(_, decided)| matches!(decided, Decided::Fresh(_)));
        if transaction.recorded.is_none() {
            transaction.recorded = fresh.next().map(|(request, _)| request.key());
        }
        Ok(Applied::new(decision.decided, decision.changes.accepted))
    }

    async fn apply(&self, host: &mut HostTransaction<'_>, batch: &Batch) -> Result<Decision, End> {
        if host.identity().await? != self.identity {
            let error = invalid("the host's connection is to other books");
            return Err(End::UnderWay(error.into()));
        }
        let connection: &mut MySqlConnection = &mut host.transaction;
        let mut script = Script::of("setting a savepoint", SAVE);
        script.fixed(Doing::Work, "asking for a transaction", PROBE);
        match probe(connection, &script).await {
            Ok(true) => {}
            // The host continued after an error of its own statement, or after a change of
            // schema.
            Ok(false) => return Err(End::Over(host.over().await)),
            Err(error) => return Err(ApplyError::TransactionLost(Some(error)).into()),
        }
        let mut runner = Runner {
            connection,
            answer_wait: self.host_wait,
            packet_bytes: self.packet_bytes,
            is_limit: true,
        };
        match commit::apply(&mut runner, batch, &self.time, RELEASE).await {
            Ok(decision) => Ok(decision),
            Err(failed) => Err(undo(&mut runner, failed).await.into()),
        }
    }
}

/// Why nothing was applied, and whether the host's transaction is still open.
enum End {
    UnderWay(ApplyError),
    Over(ApplyError),
}

impl From<ApplyError> for End {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(_) => Self::UnderWay(error),
            _ => Self::Over(error),
        }
    }
}

/// Rolls back the part that was applied.
async fn undo(runner: &mut Runner<'_>, failed: Failed) -> ApplyError {
    if failed.ended_transaction() {
        return ApplyError::TransactionLost(Some(failed.error));
    }
    let mut script = Script::of("rolling back to a savepoint", UNDO);
    script.fixed(Doing::Work, "releasing a savepoint", RELEASE);
    match runner.run(&script).await {
        Ok(_) if failed.is_duplicate() => match number::passed_over(runner).await {
            Ok(given_again) => ApplyError::Store(given_again.unwrap_or(failed).error),
            Err(lost) if lost.ended_transaction() => ApplyError::TransactionLost(Some(lost.error)),
            Err(other) => ApplyError::Store(other.error),
        },
        Ok(_) => ApplyError::Store(failed.error),
        // A part may still be there. It must not be committed.
        Err(_) => ApplyError::TransactionLost(Some(failed.error)),
    }
}

/// Whether a transaction is open, as the server sees it.
pub(crate) async fn in_transaction(connection: &mut MySqlConnection) -> Result<bool, StoreError> {
    probe(connection, &Script::of("asking for a transaction", PROBE)).await
}

/// Runs a script that ends in [`PROBE`], and returns whether a transaction is open.
async fn probe(connection: &mut MySqlConnection, script: &Script) -> Result<bool, StoreError> {
    match run(connection, script).await {
        Ok(_) => Ok(false),
        Err(failed) if failed.code == Some(code::IN_TRANSACTION) => Ok(true),
        Err(failed) => Err(failed.error),
    }
}

/// Refuses a session without a strict mode: the server would truncate values that do not
/// fit.
async fn check_mode(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let script = Script::of("asking for the mode", MODE);
    let row = run(connection, &script).await?.row()?;
    let mut modes = row.text(0)?.split(',');
    if !modes.any(|mode| mode == "STRICT_ALL_TABLES" || mode == "STRICT_TRANS_TABLES") {
        return Err(invalid("the host's session must have a strict sql_mode"));
    }
    Ok(())
}

async fn run(connection: &mut MySqlConnection, script: &Script) -> Result<Answers, Failed> {
    let mut runner = Runner {
        connection,
        // These statements wait for no lock.
        answer_wait: std::time::Duration::from_secs(30),
        packet_bytes: PACKET_BYTES,
        is_limit: false,
    };
    runner.run(script).await
}

fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}
