//! The wallet ledger's store and outbox on Aurora MySQL, MySQL 8 and later, and
//! MariaDB 10.6 and later; and the inbox of those who consume its events.
//!
//! [`AuroraStore`] implements the core's ports on one database, over connections
//! of its own at READ COMMITTED. Any number of processes may use the same one,
//! and the host's own tables may live in it.
//!
//! # Flow
//! 1. Without locks, and only where it is not remembered: the numbers of the
//!    accounts that a batch touches, and the holds and transfers that it names.
//! 2. One packet: `START TRANSACTION`; lock the accounts in the order of their
//!    numbers; the clock; records, holds, transfers, currencies.
//! 3. The decision, in the core.
//! 4. One packet: every row, in the order of their keys; `COMMIT`. An error at
//!    any statement ends the packet, so that its `COMMIT` is not run.
//!
//! An account that a foreign transaction keeps locked for longer than the
//! settings allow is left out; requests that need it come out as blocked, and it
//! is not waited for again until it is found free. The same goes for a key, an account
//! or a currency that a foreign transaction has inserted and not committed: one insert
//! waits for it, then the store looks which requests it concerns.
//! [`AuroraStore::lock_holders`] says who keeps accounts.
//!
//! # Cost
//! Two round trips and one flush a batch, three where an account is used for the
//! first time or a hold or transfer is named. A batch of `n` transfers of one
//! leg between `a` accounts writes `n` rows of the journal (with an index of keys
//! and one of transfers), `2 n` of entries, `a` of accounts, one of the outbox and
//! one for retention.
//! The outcome of a request is stored once, in the journal, and all else points
//! there.
//!
//! [`Settings::for_server`](wallet_core::Settings::for_server) suits a wallet on this
//! store.
//!
//! # In the host's own transaction
//! [`AuroraStore::apply_in`] posts inside a transaction of the host's, so that an
//! order and its payment commit together. See [`HostTransaction`].
//!
//! # Inbox
//! [`AuroraInbox`] remembers which events a consumer has seen, in any database;
//! [`AuroraInbox::advance_in`] records it in the transaction of the effect.
//!
//! # Readers
//! With [`AuroraSettings::with_reader`] what does not decide anything can be read
//! there. [`AuroraStore::reading`] says for each call how fresh it must be, and
//! without it the writer is read: whoever passes the versions on that an earlier
//! answer told reads their own writes.
//!
//! # Connections
//! The store has connections of its own, not sqlx's pool, which pings after every
//! use. A connection that rested for [`AuroraSettings::with_idle`] is tried before
//! it is used, for a second at most, and so is every other one after a connection was
//! lost in use; after one that gives no sign of life no connection is used that was
//! opened before. One older than [`AuroraSettings::with_lifetime`] is replaced, one
//! on which anything failed but a conflict or bad data is closed. A writer that is
//! read-only (`read_only`, `innodb_read_only`: a former writer after a failover) is
//! refused when a connection is opened and behind every read from the writer, so that
//! the next try asks the endpoint again. Every session is set to READ COMMITTED and a
//! strict `sql_mode`, whatever the server's defaults.
//!
//! A host that vanishes without an end of its connections keeps its locks for
//! [`AuroraSettings::with_session_wait`]. Some connections are reserved for commits
//! ([`AuroraSettings::with_reserved_connections`]), so that reads never starve them.
//!
//! # Commits that are lost
//! A failover to a replica that lagged, a backup loaded in place, and a crash of a
//! server that does not flush at commit ([`AuroraStore::durability`]) take acknowledged
//! commits back. A running process decides nothing on what it remembers of them: the
//! row that is locked names its account, and an outbox row its time. What was
//! acknowledged and lost stays lost, and consumers, caches and history may have seen it.
//!
//! Statements go as text, several in a packet, with literals of typed encoders
//! only; none is prepared. Packets stay below the server's `max_allowed_packet`,
//! and a batch is as large as fits.
//!
//! Take TLS with `ssl-mode=VERIFY_IDENTITY` and the bundle of your provider in
//! `ssl-ca`. Passwords that rotate, and IAM tokens (feature `iam`), come from
//! [`Credentials`].
//!
//! # Retention
//! [`LedgerStore::purge`](wallet_core::store::LedgerStore::purge) works in transactions
//! of at most 1,000 rows, by primary keys that no commit under way has locked.
//!
//! # What is proven where
//! The whole suite (conformance, model, faults, cuts, processes killed) runs on
//! MariaDB 10.11 and on Oracle's MySQL 9.7, started by the tests. Aurora itself
//! cannot be run here. It speaks MySQL 8.0's protocol and dialect, of which only
//! what both servers share is used; but its storage, its failover through
//! endpoints (shown here by a server that turns read-only, dies and comes back, by cut
//! and silent connections, and by the promotion of a replica that lags), its replicas
//! (shown by a copy that lags) and its IAM
//! plugin (the token is compared with what AWS's own SDK signs) are not shown by
//! any test of ours. `WALLET_TEST_MYSQL_URL` runs the suite against a cluster.
//!
//! # Time
//! The database's clock, read after the locks are held; every process sees the
//! same one.
//!
//! # Example
//! ```no_run
//! use wallet_aurora::{AuroraSettings, AuroraStore};
//! use wallet_core::store::LedgerStore;
//!
//! # async fn open() -> Result<(), wallet_core::StoreError> {
//! let settings = AuroraSettings::new("mysql://shop:secret@localhost/shop");
//! let store = AuroraStore::open(&settings).await?;
//! assert!(store.ledgers().await?.is_empty());
//! # Ok(())
//! # }
//! ```

mod clock;
mod commit;
mod connect;
mod credentials;
mod durable;
mod epoch;
mod error;
mod freshness;
mod holders;
mod host;
#[cfg(feature = "iam")]
mod iam;
mod inbox;
mod migrate;
mod number;
mod outbox;
mod past_balance;
mod pool;
mod purge;
mod read;
mod run;
mod settings;
mod sql;
mod store;
mod value;
mod write;

pub use connect::Durability;
pub use credentials::{Credentials, Endpoint};
pub use error::{ApplyError, TransactionLost};
pub use holders::LockHolder;
pub use host::HostTransaction;
#[cfg(feature = "iam")]
pub use iam::IamToken;
pub use inbox::AuroraInbox;
pub use settings::AuroraSettings;
/// The driver, in the version whose types [`HostTransaction`] takes.
pub use sqlx;
pub use store::AuroraStore;
