//! Transfers, their legs and entries; holds.

use crate::ledger::{
    AccountId, AccountKey, Amount, Currency, Description, Epoch, HoldId, HoldKey, Metadata, Money,
    Reference, Sequence, Timestamp, TransferId, TransferKey, Version,
};

/// One movement: `money` from one account to another of the same currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Leg {
    /// Debited.
    pub from: AccountId,
    /// Credited.
    pub to: AccountId,
    /// How much of what.
    pub money: Money,
}

impl Leg {
    /// `money` from `from` to `to`.
    #[must_use]
    pub const fn new(from: AccountId, to: AccountId, money: Money) -> Self {
        Self { from, to, money }
    }
}

/// What the host says about a transfer or hold; nothing of it is interpreted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// A code of the host's chart of accounts; 0 means none.
    pub code: u32,
    /// The host's reference; transfers can be found by it.
    pub reference: Option<Reference>,
    /// Words for a statement.
    pub description: Option<Description>,
    /// More, as JSON.
    pub metadata: Option<Metadata>,
    /// The date it counts for in reports, where that is not its time.
    pub effective_at: Option<Timestamp>,
}

impl Details {
    /// How many bytes its texts take.
    pub(crate) fn text_bytes(&self) -> usize {
        let reference = self
            .reference
            .as_ref()
            .map_or(0, |text| text.as_str().len());
        let description = self
            .description
            .as_ref()
            .map_or(0, |text| text.as_str().len());
        let metadata = self.metadata.as_ref().map_or(0, |text| text.as_str().len());
        reference
            .saturating_add(description)
            .saturating_add(metadata)
    }
}

/// What a transfer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferKind {
    /// A transfer between accounts.
    Transfer,
    /// Money in, from a settlement account.
    Deposit,
    /// Money out, to a settlement account.
    Withdrawal,
    /// A split of one amount by shares.
    Split,
    /// The capture of a hold.
    Capture,
    /// The undoing of an earlier transfer.
    Reversal,
    /// A movement between two system accounts.
    System,
}

impl TransferKind {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Transfer, "transfer"),
        (Self::Deposit, "deposit"),
        (Self::Withdrawal, "withdrawal"),
        (Self::Split, "split"),
        (Self::Capture, "capture"),
        (Self::Reversal, "reversal"),
        (Self::System, "system"),
    ];

    /// Its name, as records and exports spell it; it stays the same.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(kind, _)| *kind == self);
        found.map_or("", |(_, name)| name)
    }

    /// The kind of this name.
    ///
    /// ```
    /// use wallet_core::ledger::TransferKind;
    /// assert_eq!(TransferKind::of_name("capture"), Some(TransferKind::Capture));
    /// assert_eq!(TransferKind::Capture.name(), "capture");
    /// assert_eq!(TransferKind::of_name("gift"), None);
    /// ```
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }
}

/// What a reversal undoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The transfer that is undone.
    pub transfer: TransferId,
    /// For each leg of the reversal, the index of the leg that it undoes.
    pub legs: Vec<u16>,
    /// Whether the floor of the debited accounts was disregarded.
    pub forced: bool,
}

/// A posted transfer: immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its ledger and id.
    pub key: TransferKey,
    /// What it came from.
    pub kind: TransferKind,
    /// What moved, in order; at least one.
    pub legs: Vec<Leg>,
    /// What the host said.
    pub details: Details,
    /// The hold that it captures.
    pub hold: Option<HoldId>,
    /// What it undoes.
    pub reversal: Option<Reversal>,
    /// Its time, the same for all its entries.
    pub created_at: Timestamp,
}

impl Transfer {
    /// What `account` holds, if a leg names it.
    pub(crate) fn currency_of(&self, account: AccountId) -> Option<Currency> {
        let mut legs = self.legs.iter();
        let leg = legs.find(|leg| leg.from == account || leg.to == account);
        leg.map(|leg| leg.money.currency)
    }
}

/// A transfer and how much of each leg has been reversed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferWithReversals {
    /// The transfer.
    pub transfer: Transfer,
    /// Minor units reversed so far, one number per leg.
    pub reversed: Vec<i128>,
}

/// Which side of an account an entry stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Money left the account.
    Debit,
    /// Money came in.
    Credit,
}

/// One line of an account's statement: immutable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub account: AccountKey,
    /// Its number on the account: gapless, the first is 1.
    pub sequence: Sequence,
    /// The epoch that it was written in.
    pub epoch: Epoch,
    /// The account's version after it.
    pub version: Version,
    /// Which side.
    pub direction: Direction,
    /// How much, in minor units of the account's currency.
    pub amount: Amount,
    /// The posted balance after it.
    pub balance_after: i128,
    /// The transfer that it belongs to.
    pub transfer: TransferId,
    /// The index of the transfer's leg.
    pub leg: u16,
    /// The transfer's time.
    pub created_at: Timestamp,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// Something is still held.
    Pending,
    /// Ended by a capture, in full or with the rest released.
    Captured,
    /// Ended by a release.
    Released,
    /// Ended by its expiry.
    Expired,
}

/// An amount reserved on one account for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its ledger and id.
    pub key: HoldKey,
    /// Whose money is reserved.
    pub from: AccountId,
    /// Whom it is reserved for.
    pub to: AccountId,
    /// How much was reserved.
    pub money: Money,
    /// Minor units captured so far.
    pub captured: i128,
    /// Minor units given back.
    pub released: i128,
    /// Where it stands.
    pub status: HoldStatus,
    /// From this time on it cannot be captured.
    pub expires_at: Option<Timestamp>,
    /// What the host said.
    pub details: Details,
    /// When it was placed.
    pub created_at: Timestamp,
}

impl Hold {
    /// Minor units still held.
    #[must_use]
    pub const fn remaining(&self) -> i128 {
        self.money
            .amount
            .minor()
            .saturating_sub(self.captured)
            .saturating_sub(self.released)
    }

    /// Whether its time is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
