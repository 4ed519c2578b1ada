use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use wallet_core::{IdGenerator, Uuid7};

use crate::App;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around every route: a request id, a time limit, no panic that reaches the
/// caller, one line in the log.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout(app.request_timeout(), work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(request_id = ?id, %method, path, "a route panicked");
            Problem::new(500, "internal", "the request failed").into_response()
        }
        Err(_) => {
            // The request goes on without its caller, so its fate is open.
            let detail = "it took too long and may still happen: \
                          send it again under the same key";
            Problem::new(504, "timeout", detail)
                .retry_after(1)
                .into_response()
        }
    };
    let status = response.status().as_u16();
    if status >= 500 {
        tracing::warn!(request_id = ?id, %method, path, status, "failed");
    } else {
        tracing::debug!(request_id = ?id, %method, path, status, "answered");
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    // What a balance was is nobody's to keep, and never to be run as a page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The caller's own id if it is a sane one, else a new one.
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
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;
    use wallet_core::memory::MemoryStore;
    use wallet_core::{CurrencyTable, SystemClock, Wallet};

    use super::*;

    async fn panicking() -> &'static str {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_it() {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let wallet = Wallet::builder(store).spawn().unwrap();
        let timeout = Duration::from_secs(30);
        let app = App::new(wallet, CurrencyTable::iso(), timeout, 1_024).unwrap();
        let router: Router = Router::new()
            .route("/", get(panicking))
            .layer(from_fn_with_state(app, guard));

        let request = Request::builder().body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        assert!(response.headers().contains_key(REQUEST_ID));
        let body = to_bytes(response.into_body(), 1_024).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(r#""code":"internal""#), "{body}");
        assert!(!body.contains("secret"), "{body}");
    }
}
