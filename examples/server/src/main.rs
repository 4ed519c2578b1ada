//! A host that serves the wallet's routes (`/v1/...`) in its own axum application,
//! beside a route of its own that pays through the same wallet.
//!
//! ```sh
//! cargo run -p wallet-host-example
//! curl -X POST localhost:8080/shop/orders/7/pay/ACCOUNT
//! ```

#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as In, State};
use axum::http::StatusCode;
use axum::routing::post;
use wallet_core::{
    AccountId, Currency, IdempotencyKey, Money, Request, SettlementName, SystemClock, Wallet,
    WalletError, Withdrawal,
};
use wallet_server::{App, AppSettings, router};
use wallet_sqlite::{SqliteSettings, SqliteStore};

/// The price of every order.
const PRICE: &str = "9.00";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, application(Path::new("shop.db"))?).await?;
    Ok(())
}

/// The wallet's routes and the shop's, over the books in `file`.
fn application(file: &Path) -> Result<Router, Box<dyn Error>> {
    let store = SqliteStore::open(&SqliteSettings::new(file), Arc::new(SystemClock))?;
    let wallet = Wallet::builder(Arc::new(store)).spawn()?;
    let shop = Router::new()
        .route("/shop/orders/{order}/pay/{account}", post(pay))
        .with_state(wallet.clone());
    Ok(shop.merge(router(App::new(wallet, AppSettings::default())?)))
}

/// Takes the price of an order from an account; idempotent.
async fn pay(
    State(wallet): State<Wallet>,
    In((order, account)): In<(u32, String)>,
) -> (StatusCode, String) {
    let Some(request) = payment(order, &account) else {
        return (StatusCode::BAD_REQUEST, "no such account".to_owned());
    };
    match wallet.submit(request).await {
        Ok(answer) => match answer.accepted() {
            Ok(_) => (StatusCode::OK, format!("order {order} is paid")),
            Err(refused) => (StatusCode::PAYMENT_REQUIRED, refused.to_string()),
        },
        Err(WalletError::IdempotencyMismatch) => {
            let paid = "the order was paid from another account";
            (StatusCode::CONFLICT, paid.to_owned())
        }
        // The outcome may be unknown: the same call repeats the request and pays once.
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

fn payment(order: u32, account: &str) -> Option<Request> {
    let account: AccountId = account.parse().ok()?;
    let price = Money::parse(PRICE, Currency::iso("EUR").ok()?).ok()?;
    let take = Withdrawal::new(account, price, SettlementName::new("shop").ok()?);
    let key = IdempotencyKey::parse("shop", &format!("order-{order}")).ok()?;
    Some(Request::new(key, take))
}
