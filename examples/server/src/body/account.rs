use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wallet_core::{
    Account, AccountKey, AccountState, Amount, Currency, PastBalance, Policy, Status, Timestamp,
    format_minor,
};

use super::{metadata, time};
use crate::problem::Problem;

/// An account.
#[derive(Debug, Serialize)]
pub(crate) struct AccountBody {
    id: String,
    owner: String,
    currency: String,
    status: &'static str,
    policy: PolicyBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_balance: Option<String>,
    metadata: Value,
    version: i64,
    balance: Sums,
    created_at: String,
}

/// The sums of an account.
#[derive(Debug, Serialize)]
struct Sums {
    posted: String,
    available: String,
    pending_in: String,
    pending_out: String,
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
    pub(crate) fn of(account: &Account) -> Self {
        let state = &account.state;
        let empty = || Value::Object(Map::new());
        Self {
            id: state.key.id.to_string(),
            owner: account.owner.to_string(),
            currency: state.currency.code().to_string(),
            status: status(state.status),
            policy: PolicyBody::of(state.policy, state.currency),
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

const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::DebitsFrozen => "debits_frozen",
        Status::CreditsFrozen => "credits_frozen",
        Status::Frozen => "frozen",
        Status::Closed => "closed",
    }
}

/// How far the balance may fall: `"non_negative"`, `"unlimited"` or
/// `{"overdraft": "100.00"}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum PolicyBody {
    NonNegative,
    Unlimited,
    Overdraft(String),
}

impl PolicyBody {
    fn of(policy: Policy, currency: Currency) -> Self {
        match policy {
            Policy::NonNegative => Self::NonNegative,
            Policy::Unlimited => Self::Unlimited,
            Policy::Overdraft(limit) => Self::Overdraft(format_minor(limit.minor(), currency)),
        }
    }

    pub(crate) fn policy(&self, currency: Currency) -> Result<Policy, Problem> {
        match self {
            Self::NonNegative => Ok(Policy::NonNegative),
            Self::Unlimited => Ok(Policy::Unlimited),
            Self::Overdraft(limit) => limit_of("policy", limit, currency).map(Policy::Overdraft),
        }
    }
}

/// A limit in the account's currency.
pub(crate) fn limit_of(
    field: &'static str,
    text: &str,
    currency: Currency,
) -> Result<Amount, Problem> {
    let money = wallet_core::Money::parse(text, currency);
    money
        .map(|money| money.amount)
        .map_err(|error| Problem::bad_field(field, error))
}

/// An account's balance now.
#[derive(Debug, Serialize)]
pub(crate) struct BalanceBody {
    account: String,
    currency: String,
    #[serde(flatten)]
    sums: Sums,
    version: i64,
    /// The account's latest time: nothing that comes later has an earlier one.
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
#[derive(Debug, Serialize)]
pub(crate) struct PastBalanceBody {
    account: String,
    currency: String,
    posted: String,
    sequence: i64,
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
