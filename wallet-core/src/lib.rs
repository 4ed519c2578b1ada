//! A double-entry wallet ledger without I/O. It holds the values (money, accounts,
//! transfers, holds, idempotency keys) and one decision function with every
//! business rule ([`decide`](decide::decide())). It defines the ports that stores
//! implement ([`store::LedgerStore`], [`store::Outbox`]) and the service that a
//! host holds ([`Wallet`]). Database drivers, vendor SDKs and HTTP live in
//! adapters.
//!
//! The root exports the names that a host uses, and [`prelude`] the most common of
//! them. Every other name lives in the module of its layer. A layer uses only the
//! layers above it in this table:
//!
//! | layer | what is in it |
//! |---|---|
//! | [`ledger`] | values: money, accounts, transfers, holds, outcomes, rejections |
//! | [`runtime`] | the clock and new ids |
//! | [`request`] | commands, requests, batches |
//! | [`store`] | the ports of a store, its queries, errors and formats |
//! | [`locks`] | the port of a lock service |
//! | [`decide`] | the rules |
//! | [`messaging`], [`cache`], [`history`], [`audit`] | the ports around the ledger |
//! | [`service`] | [`Wallet`]: group commit over a store |
//! | `verify` | what must hold of any books, and reconciliation |
//! | [`edge`] | rate limits, sessions, secrets |
//! | [`memory`] | every port in memory |
//!
//! # How a request flows
//!
//! A [`Request`] is one or more [`Command`]s under one [`IdempotencyKey`], and it
//! is atomic. The service turns it into a
//! [`PreparedRequest`](request::PreparedRequest): validated, fingerprinted, with
//! its new ids. The service puts the waiting requests into a
//! [`Batch`](request::Batch) and passes the batch to the store. The store reads
//! what the batch touches into a [`Snapshot`](store::Snapshot) and decides. It
//! writes the [`ChangeSet`](store::ChangeSet) in one transaction and returns one
//! [`Decided`](ledger::Decided) per request.
//!
//! # Decide without a store
//!
//! ```
//! use std::sync::Arc;
//! use wallet_core::decide::decide;
//! use wallet_core::ledger::{Decided, SettlementShards};
//! use wallet_core::request::{Batch, PreparedRequest};
//! use wallet_core::runtime::Uuid7;
//! use wallet_core::store::Snapshot;
//! use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request, Timestamp};
//!
//! let key = IdempotencyKey::parse("docs", "open-ada")?;
//! let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
//! let request = Request::new(key, open);
//! let request = PreparedRequest::new(request, &Uuid7, &SettlementShards::new())?;
//! let account = request.accounts()[0];
//!
//! // What a store would have read: the account does not exist yet.
//! let mut snapshot = Snapshot::at(Timestamp::from_micros(1_000_000));
//! snapshot.accounts = vec![(account, None)];
//! let decision = decide(&Batch::new(vec![Arc::new(request)]), &snapshot);
//!
//! assert!(matches!(&decision.decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
//! assert_eq!(decision.changes.opened[0].state.key, account);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `decimal` | [`Money`] from and to `rust_decimal::Decimal`; percentages and rates with a named rounding |
//! | `serde` | `Serialize` and `Deserialize` for the values of [`ledger`], in the words of the REST API |
//! | `jiff`, `chrono` | [`Timestamp`] from and to `jiff::Timestamp`, `chrono::DateTime<Utc>` |
//! | `tokio` | `SystemClock`, and running the service on tokio |
//! | `verify` | the invariants: what must hold of any store's books; reconciliation |
//! | `test-hooks` | what only tests may do: change what a store in memory holds |

pub mod audit;
pub mod cache;
pub mod decide;
pub mod edge;
pub mod history;
pub mod ledger;
pub mod locks;
pub mod memory;
pub mod messaging;
pub mod prelude;
pub mod request;
pub mod runtime;
pub mod service;
pub mod store;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
#[cfg(feature = "verify")]
pub mod verify;

pub use ledger::{
    Account, AccountId, Amount, Balance, Currency, Entry, Hold, HoldId, IdempotencyKey, LedgerId,
    Leg, Metadata, Money, Outcome, Owner, Policy, Receipt, Reference, Rejected, Rejection,
    SettlementName, SignedMoney, Status, Timestamp, Transfer, TransferId,
};
pub use request::{
    Capture, ChangeLimits, ChangeStatus, Command, Deposit, OpenAccount, PlaceHold, PostTransfer,
    Release, Request, Reverse, Split, Withdrawal,
};
#[cfg(feature = "tokio")]
pub use runtime::SystemClock;
pub use service::{Accepted, Scope, Settings, Wallet, WalletError};
pub use store::{EntryQuery, StoreError};
