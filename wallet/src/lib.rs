//! An embeddable double-entry wallet ledger: [`Books`] on SQLite, MySQL, MariaDB or Aurora
//! MySQL, chosen by a URL, in the database that the host already runs.
//!
//! An order and its payment, in one transaction:
//!
//! ```
//! use wallet::prelude::*;
//!
//! # #[cfg(feature = "sqlite")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), WalletError> {
//! # let folder = std::env::temp_dir().join(format!("wallet-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let url = format!("sqlite:{}", folder.join("shop.db").display());
//! # let url = url.as_str();
//! // let url = "sqlite:shop.db"; or "mysql://shop:secret@localhost/shop"
//! let books = Books::open(url).await?;
//! books.create_tables(&["CREATE TABLE IF NOT EXISTS shop_order (id BIGINT PRIMARY KEY)"]).await?;
//!
//! let eur = Currency::iso("EUR")?;
//! let ada = books.ensure_account(OpenAccount::new("ada".parse()?, eur)).await?.id();
//! let till = books.ensure_account(OpenAccount::new("till".parse()?, eur)).await?.id();
//! let shop = books.scope("shop")?;
//! let deposit = Deposit::new(ada, eur.parse("20.00")?, SettlementName::new("bank")?);
//! shop.run("deposit-1", deposit).await?;
//!
//! let (key, price) = (shop.key("order-7")?, eur.parse("9.00")?);
//! let ordered = books.in_transaction(|tx| {
//!     let key = key.clone();
//!     async move {
//!         tx.execute("INSERT INTO shop_order (id) VALUES (?)", &[7.into()]).await?;
//!         tx.run(key, PostTransfer::simple(ada, till, price)).await
//!     }
//! });
//! match ordered.await {
//!     Ok(paid) => println!("order 7 is paid by {}", paid.id()),
//!     // Neither the order nor the payment is in the database.
//!     Err(WalletError::Rejected(why)) => println!("order 7 is refused: {why}"),
//!     Err(error) => return Err(error),
//! }
//! # drop(books);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! # Submit or apply?
//!
//! | | [`Scope::run`], [`Wallet::submit`] | [`Books::in_transaction`] |
//! |---|---|---|
//! | commits with | requests of other callers (group commit) | the host's own rows |
//! | a refusal | is recorded under its key, and repeated | leaves nothing |
//! | throughput | many times higher | one transaction per call |
//!
//! Use a transaction where rows of the host must commit with the payment, and `run`
//! everywhere else.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `sqlite` | yes | books in a SQLite file |
//! | `mysql` | | books on MySQL, MariaDB and Aurora MySQL |
//! | `decimal` | yes | money from and to `rust_decimal::Decimal` |
//! | `serde` | | values of the ledger as JSON and other formats |
//! | `jiff`, `chrono` | | times from and to these crates |
//! | `test-util` | | for a host's tests: a store whose commits go wrong, clocks, a kit (`test`) |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod books;
#[cfg(feature = "test-util")]
pub mod test;
mod url;

pub mod prelude;

pub use books::{Books, BooksBuilder};
#[cfg(feature = "decimal")]
pub use rust_decimal::Decimal;
#[cfg(feature = "decimal")]
pub use wallet_core::ledger::Rounding;
pub use wallet_core::ledger::{
    Details, Direction, Posted, SignedMoney, StatementLine, TransferKind, TransferWithReversals,
};
pub use wallet_core::request::{BulkRequest, Change, Recorded, ReverseWhat, Share};
pub use wallet_core::service::{
    Accepted, BuildError, Difference, Ensured, InvalidValue, Scope, Transaction,
};
pub use wallet_core::store::{
    CaptureQuery, CommitSignal, HoldReferenceQuery, Order, ReferenceQuery, SqlRow, SqlValue,
    StatementError, StoreErrorKind, TransferPage, TransferQuery,
};
pub use wallet_core::{
    Account, AccountId, Amount, Balance, Capture, ChangeLimits, ChangeStatus, Command, Currency,
    Deposit, Entry, EntryQuery, Hold, HoldId, IdempotencyKey, LedgerId, Leg, Metadata, Money,
    OpenAccount, Outcome, Owner, PlaceHold, Policy, PostTransfer, Receipt, Reference, Rejected,
    Rejection, Release, Request, Reverse, Settings, SettlementName, Split, Status, StoreError,
    SystemClock, Timestamp, Transfer, TransferId, Wallet, WalletError, Withdrawal,
};

/// The adapter for MySQL, MariaDB and Aurora MySQL.
#[cfg(feature = "mysql")]
pub use wallet_aurora as mysql;
/// The ledger itself, with every name.
pub use wallet_core as core;
/// The adapter for SQLite.
#[cfg(feature = "sqlite")]
pub use wallet_sqlite as sqlite;

/// The examples of the project's README.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
#[derive(Debug, Clone, Copy)]
pub struct Readme;
