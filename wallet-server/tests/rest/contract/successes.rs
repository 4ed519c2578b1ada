use serde_json::json;
use wallet_core::Settings;

use super::{Books, Call, Document, cancel, reads, writes};

pub(super) fn walk(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    for call in writes() {
        // As a dry run it does nothing: carried out afterwards, it succeeds.
        call.clone()
            .with_query("dry_run=true")
            .expect(client, document, 200);
        let answer = call.send(client, document);
        assert!([200, 201].contains(&answer.status), "{call:?}: {answer:?}");
        assert!(!answer.is_replayed(), "{call:?}");
        document.check(call.operation, &answer);
        let again = call.send(client, document);
        assert!(again.is_replayed(), "{call:?}");
        assert_eq!((again.status, again.body), (answer.status, answer.body));
    }
    let item = |path: &str, body| json!({"path": path, "body": body});
    let batch = json!({"atomic": false, "requests": [
        item("/v1/accounts", json!({"owner": "ada", "currency": "EUR"})),
        item(&format!("/v1/accounts/{}/freeze", Books::BOB), json!({"debits": true})),
        item(&format!("/v1/accounts/{}/close", Books::BOB), json!({})),
        item("/v1/holds", json!({
            "from": Books::ADA, "to": Books::BOB, "amount": "1.00", "currency": "EUR",
            "expires_in_secs": 60, "metadata": {"a": [1]}, "effective_at": "2026-01-01T00:00:00Z",
        })),
    ]});
    Call::post("create_batch", "/v1/batches", "many", &batch).expect(client, document, 200);
    for call in reads() {
        call.expect(client, document, 200);
    }
    for key in ["w5", "w10", "w12", "many?item=1", "many?item=2"] {
        let (key, query) = key.split_once('?').unwrap_or((key, ""));
        let call = Call::get("get_outcome", format!("/v1/outcomes/{key}"));
        let call = if query.is_empty() {
            call
        } else {
            call.with_query(query)
        };
        call.expect(client, document, 200);
    }
    for key in ["never", "w7", "many"] {
        cancel(key).expect(client, document, 200);
    }
    Call::get("get_outcome", "/v1/outcomes/many").expect(client, document, 200);
    Call::get("get_outcome", "/v1/outcomes/never").expect(client, document, 200);
    let then = "at=2025-01-01T00:00:00Z";
    let path = format!("/v1/accounts/{}/balance", Books::ADA);
    Call::get("get_balance", path)
        .with_query(then)
        .expect(client, document, 200);
    Call::get("is_live", "/health/live").expect(client, document, 200);
    Call::get("is_ready", "/health/ready").expect(client, document, 200);
}
