use crate::ledger::Currency;

/// The trial balance of a ledger in one currency: the sum of all account balances.
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
    /// The currency.
    pub currency: Currency,
    /// The number of accounts, including system accounts.
    pub accounts: u64,
    /// The sum of the posted balances in minor units, modulo 2^128. It must be
    /// zero. Balances reach 10^38, so an intermediate sum may overflow. Modulo
    /// 2^128 the final sum is still zero.
    pub posted: i128,
}

impl TrialBalance {
    /// The trial balance of no account.
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

    /// Whether all balances add up to zero.
    #[must_use]
    pub const fn is_even(&self) -> bool {
        self.posted == 0
    }
}
