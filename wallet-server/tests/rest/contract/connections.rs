//! Problems of any operation before its handler runs, and bodies that do not arrive.

use serde_json::json;
use wallet_core::Settings;

use super::{Call, Document, administration, reads, writes};
use crate::support::{Client, World, http, memory_store};

/// A client behind the proxy, and another one.
const CLIENTS: [&str; 2] = ["198.51.100.7", "198.51.100.8"];

pub(super) fn walk(document: &Document) {
    let mut calls = writes();
    calls.extend(reads());
    calls.push(Call::get("is_live", "/health/live"));
    calls.push(Call::get("is_ready", "/health/ready"));
    calls.push(super::cancel("k"));
    let world = World::memory();
    for call in &calls {
        refused(call, world.client(), document);
    }
    crowded(&calls, document, World::client);
    late(document);
}

pub(super) fn walk_admin(document: &Document) {
    let world = World::memory();
    for call in &administration() {
        refused(call, world.admin(), document);
    }
    crowded(&administration(), document, World::admin);
}

fn refused(call: &Call, client: Client, document: &Document) {
    let twice = call.clone().with_header("Transfer-Encoding", "chunked");
    let twice = twice.with_header("Content-Length", "5");
    let twice = twice.with_body("0\r\n\r\n");
    let two_hosts = call.clone().with_header("Host", "localhost");
    let two_hosts = two_hosts.with_header("Host", "localhost");
    let zipped = call.clone().with_body("0\r\n\r\n");
    let zipped = zipped.with_header("Transfer-Encoding", "gzip, chunked");
    let wrong = [
        (twice, "ambiguous_length"),
        (zipped, "unsupported_transfer_encoding"),
        (two_hosts, "invalid_host"),
        (
            call.clone().with_header("Host", "evil.example"),
            "host_not_allowed",
        ),
    ];
    for (call, code) in wrong {
        call.problem(client, document, code);
    }
}

/// A client with as many open requests as allowed.
fn crowded(calls: &[Call], document: &Document, end: fn(&World) -> Client) {
    let store = memory_store();
    let arguments = [
        "--trusted-proxies",
        "127.0.0.1",
        "--connections-per-peer",
        "1",
    ];
    let world = World::over(store.clone(), Settings::default(), &arguments);
    let ada = world.client().open("ada");
    let account = crate::stopping::account(&ada);
    let lock = store.lock_account(account).unwrap();
    let before = world.wallet.stats().submitted;
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "open"),
        ("X-Forwarded-For", CLIENTS[0]),
    ];
    let body = json!({"amount": "1.00"}).to_string();
    let path = format!("/v1/accounts/{ada}/deposits");
    let open = http::request("POST", &path, &headers, body.as_bytes());
    let open = http::send(world.address, &open);
    crate::stopping::wait_for_submitted(&world, before.saturating_add(1));
    for call in calls {
        let of = |client| call.clone().with_header("X-Forwarded-For", client);
        of(CLIENTS[0]).problem(end(&world), document, "too_many_connections");
        let other = of(CLIENTS[1]).send(end(&world), document);
        assert_ne!(other.status, 429, "{other:?}");
    }
    drop((lock, open));
}

/// Announced bodies that do not arrive.
fn late(document: &Document) {
    let arguments = ["--body-timeout-ms", "1", "--allow-system-transfers"];
    let world = World::over(memory_store(), Settings::default(), &arguments);
    for call in writes() {
        let length = call.body.len().saturating_add(1).to_string();
        let call = call.with_header("Content-Length", &length);
        call.problem(world.client(), document, "body_timeout");
    }
}
