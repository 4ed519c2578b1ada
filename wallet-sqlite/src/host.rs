//! Applies requests inside a transaction of the host.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior, TransactionState};
use wallet_core::StoreError;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{Applied, ApplyError, StoreErrorKind, TransactionLost};

use crate::SqliteStore;
use crate::apply::Refusals;
use crate::error::{Doing, During};

/// A transaction of the host that holds the file's write lock, on a connection of the host
/// to the ledger's file.
///
/// SQLite rolls back a whole transaction on some errors (a full disk, an I/O error, an
/// interrupt). Afterwards the connection commits every statement on its own. This handle
/// then refuses further work with [`TransactionLost`], so an order is never committed
/// without its payment. Use the connection only through this handle.
///
/// A consumer's inbox needs no ledger. Its steps are recorded in such a transaction on any
/// file ([`SqliteInbox::advance_in`](crate::SqliteInbox::advance_in)).
///
/// Dropping the handle rolls back. The host's connection sets the durability of the commit:
/// leave its `synchronous` at `FULL`, which is SQLite's default.
///
/// [`Wallet::in_transaction`](wallet_core::Wallet::in_transaction) does all of this with a
/// connection of the store's own, and runs again after a conflict. Use this handle where the
/// transaction is on a connection of the host's.
///
/// ```
/// # use std::sync::Arc;
/// use wallet_core::{Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner};
/// use wallet_core::{PostTransfer, Request, SettlementName};
/// use wallet_core::ledger::SettlementShards;
/// use wallet_core::request::PreparedRequest;
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
///     Ok(Arc::new(PreparedRequest::new(request, &Uuid7, &SettlementShards::new())?))
/// };
/// let open = |name, id| Owner::new(name).map(|owner| OpenAccount::new(owner, eur).with_id(id));
///
/// // Ada has 5.00.
/// let bank = SettlementName::new("bank")?;
/// let pocket = Deposit::new(ada, Money::parse("5.00", eur)?, bank);
/// let opening = vec![open("ada", ada)?.into(), open("shop", shop)?.into(), pocket.into()];
/// let mut transaction = HostTransaction::begin(&mut connection)?;
/// let opened = store.apply_in(&mut transaction, &[request("open", opening)?])?;
/// transaction.commit()?;
/// # assert_eq!(opened.decided().len(), 1);
///
/// // She orders for 9.00 and for 4.00.
/// for (order, price) in [(7, "9.00"), (8, "4.00")] {
///     let pay = PostTransfer::new(vec![Leg::new(ada, shop, Money::parse(price, eur)?)]);
///     let pay = request(&format!("order-{order}"), vec![pay.into()])?;
///     let mut transaction = HostTransaction::begin(&mut connection)?;
///     transaction.connection()?.execute("INSERT INTO shop_order VALUES (?)", [order])?;
///     match store.apply_in(&mut transaction, &[pay]) {
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
    /// `BEGIN IMMEDIATE`: takes the write lock now. Waits as long as the connection's busy
    /// timeout allows.
    ///
    /// # Errors
    /// `Conflict`: another connection holds the lock. `Unavailable`.
    pub fn begin(connection: &'c mut Connection) -> Result<Self, StoreError> {
        let begun = Transaction::new(connection, TransactionBehavior::Immediate);
        let transaction = begun.during("beginning the host's transaction")?;
        Ok(Self { transaction })
    }

    /// Takes over a transaction that the host has begun.
    ///
    /// # Errors
    /// `Invalid`: the transaction does not hold the write lock, because it was not begun as
    /// `IMMEDIATE`. A transaction that has only read would fail with `SQLITE_BUSY_SNAPSHOT`
    /// after another commit.
    pub fn adopt(transaction: Transaction<'c>) -> Result<Self, StoreError> {
        let state = crate::driver::transaction_state(&transaction);
        if state.during("asking what the transaction holds")? != TransactionState::Write {
            let context = "the host's transaction must be begun as IMMEDIATE";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(Self { transaction })
    }

    /// The connection, for the host's own statements in this transaction.
    ///
    /// # Errors
    /// [`TransactionLost`]: the transaction is gone.
    pub fn connection(&self) -> Result<&Connection, TransactionLost> {
        if self.transaction.is_autocommit() {
            return Err(TransactionLost);
        }
        Ok(&self.transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ApplyError::TransactionLost`]: there was nothing left to commit.
    /// [`ApplyError::Store`] of kind `Indeterminate`: the outcome is unknown; look the
    /// requests up by their keys. `Conflict` and `Unavailable`: nothing was committed.
    pub fn commit(self) -> Result<(), ApplyError> {
        self.connection()?;
        // On an error the driver's guard rolls back the open transaction.
        let committed = self.transaction.commit();
        committed.while_doing(Doing::Commit, "committing the host's transaction")?;
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Any error of SQLite. The transaction is gone in every case.
    pub fn rollback(self) -> Result<(), StoreError> {
        if self.transaction.is_autocommit() {
            return Ok(());
        }
        let rolled_back = self.transaction.rollback();
        rolled_back.during("rolling the host's transaction back")
    }
}

impl SqliteStore {
    /// Applies `requests` inside the host's transaction, all or none. The rules, records and
    /// events are those of [`transact`](wallet_core::store::LedgerStore::transact).
    /// Everything is committed or rolled back together with the host's own work. Pass
    /// several requests in one call. The method neither waits nor retries:
    /// [`Wallet::in_transaction`](wallet_core::Wallet::in_transaction) does.
    ///
    /// It blocks like any call of SQLite, so call it where the host calls SQLite. The host
    /// must make sure that its connection is to the file that has the name now, and not to
    /// one that was replaced.
    ///
    /// # Errors
    /// On every error but the last, nothing of the requests remains in the transaction,
    /// which is as it was before the call.
    /// - [`ApplyError::NotAccepted`]: a request was refused. The refusal is not recorded.
    /// - [`ApplyError::Store`]: `Invalid`: the connection belongs to another file, two
    ///   requests have one key, or the store refuses the data. `Conflict`: another
    ///   transaction took a caller's id meanwhile.
    /// - [`ApplyError::TransactionLost`]: SQLite has rolled back the host's transaction.
    pub fn apply_in(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
    ) -> Result<Applied, ApplyError> {
        let connection = transaction.connection()?;
        self.ledger.apply(connection, requests, Refusals::RollBack)
    }

    /// Applies `requests` like [`apply_in`](Self::apply_in), but a refusal is an answer. It
    /// is recorded if the host commits.
    ///
    /// # Errors
    /// The same as [`apply_in`](Self::apply_in), without `NotAccepted`.
    pub fn apply_in_raw(
        &self,
        transaction: &mut HostTransaction<'_>,
        requests: &[Arc<PreparedRequest>],
    ) -> Result<Applied, ApplyError> {
        let connection = transaction.connection()?;
        self.ledger.apply(connection, requests, Refusals::Record)
    }
}
