use crate::ledger::{
    Account, AccountChanged, AccountId, AccountState, Counters, Currency, EffectKind, Receipt,
    Rejection, Status,
};
use crate::request::{Change, ChangeLimits, ChangeStatus, OpenAccount};

use super::leg::{expected, next, refuse};
use super::working_set::Opening;
use super::{CommandExecutor, Refusal};

impl CommandExecutor<'_, '_> {
    pub(super) fn open_account(&mut self, command: &OpenAccount) -> Result<Receipt, Refusal> {
        let key = self.key(AccountId::new(self.prepared.id));
        if self.books.find(key).is_some() {
            return Err((Rejection::IdTaken, self.prepared.id));
        }
        self.admit_currency(command.currency)?;
        let state = AccountState {
            key,
            currency: command.currency,
            system: command.system,
            policy: command.policy,
            max_balance: command.max_balance,
            status: Status::Active,
            counters: Counters::default(),
            version: 1,
            sequence: 0,
            last_at: self.at,
        };
        let opening = Opening {
            owner: command.owner.clone(),
            metadata: command.metadata.clone(),
            created_at: self.at,
        };
        self.books.open(state, opening);
        Ok(Receipt::AccountOpened(Account {
            state,
            owner: command.owner.clone(),
            metadata: command.metadata.clone(),
            created_at: self.at,
        }))
    }

    /// Registers a currency, or refuses a currency that is known with another
    /// exponent.
    pub(super) fn admit_currency(&mut self, currency: Currency) -> Result<(), Refusal> {
        match self.books.currency(currency) {
            Some(known) if known != currency => {
                Err((Rejection::CurrencyExponentMismatch, self.prepared.id))
            }
            Some(_) => Ok(()),
            None => {
                self.books.register(currency);
                Ok(())
            }
        }
    }

    pub(super) fn change_status(&mut self, command: &ChangeStatus) -> Result<Receipt, Refusal> {
        let (position, state) = self.open_one(command.account)?;
        if state.status == command.status {
            return Ok(unchanged(state));
        }
        if command.status == Status::Closed {
            if state.counters.debits_pending != 0 || state.counters.credits_pending != 0 {
                return Err(refuse(Rejection::HoldsOutstanding, &state));
            }
            if state.counters.posted() != 0 {
                return Err(refuse(Rejection::BalanceNotZero, &state));
            }
        }
        let status = command.status;
        let to = AccountState { status, ..state };
        self.changed(position, &to, EffectKind::StatusChanged)
    }

    pub(super) fn change_limits(&mut self, command: &ChangeLimits) -> Result<Receipt, Refusal> {
        let (position, state) = self.open_one(command.account)?;
        let policy = command.policy.unwrap_or(state.policy);
        let max_balance = match command.max_balance {
            Change::Keep => state.max_balance,
            Change::Clear => None,
            Change::Set(max) => Some(max),
        };
        if policy == state.policy && max_balance == state.max_balance {
            return Ok(unchanged(state));
        }
        let available = state.counters.available();
        let below = policy.floor().is_some_and(|floor| available < floor);
        let sum = expected(&state.counters);
        let above = max_balance.is_some_and(|max| sum > max.minor());
        let (new_floor, new_ceiling) = (policy != state.policy, max_balance != state.max_balance);
        if (new_floor && below) || (new_ceiling && above) {
            return Err(refuse(Rejection::LimitBreached, &state));
        }
        let to = AccountState {
            policy,
            max_balance,
            ..state
        };
        self.changed(position, &to, EffectKind::LimitsChanged)
    }

    /// A customer's account that exists and is not closed.
    fn open_one(&self, account: AccountId) -> Result<(usize, AccountState), Refusal> {
        let (position, state) = self.customer(account)?;
        if state.status == Status::Closed {
            return Err(refuse(Rejection::AccountClosed, state));
        }
        Ok((position, *state))
    }

    fn changed(
        &mut self,
        position: usize,
        to: &AccountState,
        kind: EffectKind,
    ) -> Result<Receipt, Refusal> {
        let state = AccountState {
            version: next(to, false, |_| Some(()))?.version,
            last_at: self.at,
            ..*to
        };
        self.books.put(position, state);
        Ok(Receipt::AccountChanged(AccountChanged {
            state,
            effect: Some(kind),
        }))
    }
}

const fn unchanged(state: AccountState) -> Receipt {
    Receipt::AccountChanged(AccountChanged {
        state,
        effect: None,
    })
}
