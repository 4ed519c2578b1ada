//! The readiness probe `/health/ready`: the server can commit.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use wallet_core::memory::MemoryStore;
use wallet_core::store::StoreErrorKind;
use wallet_core::{Settings, SystemClock};
use wallet_sim::{Fault, FaultPlan, FaultyStore, Port};

use crate::contract::Switch;
use crate::support::{World, http, memory_store};

/// Counts the calls.
#[derive(Debug, Default)]
struct Counting {
    commits: AtomicU32,
    reads: AtomicU32,
}

impl FaultPlan for Counting {
    fn on_commit(&self) -> Fault {
        self.commits.fetch_add(1, Ordering::Relaxed);
        Fault::None
    }

    fn on_read(&self) -> Fault {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Fault::None
    }

    fn on_call(&self, _: Port) -> Fault {
        Fault::None
    }

    fn skips_kept(&self) -> bool {
        false
    }
}

fn quiet() -> Settings {
    Settings {
        sweep_interval: None,
        tries_max: 1,
        ..Settings::default()
    }
}

fn faulty(plan: Arc<dyn FaultPlan>) -> Arc<FaultyStore> {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    Arc::new(FaultyStore::new(store, Arc::new(SystemClock), plan))
}

#[test]
fn however_many_ask_an_idle_store_is_probed_once() {
    let plan = Arc::new(Counting::default());
    let world = World::over(faulty(plan.clone()), quiet(), &[]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    world.client().get("/health/ready").expect(200);
                    world.admin().get("/health/live").expect(200);
                }
            });
        }
    });
    assert_eq!(plan.commits.load(Ordering::Relaxed), 1);
    assert_eq!(plan.reads.load(Ordering::Relaxed), 0);
    assert_eq!(world.metric("wallet_probes_total "), 1);
    assert_eq!(world.metric("wallet_can_commit "), 1);
}

#[test]
fn a_server_that_commits_is_never_probed() {
    let plan = Arc::new(Counting::default());
    let world = World::over(faulty(plan.clone()), quiet(), &[]);
    world.client().open("ada");
    world.client().get("/health/ready").expect(200);
    assert_eq!(plan.commits.load(Ordering::Relaxed), 1);
    assert_eq!(world.metric("wallet_probes_total "), 0);
}

#[test]
fn ready_goes_by_what_the_latest_commit_came_to() {
    let plan = Arc::new(Switch::default());
    let world = World::over(faulty(plan.clone()), quiet(), &[]);
    let client = world.client();
    let ada = client.open("ada");
    client.get("/health/ready").expect(200);
    for round in 0..3 {
        plan.commits(Fault::Refuse(StoreErrorKind::Unavailable));
        let late = client.deposit(&ada, &format!("late {round}"), "1.00");
        late.problem(503, "store_unavailable");
        for _ in 0..10 {
            let answer = client
                .get("/health/ready")
                .problem(503, "store_unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            client.get("/health/live").expect(200);
            world.admin().get("/health/ready").expect(503);
        }
        assert_eq!(world.metric("wallet_can_commit "), 0);
        plan.commits(Fault::None);
        // The key was never used: the same request is sent again.
        client
            .deposit(&ada, &format!("late {round}"), "1.00")
            .expect(201);
        client.get("/health/ready").expect(200);
    }
    assert_eq!(client.posted(&ada), "3.00");
}

#[test]
fn after_a_503_of_the_store_the_server_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("w.db"), folder.path().join("o.db"));
    for takes_away in [true, false] {
        let world = World::sqlite(&file);
        let client = world.client();
        let ada = client.open(if takes_away { "ada" } else { "bob" });
        client.get("/health/ready").expect(200);
        if takes_away {
            std::fs::rename(&file, &other).unwrap();
        } else {
            std::fs::remove_file(&file).unwrap();
        }
        // A read refuses it, before a commit could fail.
        let late = client.deposit(&ada, "late", "1.00");
        late.problem(503, "store_unavailable");
        client
            .get("/health/ready")
            .problem(503, "store_unavailable");
        assert_eq!(world.metric("wallet_can_commit "), 0);
        // The result of one probe is valid for a while.
        for _ in 0..10 {
            client.deposit(&ada, "late", "1.00").expect(503);
            client.get("/health/ready").expect(503);
        }
        assert_eq!(world.metric("wallet_probes_total "), 1);
        drop(world);
        if takes_away {
            std::fs::rename(&other, &file).unwrap();
        }
    }
}

#[test]
fn a_read_that_fails_is_no_reason_to_leave_while_commits_are_done() {
    let plan = Arc::new(Switch::default());
    let world = World::over(faulty(plan.clone()), quiet(), &[]);
    let client = world.client();
    let ada = client.open("ada");
    plan.reads(Fault::Refuse(StoreErrorKind::Unavailable));
    for _ in 0..3 {
        let balance = client.get(&format!("/v1/accounts/{ada}/balance"));
        balance.problem(503, "store_unavailable");
        client.get("/health/ready").expect(200);
    }
    // The known result was checked again each time.
    assert_eq!(world.metric("wallet_probes_total "), 3);
    client.get("/health/ready").expect(200);
    assert_eq!(world.metric("wallet_probes_total "), 3);
}

#[test]
fn a_store_that_does_not_answer_is_not_ready_and_lives() {
    let plan = Arc::new(Switch::default());
    plan.commits(Fault::Delay(Duration::from_secs(86_400)));
    plan.reads(Fault::Delay(Duration::from_secs(86_400)));
    let world = World::over(faulty(plan), quiet(), &[]);
    for _ in 0..2 {
        world
            .client()
            .get("/health/ready")
            .problem(503, "store_unavailable");
        world.client().get("/health/live").expect(200);
    }
}

#[test]
fn at_the_end_ready_turns_before_the_listener_goes() {
    let arguments = ["--drain-delay-ms", "600000"];
    let mut world = World::over(memory_store(), Settings::default(), &arguments);
    let client = world.client();
    let ada = client.open("ada");
    client.get("/health/ready").expect(200);
    world.stop();
    while client.get("/health/ready").status == 200 {
        std::thread::yield_now();
    }
    client.get("/health/ready").problem(503, "shutting_down");
    world
        .admin()
        .get("/health/ready")
        .problem(503, "shutting_down");
    // Other requests still work, and their answers ask clients to close the connection.
    let done = client.deposit(&ada, "late", "1.00").expect(201);
    assert_eq!(done.header("connection"), Some("close"));
    client.get("/health/live").expect(200);
    assert_eq!(client.posted(&ada), "1.00");
}

#[test]
fn lists_that_keep_the_store_busy_keep_nobody_from_commits_and_health() {
    let plan = Arc::new(Switch::default());
    let arguments = ["--lists-max", "16", "--reads-max", "100"];
    let world = World::over(faulty(plan.clone()), quiet(), &arguments);
    let client = world.client();
    let ada = client.open("ada");
    let list = http::request("GET", "/v1/accounts?currency=XPF&limit=1", &[], b"");
    plan.reads(Fault::Delay(Duration::from_secs(86_400)));
    let open: Vec<_> = (0..16).map(|_| http::send(client.address, &list)).collect();
    // All requests are in: eight in the store, eight waiting.
    while world.metric("wallet_lists_waiting ") != 8 {
        std::thread::yield_now();
    }
    for _ in 0..100 {
        let answer = client.raw(&list).problem(503, "overloaded");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(world.metric("wallet_lists_refused_total "), 100);
    client.get("/health/live").expect(200);
    client.get("/health/ready").expect(200);
    // With its currency; otherwise the account is read before.
    let deposit = json!({"amount": "1.00", "currency": "EUR"});
    let path = format!("/v1/accounts/{ada}/deposits");
    client.post(&path, "d", &deposit).expect(201);
    plan.reads(Fault::None);
    // After they disconnect their slots are free, without the store's answer.
    drop(open);
    while client.raw(&list).status != 200 {
        std::thread::yield_now();
    }
    // The disconnects are noticed one after another.
    while world.metric("wallet_lists_waiting ") != 0 {
        std::thread::yield_now();
    }
    let single = client
        .get(&format!("/v1/accounts/{ada}/balance"))
        .expect(200);
    assert_eq!(single.text("/posted"), "1.00");
}

#[test]
fn what_nobody_publishes_is_reported_in_the_metrics() {
    let world = World::memory();
    let client = world.client();
    client.open_with("ada", "5.00");
    let admin = world.admin();
    assert_eq!(admin.metric("wallet_events_rows_waiting "), 2);
    assert_eq!(admin.metric("wallet_events_publisher "), 0);
}

#[test]
fn half_an_answer_is_never_given_to_one_who_waits_for_ready() {
    let plan = Arc::new(Switch::default());
    plan.commits(Fault::Delay(Duration::from_secs(86_400)));
    let world = World::over(
        faulty(plan.clone()),
        quiet(),
        &["--request-timeout-ms", "50"],
    );
    let ready = http::request("GET", "/health/ready", &[], b"");
    let mut stream = BufReader::new(http::send(world.address, &ready));
    http::read(&mut stream)
        .unwrap()
        .problem(503, "store_unavailable");
}
