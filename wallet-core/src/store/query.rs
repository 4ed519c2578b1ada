use crate::ledger::{
    AccountId, AccountKey, Currency, HoldId, HoldKey, HoldStatus, LedgerId, Owner, Reference,
    Sequence, Timestamp, Transfer, TransferId, TransferKind, TransferWithReversals,
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

/// Selects holds by the host's reference, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldReferenceQuery {
    /// The ledger.
    pub ledger: LedgerId,
    /// The host's reference.
    pub reference: Reference,
    /// Only holds with a greater id: the last id of the previous page.
    pub after: Option<HoldId>,
    /// The greatest number of holds; 0 selects none.
    pub limit: u32,
}

/// Selects the transfers that capture a hold, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureQuery {
    /// The hold.
    pub hold: HoldKey,
    /// Only transfers with a greater id: the last id of the previous page.
    pub after: Option<TransferId>,
    /// The greatest number of transfers; 0 selects none.
    pub limit: u32,
}

impl CaptureQuery {
    /// The first `limit` captures of `hold`.
    #[must_use]
    pub fn first(hold: impl Into<HoldKey>, limit: u32) -> Self {
        Self {
            hold: hold.into(),
            after: None,
            limit,
        }
    }
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

/// Selects the transfers of an account by time, at most `limit`. All conditions must
/// hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferQuery {
    /// The account, on either side of a leg.
    pub account: AccountKey,
    /// Only transfers at this time or later.
    pub from: Option<Timestamp>,
    /// Only transfers before this time.
    pub to: Option<Timestamp>,
    /// Only transfers of these kinds; of every kind if empty.
    pub kinds: Vec<TransferKind>,
    /// Only transfers with one of these codes; with any code if empty.
    pub codes: Vec<u32>,
    /// The order by time: oldest or newest first. Transfers of the same time are in the
    /// order in which they were posted.
    pub order: Order,
    /// The place behind the previous page: its [`next`](TransferPage::next).
    pub after: Option<Sequence>,
    /// The greatest number of transfers; 0 selects none.
    pub limit: u32,
}

impl TransferQuery {
    /// The first `limit` transfers of `account`, the oldest first.
    #[must_use]
    pub fn first(account: impl Into<AccountKey>, limit: u32) -> Self {
        Self {
            account: account.into(),
            from: None,
            to: None,
            kinds: Vec::new(),
            codes: Vec::new(),
            order: Order::Ascending,
            after: None,
            limit,
        }
    }

    /// Only transfers from `from`, inclusive, until `to`, exclusive.
    #[must_use]
    pub const fn between(mut self, from: Timestamp, to: Timestamp) -> Self {
        self.from = Some(from);
        self.to = Some(to);
        self
    }

    /// Only transfers of this kind. Several calls allow several kinds.
    #[must_use]
    pub fn with_kind(mut self, kind: TransferKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Only transfers with this code. Several calls allow several codes.
    #[must_use]
    pub fn with_code(mut self, code: u32) -> Self {
        self.codes.push(code);
        self
    }

    /// In this order.
    #[must_use]
    pub const fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Only what follows the previous page: its [`next`](TransferPage::next).
    #[must_use]
    pub const fn with_after(mut self, after: Option<Sequence>) -> Self {
        self.after = after;
        self
    }

    /// Whether a transfer is of a wanted kind and has a wanted code.
    pub(crate) fn selects(&self, transfer: &Transfer) -> bool {
        let of_kind = self.kinds.is_empty() || self.kinds.contains(&transfer.kind);
        of_kind && (self.codes.is_empty() || self.codes.contains(&transfer.details.code))
    }
}

/// A page of the transfers of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferPage {
    /// The transfers in the order of the query. There may be fewer than the limit, also
    /// none, before the end.
    pub transfers: Vec<TransferWithReversals>,
    /// The place behind this page; `None` at the end.
    pub next: Option<Sequence>,
}
