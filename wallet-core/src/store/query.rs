use crate::ledger::{
    AccountId, AccountKey, Currency, HoldId, HoldStatus, LedgerId, Owner, Reference, Sequence,
    Timestamp, TransferId,
};

/// Selects accounts: ascending by id, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountQuery {
    /// The ledger.
    pub ledger: LedgerId,
    /// Only accounts of this owner; of all owners when absent.
    pub owner: Option<Owner>,
    /// Only accounts with this currency.
    pub currency: Option<Currency>,
    /// Only accounts with a greater id: the last id of the previous page.
    pub after: Option<AccountId>,
    /// The greatest number of accounts; 0 selects none.
    pub limit: u32,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// Selects entries of an account by sequence, at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryQuery {
    /// The account.
    pub account: AccountKey,
    /// Only entries at this time or later.
    pub from: Option<Timestamp>,
    /// Only entries before this time.
    pub to: Option<Timestamp>,
    /// The order by sequence: ascending or descending.
    pub order: Order,
    /// Only entries after this sequence in the given order: the last sequence of
    /// the previous page.
    pub after: Option<Sequence>,
    /// The greatest number of entries; 0 selects none.
    pub limit: u32,
}

impl EntryQuery {
    /// The first `limit` entries of `account`.
    #[must_use]
    pub fn first(account: impl Into<AccountKey>, limit: u32) -> Self {
        Self {
            account: account.into(),
            from: None,
            to: None,
            order: Order::Ascending,
            after: None,
            limit,
        }
    }
}

/// Selects the holds from or towards an account, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldQuery {
    /// The account.
    pub account: AccountKey,
    /// Only holds with this status.
    pub status: Option<HoldStatus>,
    /// Only holds with a greater id: the last id of the previous page.
    pub after: Option<HoldId>,
    /// The greatest number of holds; 0 selects none.
    pub limit: u32,
}

/// Selects transfers by the host's reference, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceQuery {
    /// The ledger.
    pub ledger: LedgerId,
    /// The host's reference.
    pub reference: Reference,
    /// Only transfers with a greater id: the last id of the previous page.
    pub after: Option<TransferId>,
    /// The greatest number of transfers; 0 selects none.
    pub limit: u32,
}
