use crate::ledger::{AccountKey, AccountState, Currency, Version};

/// What an account says is held, and what its open holds add up to, of one state
/// of the books: minor units. In sound books both are the same.
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
    /// The currency that it holds.
    pub currency: Currency,
    /// The version that it is at.
    pub version: Version,
    /// What the account says is held to be paid.
    pub debits_pending: i128,
    /// What the account says is held to be received.
    pub credits_pending: i128,
    /// What remains of the open holds that it pays.
    pub debits_held: i128,
    /// What remains of the open holds that it receives.
    pub credits_held: i128,
    /// How many open holds it pays or receives.
    pub holds: u64,
}

impl PendingSums {
    /// Those of an account before any hold is added.
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

    /// Adds what remains of an open hold that the account pays.
    pub const fn add_debit(&mut self, remaining: i128) {
        self.debits_held = self.debits_held.saturating_add(remaining);
        self.holds = self.holds.saturating_add(1);
    }

    /// Adds what remains of an open hold that the account receives.
    pub const fn add_credit(&mut self, remaining: i128) {
        self.credits_held = self.credits_held.saturating_add(remaining);
        self.holds = self.holds.saturating_add(1);
    }

    /// Whether the account says what its holds say.
    #[must_use]
    pub const fn is_even(&self) -> bool {
        self.debits_pending == self.debits_held && self.credits_pending == self.credits_held
    }
}
