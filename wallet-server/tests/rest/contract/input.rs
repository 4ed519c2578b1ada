//! Input errors that are found before the books are read.

use serde_json::json;
use wallet_core::Settings;

use super::{Books, Call, Document, cancel, reads, writes};
use crate::support::World;

pub(super) fn walk(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    cancel("cancelled").expect(client, document, 200);
    cancel("k")
        .with_query("colour=red")
        .problem(client, document, "invalid_query");
    cancel("%01").problem(client, document, "invalid_field");
    cancel("k")
        .with_body("{}")
        .problem(client, document, "invalid_request");
    for call in writes() {
        let spaces = vec![b' '; 65_537];
        let wrong = [
            (call.clone().with_body("[]"), "invalid_body"),
            (call.clone().with_query("dry_run=maybe"), "invalid_query"),
            (
                call.clone().without("Idempotency-Key"),
                "idempotency_key_missing",
            ),
            (call.clone().with_key("\"open"), "idempotency_key_invalid"),
            (call.clone().with_body(spaces), "body_too_large"),
            (
                call.clone().without("Content-Type"),
                "unsupported_media_type",
            ),
            (
                call.clone().with_header("Content-Encoding", "gzip"),
                "unsupported_content_encoding",
            ),
            (call.clone().with_key("used"), "idempotency_mismatch"),
            (call.clone().with_key("cancelled"), "cancelled"),
        ];
        for (call, code) in wrong {
            call.problem(client, document, code);
        }
    }
    fields(document, client);
    requests(document, client);
    closed(document);
    for call in reads() {
        if document.documents(call.operation, "invalid_query") {
            let unknown = call.clone().with_query("colour=red");
            unknown.problem(client, document, "invalid_query");
        }
    }
}

/// Requests that the server refuses without an option.
fn closed(document: &Document) {
    let world = World::memory();
    let client = world.client();
    let leg = json!({
        "from": {"settlement": "bank"}, "to": {"settlement": "card"},
        "amount": "1.00", "currency": "EUR",
    });
    let body = json!({"legs": [leg]});
    let code = "system_transfers_not_allowed";
    let alone = Call::post("create_system_transfer", "/v1/system-transfers", "k", &body);
    alone.problem(client, document, code);
    // This refusal comes first, whatever else is wrong.
    alone
        .clone()
        .with_body("[]")
        .problem(client, document, code);
    let item = json!({"path": "/v1/system-transfers", "body": body});
    for atomic in [true, false] {
        let batch = json!({"atomic": atomic, "requests": [item]});
        let key = format!("closed-{atomic}");
        let call = Call::post("create_batch", "/v1/batches", key, &batch);
        let answer = call.problem(client, document, code).json();
        assert_eq!(answer["index"], 0, "{answer}");
    }
    let accounts = client.get("/v1/accounts").expect(200).json();
    assert_eq!(accounts["items"], json!([]));
}

fn fields(document: &Document, client: crate::support::Client) {
    let bad_id = |call: &Call| {
        let mut parts: Vec<&str> = call.path.split('/').collect();
        parts[3] = "7";
        Call {
            path: parts.join("/"),
            ..call.clone()
        }
    };
    for call in reads().iter().chain(&writes()) {
        if call.path.split('/').count() > 3 && call.operation != "get_outcome" {
            bad_id(call).problem(client, document, "invalid_field");
        }
    }
    let posts = [
        (
            "open_account",
            "/v1/accounts",
            json!({"owner": "", "currency": "EUR"}),
        ),
        (
            "create_transfer",
            "/v1/transfers",
            json!({
                "from": "x", "to": Books::BOB, "amount": "1.00", "currency": "EUR",
            }),
        ),
        (
            "place_hold",
            "/v1/holds",
            json!({
                "from": Books::ADA, "to": Books::BOB, "amount": "0.00", "currency": "EUR",
            }),
        ),
        (
            "create_batch",
            "/v1/batches",
            json!({"atomic": true, "requests": []}),
        ),
        (
            "create_system_transfer",
            "/v1/system-transfers",
            json!({"legs": [{
                "from": {"settlement": "Bank"}, "to": {"settlement": "card"},
                "amount": "1.00", "currency": "EUR",
            }]}),
        ),
    ];
    for (operation, path, body) in posts {
        Call::post(operation, path, "k", &body).problem(client, document, "invalid_field");
    }
    let lists = [
        Call::get("list_accounts", "/v1/accounts").with_query("limit=0"),
        Call::get("list_holds", "/v1/holds").with_query("account=7"),
        Call::get("get_outcome", "/v1/outcomes/%01"),
    ];
    for call in lists {
        call.problem(client, document, "invalid_field");
    }
}

/// Well-formed requests that are not valid.
fn requests(document: &Document, client: crate::support::Client) {
    let nil = json!({"id": "00000000-0000-0000-0000-000000000000"});
    let same = json!({
        "from": Books::ADA, "to": Books::ADA, "amount": "1.00", "currency": "EUR",
    });
    let deposit = json!({"amount": "1.00", "id": nil["id"]});
    let opening = json!({"owner": "a", "currency": "EUR", "id": nil["id"]});
    let own = json!({"legs": [{
        "from": {"settlement": "bank"}, "to": {"settlement": "bank"},
        "amount": "1.00", "currency": "EUR",
    }]});
    let item = json!({"path": "/v1/transfers", "body": same});
    let batch = json!({"atomic": true, "requests": [item]});
    let on = |what: &str| format!("/v1/accounts/{}/{what}", Books::ADA);
    let reverse = format!("/v1/transfers/{}/reverse", Books::TRANSFER);
    let capture = format!("/v1/holds/{}/capture", Books::HOLD);
    let posts = [
        ("open_account", "/v1/accounts".to_owned(), opening),
        ("deposit", on("deposits"), deposit.clone()),
        ("withdraw", on("withdrawals"), deposit),
        ("create_transfer", "/v1/transfers".to_owned(), same.clone()),
        ("reverse_transfer", reverse, nil.clone()),
        ("place_hold", "/v1/holds".to_owned(), same),
        ("capture_hold", capture, nil),
        ("create_batch", "/v1/batches".to_owned(), batch),
        (
            "create_system_transfer",
            "/v1/system-transfers".to_owned(),
            own,
        ),
    ];
    for (operation, path, body) in posts {
        let call = Call::post(operation, path, "k", &body);
        call.problem(client, document, "invalid_request");
    }
}
