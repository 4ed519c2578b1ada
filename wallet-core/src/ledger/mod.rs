//! The values of a ledger: money, accounts, transfers with their entries, holds,
//! outcomes of requests, rejections.
//!
//! Nothing here decides or stores. Every text, id, amount and time is checked when
//! it is made, so every existing value is valid. [`Rejection`] is the table of
//! reasons for a refusal.

mod account;
mod balance;
mod epoch;
mod id;
mod key;
mod metadata;
mod money;
mod outcome;
mod rejection;
mod settlement;
mod table;
mod text;
mod time;
mod transfer;

pub use account::{Account, AccountState, Counters, PastBalance, Policy, Status};
pub use balance::{Balance, Freshness};
pub use epoch::{Epoch, EpochError, Epochs, Position, RaisedEpoch, Restore};
pub use id::{
    AccountId, AccountKey, HoldId, HoldKey, InLedger, LedgerId, Sequence, TransferId, TransferKey,
    Version,
};
pub use key::{Fingerprint, IdempotencyKey, RecordKey};
pub use metadata::Metadata;
pub use money::{
    Amount, AmountError, COUNTER_MAX, Currency, CurrencyCode, CurrencyError, CurrencyTable,
    DecimalError, Money, SignedMoney, SplitError, format_minor, parse_minor, split_amount,
};
#[cfg(feature = "decimal")]
pub use money::{PercentError, Rounding, basis_points};
pub use outcome::{
    AccountChanged, Decided, Effect, EffectKind, EntryMark, HoldChanged, Outcome, Posted, Receipt,
    Record,
};
pub use rejection::{Rejected, Rejection, Retry};
pub use settlement::{RESERVED_OWNERS, SettlementShards, settlement_account};
pub use text::{
    Description, KeyScope, KeyText, LimitName, LimitScope, LockName, LockOwner, Owner, RaisedBy,
    Reference, SessionUser, SettlementName, TextError,
};
pub use time::{Timestamp, TimestampError};
pub use transfer::{
    Details, Direction, Entry, Hold, HoldStatus, Leg, Reversal, Transfer, TransferKind,
    TransferWithReversals,
};

pub(crate) use money::cut_in_proportion;
pub(crate) use table::table;
