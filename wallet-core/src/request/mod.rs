//! Callers' requests, from the call to the decision.
//!
//! A [`Request`] holds [`Command`]s under one idempotency key. [`PreparedRequest`]
//! is the same request, validated and fingerprinted, with the ids that it may
//! create. A [`Batch`] holds prepared requests that are decided together. It knows
//! what to read for them ([`ReadSet`]) and what each costs ([`Cost`]).

mod batch;
mod bulk;
mod call;
mod command;
mod cost;
mod fingerprint;
mod prepared;
#[allow(clippy::module_inception, reason = "it holds the type of that name")]
mod request;
mod typed;

pub use batch::{Batch, MAX_AHEAD, ReadSet};
pub use bulk::{BULK_ITEMS_MAX, BulkRequest, Recorded};
pub use command::{
    Capture, Change, ChangeLimits, ChangeStatus, Command, Deposit, Expire, OpenAccount, PlaceHold,
    PostTransfer, Release, Reverse, ReverseWhat, Share, Split, SystemAccount, SystemLeg,
    SystemTransfer, Withdrawal,
};
pub use cost::Cost;
pub use prepared::{PreparedRequest, accounts_of};
pub use request::{COMMANDS_MAX, HOLD_LIFE_MAX, InvalidRequest, LEGS_MAX, Request};
pub use typed::TypedCommand;

pub(crate) use bulk::Membership;
pub(crate) use call::{Call, Resource, Unanswered};
pub(crate) use cost::Resolved;
pub(crate) use prepared::{PreparedCommand, Purpose};
