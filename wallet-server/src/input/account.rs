//! The requests about accounts: open, freeze, unfreeze, close.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use wallet_core::{
    AccountId, Amount, ChangeStatus, Command, Currency, Money, OpenAccount, Owner, Policy, Status,
};

use super::{currency, field, metadata, optional};
use crate::output::PolicyText;
use crate::problem::Problem;
use crate::{App, schema};

/// Opens an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// The owner: 1 to 128 bytes in the normal form NFC, without control characters,
    /// invisible characters (Unicode's `Default_Ignorable_Code_Point`), and blanks at the
    /// ends.
    #[schema(min_length = 1, max_length = 128)]
    owner: String,
    /// The currency, which never changes.
    #[schema(value_type = schema::Currency)]
    currency: String,
    /// The overdraft limit: how far the balance may fall; `non_negative` by default.
    policy: Option<PolicyText>,
    /// How far the balance, including all that is pending, may rise.
    #[schema(value_type = Option<schema::Amount>)]
    max_balance: Option<String>,
    /// Metadata: a JSON object of at most 4096 bytes; its numbers are 64-bit integers.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
    /// An id of the caller's choice. It must be unique for ever.
    #[schema(value_type = Option<schema::Id>)]
    id: Option<String>,
}

impl NewAccount {
    pub(crate) fn command(&self, app: &App) -> Result<Command, Problem> {
        let owner: Owner = field("owner", &self.owner)?;
        let currency = currency(app, &self.currency)?;
        let policy = self.policy.as_ref().map(|text| policy(text, currency));
        let max = self.max_balance.as_deref();
        let max = max.map(|text| limit("max_balance", text, currency));
        let command = OpenAccount::new(owner, currency)
            .with_id(optional::<AccountId>("id", self.id.as_deref())?)
            .with_policy(policy.transpose()?.unwrap_or_default())
            .with_max_balance(max.transpose()?)
            .with_metadata(self.metadata.as_deref().map(metadata).transpose()?);
        Ok(command.into())
    }
}

/// The policy of a text, in the account's currency.
fn policy(text: &PolicyText, currency: Currency) -> Result<Policy, Problem> {
    match text {
        PolicyText::NonNegative => Ok(Policy::NonNegative),
        PolicyText::Unlimited => Ok(Policy::Unlimited),
        PolicyText::Overdraft(text) => limit("policy", text, currency).map(Policy::Overdraft),
    }
}

/// A limit in the account's currency.
fn limit(field: &'static str, text: &str, currency: Currency) -> Result<Amount, Problem> {
    let money = Money::parse(text, currency);
    money
        .map(|money| money.amount)
        .map_err(|error| Problem::field(field, error))
}

/// The sides to freeze from now on; both by default. It replaces an earlier freeze.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Freeze {
    /// Whether debits are frozen.
    debits: Option<bool>,
    /// Whether credits are frozen.
    credits: Option<bool>,
}

impl Freeze {
    pub(crate) fn command(&self, account: AccountId) -> Result<Command, Problem> {
        let status = match (self.debits, self.credits) {
            (None, None) | (Some(true), Some(true)) => Status::Frozen,
            (Some(true), Some(false) | None) => Status::DebitsFrozen,
            (Some(false) | None, Some(true)) => Status::CreditsFrozen,
            (Some(false), Some(false) | None) | (None, Some(false)) => {
                let detail = "one side at least must be true; to lift a freeze, unfreeze";
                return Err(Problem::field("debits", detail));
            }
        };
        Ok(ChangeStatus::new(account, status).into())
    }
}

/// An empty request: `{}`, or no body at all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Lifts the freeze of an account.
pub(crate) fn unfreezing(account: AccountId) -> Command {
    ChangeStatus::new(account, Status::Active).into()
}

/// Closes an account.
pub(crate) fn closing(account: AccountId) -> Command {
    ChangeStatus::new(account, Status::Closed).into()
}
