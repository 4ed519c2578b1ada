//! The wallet ledger's store and outbox on Aurora MySQL, MySQL 8 and later, and
//! MariaDB 10.6 and later.
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
//! settings allow is left out; requests that need it come out as blocked.
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
//! # In the host's own transaction
//! [`AuroraStore::apply_in`] posts inside a transaction of the host's, so that an
//! order and its payment commit together. See [`HostTransaction`].
//!
//! # Time
//! The database's clock, read after the locks are held; every process sees the
//! same one.
//!
//! # Example
//! ```no_run
//! use wallet_aurora::{AuroraSettings, AuroraStore};
//! use wallet_core::LedgerStore;
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
mod error;
mod host;
#[cfg(feature = "iam")]
mod iam;
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

pub use credentials::{Credentials, Endpoint};
pub use error::{ApplyError, TransactionLost};
pub use host::{Applied, HostTransaction};
#[cfg(feature = "iam")]
pub use iam::IamToken;
pub use settings::AuroraSettings;
/// The driver, in the version whose types [`HostTransaction`] takes.
pub use sqlx;
pub use store::AuroraStore;
