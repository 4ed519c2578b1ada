//! Both kinds of routes over one wallet.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::application;

async fn send(app: &Router, path: &str, key: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 65_536).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn an_order_is_paid_once_and_not_without_money() {
    let folder = tempfile::tempdir().unwrap();
    let app = application(&folder.path().join("shop.db")).unwrap();
    let open = r#"{"owner": "ada", "currency": "EUR"}"#;
    let (status, account) = send(&app, "/v1/accounts", "open", open).await;
    assert_eq!(status, StatusCode::CREATED, "{account}");
    let account: Value = serde_json::from_str(&account).unwrap();
    let account = account["id"].as_str().unwrap();
    let deposit = format!("/v1/accounts/{account}/deposits");
    let (status, body) = send(&app, &deposit, "in", r#"{"amount": "10.00"}"#).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");

    let pay = |order: u32| format!("/shop/orders/{order}/pay/{account}");
    for _ in 0..2 {
        let paid = send(&app, &pay(7), "", "").await;
        assert_eq!(paid, (StatusCode::OK, "order 7 is paid".to_owned()));
    }
    let (status, refused) = send(&app, &pay(8), "", "").await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{refused}");
    let (status, _) = send(&app, "/shop/orders/9/pay/nobody", "", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = send(&app, "/nowhere", "", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
