use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use utoipa::ToSchema;
use wallet_core::request::{SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{Command, TransferId};

use super::details::posting;
use super::object::Object;
use super::{currency, field, money, optional};
use crate::problem::{Code, Problem};
use crate::{App, schema};

/// Checks that system transfers are allowed; the server refuses them otherwise, whatever
/// the request contains.
#[derive(Debug)]
pub(crate) struct SystemTransfers;

impl SystemTransfers {
    pub(crate) fn allowed(app: &App) -> Result<Self, Problem> {
        if app.settings().system_transfers {
            return Ok(Self);
        }
        let detail = "this server does not allow system transfers";
        Err(Problem::new(Code::SYSTEM_TRANSFERS_NOT_ALLOWED, detail))
    }
}

impl FromRequestParts<App> for SystemTransfers {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Problem> {
        Self::allowed(app)
    }
}

posting! {
    /// A transfer between system accounts.
    NewSystemTransfer {
        /// The movements, applied in this order, all or none: 1 to 500.
        #[schema(value_type = Vec<NewSystemLeg>, min_items = 1, max_items = 500)]
        legs: Vec<Object<NewSystemLeg>>,
    }
}

/// One movement between system accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSystemLeg {
    /// The account that pays.
    #[schema(value_type = SystemAccountText)]
    from: Object<SystemAccountText>,
    /// The account that is paid.
    #[schema(value_type = SystemAccountText)]
    to: Object<SystemAccountText>,
    /// The amount.
    #[schema(value_type = schema::Amount)]
    amount: String,
    /// The currency.
    #[schema(value_type = schema::Currency)]
    currency: String,
}

/// A system account: a settlement account by its name, or any by its id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SystemAccount)]
#[serde(deny_unknown_fields)]
pub(crate) struct SystemAccountText {
    /// The name of a settlement account, opened when first needed: 1 to 32 of
    /// `a-z`, `0-9`, `_`, `-`.
    #[schema(pattern = "^[a-z0-9_-]{1,32}$")]
    settlement: Option<String>,
    /// The id of a system account.
    #[schema(value_type = Option<schema::Id>)]
    account: Option<String>,
}

impl SystemAccountText {
    fn account(&self) -> Result<SystemAccount, Problem> {
        match (&self.settlement, &self.account) {
            (Some(name), None) => field("settlement", name).map(SystemAccount::Settlement),
            (None, Some(id)) => field("account", id).map(SystemAccount::Account),
            (None, None) | (Some(_), Some(_)) => {
                let detail = "give a settlement or an account, and not both";
                Err(Problem::new(Code::INVALID_BODY, detail))
            }
        }
    }
}

impl NewSystemTransfer {
    pub(crate) fn command(&self, app: &App) -> Result<Command, Problem> {
        let legs = self.legs.iter().map(|Object(leg)| {
            let (Object(from), Object(to)) = (&leg.from, &leg.to);
            let money = money(&leg.amount, currency(app, &leg.currency)?)?;
            Ok(SystemLeg::new(from.account()?, to.account()?, money))
        });
        let command = SystemTransfer::new(legs.collect::<Result<_, Problem>>()?)
            .with_id(optional::<TransferId>("id", self.id.as_deref())?)
            .with_details(self.details()?);
        Ok(command.into())
    }
}
