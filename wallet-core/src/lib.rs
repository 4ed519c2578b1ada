//! The pure heart of **wallet**: an embeddable double-entry wallet ledger.
//!
//! Money, accounts, transfers, holds and idempotency; one decision function that
//! holds every business rule ([`decide`]); the ports that stores implement
//! ([`LedgerStore`], [`Outbox`]); and the service over them that a host holds.
//! No database driver, no vendor SDK, no HTTP: adapters bring those.
//!
//! # The way of a request
//!
//! A [`Request`] is one or more [`Command`]s under one [`IdempotencyKey`],
//! atomic. The service turns it into a [`Prepared`] one (validated,
//! fingerprinted, its ids made), puts what is waiting into a [`Batch`], and hands
//! that to the store. The store reads what the batch touches into a
//! [`Snapshot`], calls [`Batch::decide`], writes the [`ChangeSet`] in one
//! transaction, and answers with one [`Decided`] per request.
//!
//! # Decide without a store
//!
//! ```
//! use std::sync::Arc;
//! use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request, Timestamp};
//! use wallet_core::ledger::{Decided, KeyScope, KeyText, SettlementShards};
//! use wallet_core::request::{Batch, Prepared};
//! use wallet_core::runtime::Uuid7;
//! use wallet_core::store::Snapshot;
//!
//! let key = IdempotencyKey::new(KeyScope::new("docs")?, KeyText::new("open-ada")?);
//! let open = OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?);
//! let request = Prepared::new(Request::new(key, open), &Uuid7, &SettlementShards::new())?;
//! let account = request.accounts()[0];
//!
//! // What a store would have read: the account does not exist yet.
//! let mut snapshot = Snapshot::at(Timestamp::from_micros(1_000_000));
//! snapshot.accounts = vec![(account, None)];
//! let decision = Batch::new(vec![Arc::new(request)]).decide(&snapshot);
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
    SettlementName, Status, Timestamp, Transfer, TransferId,
};
pub use request::{
    Capture, ChangeLimits, ChangeStatus, Command, Deposit, OpenAccount, PlaceHold, PostTransfer,
    Release, Request, Reverse, Split, Withdrawal,
};
#[cfg(feature = "tokio")]
pub use runtime::SystemClock;
pub use service::{Answer, Settings, Wallet, WalletError};
pub use store::{EntryQuery, StoreError};
