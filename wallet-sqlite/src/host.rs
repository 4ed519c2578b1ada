//! Requests inside a transaction of the host's own.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, TransactionState};
use wallet_core::StoreError;
use wallet_core::request::{Batch, Prepared};
use wallet_core::store::{Applied, StoreErrorKind};

use crate::SqliteStore;
use crate::commit::decide_and_write;
use crate::deferred::Books;
use crate::error::{ApplyError, Doing, During, TransactionLost};

const SAVE: &str = "SAVEPOINT wallet_apply";
const RELEASE: &str = "RELEASE wallet_apply";
const UNDO: &str = "ROLLBACK TO wallet_apply; RELEASE wallet_apply";

/// A transaction of the host's that holds the file's write lock, on a
/// connection of the host's to the ledger's file.
///
/// SQLite throws a whole transaction away on some errors (a full disk, an I/O
/// error, an interrupt), after which the connection commits every statement on
/// its own. This handle then refuses with [`TransactionLost`], so that an order
/// is never committed without its payment; work through it, not around it.
///
/// A consumer's inbox needs no ledger: its steps are recorded in such a
/// transaction on any file ([`SqliteInbox::advance_in`](crate::SqliteInbox::advance_in)).
///
/// Dropping it rolls back. How durable the commit is, the host's connection
/// says: leave its `synchronous` at `FULL`, which is SQLite's default.
///
/// A refused payment is an answer, and no error: the order is committed only when
/// [`accepted`](Applied::accepted) says so, and rolled back otherwise.
///
/// ```
/// # use std::sync::Arc;
/// use wallet_core::{Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner};
/// use wallet_core::{PostTransfer, Request, SettlementName};
/// use wallet_core::ledger::SettlementShards;
/// use wallet_core::request::Prepared;
/// use wallet_core::{AccountId, Command, SystemClock};
/// use wallet_core::runtime::Uuid7;
/// use wallet_sqlite::{HostTransaction, SqliteSettings, SqliteStore, rusqlite::Connection};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db");
/// let store = SqliteStore::open(&SqliteSettings::new(&path), Arc::new(SystemClock))?;
/// let mut connection = Connection::open(&path)?;
/// connection.execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY)")?;
/// let eur = Currency::iso("EUR")?;
/// # let id = |number: u128| AccountId::from_bytes((0x7000_8000_0000_0000_0000 + number).to_be_bytes());
/// # let (ada, shop) = (id(1), id(2));
/// let request = |key: &str, commands: Vec<Command>| -> Result<_, Box<dyn std::error::Error>> {
///     let request = Request::of_many(IdempotencyKey::parse("shop", key)?, commands);
///     Ok(Arc::new(Prepared::new(request, &Uuid7, &SettlementShards::new())?))
/// };
/// let open = |name, id| Owner::new(name).map(|owner| OpenAccount::new(owner, eur).with_id(id));
///
/// // Ada has 5.00.
/// let bank = SettlementName::new("bank")?;
/// let pocket = Deposit::new(ada, Money::parse("5.00", eur)?, bank);
/// let opening = vec![open("ada", ada)?.into(), open("shop", shop)?.into(), pocket.into()];
/// let mut transaction = HostTransaction::begin(&mut connection)?;
/// let applied = store.apply_in(&mut transaction, &[request("open", opening)?])?;
/// applied.accepted()?;
/// transaction.commit()?;
///
/// // She orders for 9.00 and for 4.00.
/// for (order, price) in [(7, "9.00"), (8, "4.00")] {
///     let pay = PostTransfer::new(vec![Leg::new(ada, shop, Money::parse(price, eur)?)]);
///     let pay = request(&format!("order-{order}"), vec![pay.into()])?;
///     let mut transaction = HostTransaction::begin(&mut connection)?;
///     transaction.connection()?.execute("INSERT INTO shop_order VALUES (?)", [order])?;
///     let applied = store.apply_in(&mut transaction, &[pay])?;
///     match applied.accepted() {
///         Ok(_) => transaction.commit()?,
///         Err(refused) => {
///             println!("order {order}: {refused}");
///             transaction.rollback()?;
///         }
///     }
/// }
/// let orders = "SELECT group_concat(id) FROM shop_order";
/// let orders: String = connection.query_row(orders, (), |row| row.get(0))?;
/// assert_eq!(orders, "8");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HostTransaction<'c> {
    transaction: Transaction<'c>,
}

impl<'c> HostTransaction<'c> {
    /// `BEGIN IMMEDIATE`: takes the write lock now, waiting for as long as the
    /// connection's busy timeout says.
    ///
    /// # Errors
    /// `Conflict` when somebody else keeps the lock; `Unavailable`.
    pub fn begin(connection: &'c mut Connection) -> Result<Self, StoreError> {
        let begun = Transaction::new(connection, TransactionBehavior::Immediate);
        let transaction = begun.during("beginning the host's transaction")?;
        Ok(Self { transaction })
    }

    /// Takes over a transaction that the host has begun.
    ///
    /// # Errors
    /// `Invalid` when it does not hold the write lock: it was not begun as
    /// `IMMEDIATE`. One that has only read would fail with
    /// `SQLITE_BUSY_SNAPSHOT` as soon as anybody else commits.
    pub fn adopt(transaction: Transaction<'c>) -> Result<Self, StoreError> {
        let state = transaction.transaction_state(Some("main"));
        if state.during("asking what the transaction holds")? != TransactionState::Write {
            let context = "the host's transaction must be begun as IMMEDIATE";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(Self { transaction })
    }

    /// The connection, for the host's own statements in this transaction.
    ///
    /// # Errors
    /// [`TransactionLost`] when there is no transaction any more.
    pub fn connection(&self) -> Result<&Connection, TransactionLost> {
        if self.transaction.is_autocommit() {
            return Err(TransactionLost);
        }
        Ok(&self.transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`] when there was nothing left to commit;
    /// [`ApplyError::Store`] of kind `Indeterminate` when the outcome is not
    /// known: find out with the requests' keys. `Conflict` and `Unavailable`:
    /// nothing was committed.
    pub fn commit(self) -> Result<(), ApplyError> {
        self.connection()?;
        // On an error the driver's guard rolls back what is still open.
        let committed = self.transaction.commit();
        committed.while_doing(Doing::Commit, "committing the host's transaction")?;
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Any of SQLite's; the transaction is gone in every case.
    pub fn rollback(self) -> Result<(), StoreError> {
        if self.transaction.is_autocommit() {
            return Ok(());
        }
        let rolled_back = self.transaction.rollback();
        rolled_back.during("rolling the host's transaction back")
    }
}

impl SqliteStore {
    /// Applies `requests` inside the host's transaction: the same rules,
    /// records and events as [`transact`](wallet_core::store::LedgerStore::transact),
    /// committed or rolled back with everything else of the host's. Several
    /// requests go in one call. It neither waits nor retries.
    ///
    /// Blocks as any SQLite call does: call it where the host calls SQLite. That
    /// the host's own connection is to the file that has the name now, and not to
    /// one that was replaced, is for the host to see to.
    ///
    /// # Errors
    /// - [`ApplyError::Store`]: nothing of the requests remains in the
    ///   transaction, which is as it was before the call. `Invalid`: the
    ///   connection is to another file, two requests have one key, or the
    ///   store refuses the data. `Conflict`: a caller's id was taken meanwhile.
    /// - [`ApplyError::TransactionLost`]: SQLite has thrown the host's
    ///   transaction away.
    pub fn apply_in(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<Prepared>],
    ) -> Result<Applied, ApplyError> {
        let connection = transaction.connection()?;
        self.same_file(connection)?;
        let batch = Batch::with_max_ahead(requests.to_vec(), self.max_ahead);
        if batch.requests().len() != requests.len() {
            return Err(invalid("two requests have the same key").into());
        }
        connection
            .execute_batch(SAVE)
            .during("setting a savepoint")
            .map_err(|error| after_error(connection, error))?;
        // What is read here may yet be rolled back: nothing of it is remembered.
        // Nor is anything deferred, so that every piece in sight is committed.
        let books = self.pieces.books(connection);
        let decided = books.and_then(|books: Books<'_>| {
            let clock = self.clock.as_ref();
            decide_and_write(&books, clock, &batch, None, usize::MAX)
        });
        let released = decided.and_then(|decision| {
            let released = connection.execute_batch(RELEASE);
            released.during("releasing a savepoint").map(|()| decision)
        });
        match released {
            Ok(decision) => Ok(Applied::new(decision.decided, decision.changes.accepted)),
            Err(error) => Err(undo(connection, error)),
        }
    }

    /// Requests for another file would be decided on other books.
    fn same_file(&self, connection: &Connection) -> Result<(), StoreError> {
        if connection.path() != Some(self.path.as_str()) {
            return Err(invalid("the host's connection is to another file"));
        }
        self.file.check()
    }
}

/// Takes back what was applied in part.
fn undo(connection: &Connection, error: StoreError) -> ApplyError {
    if connection.is_autocommit() {
        return ApplyError::TransactionLost(Some(error));
    }
    if connection.execute_batch(UNDO).is_err() {
        // Half of it may still be there: it must not be committed.
        crate::connect::roll_back(connection);
    }
    after_error(connection, error)
}

/// Whether the transaction outlived an error of a statement's.
pub(crate) fn after_error(connection: &Connection, error: StoreError) -> ApplyError {
    if connection.is_autocommit() {
        ApplyError::TransactionLost(Some(error))
    } else {
        ApplyError::Store(error)
    }
}

fn invalid(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, context)
}
