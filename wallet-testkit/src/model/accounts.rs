use wallet_core::ledger::{AccountChanged, AccountState, Counters, EffectKind};
use wallet_core::request::Change;
use wallet_core::{
    Account, AccountId, Amount, ChangeLimits, ChangeStatus, Currency, OpenAccount, Policy, Receipt,
    Rejection, Status,
};

use super::books::{Attempt, Refusal, balance};

impl Attempt {
    pub(super) fn open_account(
        &mut self,
        id: AccountId,
        command: &OpenAccount,
    ) -> Result<Receipt, Refusal> {
        if self.exists(id) {
            return Err((Rejection::IdTaken, id.uuid()));
        }
        let account = Account {
            state: AccountState {
                system: command.system,
                policy: command.policy,
                max_balance: command.max_balance,
                ..self.fresh(id, command.currency)
            },
            owner: command.owner.clone(),
            metadata: command.metadata.clone(),
            created_at: self.at,
        };
        self.open(account.clone())?;
        Ok(Receipt::AccountOpened(account))
    }

    /// A new account without any effect.
    pub(super) fn fresh(&self, id: AccountId, currency: Currency) -> AccountState {
        AccountState {
            key: self.key(id),
            currency,
            system: false,
            policy: Policy::NonNegative,
            max_balance: None,
            status: Status::Active,
            counters: Counters::default(),
            version: 1,
            sequence: 0,
            last_at: self.at,
        }
    }

    /// Adds a new account to the books, and its currency to the registry.
    pub(super) fn open(&mut self, account: Account) -> Result<(), Refusal> {
        let AccountState { key, currency, .. } = account.state;
        let known = self
            .books
            .currencies
            .entry(currency.code())
            .or_insert_with(|| currency.exponent());
        if *known != currency.exponent() {
            return Err((Rejection::CurrencyExponentMismatch, key.id.uuid()));
        }
        self.books.accounts.insert(key, account);
        Ok(())
    }

    pub(super) fn change_status(&mut self, command: &ChangeStatus) -> Result<Receipt, Refusal> {
        let id = command.account;
        let state = *self.open_account_state(id)?;
        if command.status == Status::Closed {
            let sums = state.counters;
            if sums.debits_pending > 0 || sums.credits_pending > 0 {
                return Err((Rejection::HoldsOutstanding, id.uuid()));
            }
            if balance(&sums) != 0 {
                return Err((Rejection::BalanceNotZero, id.uuid()));
            }
        }
        if command.status == state.status {
            return Ok(self.changed(id, None));
        }
        let status = command.status;
        let kind = EffectKind::StatusChanged;
        self.touch(id, kind, |state| state.status = status)?;
        Ok(self.changed(id, Some(kind)))
    }

    pub(super) fn change_limits(&mut self, command: &ChangeLimits) -> Result<Receipt, Refusal> {
        let id = command.account;
        let state = *self.open_account_state(id)?;
        let policy = command.policy.unwrap_or(state.policy);
        let max_balance = match command.max_balance {
            Change::Keep => state.max_balance,
            Change::Clear => None,
            Change::Set(max) => Some(max),
        };
        let sums = state.counters;
        let too_low =
            least(policy).is_some_and(|least| balance(&sums) - sums.debits_pending < least);
        let too_high = max_balance.is_some_and(|max| {
            let most = max.minor();
            balance(&sums) + sums.credits_pending > most
        });
        // An unchanged limit that a forced reversal broke is no new limit.
        if policy != state.policy && too_low || max_balance != state.max_balance && too_high {
            return Err((Rejection::LimitBreached, id.uuid()));
        }
        if policy == state.policy && max_balance == state.max_balance {
            return Ok(self.changed(id, None));
        }
        let kind = EffectKind::LimitsChanged;
        self.touch(id, kind, |state| {
            state.policy = policy;
            state.max_balance = max_balance;
        })?;
        Ok(self.changed(id, Some(kind)))
    }

    fn changed(&self, id: AccountId, effect: Option<EffectKind>) -> Receipt {
        let state = *self.state(id);
        Receipt::AccountChanged(AccountChanged { state, effect })
    }

    /// A customer's account that is open.
    fn open_account_state(&self, id: AccountId) -> Result<&AccountState, Refusal> {
        if !self.exists(id) {
            return Err((Rejection::AccountNotFound, id.uuid()));
        }
        let state = self.state(id);
        if state.system {
            return Err((Rejection::SystemAccount, id.uuid()));
        }
        if state.status == Status::Closed {
            return Err((Rejection::AccountClosed, id.uuid()));
        }
        Ok(state)
    }
}

/// The least available balance that a policy allows.
pub(super) fn least(policy: Policy) -> Option<i128> {
    match policy {
        Policy::NonNegative => Some(0),
        Policy::Overdraft(limit) => Some(-Amount::minor(limit)),
        Policy::Unlimited => None,
    }
}
