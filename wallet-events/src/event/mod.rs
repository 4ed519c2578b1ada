//! The event type.

mod decode;
mod effect_ref;
mod encode;
mod envelope;
mod json;
mod kind;
mod money;
mod text;

pub(crate) use effect_ref::{EffectRef, effects_of};
pub use envelope::{NotAnEvent, Parsed};
pub use kind::{schema_of, type_of};
pub use text::EventError;

use wallet_core::ledger::{
    AccountKey, Counters, Direction, EffectKind, Epoch, Position, Restore, Sequence, Version,
};
use wallet_core::{Amount, Currency, Hold, Owner, Policy, Status, Timestamp, Transfer};

/// One effect on one account, as committed: the change, and the account's state right
/// after it.
///
/// The events of an account are its versions, one by one from 1 (its opening), in each
/// epoch. An account and a position identify an event for ever.
///
/// # JSON
/// An event has one form of JSON, the body that is published, in the form of CloudEvents.
/// The body also names the source of the event, which the event does not hold, so `Event`
/// has no `Serialize`. [`Event::message`] writes the body, and [`Event::parse`] reads it:
///
/// ```
/// use wallet_core::ledger::{EffectKind, Epoch, InLedger};
/// use wallet_core::{AccountId, Currency, LedgerId, Owner, Policy, Status, Timestamp};
/// use wallet_events::{Balance, Event, Parsed, Terms};
/// let event = Event {
///     account: InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16])),
///     epoch: Epoch::FIRST,
///     version: 1,
///     kind: EffectKind::Opened,
///     at: Timestamp::EPOCH,
///     owner: Owner::new("ada")?,
///     currency: Currency::iso("EUR")?,
///     balance: Balance {
///         posted: 0,
///         available: 0,
///         pending_in: 0,
///         pending_out: 0,
///     },
///     entry: None,
///     transfer: None,
///     hold: None,
///     terms: Some(Terms {
///         status: Status::Active,
///         policy: Policy::NonNegative,
///         max_balance: None,
///     }),
///     restores: Vec::new(),
/// };
/// let json = event.message("/shop/wallet")?.body;
/// assert!(json.contains(r#""owner":"ada","currency":"EUR","exponent":2"#));
/// assert_eq!(Event::parse(&json)?, Parsed::Known(event));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The account of the event, which is its group: events of a group keep their order.
    pub account: AccountKey,
    /// The epoch of the commit.
    pub epoch: Epoch,
    /// The account's version after the event: 1 for its opening, then gapless within an
    /// epoch. A later epoch continues from the version that the database was restored to,
    /// so that versions of an earlier epoch come again.
    pub version: Version,
    /// The kind of the change.
    pub kind: EffectKind,
    /// The time of the commit, by the store's clock.
    pub at: Timestamp,
    /// The owner of the account.
    pub owner: Owner,
    /// The currency of the account.
    pub currency: Currency,
    /// The account's balance after the event.
    pub balance: Balance,
    /// The entry of the event, if money moved.
    pub entry: Option<EventEntry>,
    /// The transfer of the event, if money moved.
    pub transfer: Option<Transfer>,
    /// The hold after the event, if it was placed, captured or ended.
    pub hold: Option<Hold>,
    /// The account's terms from now on, if it was opened or changed.
    pub terms: Option<Terms>,
    /// The restores: every time that the database went back to an earlier state, the
    /// oldest first; only the newest 16 if there were more.
    pub restores: Vec<Restore>,
}

impl Event {
    /// The most restores that an event lists.
    pub const RESTORES_MAX: usize = 16;

    /// The event's position among the effects of its account.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position::new(self.epoch, self.version)
    }
}

/// The balance of an account, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Credits less debits.
    pub posted: i128,
    /// Posted less the pending debits.
    pub available: i128,
    /// The amount held towards the account.
    pub pending_in: i128,
    /// The amount held from the account.
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

/// The entry that an event wrote into the account's statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventEntry {
    /// The entry's number: gapless, the first is 1.
    pub sequence: Sequence,
    /// The side.
    pub direction: Direction,
    /// The amount, in minor units of the account's currency.
    pub amount: Amount,
    /// The index of the transfer's leg.
    pub leg: u16,
}

/// The terms of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The status of the account.
    pub status: Status,
    /// How far its balance may fall.
    pub policy: Policy,
    /// How far its balance, including all that is pending, may rise.
    pub max_balance: Option<Amount>,
}
