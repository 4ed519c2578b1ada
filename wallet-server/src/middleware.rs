//! The middleware around every route.
//!
//! It admits a request (framing, `Host`, limits of its client), lets it wait for its turn
//! among the reads, and limits its time. A panic becomes a problem. Every answer is
//! counted and logged, and gets the headers that all answers share. `router` adds it to
//! the routes.

use std::panic::AssertUnwindSafe;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;
use wallet_core::runtime::{IdGenerator, Uuid7};

use crate::connection::{Arrival, Presence};
use crate::problem::{Code, Problem};
use crate::{App, forwarded};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware around every route: request id, time limit, panic handling, log line
/// and metrics.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        %method,
        path = request.uri().path(),
        client = tracing::field::Empty,
    );
    let answer = answer(&app, request, next);
    let mut response = answer.instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    span.in_scope(|| {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if status >= 500 {
            tracing::warn!(status, took_us, "failed");
        } else {
            tracing::debug!(status, took_us, "answered");
        }
    });
    let route = matched.as_ref().map_or("unknown", MatchedPath::as_str);
    app.metrics().answered(known(&method), route, status, took);
    let is_gone = response.extensions().get() == Some(&Code::STORE_UNAVAILABLE);
    if is_gone && route.starts_with("/v1/") {
        app.readiness().doubt();
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    if app.is_draining() {
        // The answer announces that the server closes the connection.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // Balances must not be cached, and a response must not be run as a page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Admits a request. Returns what it counts against its client while it is open.
fn admit(app: &App, request: &Request) -> Result<Option<Presence>, Problem> {
    let settings = app.settings();
    let arrival = request.extensions().get::<Arrival>().copied();
    if arrival.is_some_and(|arrival| arrival.is_ambiguous) {
        let detail = "the length of the body is given by Content-Length and Transfer-Encoding";
        return Err(Problem::new(Code::AMBIGUOUS_LENGTH, detail));
    }
    let mut encodings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if encodings
        .next()
        .is_some_and(|encoding| !is_chunked(encoding))
        || encodings.next().is_some()
    {
        let detail = "the body must be sent without a Transfer-Encoding, or as chunked alone";
        return Err(Problem::new(Code::UNSUPPORTED_TRANSFER_ENCODING, detail));
    }
    let (uri, version) = (request.uri(), request.version());
    settings.hosts.check(uri, version, request.headers())?;
    let Some(Arrival { peer, .. }) = arrival else {
        return Ok(None);
    };
    let client = forwarded::client(peer.ip(), request.headers(), &settings.trusted_proxies);
    tracing::Span::current().record("client", tracing::field::display(client));
    if client == peer.ip() {
        // The server counts this client by its connections.
        return Ok(None);
    }
    let too_many = || Problem::new(Code::TOO_MANY_CONNECTIONS, "too many requests are open");
    app.clients().enter(client).map(Some).ok_or_else(too_many)
}

/// Carries out a request, after it has its turn among the reads.
async fn in_turn(app: &App, request: Request, next: Next) -> Response {
    let _turn = match app.lanes().of(&request) {
        None => None,
        Some(lane) => match lane.enter().await {
            Ok(turn) => Some(turn),
            Err(problem) => return problem.into_response(),
        },
    };
    next.run(request).await
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let _presence = match admit(app, &request) {
        Ok(presence) => presence,
        Err(problem) => return problem.into_response(),
    };
    let work = AssertUnwindSafe(in_turn(app, request, next)).catch_unwind();
    match tokio::time::timeout(app.settings().request_timeout, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a route panicked");
            Problem::internal().into_response()
        }
        Err(_) => {
            // The request continues without its caller, so its outcome is unknown.
            let detail = "it took too long and may still happen: \
                          send it again under the same key";
            Problem::new(Code::TIMEOUT, detail).into_response()
        }
    }
}

/// The method as a metric label. Callers could invent any number of methods.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// The caller's request id if it is valid, otherwise a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(REQUEST_ID).filter(|id| {
        let bytes = id.as_bytes();
        (1..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(made_id)
}

fn made_id() -> HeaderValue {
    let made = HeaderValue::from_str(&Uuid7.new_id().to_string());
    // A UUID is always a valid header value.
    made.unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;
    use wallet_core::memory::MemoryStore;
    use wallet_core::{SystemClock, Wallet};

    use super::*;
    use crate::AppSettings;

    async fn panicking() -> &'static str {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_says_nothing_of_it() {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let wallet = Wallet::builder(store).spawn().unwrap();
        let app = App::new(wallet, AppSettings::default()).unwrap();
        let router: Router = Router::new()
            .route("/", get(panicking))
            .layer(from_fn_with_state(app, guard));

        let request = Request::builder().header("Host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        assert!(response.headers().contains_key(REQUEST_ID));
        let body = to_bytes(response.into_body(), 1_024).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(r#""code":"internal""#), "{body}");
        assert!(!body.contains("secret"), "{body}");
    }
}
