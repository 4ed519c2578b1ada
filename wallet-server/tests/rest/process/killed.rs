//! Acknowledged requests survive the kill of the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Process, command_wallet, sqlite};
use crate::support::{Response, transfer};

#[test]
fn what_was_acknowledged_survives_kill_9_and_replays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    survives_kill_9(&sqlite(&folder.path().join("wallet.db")));
}

#[cfg(feature = "mysql")]
mod on_servers {
    use wallet_test_servers::Kind;

    use crate::process::on_servers::database;

    #[test]
    fn what_was_acknowledged_survives_kill_9_on_mysql() {
        let (_server, store) = database(Kind::MySql);
        super::survives_kill_9(&store);
    }

    #[test]
    fn what_was_acknowledged_survives_kill_9_on_mariadb() {
        let (_server, store) = database(Kind::MariaDb);
        super::survives_kill_9(&store);
    }
}

/// Kills the server under load, asks another one, and the operator's command.
fn survives_kill_9(store: &str) {
    let mut server = Process::start_on(store);
    let client = server.client;
    let ada = client.open_with("ada", "1000000.00");
    let bob = client.open("bob");
    let body = transfer(&ada, &bob, "0.01");

    let acknowledged: Mutex<Vec<(String, Response)>> = Mutex::default();
    let count = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (acknowledged, count, body) = (&acknowledged, &count, &body);
            scope.spawn(move || {
                for index in 0_u32.. {
                    let key = format!("w{worker}-{index}");
                    // An error: the server is gone, and the outcome is unknown.
                    let Ok(answer) = client.try_post("/v1/transfers", &key, body) else {
                        break;
                    };
                    assert_eq!(answer.status, 201, "{answer:?}");
                    acknowledged.lock().unwrap().push((key, answer));
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while count.load(Ordering::Relaxed) < 100 {
            std::thread::yield_now();
        }
        server.kill();
    });

    let mut server = Process::start_on(store);
    let client = server.client;
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 100);
    let cents = |id: &str| client.posted(id).replace('.', "").parse::<usize>().unwrap();
    let moved = cents(&bob);
    // At most the requests in flight are there in addition.
    assert!(
        (acknowledged.len()..acknowledged.len().saturating_add(5)).contains(&moved),
        "{moved}"
    );
    assert_eq!(cents(&ada).saturating_add(moved), 100_000_000);
    for (key, answer) in &acknowledged {
        let again = client.post("/v1/transfers", key, &body);
        assert!(again.is_replayed());
        assert_eq!((again.status, &again.body), (answer.status, &answer.body));
    }
    assert_eq!(cents(&bob), moved);
    server.kill();
    let verify = ["verify", "--nothing-delivered", "--store", store];
    assert_eq!(command_wallet(&verify), 0, "the books are sound");
}
