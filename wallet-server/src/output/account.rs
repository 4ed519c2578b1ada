//! Accounts and their balances. A request that opens an account names its policy in the
//! same words ([`PolicyText`]).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use wallet_core::ledger::{AccountKey, AccountState, PastBalance, format_minor};
use wallet_core::{Account, Currency, Policy, Status, Timestamp};

use super::{metadata, time};
use crate::schema;

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountBody {
    #[schema(value_type = schema::Id)]
    id: String,
    /// The owner.
    owner: String,
    /// Whether it is a system account: a settlement account, or one that the host opened
    /// as such. Transfers and holds may not name it.
    system: bool,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// The state of the account.
    status: AccountStatus,
    /// How far its balance may fall.
    policy: PolicyText,
    /// How far its balance, including all that is pending, may rise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Amount>)]
    max_balance: Option<String>,
    #[schema(value_type = Object)]
    metadata: Value,
    /// Rises by one with each effect on the account.
    version: i64,
    balance: Sums,
    #[schema(value_type = schema::Time)]
    created_at: String,
}

/// The balances of an account.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Balances)]
struct Sums {
    /// Credits less debits.
    #[schema(value_type = schema::Balance)]
    posted: String,
    /// Posted less the amount held from the account.
    #[schema(value_type = schema::Balance)]
    available: String,
    /// The amount held for the account.
    #[schema(value_type = schema::Balance)]
    pending_in: String,
    /// The amount held from the account.
    #[schema(value_type = schema::Balance)]
    pending_out: String,
}

/// The state of an account: open to everything, debits frozen, credits frozen, all frozen
/// except the expiry of holds, or closed for ever.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccountStatus {
    Active,
    DebitsFrozen,
    CreditsFrozen,
    Frozen,
    Closed,
}

impl From<Status> for AccountStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::DebitsFrozen => Self::DebitsFrozen,
            Status::CreditsFrozen => Self::CreditsFrozen,
            Status::Frozen => Self::Frozen,
            Status::Closed => Self::Closed,
        }
    }
}

/// How far a balance may fall: `"non_negative"`, `"unlimited"` or
/// `{"overdraft": "100.00"}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Policy)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum PolicyText {
    /// Never below zero.
    NonNegative,
    /// Without a limit.
    Unlimited,
    /// Down to minus this amount.
    Overdraft(String),
}

impl PolicyText {
    pub(crate) fn of(policy: Policy, currency: Currency) -> Self {
        match policy {
            Policy::NonNegative => Self::NonNegative,
            Policy::Unlimited => Self::Unlimited,
            Policy::Overdraft(limit) => Self::Overdraft(format_minor(limit.minor(), currency)),
        }
    }
}

impl Sums {
    fn of(state: &AccountState) -> Self {
        let text = |minor| format_minor(minor, state.currency);
        Self {
            posted: text(state.counters.posted()),
            available: text(state.counters.available()),
            pending_in: text(state.counters.credits_pending),
            pending_out: text(state.counters.debits_pending),
        }
    }
}

impl AccountBody {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn of(account: &Account) -> Self {
        Self::with_state(account, &account.state)
    }

    /// The account in another state.
    pub(crate) fn with_state(account: &Account, state: &AccountState) -> Self {
        let empty = || Value::Object(Map::new());
        Self {
            id: state.key.id.to_string(),
            owner: account.owner.to_string(),
            system: state.system,
            currency: state.currency.code().to_string(),
            status: state.status.into(),
            policy: PolicyText::of(state.policy, state.currency),
            max_balance: state
                .max_balance
                .map(|max| format_minor(max.minor(), state.currency)),
            metadata: account.metadata.as_ref().map_or_else(empty, metadata),
            version: state.version,
            balance: Sums::of(state),
            created_at: time(account.created_at),
        }
    }
}

/// An account's balance now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BalanceNow)]
pub(crate) struct BalanceBody {
    #[schema(value_type = schema::Id)]
    account: String,
    #[schema(value_type = schema::Currency)]
    currency: String,
    #[serde(flatten)]
    sums: Sums,
    version: i64,
    /// The account's latest time: no later change has an earlier time.
    #[schema(value_type = schema::Time)]
    as_of: String,
}

impl BalanceBody {
    pub(crate) fn of(account: &Account) -> Self {
        Self {
            account: account.state.key.id.to_string(),
            currency: account.state.currency.code().to_string(),
            sums: Sums::of(&account.state),
            version: account.state.version,
            as_of: time(account.state.last_at),
        }
    }
}

/// An account's balance at a past time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BalanceThen)]
pub(crate) struct PastBalanceBody {
    #[schema(value_type = schema::Id)]
    account: String,
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// The posted balance after everything at or before the time; it never changes later.
    #[schema(value_type = schema::Balance)]
    posted: String,
    /// The number of the last entry that counts; 0 if there is none.
    sequence: i64,
    #[schema(value_type = schema::Time)]
    at: String,
}

impl PastBalanceBody {
    pub(crate) fn of(account: AccountKey, balance: &PastBalance, at: Timestamp) -> Self {
        Self {
            account: account.id.to_string(),
            currency: balance.currency.code().to_string(),
            posted: format_minor(balance.posted, balance.currency),
            sequence: balance.sequence,
            at: time(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_ledger() {
        for status in Status::ALL {
            let written = serde_json::to_value(AccountStatus::from(*status)).unwrap();
            assert_eq!(written, status.name());
        }
    }
}
