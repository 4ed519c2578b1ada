//! Failures behind the server.

use std::time::Duration;

use serde_json::json;
use wallet_core::Settings;
use wallet_core::store::StoreErrorKind;
use wallet_sim::Fault;

use super::{Books, Call, Document, cancel, reads, writes};
use crate::support::{Client, World, http};

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(86_400);

pub(super) fn walk(document: &Document) {
    store(document);
    clock(document);
    timeouts(document);
    overload(document);
    shutting_down(document);
}

fn store(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    let commits = [
        (Fault::Refuse(StoreErrorKind::Invalid), "store_refused"),
        (Fault::Refuse(StoreErrorKind::Internal), "internal"),
        (Fault::Refuse(StoreErrorKind::Corrupt), "internal"),
        (
            Fault::Refuse(StoreErrorKind::Unavailable),
            "store_unavailable",
        ),
        (Fault::Refuse(StoreErrorKind::Conflict), "store_conflict"),
        (Fault::LoseAnswer, "indeterminate"),
    ];
    for (fault, code) in commits {
        books.faults.commits(fault);
        for call in writes() {
            call.problem(client, document, code);
        }
        // Another request that holds the key may be about to commit.
        let code = if code == "store_conflict" {
            "indeterminate"
        } else {
            code
        };
        cancel("failing").problem(client, document, code);
    }
    books.faults.commits(Fault::None);
    for (fault, code) in [
        (StoreErrorKind::Internal, "internal"),
        (StoreErrorKind::Unavailable, "store_unavailable"),
        (StoreErrorKind::Conflict, "store_conflict"),
    ] {
        books.faults.reads(Fault::Refuse(fault));
        for call in reads() {
            if document.documents(call.operation, code) {
                call.problem(client, document, code);
            }
        }
    }
}

fn clock(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    books.clock.step_back(Duration::from_secs(60));
    for call in writes() {
        if document.documents(call.operation, "clock_behind") {
            call.problem(client, document, "clock_behind");
        }
    }
}

fn timeouts(document: &Document) {
    let books = Books::new(Settings::default());
    // A second server with short timeouts over the same books.
    let hurried = ["--request-timeout-ms", "50", "--allow-system-transfers"];
    let world = World::over(books.store.clone(), Settings::default(), &hurried);
    let client = world.client();
    // The first request holds the committer, and the others wait for it.
    books.faults.commits(Fault::Delay(FOR_EVER));
    for call in writes() {
        call.problem(client, document, "timeout");
    }
    cancel("late").problem(client, document, "timeout");
    books.faults.reads(Fault::Delay(FOR_EVER));
    for call in reads() {
        call.problem(client, document, "timeout");
    }
}

fn overload(document: &Document) {
    let settings = Settings {
        queue_capacity: 1,
        ..Settings::default()
    };
    let books = Books::new(settings);
    let client = books.client();
    books.faults.commits(Fault::Delay(FOR_EVER));
    // One request waits in the store without end, one waits for it; the queue is full.
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "stuck"),
    ];
    let body = json!({"owner": "stuck", "currency": "EUR"}).to_string();
    let stuck = http::request("POST", "/v1/accounts", &headers, body.as_bytes());
    let stats = || books.world.wallet.stats();
    let before = stats().batches;
    let first = http::send(client.address, &stuck);
    while stats().batches == before {
        std::thread::yield_now();
    }
    let second = http::send(client.address, &stuck);
    while stats().waiting == 0 {
        std::thread::yield_now();
    }
    for call in writes() {
        call.problem(client, document, "overloaded");
    }
    cancel("many").problem(client, document, "overloaded");
    let item = json!({"path": format!("/v1/accounts/{}/unfreeze", Books::SPARE)});
    let each = json!({"atomic": false, "requests": [item, item]});
    Call::post("create_batch", "/v1/batches", "each", &each).problem(
        client,
        document,
        "batch_unfinished",
    );
    drop((first, second));
    crowded(document);
}

/// As many open reads as allowed.
fn crowded(document: &Document) {
    let books = Books::new(Settings::default());
    let lanes = ["--lists-max", "1", "--reads-max", "1"];
    let world = World::over(books.store.clone(), Settings::default(), &lanes);
    books.faults.reads(Fault::Delay(FOR_EVER));
    let get = |path: &str| http::send(world.address, &http::request("GET", path, &[], b""));
    let list = get("/v1/accounts");
    let single = get(&format!("/v1/accounts/{}", Books::ADA));
    for lane in ["wallet_lists_open ", "wallet_reads_open "] {
        while world.metric(lane) == 0 {
            std::thread::yield_now();
        }
    }
    for call in reads() {
        call.problem(world.client(), document, "overloaded");
    }
    drop((list, single));
}

/// The answer of `/health/ready` when no commit is possible, on both listeners.
pub(super) fn unready(document: &Document, end: fn(&World) -> Client) {
    let books = Books::new(Settings::default());
    let client = end(&books.world);
    let ready = Call::get("is_ready", "/health/ready");
    let unavailable = Fault::Refuse(StoreErrorKind::Unavailable);
    books.faults.commits(unavailable);
    let late = books.client().deposit(Books::ADA, "late", "1.00");
    late.problem(503, "store_unavailable");
    ready.problem(client, document, "store_unavailable");
    books.world.app.drain();
    ready.problem(client, document, "shutting_down");
}

fn shutting_down(document: &Document) {
    let books = Books::new(Settings::default());
    let client = books.client();
    books.world.shut_down();
    for call in writes() {
        call.problem(client, document, "shutting_down");
    }
    cancel("over").problem(client, document, "shutting_down");
}
