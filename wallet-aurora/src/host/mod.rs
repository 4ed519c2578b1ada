//! The host's transaction: the host's own statements and the requests to the ledger.

mod apply;
mod pooled;
mod port;
mod row;
mod session;
mod statement;

use sqlx::{Connection, MySql, MySqlConnection, Transaction};
use wallet_core::StoreError;
use wallet_core::ledger::RecordKey;
use wallet_core::store::{ApplyError, StoreErrorKind, TransactionLost};

use self::pooled::Pooled;
pub(crate) use self::session::in_transaction;
use self::session::{check_isolation, check_mode, invalid, run};
use crate::error::{Doing, Failed, code};
use crate::read::ask_keys_locked;
use crate::sql::Script;

const IDENTITY: &str = "SELECT id FROM wallet_identity";

/// The packet limit in bytes. Every server takes packets of this size by default.
pub(crate) const PACKET_BYTES: usize = 1 << 20;

/// A transaction of the host at READ COMMITTED, on the ledger's database.
///
/// [`Wallet::in_transaction`](wallet_core::Wallet::in_transaction) begins, commits and
/// repeats such transactions on a connection of the store:
///
/// ```no_run
/// use wallet_aurora::AuroraStore;
/// use wallet_core::prelude::*;
/// use wallet_core::AccountId;
///
/// # async fn order(
/// #     wallet: &Wallet, store: &AuroraStore, ada: AccountId, till: AccountId,
/// # ) -> Result<(), WalletError> {
/// let price = Currency::iso("EUR")?.parse("9.00")?;
/// let key = wallet.scope("shop")?.key("order-7")?;
/// let paid = wallet.in_transaction(store, async |tx| {
///     let insert = "INSERT INTO shop_order (id, state) VALUES (?, ?)";
///     tx.execute(insert, &[7.into(), "paid".into()]).await?;
///     tx.run(key.clone(), PostTransfer::simple(ada, till, price)).await
/// });
/// assert_eq!(paid.await?.transfer.legs[0].money, price);
/// # Ok(())
/// # }
/// ```
///
/// There, `tx.inner::<HostTransaction>()` is this type, and [`connection`](Self::connection)
/// is the driver's connection. See [Statements](#statements). The rest of this page is for
/// hosts that begin transactions on connections of their own.
///
/// The server rolls back a whole transaction on some errors (a deadlock, a lost
/// connection). Afterwards the connection commits every statement on its own. If that
/// happens in [`AuroraStore::apply_in`](crate::AuroraStore::apply_in), this handle refuses
/// further work with [`TransactionLost`]. So an order is never committed without its
/// payment. The handle cannot see errors of the host's own statements on
/// [`connection`](Self::connection). Drop the handle when one of them fails.
///
/// A consumer's inbox needs no ledger. Its steps are recorded in such a transaction on any
/// database ([`AuroraInbox::advance_in`](crate::AuroraInbox::advance_in)).
///
/// Dropping the handle rolls back, at the latest when the connection is used next.
///
/// # Statements
/// `execute` and `query` run as prepared statements, within
/// [`AuroraSettings::long_wait`](crate::AuroraSettings::long_wait).
///
/// | column | value |
/// |---|---|
/// | integers, `BOOL`, `BIT`, `YEAR` | integer; an error above `i64::MAX` |
/// | `CHAR`, `VARCHAR`, `TEXT`, `ENUM`, `SET`, `JSON`, `DECIMAL` | text |
/// | `DATE`, `TIME`, `DATETIME`, `TIMESTAMP` | text; with six decimals, or none if they are 0 |
/// | `BINARY`, `VARBINARY`, `BLOB` | bytes |
/// | a text with a binary collation (`utf8mb4_bin`) | bytes, which `SqlRow::text` reads |
/// | `FLOAT`, `DOUBLE`, others | an error; use `CAST(.. AS CHAR)` |
///
/// `execute` counts the rows that an `UPDATE` finds, whether it changes them or not.
///
/// `COMMIT`, `ROLLBACK`, `BEGIN` and changes of schema end the transaction, and what was done
/// before may be committed. [`Wallet::in_transaction`](wallet_core::Wallet::in_transaction)
/// refuses them. On the driver's own connection nothing refuses them: the commit or rollback
/// at the end then fails. A lock that is not free in time (error 1205) ends the transaction
/// like a deadlock.
///
/// A connection of the store's is not used again if its session was changed (`SET`, `USE`), if
/// a statement names a variable (`@`) or `GET_LOCK`, or if the host had the driver's own
/// connection.
///
/// # A host that vanishes
/// A host may vanish without closing its connection. The accounts that it has locked then
/// stay locked until the server times the connection out: after eight hours by default
/// (`wait_timeout`). Set `SET SESSION wait_timeout = 15, net_read_timeout = 15,
/// net_write_timeout = 15` on the host's connections. The value must exceed the longest
/// pause between two statements. Let the host's pool test or replace a connection that was
/// idle for longer. On MariaDB, `idle_transaction_timeout` applies only to open transactions.
/// [`AuroraStore::lock_holders`](crate::AuroraStore::lock_holders) lists the current lock
/// holders. The store's own connections have
/// [`AuroraSettings::session_wait`](crate::AuroraSettings::session_wait).
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
/// // A refused payment is an error. The dropped transaction rolls the order back.
/// let applied = store.apply_in(&mut transaction, &[pay]).await?;
/// transaction.commit().await?;
/// assert_eq!(applied.decided().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HostTransaction<'c> {
    link: Link<'c>,
    state: State,
    /// The identity of the books in the database, once it is known.
    identity: Option<[u8; 16]>,
    /// A key that this transaction recorded first.
    recorded: Option<RecordKey>,
}

/// Whether the handle takes further work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing of it is committed. This is also the state while requests are being applied,
    /// or a statement runs: a caller that drops the future must not commit a part.
    Lost,
    /// A statement of the host has ended it, and whether by a commit is not known.
    Ended,
    /// A statement of the host has committed it.
    CommittedEarly,
}

impl State {
    /// Refuses work unless the transaction is open. What is not proven to be rolled back is
    /// never called lost, because it would be run again.
    fn check(self) -> Result<(), ApplyError> {
        match self {
            Self::Open => Ok(()),
            Self::Lost => Err(ApplyError::TransactionLost(None)),
            Self::Ended => Err(invalid("a statement of the host has ended the transaction").into()),
            Self::CommittedEarly => Err(ApplyError::CommittedEarly),
        }
    }
}

/// The connection that the transaction is open on.
#[derive(Debug)]
enum Link<'c> {
    /// A connection of the host.
    Own(Transaction<'c, MySql>),
    /// A connection of the store.
    Pooled(Box<Pooled>),
}

impl Link<'_> {
    fn connection(&mut self) -> Result<&mut MySqlConnection, TransactionLost> {
        match self {
            Self::Own(transaction) => Ok(transaction),
            Self::Pooled(pooled) => pooled.connection().ok_or(TransactionLost),
        }
    }

    /// Keeps a connection of the store from being used again.
    const fn mark(&mut self) {
        if let Self::Pooled(pooled) = self {
            pooled.mark();
        }
    }

    /// Learns from the code of a failure what it means for the store's connections.
    fn note(&self, code: Option<u16>) {
        match self {
            Self::Own(_) => {}
            Self::Pooled(pooled) => pooled.note(code),
        }
    }
}

impl<'c> HostTransaction<'c> {
    fn new(link: Link<'c>, identity: Option<[u8; 16]>) -> Self {
        Self {
            link,
            state: State::Open,
            identity,
            recorded: None,
        }
    }

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
        Ok(Self::new(Link::Own(transaction), None))
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
        check_isolation(connection).await?;
        check_mode(connection).await?;
        Ok(Self::new(Link::Own(transaction), None))
    }

    /// The connection, for the host's own statements in this transaction.
    ///
    /// # Errors
    /// [`TransactionLost`]: the transaction is gone.
    pub fn connection(&mut self) -> Result<&mut MySqlConnection, TransactionLost> {
        if self.state != State::Open {
            return Err(TransactionLost);
        }
        self.link.mark();
        self.link.connection()
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`]: there was nothing left to commit.
    /// [`ApplyError::CommittedEarly`]: a statement has committed the transaction before.
    /// [`ApplyError::Store`] of kind `Indeterminate`: the outcome is unknown; look the
    /// requests up by their keys. `Conflict` and `Unavailable`: nothing was committed.
    /// `Invalid`: a statement of the host has ended the transaction, and nothing was applied
    /// in it that could show whether it was committed.
    pub async fn commit(mut self) -> Result<(), ApplyError> {
        self.state.check()?;
        let is_open = match &mut self.link {
            Link::Own(transaction) => in_transaction(transaction).await?,
            Link::Pooled(pooled) => pooled.commit().await?,
        };
        if !is_open {
            // An error of the host's own statements, or a change of schema, ended the
            // transaction.
            return Err(self.over().await);
        }
        match self.link {
            Link::Own(transaction) => {
                let committed = transaction.commit().await;
                let context = "committing the host's transaction";
                committed
                    .map_err(|error| Failed::new(error, Doing::Commit, context, true).error)?;
            }
            Link::Pooled(pooled) => pooled.give_back(),
        }
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// `Unavailable`: the connection is lost. The transaction is gone in every case.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.roll_back().await {
            Err(ApplyError::Store(error)) => Err(error),
            // It is gone in every case.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Rolls back, and reports if a statement had ended the store's transaction before.
    async fn roll_back(mut self) -> Result<(), ApplyError> {
        let was_open = match self.link {
            Link::Own(transaction) => {
                let rolled_back = transaction.rollback().await;
                let context = "rolling the host's transaction back";
                rolled_back
                    .map_err(|error| Failed::new(error, Doing::Work, context, false).error)?;
                return Ok(());
            }
            // It may be in the middle of an answer. Dropping it closes it.
            Link::Pooled(_) if self.state == State::Lost => return Ok(()),
            Link::Pooled(_) if self.state != State::Open => return self.state.check(),
            Link::Pooled(ref mut pooled) => pooled.roll_back().await?,
        };
        if !was_open {
            return Err(self.over().await);
        }
        if let Link::Pooled(pooled) = self.link {
            pooled.give_back();
        }
        Ok(())
    }

    /// Reads which books the connection's database holds.
    async fn identity(&mut self) -> Result<[u8; 16], ApplyError> {
        if let Some(known) = self.identity {
            return Ok(known);
        }
        let script = Script::of("reading the books' identity", IDENTITY);
        let identity = match run(self.link.connection()?, &script).await {
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
        self.state = match self.recorded {
            Some(key) => {
                self.state = State::Ended;
                match self.is_committed(key).await {
                    Ok(true) => State::CommittedEarly,
                    Ok(false) => State::Lost,
                    Err(error) => return error,
                }
            }
            // The errors of a host's own statements are not known. It may have been lost.
            None if matches!(self.link, Link::Own(_)) => State::Lost,
            None => State::Ended,
        };
        self.state
            .check()
            .err()
            .unwrap_or(ApplyError::TransactionLost(None))
    }

    async fn is_committed(&mut self, key: RecordKey) -> Result<bool, ApplyError> {
        // A statement may have begun another transaction, which sees its own records.
        let mut script = Script::of("rolling back", "ROLLBACK");
        ask_keys_locked(&mut script, &[key]);
        let found = run(self.link.connection()?, &script).await;
        let found = found.map(|mut answers| {
            answers.skip(1);
            !answers.rows().is_empty()
        });
        found.map_err(|failed| {
            let kind = StoreErrorKind::Indeterminate;
            let context = "whether the host's transaction was committed is not known";
            let error = StoreError::new(kind, context);
            error.with_source(failed.error).into()
        })
    }

    fn lose(&mut self, failed: Failed) -> ApplyError {
        self.state = State::Lost;
        self.link.note(failed.code);
        ApplyError::TransactionLost(Some(failed.error))
    }
}
