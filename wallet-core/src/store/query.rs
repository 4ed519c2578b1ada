use crate::ledger::{
    AccountId, AccountKey, Currency, HoldId, HoldStatus, LedgerId, Owner, Reference, Sequence,
    Timestamp, TransferId,
};

/// Which accounts to list: ascending by id, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountQuery {
    /// The set of books.
    pub ledger: LedgerId,
    /// Only this owner's; everybody's when absent.
    pub owner: Option<Owner>,
    /// Only those that hold this currency.
    pub currency: Option<Currency>,
    /// Only those with a greater id: the last one of the page before.
    pub after: Option<AccountId>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}

/// In which order to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// Which entries of an account to list, by sequence, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryQuery {
    /// Whose.
    pub account: AccountKey,
    /// Only those at this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
    /// By ascending or descending sequence.
    pub order: Order,
    /// Only those beyond this sequence in the given order: the last one of the
    /// page before.
    pub after: Option<Sequence>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}

impl EntryQuery {
    /// The first `limit` entries of `account`.
    #[must_use]
    pub const fn first(account: AccountKey, limit: u32) -> Self {
        Self {
            account,
            from: None,
            to: None,
            order: Order::Ascending,
            after: None,
            limit,
        }
    }
}

/// Which holds to list: those from or towards an account, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldQuery {
    /// Whose.
    pub account: AccountKey,
    /// Only those that stand so.
    pub status: Option<HoldStatus>,
    /// Only those with a greater id: the last one of the page before.
    pub after: Option<HoldId>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}

/// Which transfers to list by the host's reference: ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceQuery {
    /// The set of books.
    pub ledger: LedgerId,
    /// The host's reference.
    pub reference: Reference,
    /// Only those with a greater id: the last one of the page before.
    pub after: Option<TransferId>,
    /// How many at most; 0 gives none.
    pub limit: u32,
}
