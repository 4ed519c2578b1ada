//! The routers: all routes, the operators' routes, and the documents of both.
//!
//! A route is one line here and a handler in `routes`. Every route runs inside
//! `middleware::guard`. `openapi` finishes the documents.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::Components;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::middleware::guard;
use crate::openapi;
use crate::problem::{Code, Problem};
use crate::routes::{
    accounts, batches, health, holds, metrics, movements, outcomes, statements, system, transfers,
};

/// The routes, and the schemas of their document.
struct Routes {
    routes: Router<App>,
    schemas: Option<Components>,
}

/// The routes and their `OpenAPI` document. They are the same for every app and expensive
/// to build.
static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
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
        .routes(routes!(system::create))
        .routes(routes!(holds::place, holds::list))
        .routes(routes!(holds::show))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::release))
        .routes(routes!(batches::create))
        .routes(routes!(outcomes::show))
        .routes(routes!(outcomes::cancel))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts();
    let schemas = api.components.clone();
    let routes = documented(routes, openapi::finish(api));
    Routes { routes, schemas }
});

/// The same for the operators' routes.
static ADMIN_ROUTES: LazyLock<Router<App>> = LazyLock::new(|| {
    let (routes, mut api) = OpenApiRouter::with_openapi(openapi::admin_base())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::show))
        .split_for_parts();
    // A problem may refer to a resource of another route.
    api.components.clone_from(&ROUTES.schemas);
    documented(routes, openapi::finish(api))
});

fn documented(routes: Router<App>, document: openapi::Document) -> Router<App> {
    let show = move || async move { document.response() };
    routes
        .route("/openapi.json", get(show))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

/// All routes, and `/openapi.json`, which documents them.
pub fn router(app: App) -> Router {
    guarded(ROUTES.routes.clone(), app)
}

/// The operators' routes: `/metrics`, `/health/...`, and their own `/openapi.json`. Serve
/// them where no client can reach them.
pub fn admin_router(app: App) -> Router {
    guarded(ADMIN_ROUTES.clone(), app)
}

fn guarded(routes: Router<App>, app: App) -> Router {
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
