//! A bulk request: many items under one idempotency key. Each item is decided
//! separately.
//!
//! The key itself is recorded with the fingerprint of all items. The commit of the
//! first decided item writes this record. Every later commit of an item proves that
//! record, so another list of items under the same key moves nothing. Each item's
//! outcome is recorded under a key that derives from the bulk request's key and the
//! item's index. Items are decided in order: an item waits until the one before it
//! has an outcome. After a crash, a retry resumes at the first item without an
//! outcome.

use std::sync::Arc;

use crate::ledger::{Fingerprint, IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::Command;

/// The most items in one bulk request.
pub const BULK_ITEMS_MAX: usize = 1_000;

/// Many commands under one idempotency key. Each is carried out separately: a
/// refused item stops no other item.
///
/// ```
/// use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner};
/// use wallet_core::request::BulkRequest;
/// let eur = Currency::iso("EUR")?;
/// let key = IdempotencyKey::parse("docs", "open-two")?;
/// let open = |owner| Owner::new(owner).map(|owner| OpenAccount::new(owner, eur).into());
/// let bulk = BulkRequest::new(key, vec![open("ada")?, open("bob")?]);
/// assert_eq!(bulk.items().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRequest {
    ledger: LedgerId,
    key: IdempotencyKey,
    items: Vec<Command>,
}

impl BulkRequest {
    /// A bulk request in the default ledger.
    #[must_use]
    pub fn new(key: IdempotencyKey, items: Vec<Command>) -> Self {
        Self {
            ledger: LedgerId::default(),
            key,
            items,
        }
    }

    /// The same bulk request in another ledger.
    #[must_use]
    pub const fn in_ledger(mut self, ledger: LedgerId) -> Self {
        self.ledger = ledger;
        self
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The idempotency key.
    #[must_use]
    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The items, in the order in which they are decided.
    #[must_use]
    pub fn items(&self) -> &[Command] {
        &self.items
    }

    pub(crate) fn into_items(self) -> Vec<Command> {
        self.items
    }
}

/// The bulk request that an item belongs to, and the item's index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The key of the bulk request.
    pub(crate) key: RecordKey,
    /// The fingerprint of all items.
    pub(crate) fingerprint: Fingerprint,
    /// The number of items.
    pub(crate) items: u32,
    /// The item's index.
    pub(crate) index: u32,
}

impl Membership {
    /// The key of the item before this one.
    pub(crate) fn previous(&self) -> Option<RecordKey> {
        let index = self.index.checked_sub(1)?;
        Some(self.key.item(index))
    }
}

/// The outcome that is recorded under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The outcome of one request: receipts, a refusal, or its cancellation.
    Request(Arc<Outcome>),
    /// A bulk request.
    Bulk {
        /// The outcome under the bulk request's key: the number of items, and the time of
        /// the first item.
        accepted: Arc<Outcome>,
        /// The outcomes of the items in order; `None` for an item without an outcome yet.
        items: Vec<Option<Arc<Outcome>>>,
    },
}
