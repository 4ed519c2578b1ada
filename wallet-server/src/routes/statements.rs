//! Balances, now and at a past time, and statements.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use wallet_core::history::HistoryQuery;
use wallet_core::store::{Order, StoreErrorKind};
use wallet_core::{AccountId, Entry, Rejection, StoreError, WalletError};

use crate::input::{self, Id, Params};
use crate::output::{BalanceBody, EntryBody, Page, PastBalanceBody, page_size};
use crate::problem::{Code, LIST, Problem, READ, errors};
use crate::{App, lookup, reply, schema};

const NOT_FOUND: Code = Code::of(Rejection::AccountNotFound);

/// The time of the balance.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct At {
    /// A past time as RFC 3339 (write `+` as `%2B`); now by default.
    #[param(value_type = Option<schema::Time>)]
    at: Option<String>,
}

/// A present or past balance.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it documents; nobody builds it")]
enum Balance {
    Now(BalanceBody),
    Then(PastBalanceBody),
}

errors!(BalanceErrors: READ, LIST, &[NOT_FOUND, Code::STORE_CONFLICT]);

/// An account's balance, now or at a past time.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/balance", tag = "accounts", operation_id = "get_balance",
    params(("id" = schema::Id, Path), At),
    responses((status = 200, body = inline(Balance)), BalanceErrors)
)]
pub(crate) async fn balance(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    Params(At { at }): Params<At>,
) -> Result<Response, Problem> {
    let Some(at) = at else {
        let account = lookup::account(&app, key).await?;
        return Ok(reply::ok(&BalanceBody::of(&account)));
    };
    let at = input::time("at", &at)?;
    let balance = match app.wallet().balance_at(key, at).await {
        Ok(balance) => balance,
        Err(WalletError::Store(error)) if error.kind() == StoreErrorKind::Invalid => {
            return Err(Problem::field("at", "must not lie in the future"));
        }
        Err(error) => return Err(error.into()),
    };
    let unknown = || Problem::new(NOT_FOUND, format!("no account {}", key.id));
    let balance = balance.ok_or_else(unknown)?;
    Ok(reply::ok(&PastBalanceBody::of(key, &balance, at)))
}

/// The filter of entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Only entries at this time or later.
    #[param(value_type = Option<schema::Time>)]
    from: Option<String>,
    /// Only entries before this time.
    #[param(value_type = Option<schema::Time>)]
    to: Option<String>,
    /// The start of the page: `next` of the page before.
    cursor: Option<String>,
    /// The size of the page: 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Oldest first (`asc`, the default) or newest first (`desc`).
    #[param(inline)]
    order: Option<Direction>,
}

/// The order of entries.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Asc,
    Desc,
}

errors!(ListErrors: READ, LIST, &[NOT_FOUND]);

/// An account's statement, in pages.
#[utoipa::path(
    get, path = "/v1/accounts/{id}/entries", tag = "accounts", operation_id = "list_entries",
    params(("id" = schema::Id, Path), Listing),
    responses((status = 200, body = Page<EntryBody>), ListErrors)
)]
pub(crate) async fn entries(
    State(app): State<App>,
    Id(key): Id<AccountId>,
    Params(listing): Params<Listing>,
) -> Result<Response, Problem> {
    let size = page_size(listing.limit)?;
    let time = |name, text: Option<String>| text.map(|text| input::time(name, &text)).transpose();
    let cursor = listing.cursor.map(|text| text.parse().map_err(foreign));
    let query = HistoryQuery {
        account: key,
        from: time("from", listing.from)?,
        to: time("to", listing.to)?,
        order: match listing.order {
            None | Some(Direction::Asc) => Order::Ascending,
            Some(Direction::Desc) => Order::Descending,
        },
        cursor: cursor.transpose()?,
        limit: size.saturating_add(1),
    };
    // The cursor belongs to another list.
    query.after().map_err(foreign)?;
    let currency = lookup::account(&app, key).await?.state.currency;
    let entries = app.wallet().statement(&query).await?.entries;
    let cursor = |entry: &Entry| {
        let cursor = query.cursor_behind(entry.created_at, entry.sequence);
        cursor.to_string()
    };
    let render = |entry: &Entry| EntryBody::of(entry, currency);
    Ok(reply::ok(&Page::of(entries, size, cursor, render)))
}

fn foreign(_: StoreError) -> Problem {
    Problem::field("cursor", "is none of this list")
}
