//! What an event is.

mod body;
mod envelope;
mod json;
mod kind;
mod money;
mod text;
mod told;
mod write;

pub use envelope::{NotAnEvent, Parsed};
pub use kind::{schema_of, type_of};
pub use text::EventError;
pub(crate) use told::{Told, tell};

use wallet_core::ledger::{
    AccountKey, Counters, Direction, EffectKind, Epoch, Position, Restore, Sequence, Version,
};
use wallet_core::{Amount, Currency, Hold, Owner, Policy, Status, Timestamp, Transfer};

/// One effect on one account, as committed: what happened, and how the account
/// stood right after it.
///
/// The events of an account are its versions, one by one from 1 (its opening), in
/// each epoch; together with the account a position names an event for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose event it is, and its group: what is kept in order.
    pub account: AccountKey,
    /// The epoch that it was written in.
    pub epoch: Epoch,
    /// The account's version after it: 1 for its opening, then gapless within an
    /// epoch. A later epoch goes on from the version that the database was brought
    /// back to, so that versions of an earlier one come again.
    pub version: Version,
    /// What happened.
    pub kind: EffectKind,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Whose account it is.
    pub owner: Owner,
    /// What the account holds.
    pub currency: Currency,
    /// The account's sums after it.
    pub balance: Balance,
    /// The entry that it wrote, where money moved.
    pub entry: Option<EventEntry>,
    /// The transfer that it belongs to, where money moved.
    pub transfer: Option<Transfer>,
    /// The hold after it, where one was placed, captured or ended.
    pub hold: Option<Hold>,
    /// What the account may do from now on, where it was opened or changed.
    pub terms: Option<Terms>,
    /// Every time that the database went back to an earlier state, the oldest first;
    /// the newest 16 where there were more.
    pub restores: Vec<Restore>,
}

impl Event {
    /// How many restores an event tells at most.
    pub const RESTORES_MAX: usize = 16;

    /// Its place in the effects of its account.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position::new(self.epoch, self.version)
    }
}

/// The sums of an account, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Credits less debits.
    pub posted: i128,
    /// Posted less what is held from the account.
    pub available: i128,
    /// Held towards the account.
    pub pending_in: i128,
    /// Held from the account.
    pub pending_out: i128,
}

impl From<&Counters> for Balance {
    fn from(counters: &Counters) -> Self {
        Self {
            posted: counters.posted(),
            available: counters.available(),
            pending_in: counters.credits_pending,
            pending_out: counters.debits_pending,
        }
    }
}

/// The line that an event wrote into the account's statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventEntry {
    /// Its number: gapless, the first is 1.
    pub sequence: Sequence,
    /// Which side.
    pub direction: Direction,
    /// How much, in minor units of the account's currency.
    pub amount: Amount,
    /// The index of the transfer's leg.
    pub leg: u16,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What it may take part in.
    pub status: Status,
    /// How far its balance may fall.
    pub policy: Policy,
    /// How far its balance, with all that is pending, may rise.
    pub max_balance: Option<Amount>,
}
