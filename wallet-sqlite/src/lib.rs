//! The wallet ledger's store and outbox on SQLite: the embedded default; and the
//! inbox of those who consume its events.
//!
//! [`SqliteStore`] implements the core's ports on one SQLite file, in WAL mode
//! with `synchronous=FULL`: an acknowledged commit survives the loss of power.
//! Other processes may use the same file.
//!
//! # Flow
//! One dedicated thread owns the connection that writes, a few others one
//! connection each that reads: some read lists, others single rows, so that what a
//! commit needs never waits behind a list. A read whose caller has gone is cut off.
//! Callers are answered through oneshot channels, so no runtime is needed. A batch is one job on the writer's thread:
//!
//! 1. `BEGIN IMMEDIATE`: the file's one write lock is the lock on every
//!    account, so nothing has to be resolved beforehand;
//! 2. holds and transfers by name, then the accounts known from them, records,
//!    currencies;
//! 3. the clock, the decision (in the core);
//! 4. rows in the order of their keys, `COMMIT`: one flush to disk.
//!
//! # Cost
//! A batch of `n` transfers of one leg between `a` accounts reads `n` keys and
//! `a` accounts, and writes `n` rows each of journal, key and transfer, `a` of
//! accounts, one for every sixteenth entry of an account, one of the outbox and
//! one for retention. A row is a prepared statement called in process, at one to
//! two microseconds; most of a commit is the pages that it dirties, so the
//! outcome of a request is stored once, in the journal, and all else points
//! there. Of an account's entries only every sixteenth has a row; the journal
//! links the others.
//!
//! # In the host's own transaction
//! The host's tables may live in the same file: [`SqliteStore::apply_in`]
//! posts inside a transaction of the host's, so that an order and its payment
//! commit together. See [`HostTransaction`].
//!
//! # Inbox
//! [`SqliteInbox`] remembers which events a consumer has seen, in any SQLite file;
//! [`SqliteInbox::advance_in`] records it in the transaction of the effect.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use wallet_core::SystemClock;
//! use wallet_core::store::LedgerStore;
//! use wallet_sqlite::{SqliteSettings, SqliteStore};
//!
//! let folder = tempfile::tempdir()?;
//! let settings = SqliteSettings::new(folder.path().join("wallet.db"));
//! let store = SqliteStore::open(&settings, Arc::new(SystemClock))?;
//! # wallet_testkit::block_on(async {
//! assert!(store.ledgers().await?.is_empty());
//! # Ok::<(), wallet_core::StoreError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backup;
mod checkpoint;
mod coherent;
mod commit;
mod connect;
mod deferred;
mod epoch;
mod error;
mod file;
mod host;
mod inbox;
mod migrate;
mod outbox;
mod past_balance;
mod probe;
mod purge;
mod read;
mod settings;
mod store;
mod threads;
mod value;
mod write;

pub use backup::{
    Backup, BackupError, Census, Existing, LastCommit, LedgerSum, Restored, RowCounts, Standing,
    back_up, restore, standing, verify_backup,
};
pub use error::{ApplyError, TransactionLost};
pub use host::HostTransaction;
pub use inbox::SqliteInbox;
/// The driver, in the version whose types this crate's functions take.
pub use rusqlite;
pub use settings::SqliteSettings;
pub use store::SqliteStore;
