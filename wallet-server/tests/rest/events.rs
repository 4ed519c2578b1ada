//! The server's events, on a queue.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use wallet_core::AccountId;
use wallet_core::ledger::Version;
use wallet_events::{Event, Parsed};

use crate::process::{Process, sqlite};
use crate::support::{Client, transfer};
use wallet_test_servers::{Queue, environment};

/// How often the server is killed.
const DEATHS: u64 = 5;

fn start(store: &str, queue: &Queue) -> Process {
    let arguments = ["--store", store, "--events-queue", &queue.url];
    Process::start_with(&arguments, &environment())
}

fn metric(admin: Client, name: &str) -> u64 {
    let text = admin.get("/metrics").expect(200).body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.trim().parse().unwrap()
}

fn drained(admin: Client) {
    for _ in 0..100_000 {
        if metric(admin, "wallet_events_rows_waiting ") == 0 {
            return;
        }
        std::thread::yield_now();
    }
    panic!("{}", admin.get("/metrics").body);
}

/// Kills the server under load repeatedly. At the end the queue holds every effect of
/// every account, in order.
pub(crate) fn survive_kill_9(store: &str) {
    let queue = Queue::new("kills");
    let mut accounts = Vec::new();
    let keys = AtomicU64::new(0);
    for _ in 0..DEATHS {
        let mut server = start(store, &queue);
        let client = server.client;
        if accounts.is_empty() {
            for number in 0..8 {
                accounts.push(client.open_with(&format!("owner-{number}"), "1000000.00"));
            }
        }
        let count = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for worker in 0..4_usize {
                let (accounts, count, keys) = (&accounts, &count, &keys);
                scope.spawn(move || {
                    let [from, to] = [worker, worker.wrapping_add(4)];
                    let body = transfer(&accounts[from], &accounts[to], "0.01");
                    loop {
                        let key = keys.fetch_add(1, Ordering::Relaxed).to_string();
                        if client.try_post("/v1/transfers", &key, &body).is_err() {
                            break;
                        }
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while count.load(Ordering::Relaxed) < 100 {
                std::thread::yield_now();
            }
            server.kill();
        });
    }
    let mut server = start(store, &queue);
    let client = server.client;
    drained(server.admin);
    assert_eq!(metric(server.admin, "wallet_events_parked_now "), 0);
    assert_eq!(metric(server.admin, "wallet_events_state "), 1);
    let versions = |account: &String| -> Version {
        let body = client.get(&format!("/v1/accounts/{account}")).expect(200);
        body.json()["version"].as_i64().unwrap()
    };
    let due: BTreeMap<AccountId, Version> = accounts
        .iter()
        .map(|account| (account.parse().unwrap(), versions(account)))
        .collect();
    server.kill();

    let mut seen: BTreeMap<AccountId, Version> = BTreeMap::new();
    let mut count = 0_u64;
    for message in queue.take_all() {
        let Parsed::Known(event) = Event::parse(&message.body).unwrap() else {
            panic!("of an unknown type: {message:?}");
        };
        let last = seen.entry(event.account.id).or_default();
        assert!(
            event.version <= last.saturating_add(1),
            "a gap before {}",
            message.id
        );
        *last = event.version.max(*last);
        count = count.saturating_add(1);
    }
    assert_eq!(seen, due);
    assert!(count >= DEATHS * 200, "{count}");
}

#[test]
fn events_of_sqlite_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    survive_kill_9(&sqlite(&folder.path().join("wallet.db")));
}

#[cfg(feature = "mysql")]
#[test]
fn events_of_mysql_survive_kill_9() {
    let (_server, store) = crate::process::on_servers::database(wallet_test_servers::Kind::MySql);
    survive_kill_9(&store);
}

#[cfg(feature = "mysql")]
#[test]
fn events_of_mariadb_survive_kill_9() {
    let (_server, store) = crate::process::on_servers::database(wallet_test_servers::Kind::MariaDb);
    survive_kill_9(&store);
}

/// Requests in flight at the stop are published first.
#[test]
fn a_server_that_stops_publishes_what_it_committed() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let queue = Queue::new("stops");
    let mut server = start(&store, &queue);
    server.client.open_with("ada", "1.00");
    server.terminate();
    let types: Vec<_> = queue
        .take_all()
        .into_iter()
        .map(|message| message.attribute("type").unwrap().to_owned())
        .collect();
    assert_eq!(
        types,
        ["wallet.account.opened.v1", "wallet.account.credited.v1"]
    );
}

#[test]
fn why_events_are_not_published_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let url = Queue::new("made").url.replace("made", "never-made");
    let arguments = ["--store", &store, "--events-queue", &url];
    let server = Process::start_with(&arguments, &environment());
    server.client.open_with("ada", "1.00");
    let line = server.line("events are not published for now");
    assert_eq!(line["level"], "WARN");
    let failure = line["fields"]["failure"].as_str().unwrap();
    assert!(failure.contains("NonExistentQueue"), "{failure}");
}

#[test]
fn what_is_no_fifo_queue_is_refused_at_once() {
    for url in ["", "wallet.fifo", "https://sqs.example/1/wallet"] {
        let output = crate::process::run(&["--store", "memory", "--events-queue", url]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
