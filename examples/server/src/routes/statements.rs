use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use wallet_core::{AccountId, Entry, EntryQuery, Order, StoreErrorKind, WalletError};

use super::find;
use crate::body::{BalanceBody, EntryBody, Page, PastBalanceBody, page_size};
use crate::input::{self, Id, Params};
use crate::problem::Problem;
use crate::{App, reply};

/// At which time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct At {
    at: Option<String>,
}

/// `GET /v1/accounts/{id}/balance`
pub(crate) async fn balance(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    Params(At { at }): Params<At>,
) -> Result<Response, Problem> {
    let Some(at) = at else {
        return Ok(reply::ok(&BalanceBody::of(&find(&app, key).await?)));
    };
    let at = input::time("at", &at)?;
    let balance = match app.wallet().balance_at(key, at).await {
        Ok(balance) => balance,
        Err(WalletError::Store(error)) if error.kind() == StoreErrorKind::Invalid => {
            return Err(Problem::bad_field("at", "must not lie in the future"));
        }
        Err(error) => return Err(error.into()),
    };
    let unknown = || Problem::not_found("account_not_found", format!("no account {}", key.id));
    let balance = balance.ok_or_else(unknown)?;
    Ok(reply::ok(&PastBalanceBody::of(key, &balance, at)))
}

/// Which entries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
    order: Option<Direction>,
}

/// In which order.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Asc,
    Desc,
}

/// `GET /v1/accounts/{id}/entries`
pub(crate) async fn entries(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    Params(listing): Params<Listing>,
) -> Result<Response, Problem> {
    let size = page_size(listing.limit)?;
    let time = |name, text: Option<String>| text.map(|text| input::time(name, &text)).transpose();
    let query = EntryQuery {
        account: key,
        from: time("from", listing.from)?,
        to: time("to", listing.to)?,
        order: match listing.order {
            None | Some(Direction::Asc) => Order::Ascending,
            Some(Direction::Desc) => Order::Descending,
        },
        after: listing.cursor.as_deref().map(sequence).transpose()?,
        limit: size.saturating_add(1),
    };
    let currency = find(&app, key).await?.state.currency;
    let entries = app.wallet().entries(&query).await?;
    let cursor = |entry: &Entry| format!("{:x}", entry.sequence);
    let render = |entry: &Entry| EntryBody::of(entry, currency);
    Ok(reply::ok(&Page::of(entries, size, cursor, render)))
}

/// What a cursor stands for.
fn sequence(cursor: &str) -> Result<i64, Problem> {
    let digits = cursor.bytes().all(|byte| byte.is_ascii_hexdigit());
    let sequence = i64::from_str_radix(cursor, 16).ok().filter(|_| digits);
    sequence.ok_or_else(|| Problem::bad_field("cursor", "is none of this list"))
}
