//! A complete store in a few files, for engineers who write an adapter. It
//! implements [`LedgerStore`](wallet_core::store::LedgerStore) and
//! [`Outbox`](wallet_core::store::Outbox) on plain collections, and passes the
//! whole conformance suite (`tests/conformance.rs`). The guide is
//! `docs/write-an-adapter.md`.
//!
//! | file | what it is | what takes its place in an adapter |
//! |---|---|---|
//! | `database.rs` | [`Database`]: tables behind one lock, transactions | the database and its driver |
//! | `tables.rs` | the tables, and the snapshot that a decision reads | migrations, `SELECT` statements |
//! | `commit.rs` | writes a change set | `INSERT` and `UPDATE` statements |
//! | `ledger_store.rs` | the port `LedgerStore` | the same |
//! | `queries.rs` | lists, sums, a past balance | `SELECT` statements |
//! | `purge.rs` | deletes old rows | `DELETE` statements |
//! | `outbox.rs` | the port `Outbox` | the same |
//!
//! # What holds
//!
//! - Atomic: a transaction changes a copy of the tables. A commit puts the copy in
//!   place of the tables. An error drops the copy.
//! - Isolated: one lock covers the whole transaction, from the first read to the
//!   commit. So no other commit happens between the reads and the writes.
//! - One state: each read holds the same lock, and sees one committed state.
//! - No memory: an [`ExampleStore`] keeps nothing but the database and the clock.
//!   Two stores on one database see each other's commits at once.
//! - Time: a transaction reads the clock while it holds the lock.
//! - Not durable: the tables end with the process. `Indeterminate` never happens,
//!   because the answer to a commit cannot be lost.
//!
//! # Cost
//!
//! A transaction copies all tables, and lists scan them. The lock blocks the thread
//! that waits for it. This keeps the code short. Do not use the store in production.

mod commit;
mod database;
mod ledger_store;
mod outbox;
mod purge;
mod queries;
mod tables;

use std::sync::Arc;

use wallet_core::runtime::Clock;
use wallet_core::store::{StoreError, StoreErrorKind};

pub use database::Database;

/// A store on a [`Database`]. It implements
/// [`LedgerStore`](wallet_core::store::LedgerStore) and
/// [`Outbox`](wallet_core::store::Outbox).
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request, SystemClock, Wallet};
/// use wallet_store_example::{Database, ExampleStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = ExampleStore::open(Database::new(), Arc::new(SystemClock));
/// let wallet = Wallet::builder(Arc::new(store)).spawn()?;
/// let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
/// let key = IdempotencyKey::parse("docs", "open-ada")?;
/// let answer = wallet.submit_raw(Request::new(key, open)).await?;
/// assert!(answer.account()?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ExampleStore {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl ExampleStore {
    /// Opens the ledger in `database`, with the time from `clock`.
    #[must_use]
    pub fn open(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }
}

/// A concurrent commit was faster, so the caller must decide again.
fn conflict(context: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, context)
}

/// The stored rows contradict each other.
fn corrupt(context: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, context)
}

/// A counter has no number left.
fn used_up(context: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, context)
}
