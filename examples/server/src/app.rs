use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wallet_core::{CurrencyTable, KeyScope, TextError, Wallet};

use crate::metrics::{self, Metrics};
use crate::middleware::guard;
use crate::openapi;
use crate::problem::{Code, Problem};
use crate::routes::{accounts, batches, health, holds, movements, outcomes, statements, transfers};

/// Whose idempotency keys those of the API are.
pub(crate) const SCOPE: &str = "rest";

/// What every route works with; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    wallet: Wallet,
    settings: AppSettings,
    scope: KeyScope,
    metrics: Metrics,
    is_draining: AtomicBool,
}

/// How the routes work: plain data.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The currencies that requests may name.
    pub currencies: CurrencyTable,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// The largest body accepted, in bytes.
    pub body_max: usize,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            currencies: CurrencyTable::iso(),
            request_timeout: Duration::from_secs(30),
            body_max: 65_536,
        }
    }
}

impl App {
    /// Routes over `wallet`.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn new(wallet: Wallet, settings: AppSettings) -> Result<Self, TextError> {
        Ok(Self {
            inner: Arc::new(Inner {
                metrics: Metrics::new(&wallet),
                wallet,
                settings,
                scope: KeyScope::new(SCOPE)?,
                is_draining: AtomicBool::new(false),
            }),
        })
    }

    /// The service behind the routes.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.inner.wallet
    }

    pub(crate) fn settings(&self) -> &AppSettings {
        &self.inner.settings
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Whose idempotency keys these are. A host with many callers gives each a
    /// scope of its own.
    pub(crate) fn scope(&self) -> KeyScope {
        self.inner.scope.clone()
    }

    /// From here on readiness is denied.
    pub fn drain(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.inner.is_draining.load(Ordering::Relaxed)
    }
}

/// The routes and the document that tells of them: the same for every app, and
/// much work to make.
static ROUTES: LazyLock<Router<App>> = LazyLock::new(|| {
    let (routes, api) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(accounts::open, accounts::list))
        .routes(routes!(accounts::show))
        .routes(routes!(accounts::freeze))
        .routes(routes!(accounts::unfreeze))
        .routes(routes!(accounts::close))
        .routes(routes!(statements::balance))
        .routes(routes!(statements::entries))
        .routes(routes!(movements::deposit))
        .routes(routes!(movements::withdraw))
        .routes(routes!(transfers::create))
        .routes(routes!(transfers::show))
        .routes(routes!(transfers::reverse))
        .routes(routes!(holds::place, holds::list))
        .routes(routes!(holds::show))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::release))
        .routes(routes!(batches::create))
        .routes(routes!(outcomes::show))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
        .split_for_parts();
    let document = openapi::finish(api);
    let show = move || async move { document.response() };
    routes
        .route("/openapi.json", get(show))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
});

/// All routes, and `/openapi.json`, which tells of them.
pub fn router(app: App) -> Router {
    let routes = ROUTES.clone();
    routes
        .layer(DefaultBodyLimit::max(app.settings().body_max))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

async fn unknown_path(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}", uri.path());
    Problem::new(Code::UNKNOWN_PATH, detail)
}

async fn wrong_method(method: Method) -> Problem {
    let detail = format!("{method} is not allowed here");
    Problem::new(Code::METHOD_NOT_ALLOWED, detail)
}
