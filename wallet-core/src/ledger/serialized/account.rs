//! Accounts and balances.

use serde::{Deserialize, Serialize};

use super::money::{CurrencyFields, amount, sum};
use super::{Ordinal, by_checked_fields};
use crate::ledger::{
    Account, AccountId, AccountState, Amount, Balance, Counters, Currency, Epoch, InLedger,
    LedgerId, Metadata, Owner, PastBalance, Policy, SignedMoney, Status, Timestamp, format_minor,
};

/// The balances of an account, and the sums that they are made of.
#[derive(Serialize, Deserialize)]
struct Sums {
    posted: String,
    available: String,
    pending_in: String,
    pending_out: String,
    debits_posted: String,
    credits_posted: String,
}

impl Sums {
    fn of(counters: &Counters, currency: Currency) -> Self {
        let text = |minor| format_minor(minor, currency);
        Self {
            posted: text(counters.posted()),
            available: text(counters.available()),
            pending_in: text(counters.credits_pending),
            pending_out: text(counters.debits_pending),
            debits_posted: text(counters.debits_posted),
            credits_posted: text(counters.credits_posted),
        }
    }

    fn value(&self, currency: Currency) -> Result<Counters, String> {
        let counters = Counters {
            debits_posted: sum("debits_posted", &self.debits_posted, currency)?,
            credits_posted: sum("credits_posted", &self.credits_posted, currency)?,
            debits_pending: sum("pending_out", &self.pending_out, currency)?,
            credits_pending: sum("pending_in", &self.pending_in, currency)?,
        };
        let due = Self::of(&counters, currency);
        if (&due.posted, &due.available) == (&self.posted, &self.available) {
            Ok(counters)
        } else {
            Err("posted or available is not what the sums give".to_owned())
        }
    }
}

/// `"non_negative"`, `"unlimited"` or `{"overdraft": "100.00"}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PolicyFields {
    NonNegative,
    Unlimited,
    Overdraft(String),
}

impl PolicyFields {
    fn of(policy: Policy, currency: Currency) -> Self {
        match policy {
            Policy::NonNegative => Self::NonNegative,
            Policy::Unlimited => Self::Unlimited,
            Policy::Overdraft(limit) => Self::Overdraft(format_minor(limit.minor(), currency)),
        }
    }

    fn value(&self, currency: Currency) -> Result<Policy, String> {
        match self {
            Self::NonNegative => Ok(Policy::NonNegative),
            Self::Unlimited => Ok(Policy::Unlimited),
            Self::Overdraft(limit) => amount("overdraft", limit, currency).map(Policy::Overdraft),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StateFields {
    #[serde(default)]
    ledger: LedgerId,
    id: AccountId,
    system: bool,
    #[serde(flatten)]
    currency: CurrencyFields,
    status: Status,
    policy: PolicyFields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_balance: Option<String>,
    version: Ordinal,
    sequence: Ordinal,
    balance: Sums,
    as_of: Timestamp,
}

impl StateFields {
    fn of(state: &AccountState) -> Self {
        let limit = |max: Amount| format_minor(max.minor(), state.currency);
        Self {
            ledger: state.key.ledger,
            id: state.key.id,
            system: state.system,
            currency: CurrencyFields::of(state.currency),
            status: state.status,
            policy: PolicyFields::of(state.policy, state.currency),
            max_balance: state.max_balance.map(limit),
            version: Ordinal(state.version),
            sequence: Ordinal(state.sequence),
            balance: Sums::of(&state.counters, state.currency),
            as_of: state.last_at,
        }
    }

    fn value(&self) -> Result<AccountState, String> {
        let currency = self.currency.value()?;
        let max = self.max_balance.as_deref();
        let max = max.map(|max| amount("max_balance", max, currency));
        Ok(AccountState {
            key: InLedger::new(self.ledger, self.id),
            currency,
            system: self.system,
            policy: self.policy.value(currency)?,
            max_balance: max.transpose()?,
            status: self.status,
            counters: self.balance.value(currency)?,
            version: self.version.0,
            sequence: self.sequence.0,
            last_at: self.as_of,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct AccountFields {
    #[serde(flatten)]
    state: StateFields,
    owner: Owner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    created_at: Timestamp,
}

impl AccountFields {
    fn of(account: &Account) -> Self {
        Self {
            state: StateFields::of(&account.state),
            owner: account.owner.clone(),
            metadata: account.metadata.clone(),
            created_at: account.created_at,
        }
    }

    fn value(self) -> Result<Account, String> {
        Ok(Account {
            state: self.state.value()?,
            owner: self.owner,
            metadata: self.metadata,
            created_at: self.created_at,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct BalanceFields {
    #[serde(default)]
    ledger: LedgerId,
    account: AccountId,
    #[serde(flatten)]
    currency: CurrencyFields,
    #[serde(flatten)]
    sums: Sums,
    epoch: Epoch,
    version: Ordinal,
}

impl BalanceFields {
    fn of(balance: &Balance) -> Self {
        Self {
            ledger: balance.account.ledger,
            account: balance.account.id,
            currency: CurrencyFields::of(balance.currency),
            sums: Sums::of(&balance.counters, balance.currency),
            epoch: balance.epoch,
            version: Ordinal(balance.version),
        }
    }

    fn value(&self) -> Result<Balance, String> {
        let currency = self.currency.value()?;
        Ok(Balance {
            account: InLedger::new(self.ledger, self.account),
            currency,
            counters: self.sums.value(currency)?,
            epoch: self.epoch,
            version: self.version.0,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct PastBalanceFields {
    #[serde(flatten)]
    currency: CurrencyFields,
    posted: String,
    sequence: Ordinal,
}

impl PastBalanceFields {
    fn of(balance: &PastBalance) -> Self {
        Self {
            currency: CurrencyFields::of(balance.currency),
            posted: format_minor(balance.posted, balance.currency),
            sequence: Ordinal(balance.sequence),
        }
    }

    fn value(&self) -> Result<PastBalance, String> {
        let currency = self.currency.value()?;
        let posted = SignedMoney::parse(&self.posted, currency);
        Ok(PastBalance {
            posted: posted.map_err(|error| format!("posted: {error}"))?.minor,
            sequence: self.sequence.0,
            currency,
        })
    }
}

by_checked_fields! {
    Account: AccountFields,
    AccountState: StateFields,
    Balance: BalanceFields,
    PastBalance: PastBalanceFields,
}
