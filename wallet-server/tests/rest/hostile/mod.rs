//! Invalid requests: each gets a specific 4xx, and nothing changes.

mod bodies;
mod queries;
mod wire;

use crate::support::{Client, Response, http};

/// Posts bytes as they are.
fn send(client: Client, path: &str, content_type: &str, body: &[u8]) -> Response {
    let headers = [("Content-Type", content_type), ("Idempotency-Key", "k")];
    client.raw(&http::request("POST", path, &headers, body))
}
