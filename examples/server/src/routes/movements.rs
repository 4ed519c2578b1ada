use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use wallet_core::{
    AccountId, AccountKey, Deposit, Details, Money, SettlementName, TransferId, Withdrawal,
};

use super::{find, posted};
use crate::input::{self, Id, Json, Words};
use crate::problem::Problem;
use crate::{App, reply};

/// The settlement account where the caller names none.
const SETTLEMENT: &str = "bank";

/// Money in or out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Movement {
    amount: String,
    settlement: Option<String>,
    code: Option<u32>,
    reference: Option<String>,
    description: Option<String>,
    metadata: Option<Value>,
    effective_at: Option<String>,
    id: Option<String>,
}

/// A movement that was checked.
struct Checked {
    money: Money,
    settlement: SettlementName,
    details: Details,
    id: Option<TransferId>,
}

impl Movement {
    async fn check(&self, app: &App, key: AccountKey) -> Result<Checked, Problem> {
        let settlement = self.settlement.as_deref().unwrap_or(SETTLEMENT);
        let settlement = input::field("settlement", settlement)?;
        let words = Words {
            code: self.code,
            reference: self.reference.as_deref(),
            description: self.description.as_deref(),
            metadata: self.metadata.as_ref(),
            effective_at: self.effective_at.as_deref(),
        };
        let details = words.details()?;
        let id = input::optional("id", self.id.as_deref())?;
        // The account's currency never changes, so it can be read beforehand.
        let currency = find(app, key).await?.state.currency;
        Ok(Checked {
            money: input::money(&self.amount, currency)?,
            settlement,
            details,
            id,
        })
    }
}

/// `POST /v1/accounts/{id}/deposits`
pub(crate) async fn deposit(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    headers: HeaderMap,
    Json(movement): Json<Movement>,
) -> Result<Response, Problem> {
    let checked = movement.check(&app, key).await?;
    let command = Deposit::new(key.id, checked.money, checked.settlement)
        .with_id(checked.id)
        .with_details(checked.details);
    reply::create(&app, &headers, command, posted).await
}

/// `POST /v1/accounts/{id}/withdrawals`
pub(crate) async fn withdraw(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    headers: HeaderMap,
    Json(movement): Json<Movement>,
) -> Result<Response, Problem> {
    let checked = movement.check(&app, key).await?;
    let command = Withdrawal::new(key.id, checked.money, checked.settlement)
        .with_id(checked.id)
        .with_details(checked.details);
    reply::create(&app, &headers, command, posted).await
}
