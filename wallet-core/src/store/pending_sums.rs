use crate::ledger::{AccountKey, AccountState, Currency, Version};

/// The pending counters of an account and the sums of its open holds, in minor
/// units, of one state of the ledger. In a valid ledger both are equal.
///
/// ```
/// use std::sync::Arc;
/// use wallet_core::memory::MemoryStore;
/// use wallet_core::SystemClock;
/// use wallet_core::store::LedgerStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), wallet_core::StoreError> {
/// let store = MemoryStore::new(Arc::new(SystemClock));
/// let sums = store.pending_sums(&[]).await?;
/// assert!(sums.iter().flatten().all(|sums| sums.is_even()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingSums {
    /// The account.
    pub account: AccountKey,
    /// The currency of the account.
    pub currency: Currency,
    /// The version of the account.
    pub version: Version,
    /// The account's own counter of pending debits.
    pub debits_pending: i128,
    /// The account's own counter of pending credits.
    pub credits_pending: i128,
    /// The remaining amount of the open holds that debit the account.
    pub debits_held: i128,
    /// The remaining amount of the open holds that credit the account.
    pub credits_held: i128,
    /// The number of open holds that debit or credit the account.
    pub holds: u64,
}

impl PendingSums {
    /// The sums of an account before any hold is added.
    #[must_use]
    pub const fn of(state: &AccountState) -> Self {
        Self {
            account: state.key,
            currency: state.currency,
            version: state.version,
            debits_pending: state.counters.debits_pending,
            credits_pending: state.counters.credits_pending,
            debits_held: 0,
            credits_held: 0,
            holds: 0,
        }
    }

    /// Adds the remaining amount of an open hold that debits the account.
    pub const fn add_debit(&mut self, remaining: i128) {
        self.debits_held = self.debits_held.saturating_add(remaining);
        self.holds = self.holds.saturating_add(1);
    }

    /// Adds the remaining amount of an open hold that credits the account.
    pub const fn add_credit(&mut self, remaining: i128) {
        self.credits_held = self.credits_held.saturating_add(remaining);
        self.holds = self.holds.saturating_add(1);
    }

    /// Whether the account's counters equal the sums of its holds.
    #[must_use]
    pub const fn is_even(&self) -> bool {
        self.debits_pending == self.debits_held && self.credits_pending == self.credits_held
    }
}
