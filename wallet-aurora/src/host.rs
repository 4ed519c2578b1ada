//! Requests inside a transaction of the host's own.

use std::sync::Arc;

use sqlx::{Connection, MySql, MySqlConnection, Transaction};
use wallet_core::StoreError;
use wallet_core::decide::Decision;
use wallet_core::ledger::{Decided, RecordKey};
use wallet_core::request::{Batch, Prepared};
use wallet_core::store::{Applied, StoreErrorKind};

use crate::error::{ApplyError, Doing, Failed, TransactionLost, code};
use crate::read::ask_keys_locked;
use crate::run::{Answers, Runner};
use crate::sql::Script;
use crate::{AuroraStore, commit, number};

const IDENTITY: &str = "SELECT id FROM wallet_identity";
/// Fails with a code of its own exactly while a transaction is under way.
const PROBE: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// The isolation has another name on each server.
const SESSION: &str =
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')";
const MODE: &str = "SELECT @@sql_mode";
const SAVE: &str = "SAVEPOINT wallet_apply";
const RELEASE: &str = "RELEASE SAVEPOINT wallet_apply";
const UNDO: &str = "ROLLBACK TO SAVEPOINT wallet_apply";

/// Packets are kept below what every server takes unless told otherwise.
pub(crate) const PACKET_BYTES: usize = 1 << 20;

/// A transaction of the host's at READ COMMITTED, on a connection of the host's
/// to the ledger's database.
///
/// The server throws a whole transaction away on some errors (a deadlock, a
/// lost connection), after which the connection commits every statement on its
/// own. Where that happens to [`AuroraStore::apply_in`], this handle refuses
/// from then on with [`TransactionLost`], so that an order is never committed
/// without its payment. It cannot see the errors of the host's own statements:
/// when one of them fails, drop the handle.
///
/// A consumer's inbox needs no ledger: its steps are recorded in such a
/// transaction on any database
/// ([`AuroraInbox::advance_in`](crate::AuroraInbox::advance_in)).
///
/// Dropping it rolls back, at the latest when the connection is used next.
///
/// A refused payment is an answer, and no error: the order is committed only when
/// [`accepted`](Applied::accepted) says so, and rolled back otherwise.
///
/// # A host that vanishes
/// The accounts that it has locked stay locked until the server misses the
/// connection: by default for eight hours (`wait_timeout`), if no end of it ever
/// arrives. Set `SET SESSION wait_timeout = 15, net_read_timeout = 15,
/// net_write_timeout = 15` on the host's connections, a little above its longest pause
/// between two statements, and have its pool try or replace what rests for longer; on
/// MariaDB `idle_transaction_timeout` ends transactions alone.
/// [`AuroraStore::lock_holders`] says who keeps accounts now.
///
/// ```no_run
/// # use std::sync::Arc;
/// use sqlx::{Connection, Executor, MySqlConnection};
/// use wallet_aurora::{AuroraSettings, AuroraStore, HostTransaction, sqlx};
/// use wallet_core::{AccountId, Currency, IdempotencyKey, Leg, Money, PostTransfer};
/// use wallet_core::Request;
/// use wallet_core::ledger::SettlementShards;
/// use wallet_core::request::Prepared;
/// use wallet_core::runtime::Uuid7;
/// # async fn order(ada: AccountId, shop: AccountId) -> Result<(), Box<dyn std::error::Error>> {
/// let url = "mysql://shop:secret@localhost/shop";
/// let store = AuroraStore::open(&AuroraSettings::new(url)).await?;
/// let mut connection = MySqlConnection::connect(url).await?;
///
/// let price = Money::parse("9.00", Currency::iso("EUR")?)?;
/// let pay = PostTransfer::new(vec![Leg::new(ada, shop, price)]);
/// let pay = Request::new(IdempotencyKey::parse("shop", "order-7")?, pay);
/// let pay = Arc::new(Prepared::new(pay, &Uuid7, &SettlementShards::new())?);
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
    /// Whether nothing more may be done in it. So it is, too, for as long as
    /// requests are being applied: whoever stops waiting must not commit a half.
    is_lost: bool,
    /// Which books the database holds, once known.
    identity: Option<[u8; 16]>,
    /// A key that was recorded in it, and nowhere before.
    recorded: Option<RecordKey>,
}

impl<'c> HostTransaction<'c> {
    /// Begins a transaction at READ COMMITTED.
    ///
    /// # Errors
    /// `Invalid` when one is under way on the connection already, or when its
    /// `sql_mode` is not strict; `Unavailable`.
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

    /// Takes over a transaction that the host has begun. Whether it is at READ
    /// COMMITTED is taken from the session: a `SET TRANSACTION` for this one
    /// transaction alone cannot be seen, so do not use it with another level. Where it
    /// was used nevertheless, what is decided on is still what is committed, but it
    /// may keep others waiting for more rows.
    ///
    /// # Errors
    /// `Invalid` when the session is not at READ COMMITTED, is not strict, or no
    /// transaction is under way; `Unavailable`. The transaction is then rolled
    /// back.
    pub async fn adopt(mut transaction: Transaction<'c, MySql>) -> Result<Self, StoreError> {
        let connection: &mut MySqlConnection = &mut transaction;
        if !in_transaction(connection).await? {
            return Err(invalid("no transaction is under way"));
        }
        let script = Script::of("asking for the isolation", SESSION);
        let rows = run(connection, &script).await?.rows();
        // MariaDB from 11 on has both names for the one value.
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
    /// [`TransactionLost`] when there is no transaction any more.
    pub fn connection(&mut self) -> Result<&mut MySqlConnection, TransactionLost> {
        if self.is_lost {
            return Err(TransactionLost);
        }
        Ok(&mut self.transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`] when there was nothing left to commit;
    /// [`ApplyError::Store`] of kind `Indeterminate` when the outcome is not
    /// known: find out with the requests' keys. `Conflict` and `Unavailable`:
    /// nothing was committed.
    pub async fn commit(mut self) -> Result<(), ApplyError> {
        let connection = self.connection()?;
        if !in_transaction(connection).await? {
            // By an error of the host's own statements, or by a change of schema.
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
    /// `Unavailable` when the connection is lost; the transaction is gone in
    /// every case.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let rolled_back = self.transaction.rollback().await;
        let context = "rolling the host's transaction back";
        rolled_back.map_err(|error| Failed::new(error, Doing::Work, context, false).error)
    }

    /// Which books the database of the connection holds.
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

    /// What became of the transaction that is not under way any more. The connection
    /// has no other, so that the key of what was applied tells it.
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
    /// Applies `requests` inside the host's transaction: the same rules,
    /// records and events as [`transact`](wallet_core::store::LedgerStore::transact),
    /// committed or rolled back with everything else of the host's. Several
    /// requests go in one call: two calls could lock accounts in two orders.
    /// It never retries, and waits for locks as long as the host's session does.
    ///
    /// The accounts stay locked until the host ends its transaction: keep it
    /// short. When the future is dropped before its end, the handle refuses from
    /// then on.
    ///
    /// # Errors
    /// - [`ApplyError::Store`]: nothing of the requests remains in the
    ///   transaction, which is as it was before the call. `Invalid`: the
    ///   connection is to other books, two requests have one key, or the store
    ///   refuses the data. `Conflict`: an account was locked for too long, or a
    ///   key or a caller's id was taken meanwhile.
    /// - [`ApplyError::TransactionLost`]: the server has thrown the host's
    ///   transaction away.
    /// - [`ApplyError::CommittedEarly`]: the host has changed a schema in it.
    pub async fn apply_in(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<Prepared>],
    ) -> Result<Applied, ApplyError> {
        let batch = Batch::with_max_ahead(requests.to_vec(), self.max_ahead);
        if batch.requests().len() != requests.len() {
            return Err(invalid("two requests have the same key").into());
        }
        transaction.connection()?;
        // Whoever stops waiting from here on leaves a handle that refuses.
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
            // The host went on after an error of its own, or a change of schema.
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

/// Why nothing was applied, and whether the host's transaction is under way still.
enum End {
    UnderWay(ApplyError),
    Over(ApplyError),
}

impl From<ApplyError> for End {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(_) => Self::UnderWay(error),
            ApplyError::TransactionLost(_) | ApplyError::CommittedEarly => Self::Over(error),
        }
    }
}

/// Takes back what was applied in part.
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
        // Half of it may still be there: it must not be committed.
        Err(_) => ApplyError::TransactionLost(Some(failed.error)),
    }
}

/// Whether a transaction is under way, as the server sees it.
pub(crate) async fn in_transaction(connection: &mut MySqlConnection) -> Result<bool, StoreError> {
    probe(connection, &Script::of("asking for a transaction", PROBE)).await
}

/// The same by a script that ends in [`PROBE`].
async fn probe(connection: &mut MySqlConnection, script: &Script) -> Result<bool, StoreError> {
    match run(connection, script).await {
        Ok(_) => Ok(false),
        Err(failed) if failed.code == Some(code::IN_TRANSACTION) => Ok(true),
        Err(failed) => Err(failed.error),
    }
}

/// Without a strict mode the server would cut values that do not fit.
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
        // These ask for nothing that could wait for a lock.
        answer_wait: std::time::Duration::from_secs(30),
        packet_bytes: PACKET_BYTES,
        is_limit: false,
    };
    runner.run(script).await
}

fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}
