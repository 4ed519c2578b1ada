//! Transfers, their legs and entries, and holds.

use crate::ledger::{
    AccountId, AccountKey, Amount, Currency, Description, Epoch, HoldId, HoldKey, Metadata, Money,
    Reference, Sequence, SignedMoney, Timestamp, TransferId, TransferKey, Version, table,
};

/// One movement: `money` from one account to another of the same currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Leg {
    /// The debited account.
    pub from: AccountId,
    /// The credited account.
    pub to: AccountId,
    /// The amount and its currency.
    pub money: Money,
}

impl Leg {
    /// `money` from `from` to `to`.
    #[must_use]
    pub const fn new(from: AccountId, to: AccountId, money: Money) -> Self {
        Self { from, to, money }
    }
}

/// The host's details of a transfer or hold. The ledger does not interpret them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// A code of the host's chart of accounts; 0 means none.
    pub code: u32,
    /// The host's reference; transfers can be found by it.
    pub reference: Option<Reference>,
    /// A description for a statement.
    pub description: Option<Description>,
    /// The host's metadata, as JSON.
    pub metadata: Option<Metadata>,
    /// The effective date for reports, where it differs from the transfer's time.
    pub effective_at: Option<Timestamp>,
}

impl Details {
    /// The number of bytes of the texts.
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

/// The command that a transfer came from.
///
/// ```
/// use wallet_core::ledger::TransferKind;
/// assert_eq!(TransferKind::of_name("capture"), Some(TransferKind::Capture));
/// assert_eq!(TransferKind::Capture.name(), "capture");
/// assert_eq!(TransferKind::of_name("gift"), None);
/// ```
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
    /// The reversal of an earlier transfer.
    Reversal,
    /// A movement between two system accounts.
    System,
}

table! {
    TransferKind {
        Transfer = 0 "transfer",
        Deposit = 1 "deposit",
        Withdrawal = 2 "withdrawal",
        Split = 3 "split",
        Capture = 4 "capture",
        Reversal = 5 "reversal",
        System = 6 "system",
    }
}

/// The part of a transfer that a reversal undoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The reversed transfer.
    pub transfer: TransferId,
    /// For each leg of the reversal, the index of the leg that it reverses.
    pub legs: Vec<u16>,
    /// Whether the floor of the debited accounts was ignored.
    pub forced: bool,
}

/// A posted transfer: immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The transfer's ledger and id.
    pub key: TransferKey,
    /// The command that the transfer came from.
    pub kind: TransferKind,
    /// The legs in order, at least one.
    pub legs: Vec<Leg>,
    /// The host's details.
    pub details: Details,
    /// The hold that the transfer captures.
    pub hold: Option<HoldId>,
    /// The transfer that this one reverses.
    pub reversal: Option<Reversal>,
    /// The time of the transfer and of all its entries.
    pub created_at: Timestamp,
}

impl Transfer {
    /// The leg of an entry of this transfer. `None` if the entry is of another transfer, or
    /// of no leg of it.
    pub(crate) fn leg_of(&self, entry: &Entry) -> Option<&Leg> {
        let leg = self.legs.get(usize::from(entry.leg));
        leg.filter(|_| self.key.id == entry.transfer)
    }

    /// The currency of `account`, if a leg names it.
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

/// The side of an account that an entry is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Money left the account.
    Debit,
    /// Money came in.
    Credit,
}

table! {
    Direction {
        Debit = 0 "debit",
        Credit = 1 "credit",
    }
}

/// One line of an account's statement: immutable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The account of the entry.
    pub account: AccountKey,
    /// The entry's number on the account. Numbers have no gap, and the first is 1.
    pub sequence: Sequence,
    /// The epoch that the entry was written in.
    pub epoch: Epoch,
    /// The account's version after the entry.
    pub version: Version,
    /// The side: debit or credit.
    pub direction: Direction,
    /// The amount, in minor units of the account's currency.
    pub amount: Amount,
    /// The posted balance after the entry.
    pub balance_after: i128,
    /// The transfer that the entry belongs to.
    pub transfer: TransferId,
    /// The index of the transfer's leg.
    pub leg: u16,
    /// The transfer's time.
    pub created_at: Timestamp,
}

impl Entry {
    /// The amount with the currency of the account. An entry is of one account, and an
    /// account has one currency, so an entry does not store it.
    ///
    /// ```
    /// # use wallet_core::ledger::{Direction, Epoch, InLedger};
    /// # use wallet_core::{AccountId, Amount, Currency, Entry, LedgerId, Timestamp, TransferId};
    /// # let entry = Entry {
    /// #     account: InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16])),
    /// #     sequence: 1,
    /// #     epoch: Epoch::FIRST,
    /// #     version: 2,
    /// #     direction: Direction::Debit,
    /// #     amount: Amount::new(1_050)?,
    /// #     balance_after: -5,
    /// #     transfer: TransferId::from_bytes([2; 16]),
    /// #     leg: 0,
    /// #     created_at: Timestamp::EPOCH,
    /// # };
    /// let eur = Currency::iso("EUR")?;
    /// assert_eq!(entry.money(eur).to_string(), "10.50 EUR");
    /// assert_eq!(entry.balance_after_money(eur).to_string(), "-0.05 EUR");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn money(&self, currency: Currency) -> Money {
        Money {
            amount: self.amount,
            currency,
        }
    }

    /// The posted balance after the entry, with the currency of the account.
    #[must_use]
    pub const fn balance_after_money(&self, currency: Currency) -> SignedMoney {
        SignedMoney::new(self.balance_after, currency)
    }
}

/// The status of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// An amount is still held.
    Pending,
    /// A capture ended the hold: in full, or with the rest released.
    Captured,
    /// A release ended the hold.
    Released,
    /// The hold expired.
    Expired,
}

table! {
    HoldStatus {
        Pending = 0 "pending",
        Captured = 1 "captured",
        Released = 2 "released",
        Expired = 3 "expired",
    }
}

/// An amount reserved on one account for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The hold's ledger and id.
    pub key: HoldKey,
    /// The account whose money is reserved.
    pub from: AccountId,
    /// The account that the money is reserved for.
    pub to: AccountId,
    /// The reserved amount.
    pub money: Money,
    /// Minor units captured so far.
    pub captured: i128,
    /// Minor units released so far.
    pub released: i128,
    /// The hold's status.
    pub status: HoldStatus,
    /// The expiry time. From this time on the hold cannot be captured.
    pub expires_at: Option<Timestamp>,
    /// The host's details.
    pub details: Details,
    /// The time at which the hold was placed.
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

    /// The amount still held, with its currency. It is zero once the hold has ended.
    #[must_use]
    pub const fn remaining_money(&self) -> SignedMoney {
        SignedMoney::new(self.remaining(), self.money.currency)
    }

    /// Whether the hold is expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
