use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use wallet_core::{CurrencyTable, KeyScope, TextError, Wallet};

use crate::middleware::guard;
use crate::problem::Problem;
use crate::routes::{accounts, health, movements, statements, transfers};

/// What every route works with; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    wallet: Wallet,
    currencies: CurrencyTable,
    scope: KeyScope,
    request_timeout: Duration,
    body_max: usize,
    is_draining: AtomicBool,
}

impl App {
    /// Routes over `wallet` that know `currencies`.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn new(
        wallet: Wallet,
        currencies: CurrencyTable,
        request_timeout: Duration,
        body_max: usize,
    ) -> Result<Self, TextError> {
        Ok(Self {
            inner: Arc::new(Inner {
                wallet,
                currencies,
                scope: KeyScope::new("rest")?,
                request_timeout,
                body_max,
                is_draining: AtomicBool::new(false),
            }),
        })
    }

    /// The service behind the routes.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.inner.wallet
    }

    pub(crate) fn currencies(&self) -> &CurrencyTable {
        &self.inner.currencies
    }

    /// Whose idempotency keys these are. A host with many callers gives each a
    /// scope of its own.
    pub(crate) fn scope(&self) -> KeyScope {
        self.inner.scope.clone()
    }

    pub(crate) fn body_max(&self) -> usize {
        self.inner.body_max
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }

    /// From here on readiness is denied.
    pub fn drain(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.inner.is_draining.load(Ordering::Relaxed)
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let body_max = app.body_max();
    Router::new()
        .route("/v1/accounts", post(accounts::open).get(accounts::list))
        .route("/v1/accounts/{id}", get(accounts::show))
        .route("/v1/accounts/{id}/balance", get(statements::balance))
        .route("/v1/accounts/{id}/entries", get(statements::entries))
        .route("/v1/accounts/{id}/deposits", post(movements::deposit))
        .route("/v1/accounts/{id}/withdrawals", post(movements::withdraw))
        .route("/v1/transfers", post(transfers::create))
        .route("/v1/transfers/{id}", get(transfers::show))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(body_max))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(
        "unknown_path",
        format!("there is nothing at {}", uri.path()),
    )
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(
        405,
        "method_not_allowed",
        format!("{method} is not allowed here"),
    )
}
