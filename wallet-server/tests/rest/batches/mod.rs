//! Batches: atomic, or each item by itself.

mod atomic;
mod invalid;
mod items;
mod unfinished;

use serde_json::{Value, json};

use crate::support::{Client, Response, transfer};

fn item(path: &str, body: impl Into<Value>) -> Value {
    let body = body.into();
    json!({"path": path, "body": body})
}

fn pay(from: &str, to: &str, amount: &str) -> Value {
    item("/v1/transfers", transfer(from, to, amount))
}

fn send(client: Client, key: &str, atomic: bool, requests: &[Value]) -> Response {
    let body = json!({"atomic": atomic, "requests": requests});
    client.post("/v1/batches", key, &body)
}

fn statuses(answer: &Response) -> Vec<u64> {
    let json = answer.json();
    let results = json["results"].as_array().unwrap().iter();
    results
        .map(|result| result["status"].as_u64().unwrap())
        .collect()
}
