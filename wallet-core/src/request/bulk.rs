//! A bulk request: many items under one idempotency key, each by itself.
//!
//! The key itself is recorded with the fingerprint of all items, in the commit of
//! the first item that is decided. Every later commit of an item proves that
//! record, so that another list of items under the same key moves nothing. Each
//! item's outcome is recorded under a key that derives from the bulk request's
//! key and the item's index. Items are decided in order: an item waits until the
//! one before it has an outcome, so a crash in between is resumed at the first
//! item without one.

use std::sync::Arc;

use crate::ledger::{Fingerprint, IdempotencyKey, LedgerId, Outcome, RecordKey};
use crate::request::Command;

/// The most items in one bulk request.
pub const BULK_ITEMS_MAX: usize = 1_000;

/// Many commands under one idempotency key, each carried out by itself: an item
/// that is refused stops no other.
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

    /// The same in another ledger.
    #[must_use]
    pub const fn in_ledger(mut self, ledger: LedgerId) -> Self {
        self.ledger = ledger;
        self
    }

    /// The set of books.
    #[must_use]
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// What it asks for, in the order in which it is decided.
    #[must_use]
    pub fn items(&self) -> &[Command] {
        &self.items
    }

    pub(crate) fn into_items(self) -> Vec<Command> {
        self.items
    }
}

/// The bulk request that an item belongs to, and the item's place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The key of the bulk request.
    pub(crate) key: RecordKey,
    /// Of all items.
    pub(crate) fingerprint: Fingerprint,
    /// How many items there are.
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

/// What is recorded under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The outcome of one request: receipts, a refusal, or its cancellation.
    Request(Arc<Outcome>),
    /// A bulk request.
    Bulk {
        /// What is recorded under its key: how many items it has, and the time of
        /// the first one.
        accepted: Arc<Outcome>,
        /// Its items in order; `None` for one without an outcome yet.
        items: Vec<Option<Arc<Outcome>>>,
    },
}
