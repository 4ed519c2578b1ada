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
//! use wallet_core::{
//!     Batch, Currency, Decided, IdempotencyKey, KeyScope, KeyText, OpenAccount, Owner, Prepared,
//!     Request, SettlementShards, Snapshot, Timestamp, Uuid7,
//! };
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
pub mod codec;
pub mod decide;
pub mod history;
#[cfg(feature = "verify")]
pub mod invariants;
pub mod memory;
#[cfg(feature = "verify")]
pub mod reconcile;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;

mod account;
mod applied;
mod balance;
mod batch;
mod bulk;
mod call;
mod command;
mod cost;
mod epoch;
mod error;
mod fingerprint;
mod guarded_limiter;
mod id;
mod key;
mod metadata;
mod money;
mod outcome;
mod port;
mod prepare;
mod quota;
mod rejection;
mod request;
mod service;
mod session;
mod settlement;
mod snapshot;
mod text;
mod time;
mod transfer;
mod turn;
mod yielding;

pub use account::{Account, AccountState, Counters, PastBalance, Policy, Status};
pub use applied::{Applied, NotAccepted};
pub use balance::{Balance, Freshness};
pub use batch::{Batch, MAX_AHEAD, Reads};
pub use bulk::{BULK_ITEMS_MAX, BulkRequest, Recorded};
pub use command::{
    Capture, Change, ChangeLimits, ChangeStatus, Command, Deposit, Expire, OpenAccount, PlaceHold,
    PostTransfer, Release, Reverse, ReverseWhat, Share, Split, SystemAccount, SystemLeg,
    SystemTransfer, Withdrawal,
};
pub use cost::Cost;
pub use epoch::{Epoch, Epochs, Position, RaisedEpoch, Restore};
pub use error::{StoreError, StoreErrorKind};
pub use guarded_limiter::{Admission, GuardedLimiter, OnFailure};
pub use id::{
    AccountId, AccountKey, HoldId, HoldKey, InLedger, LedgerId, Sequence, TransferId, TransferKey,
    Version,
};
pub use key::{Fingerprint, IdempotencyKey, RecordKey};
pub use metadata::Metadata;
pub use money::{
    Amount, AmountError, COUNTER_MAX, Currency, CurrencyCode, CurrencyError, CurrencyTable,
    DecimalError, Money, SplitError, format_minor, parse_minor, split_amount,
};
pub use outcome::{
    AccountChanged, Decided, Effect, EffectKind, EntryMark, HoldChanged, Outcome, Posted, Receipt,
    Record,
};
pub use port::*;
pub use prepare::{Prepared, accounts_of};
pub use quota::{Bucket, Quota, QuotaError};
pub use rejection::{Rejected, Rejection, Retry};
pub use request::{COMMANDS_MAX, HOLD_LIFE_MAX, InvalidRequest, LEGS_MAX, Request};
pub use service::{
    Answer, BuildError, Driver, LastCommit, MAX_AHEAD_RAISE, MAX_RAISE_LIFE, RaiseError, Settings,
    StatsSnapshot, Wallet, WalletBuilder, WalletError,
};
pub use session::{SessionId, SessionIdError};
pub use settlement::{RESERVED_OWNERS, SettlementShards, settlement_account};
pub use snapshot::{AccountUpdate, ChangeSet, HoldUpdate, ReversalTotal, Snapshot};
pub use text::{
    Description, KeyScope, KeyText, LimitName, LimitScope, LockName, LockOwner, Owner, RaisedBy,
    Reference, SessionUser, SettlementName, TextError,
};
pub use time::Timestamp;
pub use transfer::{
    Details, Direction, Entry, Hold, HoldStatus, Leg, Reversal, Transfer, TransferKind,
    TransferWithReversals,
};
pub use turn::Turn;
