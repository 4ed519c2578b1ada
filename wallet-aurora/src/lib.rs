//! The wallet ledger's store and outbox on Aurora MySQL, MySQL 8 and later, and MariaDB
//! 10.6 and later. Also the inbox of the consumers of its events.
//!
//! [`AuroraStore`] implements the core's ports on one database. It uses its own connection
//! pool at READ COMMITTED. Any number of processes may share the database. The host's own
//! tables may live in it.
//!
//! # Flow
//! 1. Read without locks what is not cached: the numbers of the accounts that a batch
//!    touches, and the holds and transfers that it names.
//! 2. Send one packet: `START TRANSACTION`; lock the accounts in the order of their
//!    numbers; read the clock, records, holds, transfers and currencies.
//! 3. Decide in the core.
//! 4. Send one packet: write every row in the order of the keys; `COMMIT`. An error at any
//!    statement ends the packet, so its `COMMIT` does not run.
//!
//! Another transaction may hold an account's lock for longer than the settings allow. The
//! store then skips the account, and requests that need it come out as blocked. It does not
//! wait for that account again until it finds the lock free. The same holds for a key, an
//! account or a currency that another transaction has inserted and not committed. One
//! insert waits for that row; the store then finds out which requests it affects.
//! [`AuroraStore::lock_holders`] lists the lock holders.
//!
//! # Cost
//! A batch costs two round trips and one flush. It costs three round trips if it uses an
//! account for the first time, or names a hold or transfer. A batch of `n` transfers of one
//! leg between `a` accounts writes `n` journal rows (with an index of keys and one of
//! transfers), `2 n` entry rows, `a` account rows, one outbox row and one retention row.
//! The journal stores the outcome of a request once. All other rows point to it.
//!
//! [`Settings::for_server`](wallet_core::Settings::for_server) gives settings for a wallet
//! on this store.
//!
//! # In the host's own transaction
//! [`Wallet::in_transaction`](wallet_core::Wallet::in_transaction) posts inside a transaction
//! of the host, on a connection of the store. An order and its payment then commit together.
//! It costs one round trip to begin, four to apply and one to commit. A statement of the host
//! costs one, and one more when its connection runs it for the first time.
//! [`AuroraStore::apply_in`] does the same on a connection of the host. See
//! [`HostTransaction`].
//!
//! # Inbox
//! [`AuroraInbox`] records which events a consumer has seen, in any database.
//! [`AuroraInbox::advance_in`] records a step in the transaction of the effect.
//!
//! # Readers
//! With [`AuroraSettings::reader`], a reader can answer reads that decide nothing.
//! [`AuroraStore::reading`] sets for each call how fresh the read must be. Without it the
//! store reads from the writer. Callers get read-your-writes when they pass on the versions
//! of an earlier answer.
//!
//! # Connections
//! The store has its own connection pool, because sqlx's pool pings after every use. The
//! pool follows these rules:
//! - A connection that was idle for [`AuroraSettings::idle`] is tested before use, for
//!   one second at most.
//! - After a connection is lost in use, every other connection is tested before use.
//! - After a test fails, no connection is used that was opened before.
//! - A connection older than [`AuroraSettings::lifetime`] is replaced.
//! - A connection is closed after any failure except a conflict or bad data.
//!
//! A former writer is read-only after a failover (`read_only`, `innodb_read_only`). The
//! store refuses it when it opens a connection and after every read from the writer. The
//! next try then asks the endpoint again. Every session is set to READ COMMITTED and a
//! strict `sql_mode`, whatever the server's defaults are.
//!
//! If a host vanishes without closing its connections, its locks last for
//! [`AuroraSettings::session_wait`]. Some connections are reserved for commits
//! ([`AuroraSettings::reserved_connections`]), so that reads never starve commits.
//!
//! # Lost commits
//! Three events take acknowledged commits back: a failover to a replica that lagged, a
//! restore in place, and a crash of a server that does not flush at commit
//! ([`AuroraStore::durability`]). A running process decides nothing from its cache of such
//! commits. The locked row names its account, and an outbox row carries its time. A lost
//! commit stays lost, although consumers, caches and history may have seen it.
//!
//! Statements are sent as text, several in a packet. Only typed encoders write literals. Only
//! statements of a host are prepared. Packets stay below the server's `max_allowed_packet`. A batch is
//! as large as fits.
//!
//! For TLS, set `ssl-mode=VERIFY_IDENTITY` and your provider's certificate bundle in
//! `ssl-ca`. Passwords that rotate, and IAM tokens (feature `iam`), come from
//! [`Credentials`].
//!
//! # Retention
//! [`LedgerStore::purge`](wallet_core::store::LedgerStore::purge) deletes at most 1,000
//! rows in a transaction. It uses primary keys that no commit in flight has locked.
//!
//! # What is proven where
//! The whole suite (conformance, model, faults, cuts, killed processes) runs on MariaDB
//! 10.11 and on Oracle's MySQL 9.7. The tests start both servers. Aurora itself cannot run
//! here. Aurora speaks MySQL 8.0's protocol and dialect. This crate uses only what both
//! tested servers share.
//!
//! No test here covers these parts of Aurora:
//! - its storage;
//! - its failover through endpoints, which the tests imitate: a server turns read-only,
//!   dies and comes back, connections are cut or silent, and a lagging replica is promoted;
//! - its replicas, which the tests imitate by a copy that lags;
//! - its IAM plugin: a test compares the token with the one that AWS's own SDK signs.
//!
//! `WALLET_TEST_MYSQL_URL` runs the suite against a cluster.
//!
//! # Time
//! The store uses the database's clock and reads it after it holds the locks. Every process
//! sees the same clock.
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

#[cfg(not(any(feature = "sqlx-0-8", feature = "sqlx-0-9")))]
compile_error!("wallet-aurora needs a driver: turn on the feature `sqlx-0-8` or `sqlx-0-9`");

// With both features it is 0.8, whose crate has the name `sqlx` already.
/// The driver, in the version whose types [`HostTransaction`] uses.
#[cfg(all(feature = "sqlx-0-9", not(feature = "sqlx-0-8")))]
pub extern crate sqlx_0_9 as sqlx;

mod claimed;
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
pub use holders::LockHolder;
pub use host::HostTransaction;
#[cfg(feature = "iam")]
pub use iam::IamToken;
pub use inbox::AuroraInbox;
pub use settings::AuroraSettings;
/// The driver, in the version whose types [`HostTransaction`] uses.
#[cfg(feature = "sqlx-0-8")]
pub use sqlx;
pub use store::AuroraStore;
