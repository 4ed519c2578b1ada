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
use wallet_core::ledger::Posted;
use wallet_core::{Currency, SettlementName, SystemClock, Wallet, WalletError, Withdrawal};
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
    let wallet = Wallet::builder(store).spawn()?;
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
    match take(&wallet, order, &account).await {
        Ok(_) => (StatusCode::OK, format!("order {order} is paid")),
        Err(error) => {
            let status = match &error {
                WalletError::Rejected(_) => StatusCode::PAYMENT_REQUIRED,
                // No account has such an id.
                WalletError::Value(_) => StatusCode::BAD_REQUEST,
                // The order was paid from another account.
                WalletError::IdempotencyMismatch => StatusCode::CONFLICT,
                // The result may be unknown: the same call repeats the request and pays once.
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            (status, error.to_string())
        }
    }
}

async fn take(wallet: &Wallet, order: u32, account: &str) -> Result<Posted, WalletError> {
    let price = Currency::iso("EUR")?.parse(PRICE)?;
    let take = Withdrawal::new(account.parse()?, price, SettlementName::new("shop")?);
    let shop = wallet.scope("shop")?;
    shop.run(&format!("order-{order}"), take).await
}
