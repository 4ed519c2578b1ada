use crate::ledger::Currency;

/// What the accounts of a ledger that hold one currency add up to.
///
/// ```
/// use wallet_core::Currency;
/// use wallet_core::store::TrialBalance;
///
/// let mut sum = TrialBalance::of(Currency::iso("EUR")?);
/// sum.add(700);
/// sum.add(-700);
/// assert!(sum.accounts == 2 && sum.is_even());
/// # Ok::<(), wallet_core::ledger::CurrencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialBalance {
    /// What they hold.
    pub currency: Currency,
    /// How many they are, the host's own among them.
    pub accounts: u64,
    /// The sum of their posted balances in minor units, modulo 2^128: it must be
    /// zero. Balances reach 10^38, so that a sum on the way may not fit; modulo
    /// 2^128 it comes back to zero all the same.
    pub posted: i128,
}

impl TrialBalance {
    /// That of no account.
    #[must_use]
    pub const fn of(currency: Currency) -> Self {
        Self {
            currency,
            accounts: 0,
            posted: 0,
        }
    }

    /// Adds the posted balance of one more account.
    pub const fn add(&mut self, posted: i128) {
        self.accounts = self.accounts.saturating_add(1);
        self.posted = self.posted.wrapping_add(posted);
    }

    /// Whether what some owe others have.
    #[must_use]
    pub const fn is_even(&self) -> bool {
        self.posted == 0
    }
}
