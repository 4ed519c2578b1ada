use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use wallet_core::{AccountId, AccountQuery, LedgerId, OpenAccount, Owner, Receipt};

use super::find;
use crate::body::{AccountBody, Page, PolicyBody, limit_of, page_size};
use crate::input::{self, Id, Json, Params};
use crate::problem::Problem;
use crate::{App, reply};

/// What opens an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opening {
    owner: String,
    currency: String,
    policy: Option<PolicyBody>,
    max_balance: Option<String>,
    metadata: Option<Value>,
    id: Option<String>,
}

/// `POST /v1/accounts`
pub(crate) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<Opening>,
) -> Result<Response, Problem> {
    let owner: Owner = input::field("owner", &body.owner)?;
    let currency = input::currency(&app, &body.currency)?;
    let policy = body
        .policy
        .map(|policy| policy.policy(currency))
        .transpose()?;
    let max = body
        .max_balance
        .map(|text| limit_of("max_balance", &text, currency));
    let command = OpenAccount::new(owner, currency)
        .with_id(input::optional::<AccountId>("id", body.id.as_deref())?)
        .with_policy(policy.unwrap_or_default())
        .with_max_balance(max.transpose()?)
        .with_metadata(body.metadata.as_ref().map(input::metadata).transpose()?);
    let render = |receipt: &Receipt| match receipt {
        Receipt::AccountOpened(account) => Some(AccountBody::of(account)),
        _ => None,
    };
    reply::create(&app, &headers, command, render).await
}

/// `GET /v1/accounts/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Id(key): Id<AccountId>,
) -> Result<Response, Problem> {
    Ok(reply::ok(&AccountBody::of(&find(&app, key).await?)))
}

/// Which accounts to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    owner: Option<String>,
    currency: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/accounts`
pub(crate) async fn list(
    State(app): State<App>,
    Params(listing): Params<Listing>,
) -> Result<Response, Problem> {
    let size = page_size(listing.limit)?;
    let currency = listing.currency.map(|code| input::currency(&app, &code));
    let query = AccountQuery {
        ledger: LedgerId::default(),
        owner: input::optional("owner", listing.owner.as_deref())?,
        currency: currency.transpose()?,
        after: input::optional::<AccountId>("cursor", listing.cursor.as_deref())?,
        limit: size.saturating_add(1),
    };
    let accounts = app.wallet().list_accounts(&query).await?;
    let cursor = |account: &wallet_core::Account| account.state.key.id.uuid().simple().to_string();
    Ok(reply::ok(&Page::of(
        accounts,
        size,
        cursor,
        AccountBody::of,
    )))
}
