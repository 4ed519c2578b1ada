//! The values of a ledger: money, accounts, transfers with their entries, holds,
//! outcomes of requests, rejections.
//!
//! Nothing here decides or stores. Every text, id, amount and time is checked when
//! it is made, so every existing value is valid. [`Rejection`] is the table of
//! reasons for a refusal.
//!
//! # Serialize and Deserialize
//!
//! With the feature `serde`, the values have both traits, in the words of the REST API.
//! The forms are for formats that name their fields, such as JSON. Reading checks what
//! the constructors check: no value is read that they refuse. Unknown fields are passed
//! over, so that a later release can add some.
//!
//! | value | form |
//! |---|---|
//! | ids, times, texts | text |
//! | amounts with their currency | decimal text with all decimals, `"10.50"` |
//! | amounts without a currency ([`Amount`], [`Entry`], [`Effect`]) | text of the count of minor units, in fields that end in `_minor` |
//! | statuses, kinds, directions | their `name` |
//! | [`Rejection`] | its code |
//! | versions and sequences | a number; text beyond 2^53 - 1, which a reader with floats would round |
//! | a currency beside an amount | `"currency": "EUR"`; outside of ISO 4217 also `"exponent": 8` |
//! | a [`Currency`] alone | `"EUR"`; outside of ISO 4217 `"BTC:8"` |
//!
//! A reader needs the exponent of a currency outside of ISO 4217, so it is always
//! written. An exponent that contradicts ISO 4217 is written too, and refused by the
//! reader.
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use wallet_core::{Currency, Money};
//! let price = Money::parse("10.5", Currency::iso("EUR")?)?;
//! let json = serde_json::to_string(&price)?;
//! assert_eq!(json, r#"{"amount":"10.50","currency":"EUR"}"#);
//! assert_eq!(serde_json::from_str::<Money>(&json)?, price);
//!
//! let coin = Money::parse("0.5", Currency::new("BTC", 8)?)?;
//! let json = serde_json::to_string(&coin)?;
//! assert_eq!(json, r#"{"amount":"0.50000000","currency":"BTC","exponent":8}"#);
//! assert!(serde_json::from_str::<Money>(r#"{"amount":"0.5","currency":"BTC"}"#).is_err());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod balance;
mod epoch;
mod id;
mod key;
mod metadata;
mod money;
mod outcome;
mod rejection;
#[cfg(feature = "serde")]
mod serialized;
mod settlement;
mod statement_line;
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
pub use statement_line::StatementLine;
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
