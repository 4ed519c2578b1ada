//! The wallet ledger's store and outbox on SQLite, the embedded default. Also the inbox of
//! the consumers of its events, and a durable queue for them.
//!
//! [`SqliteStore`] implements the core's ports on one SQLite file, in WAL mode with
//! `synchronous=FULL`. An acknowledged commit survives a loss of power. Other processes may
//! use the same file, unless the linked SQLite is too old.
//!
//! # Flow
//! One dedicated thread owns the connection that writes. A few other threads own one
//! reading connection each. Some of them read lists and others single rows, so a commit's
//! reads never wait behind a list. A read is cut off when its caller is gone. Callers get
//! their answers through oneshot channels, so no runtime is needed. A batch is one job on
//! the writer's thread:
//!
//! 1. `BEGIN IMMEDIATE`. The file's single write lock locks every account, so nothing has
//!    to be resolved beforehand.
//! 2. Read holds and transfers by name, then the accounts that they name, records and
//!    currencies.
//! 3. Read the clock, and decide in the core.
//! 4. Write rows in the order of their keys, then `COMMIT`: one flush to disk.
//!
//! # Cost
//! A batch of `n` transfers of one leg between `a` accounts reads `n` keys and `a`
//! accounts. It writes `n` rows each of journal, key and transfer, `a` account rows and one
//! outbox row. It also writes one row for every sixteenth entry of an
//! account; the journal links the other entries. A row is a prepared statement called in
//! process: one to two microseconds. Most of a commit's cost is the pages that it changes.
//! So the journal stores the outcome of a request once, and all other rows point to it.
//!
//! # Which SQLite
//! A program has one SQLite, in the version that the newest rusqlite brings that the program's other
//! crates allow. SQLite before 3.51.3 (except 3.50.7 and 3.44.6, and their later patches) can lose
//! committed pages if a commit restarts the log while a checkpoint of another connection
//! begins. The store looks at the linked version when it opens. With such a version it holds a
//! read transaction that makes this impossible, also for the connections of the host, and
//! refuses a second process with `Conflict`. See [`SqliteSettings::guard_log`].
//!
//! # In the host's own transaction
//! The host's tables may live in the same file. [`SqliteStore::apply_in`] posts inside a
//! transaction of the host. An order and its payment then commit together. See
//! [`HostTransaction`].
//!
//! # Inbox
//! [`SqliteInbox`] records which events a consumer has seen, in any SQLite file.
//! [`SqliteInbox::advance_in`] records a step in the transaction of the effect.
//!
//! # Queue
//! [`SqliteQueue`] is a durable FIFO queue in any SQLite file, for consumers in other
//! processes of the same machine.
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

mod apply;
mod backup;
mod checkpoint;
mod coherent;
mod commit;
mod connect;
mod deferred;
mod driver;
mod epoch;
mod error;
mod file;
mod guard;
mod host;
mod host_connection;
mod host_statement;
mod identity;
mod inbox;
mod lock;
mod log_pages;
mod migrate;
mod outbox;
mod past_balance;
mod probe;
mod purge;
mod queue;
mod read;
mod settings;
mod statement;
mod store;
mod tables;
mod threads;
mod trace;
mod transaction;
mod value;
mod write;

pub use backup::{
    Backup, BackupError, Census, Existing, LastCommit, LedgerSum, Restored, RowCounts, Standing,
    back_up, restore, standing, verify_backup,
};
pub use host::HostTransaction;
pub use inbox::SqliteInbox;
pub use queue::{DeadLetters, SqliteQueue, SqliteQueueSettings};
/// The driver, in the version whose types this crate's functions take.
pub use rusqlite;
pub use settings::SqliteSettings;
pub use store::SqliteStore;
