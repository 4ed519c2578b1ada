//! Batches that stop midway: commits that fail, and keys that are cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use wallet_core::memory::MemoryStore;
use wallet_core::store::StoreErrorKind;
use wallet_core::{Settings, SystemClock};
use wallet_sim::{Fault, FaultPlan, FaultyStore, Port};

use super::{pay, send, statuses};
use crate::contract::Switch;
use crate::support::{Client, World};

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
