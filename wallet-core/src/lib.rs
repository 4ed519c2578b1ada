//! The pure heart of **wallet**: an embeddable double-entry wallet ledger.

pub mod codec;
pub mod decide;
pub mod memory;
#[cfg(feature = "testkit")]
pub mod testkit;

mod account;
mod batch;
mod command;
mod cost;
mod error;
mod fingerprint;
mod id;
mod key;
mod metadata;
mod money;
mod outcome;
mod port;
mod prepare;
mod rejection;
mod request;
mod service;
mod settlement;
mod snapshot;
mod text;
mod time;
mod transfer;

pub use account::{Account, AccountState, Counters, PastBalance, Policy, Status};
pub use batch::{Batch, MAX_AHEAD, Reads};
pub use command::{
    Capture, Change, ChangeLimits, ChangeStatus, Command, Deposit, Expire, OpenAccount, PlaceHold,
    PostTransfer, Release, Reverse, ReverseWhat, Share, Split, Withdrawal,
};
pub use error::{StoreError, StoreErrorKind};
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
pub use cost::Cost;
pub use prepare::{Prepared, accounts_of};
pub use settlement::{SettlementShards, settlement_account};
pub use rejection::{Rejected, Rejection, Retry};
pub use request::{COMMANDS_MAX, HOLD_LIFE_MAX, InvalidRequest, LEGS_MAX, Request};
pub use snapshot::{AccountUpdate, ChangeSet, HoldUpdate, ReversalTotal, Snapshot};
pub use text::{Description, KeyScope, KeyText, Owner, Reference, SettlementName, TextError};
pub use time::Timestamp;
pub use transfer::{
    Details, Direction, Entry, Hold, HoldStatus, Leg, Reversal, Transfer, TransferKind,
    TransferWithReversals,
};
