//! The server's document holds word for word: every path, every status, every problem
//! code.

mod books;
mod connections;
mod document;
mod failures;
mod input;
mod refusals;
mod successes;

use books::Books;
pub(crate) use books::Switch;
use document::Document;

use crate::support::{Client, Response, World, http};

#[test]
fn every_documented_answer_is_given_and_fits_its_schema() {
    let document = Document::fetch();
    successes::walk(&document);
    input::walk(&document);
    refusals::walk(&document);
    failures::walk(&document);
    failures::unready(&document, World::client);
    connections::walk(&document);
    document.assert_all_seen(300);
}

#[test]
fn every_documented_answer_of_the_administration_is_given_and_fits_its_schema() {
    let document = Document::fetch_admin();
    let world = World::memory();
    for call in administration() {
        call.expect(world.admin(), &document, 200);
    }
    failures::unready(&document, World::admin);
    connections::walk_admin(&document);
    document.assert_all_seen(10);
}

#[test]
fn every_schema_that_the_document_names_is_in_it() {
    Document::fetch().assert_whole();
    Document::fetch_admin().assert_whole();
}

/// A call of a documented operation.
#[derive(Debug, Clone)]
struct Call {
    operation: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Call {
    fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self {
            operation,
            path: path.into(),
            query: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A post under its own key.
    fn post(
        operation: &'static str,
        path: impl Into<String>,
        key: impl Into<String>,
        body: &serde_json::Value,
    ) -> Self {
        let mut call = Self::get(operation, path);
        call.headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("Idempotency-Key", key.into()),
        ];
        call.body = body.to_string().into_bytes();
        call
    }

    fn with_query(mut self, query: &str) -> Self {
        self.query = format!("?{query}");
        self
    }

    fn with_key(mut self, key: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "Idempotency-Key");
        self.headers.push(("Idempotency-Key", key.to_owned()));
        self
    }

    fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    fn send(&self, client: Client, document: &Document) -> Response {
        let method = document.method_of(self.operation, &self.path);
        let headers = self.headers.iter().map(|(name, value)| (*name, &**value));
        let headers: Vec<_> = headers.collect();
        let path = format!("{}{}", self.path, self.query);
        client.raw(&http::request(method, &path, &headers, &self.body))
    }

    /// Sends it, and checks the answer against what is documented.
    #[track_caller]
    fn expect(&self, client: Client, document: &Document, status: u16) -> Response {
        let answer = self.send(client, document).expect(status);
        document.check(self.operation, &answer);
        answer
    }

    /// The same for an answer that is a problem.
    #[track_caller]
    fn problem(&self, client: Client, document: &Document, code: &str) -> Response {
        let answer = self.send(client, document);
        let found = answer.json()["code"].clone();
        assert_eq!(found, code, "{self:?}: {answer:?}");
        document.check(self.operation, &answer);
        answer
    }
}

/// Every operation that changes the books, as a call that succeeds on
/// [`Books`] once.
fn writes() -> Vec<Call> {
    use serde_json::json;
    let on = |id: &str, what: &str| format!("/v1/accounts/{id}/{what}");
    let body = json!({"owner": "new", "currency": "EUR"});
    let money = json!({"amount": "1.00"});
    let moved = json!({
        "from": Books::ADA, "to": Books::BOB, "amount": "1.00", "currency": "EUR",
    });
    let system = json!({"legs": [{
        "from": {"settlement": "bank"}, "to": {"account": Books::OWN},
        "amount": "1.00", "currency": "EUR",
    }]});
    let none = json!({});
    let item = json!({"path": "/v1/transfers", "body": moved});
    let batch = json!({"atomic": true, "requests": [item]});
    vec![
        Call::post("open_account", "/v1/accounts", "w1", &body),
        Call::post("freeze_account", on(Books::SPARE, "freeze"), "w2", &none),
        Call::post(
            "unfreeze_account",
            on(Books::SPARE, "unfreeze"),
            "w3",
            &none,
        ),
        Call::post("close_account", on(Books::SPARE, "close"), "w4", &none),
        Call::post("deposit", on(Books::ADA, "deposits"), "w5", &money),
        Call::post("withdraw", on(Books::ADA, "withdrawals"), "w6", &money),
        Call::post("create_transfer", "/v1/transfers", "w7", &moved),
        Call::post(
            "reverse_transfer",
            format!("/v1/transfers/{}/reverse", Books::TRANSFER),
            "w8",
            &money,
        ),
        Call::post("place_hold", "/v1/holds", "w9", &moved),
        Call::post(
            "capture_hold",
            format!("/v1/holds/{}/capture", Books::HOLD),
            "w10",
            &money,
        ),
        Call::post(
            "release_hold",
            format!("/v1/holds/{}/release", Books::HOLD),
            "w11",
            &none,
        ),
        Call::post("create_batch", "/v1/batches", "w12", &batch),
        Call::post(
            "create_system_transfer",
            "/v1/system-transfers",
            "w13",
            &system,
        ),
    ]
}

/// The cancellation of a key.
fn cancel(key: &str) -> Call {
    Call::get("cancel_key", format!("/v1/outcomes/{key}/cancel"))
}

/// Every operation of the administration's listener.
fn administration() -> Vec<Call> {
    vec![
        Call::get("is_live", "/health/live"),
        Call::get("is_ready", "/health/ready"),
        Call::get("get_metrics", "/metrics"),
    ]
}

/// Every operation that reads the books.
fn reads() -> Vec<Call> {
    let on = |what: &str| format!("/v1/accounts/{}{what}", Books::ADA);
    let holds = format!("account={}", Books::ADA);
    vec![
        Call::get("list_accounts", "/v1/accounts"),
        Call::get("get_account", on("")),
        Call::get("get_balance", on("/balance")),
        Call::get("list_entries", on("/entries")),
        Call::get("get_transfer", format!("/v1/transfers/{}", Books::TRANSFER)),
        Call::get("list_holds", "/v1/holds").with_query(&holds),
        Call::get("get_hold", format!("/v1/holds/{}", Books::HOLD)),
        Call::get("get_outcome", "/v1/outcomes/used"),
    ]
}
