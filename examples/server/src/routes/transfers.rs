use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use wallet_core::{Leg, PostTransfer, TransferId};

use super::posted;
use crate::body::TransferBody;
use crate::input::{self, Id, Json, Words};
use crate::problem::Problem;
use crate::{App, reply};

/// A transfer: one leg in its own fields, or `legs`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTransfer {
    from: Option<String>,
    to: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    legs: Option<Vec<NewLeg>>,
    code: Option<u32>,
    reference: Option<String>,
    description: Option<String>,
    metadata: Option<Value>,
    effective_at: Option<String>,
    id: Option<String>,
}

/// A leg.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLeg {
    from: String,
    to: String,
    amount: String,
    currency: String,
}

impl NewLeg {
    fn leg(&self, app: &App) -> Result<Leg, Problem> {
        let currency = input::currency(app, &self.currency)?;
        Ok(Leg::new(
            input::field("from", &self.from)?,
            input::field("to", &self.to)?,
            input::money(&self.amount, currency)?,
        ))
    }
}

impl NewTransfer {
    fn legs(&self, app: &App) -> Result<Vec<Leg>, Problem> {
        let single = [&self.from, &self.to, &self.amount, &self.currency];
        match (
            &self.legs,
            &self.from,
            &self.to,
            &self.amount,
            &self.currency,
        ) {
            (Some(legs), ..) if single.iter().all(|field| field.is_none()) => {
                legs.iter().map(|leg| leg.leg(app)).collect()
            }
            (None, Some(from), Some(to), Some(amount), Some(currency)) => {
                let leg = NewLeg {
                    from: from.clone(),
                    to: to.clone(),
                    amount: amount.clone(),
                    currency: currency.clone(),
                };
                Ok(vec![leg.leg(app)?])
            }
            _ => {
                let detail = "give from, to, amount and currency, or legs, and not both";
                Err(Problem::bad_request("invalid_body", detail))
            }
        }
    }
}

/// `POST /v1/transfers`
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<NewTransfer>,
) -> Result<Response, Problem> {
    let words = Words {
        code: body.code,
        reference: body.reference.as_deref(),
        description: body.description.as_deref(),
        metadata: body.metadata.as_ref(),
        effective_at: body.effective_at.as_deref(),
    };
    let command = PostTransfer::new(body.legs(&app)?)
        .with_id(input::optional::<TransferId>("id", body.id.as_deref())?)
        .with_details(words.details()?);
    reply::create(&app, &headers, command, posted).await
}

/// `GET /v1/transfers/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Id(key): Id<TransferId>,
) -> Result<Response, Problem> {
    let row = app.wallet().transfer(key).await?;
    let unknown = || Problem::not_found("transfer_not_found", format!("no transfer {}", key.id));
    Ok(reply::ok(&TransferBody::of(&row.ok_or_else(unknown)?)))
}
