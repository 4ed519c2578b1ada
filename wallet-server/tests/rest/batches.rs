//! Batches: atomic, or each item by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use wallet_core::memory::MemoryStore;
use wallet_core::store::StoreErrorKind;
use wallet_core::{Settings, SystemClock};
use wallet_sim::{Fault, FaultPlan, FaultyStore, Port};

use crate::contract::Switch;
use crate::support::{Client, Response, World, transfer};

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

#[test]
fn items_by_themselves_succeed_or_fail_and_replay_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let requests = [
        pay(&ada, &bob, "10.00"),
        pay(&ada, &bob, "0.01"),
        pay(&bob, &ada, "3.00"),
        item(
            &format!("/v1/accounts/{bob}/freeze"),
            json!({"credits": true}),
        ),
        json!({"path": format!("/v1/accounts/{bob}/unfreeze")}),
    ];
    let answer = send(client, "b", false, &requests).expect(200);
    assert_eq!(statuses(&answer), [201, 422, 201, 200, 200]);
    assert!(!answer.is_replayed());
    assert_eq!(answer.text("/results/1/body/code"), "insufficient_funds");
    assert_eq!(answer.text("/results/3/body/status"), "credits_frozen");
    let posted = || (client.posted(&ada), client.posted(&bob));
    assert_eq!(posted(), ("3.00".into(), "7.00".into()));

    let again = send(client, "b", false, &requests).expect(200);
    assert!(again.is_replayed(), "all of it was answered before");
    assert_eq!(again.body, answer.body);
    assert_eq!(posted(), ("3.00".into(), "7.00".into()));
}

#[test]
fn one_key_moves_money_for_one_body_only() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "100.00"), client.open("bob"));
    let pays = |amounts: &[&str]| -> Vec<Value> {
        amounts
            .iter()
            .map(|amount| pay(&ada, &bob, amount))
            .collect()
    };
    let first = send(client, "k", false, &pays(&["1.00", "2.00"])).expect(200);
    assert_eq!(client.posted(&ada), "97.00");
    let bodies: [&[&str]; 6] = [
        &["7.00", "1.00", "2.00"],
        &["1.00", "2.00", "7.00"],
        &["2.00", "1.00"],
        &["1.00"],
        &["2.00"],
        &["1.00", "2.00"],
    ];
    for (index, amounts) in bodies.iter().enumerate() {
        let is_same = index + 1 == bodies.len();
        if !is_same {
            send(client, "k", false, &pays(amounts)).problem(422, "idempotency_mismatch");
        }
        send(client, "k", true, &pays(amounts)).problem(422, "idempotency_mismatch");
        let alone = transfer(&ada, &bob, amounts[0]);
        let alone = client.post("/v1/transfers", "k", &alone);
        alone.problem(422, "idempotency_mismatch");
    }
    let again = send(client, "k", false, &pays(&["1.00", "2.00"])).expect(200);
    assert_eq!(again.body, first.body);
    assert_eq!(client.posted(&ada), "97.00");

    // The other way round: a single transfer's key, and that of a list.
    let alone = transfer(&ada, &bob, "1.00");
    client.post("/v1/transfers", "one", &alone).expect(201);
    let list = send(client, "list", true, &pays(&["1.00"]));
    list.expect(201);
    for key in ["one", "list"] {
        send(client, key, false, &pays(&["1.00"])).problem(422, "idempotency_mismatch");
        send(client, key, false, &pays(&["1.00", "1.00"])).problem(422, "idempotency_mismatch");
    }
    send(client, "one", true, &pays(&["1.00"])).problem(422, "idempotency_mismatch");
    let alone = client.post("/v1/transfers", "list", &alone);
    alone.problem(422, "idempotency_mismatch");
    assert_eq!(client.posted(&ada), "95.00");
}

/// A server whose store makes this many commits and no more, each of one item; and the
/// commits left.
fn with_commits_left() -> (World, Arc<Left>) {
    let plan = Arc::new(Left(AtomicU32::new(u32::MAX)));
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let store = FaultyStore::new(store, Arc::new(SystemClock), plan.clone());
    let settings = Settings {
        queue_capacity: 1,
        sweep_interval: None,
        tries_max: 1,
        ..Settings::default()
    };
    (World::over(Arc::new(store), settings, &[]), plan)
}

/// This many commits succeed; later ones fail.
#[derive(Debug)]
struct Left(AtomicU32);

impl Left {
    fn set(&self, commits: u32) {
        self.0.store(commits, Ordering::Relaxed);
    }
}

impl FaultPlan for Left {
    fn on_commit(&self) -> Fault {
        let step = |left: u32| left.checked_sub(1);
        match self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
        {
            Ok(_) => Fault::None,
            Err(_) => Fault::Refuse(StoreErrorKind::Unavailable),
        }
    }

    fn on_read(&self) -> Fault {
        Fault::None
    }

    fn on_call(&self, _: Port) -> Fault {
        Fault::None
    }

    fn skips_kept(&self) -> bool {
        false
    }
}

fn cancel(client: Client, key: &str) {
    let path = format!("/v1/outcomes/{key}/cancel");
    let bytes = crate::support::http::request("POST", &path, &[], b"");
    client.raw(&bytes).expect(200);
}

#[test]
fn a_batch_with_items_without_an_answer_is_503_until_all_have_one() {
    let (world, left) = with_commits_left();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let three = [
        pay(&ada, &bob, "1.00"),
        pay(&ada, &bob, "100.00"),
        pay(&ada, &bob, "2.00"),
    ];
    for (commits, states) in [
        (0, None),
        (1, Some(["done", "open", "open"])),
        // The replay of the first takes one commit too.
        (2, Some(["done", "done", "open"])),
    ] {
        left.set(commits);
        let answer = send(client, "b", false, &three).problem(503, "batch_unfinished");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(!answer.is_replayed());
        let problem = answer.json();
        assert_eq!(problem["retryable"], true);
        let answered = states.map_or(0, |states| {
            states.into_iter().filter(|state| *state == "done").count()
        });
        assert_eq!(problem["answered"], answered);
        assert_eq!(problem["items"], 3);
        let words = format!("{answered} of 3 items were answered this time");
        assert!(answer.text("/detail").contains(&words), "{answer:?}");
        let outcome = client.get("/v1/outcomes/b");
        let Some(states) = states else {
            outcome.problem(404, "outcome_not_found");
            continue;
        };
        let outcome = outcome.expect(200).json();
        for (item, state) in states.into_iter().enumerate() {
            assert_eq!(outcome["items"][item]["state"], state, "item {item}");
        }
    }
    assert_eq!(client.posted(&bob), "1.00");
    // Other items under the key move nothing meanwhile.
    left.set(u32::MAX);
    send(client, "b", false, &three[..2]).problem(422, "idempotency_mismatch");
    let whole = send(client, "b", false, &three).expect(200);
    assert_eq!(statuses(&whole), [201, 422, 201]);
    let again = send(client, "b", false, &three).expect(200);
    assert_eq!(again.body, whole.body);
    assert_eq!(client.posted(&bob), "3.00");
}

#[test]
fn an_item_that_no_retry_can_help_is_the_answer_of_its_batch() {
    for (kind, status, code) in [
        (StoreErrorKind::Invalid, 422, "store_refused"),
        (StoreErrorKind::Corrupt, 500, "internal"),
    ] {
        let plan = Arc::new(Switch::default());
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let store = FaultyStore::new(store, Arc::new(SystemClock), plan.clone());
        let world = World::over(Arc::new(store), Settings::default(), &[]);
        let client = world.client();
        let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
        plan.commits(Fault::Refuse(kind));
        let two = [pay(&ada, &bob, "1.00"), pay(&ada, &bob, "2.00")];
        let answer = send(client, "b", false, &two).problem(status, code);
        let problem = answer.json();
        assert_eq!(problem["index"], 0);
        assert_eq!(
            (&problem["answered"], &problem["items"]),
            (&json!(0), &json!(2))
        );
        assert_eq!(problem["retryable"], false);
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[test]
fn a_batch_under_a_cancelled_key_is_409_as_a_whole_whatever_its_body() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    cancel(client, "k");
    let first = send(client, "k", false, &[pay(&ada, &bob, "1.00")]);
    let first = first.problem(409, "cancelled");
    let other = [pay(&ada, &bob, "2.00"), pay(&ada, &bob, "3.00")];
    let other = send(client, "k", false, &other).problem(409, "cancelled");
    assert!(first.is_replayed() && other.is_replayed());
    assert_eq!(first.body, other.body);
    assert_eq!(client.posted(&ada), "10.00");
}

#[test]
fn a_batch_that_was_cancelled_on_its_way_answers_item_by_item() {
    let (world, left) = with_commits_left();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let two = [pay(&ada, &bob, "1.00"), pay(&ada, &bob, "2.00")];
    left.set(1);
    send(client, "k", false, &two).problem(503, "batch_unfinished");
    left.set(u32::MAX);
    cancel(client, "k");
    let answer = send(client, "k", false, &two).expect(200);
    assert_eq!(statuses(&answer), [201, 409]);
    assert_eq!(answer.text("/results/1/body/code"), "cancelled");
    let other = send(client, "k", false, &two[..1]);
    other.problem(422, "idempotency_mismatch");
    assert_eq!(client.posted(&ada), "9.00");
}

#[test]
fn one_malformed_item_refuses_the_batch_and_leaves_its_key_free() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let fine = pay(&ada, &bob, "1.00");
    let nobody = "01890000-0000-7000-8000-00000000dead";
    let wrong = [
        (
            item("/v1/transfers", json!({"from": ada})),
            400,
            "invalid_body",
        ),
        (item("/v1/nowhere", json!({})), 400, "invalid_field"),
        (
            item("/v1/batches", json!({"atomic": true, "requests": []})),
            400,
            "invalid_field",
        ),
        (pay(&ada, &ada, "1.00"), 400, "invalid_request"),
        (
            item(
                &format!("/v1/accounts/{nobody}/deposits"),
                json!({"amount": "1.00"}),
            ),
            404,
            "account_not_found",
        ),
    ];
    for (wrong, status, code) in wrong {
        for atomic in [true, false] {
            let requests = [fine.clone(), wrong.clone()];
            let refused = send(client, "b", atomic, &requests).problem(status, code);
            if atomic && code == "invalid_request" {
                continue;
            }
            assert_eq!(refused.json()["index"], 1, "{refused:?}");
        }
    }
    let outcome = client.get("/v1/outcomes/b");
    outcome.problem(404, "outcome_not_found");
    assert_eq!(client.posted(&ada), "10.00");
    send(client, "b", false, &[fine]).expect(200);
    assert_eq!(client.posted(&ada), "9.00");
}

#[test]
fn an_atomic_batch_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let too_much = [
        pay(&ada, &bob, "6.00"),
        pay(&ada, &bob, "4.01"),
        pay(&ada, &bob, "1.00"),
    ];
    let refused = send(client, "a1", true, &too_much).problem(422, "insufficient_funds");
    assert_eq!(refused.json()["index"], 1);
    assert_eq!(statuses(&refused), [424, 422, 424]);
    assert_eq!(
        (client.posted(&ada), client.posted(&bob)),
        ("10.00".into(), "0.00".into())
    );
    let again = send(client, "a1", true, &too_much).problem(422, "insufficient_funds");
    assert!(again.is_replayed());
    assert_eq!(again.body, refused.body);

    let enough = [pay(&ada, &bob, "6.00"), pay(&ada, &bob, "4.00")];
    let done = send(client, "a2", true, &enough).expect(201);
    assert_eq!(statuses(&done), [201, 201]);
    assert_eq!(client.posted(&bob), "10.00");
    let again = send(client, "a2", true, &enough).expect(201);
    assert!(again.is_replayed());
    assert_eq!(again.body, done.body);
    send(client, "a2", true, &too_much).problem(422, "idempotency_mismatch");

    let broken = [pay(&ada, &bob, "1.00"), item("/v1/transfers", json!({}))];
    let broken = send(client, "a3", true, &broken).problem(400, "invalid_body");
    assert_eq!(broken.json()["index"], 1);
}

#[test]
fn an_account_is_opened_funded_and_used_in_one_atomic_batch() {
    let world = World::memory();
    let client = world.client();
    let bob = client.open("bob");
    let new = "01890000-0000-7000-8000-000000000001";
    let hold = "01890000-0000-7000-8000-000000000002";
    let mut reserved = transfer(new, &bob, "2.00");
    reserved["id"] = json!(hold);
    let requests = [
        item(
            "/v1/accounts",
            json!({"owner": "ada", "currency": "EUR", "id": new}),
        ),
        item(
            &format!("/v1/accounts/{new}/deposits"),
            json!({"amount": "10.00", "currency": "EUR"}),
        ),
        pay(new, &bob, "3.00"),
        item("/v1/holds", reserved),
        json!({"path": format!("/v1/holds/{hold}/capture")}),
    ];
    let done = send(client, "b", true, &requests).expect(201);
    assert_eq!(statuses(&done), [201, 201, 201, 201, 200]);
    assert_eq!(
        (client.posted(new), client.posted(&bob)),
        ("5.00".into(), "5.00".into())
    );
}

#[test]
fn a_batch_of_nothing_or_too_much_is_refused() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let many = vec![json!({"path": format!("/v1/accounts/{ada}/freeze")}); 101];
    for atomic in [true, false] {
        for requests in [&[][..], &many] {
            let problem = send(client, "b", atomic, requests).problem(400, "invalid_field");
            assert_eq!(problem.text("/field"), "requests");
        }
    }
    let pays = [pay(&ada, &bob, "1.00")];
    for body in [
        json!({"requests": pays}),
        json!({"atomic": true}),
        json!({"atomic": "yes", "requests": pays}),
        json!({"atomic": true, "requests": [["/v1/transfers", {}]]}),
        json!({"atomic": true, "requests": [{"path": "/v1/transfers", "body": 1, "x": 2}]}),
    ] {
        client
            .post("/v1/batches", "b", &body)
            .problem(400, "invalid_body");
    }
    // A duplicate field could be read in two ways.
    let twice = br#"{"atomic":true,"requests":[{"path":"/v1/accounts","body":
        {"owner":"a","owner":"b","currency":"EUR"}}]}"#;
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "b"),
    ];
    let bytes = crate::support::http::request("POST", "/v1/batches", &headers, twice);
    client.raw(&bytes).problem(400, "invalid_body");
    let body = json!({"atomic": false, "requests": pays});
    let tried = client.post("/v1/batches?dry_run=true", "b", &body);
    tried.problem(400, "invalid_field");
    assert_eq!(client.posted(&ada), "10.00");
}
