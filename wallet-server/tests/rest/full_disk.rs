//! A disk that is full for a while.

use crate::process::{Process, sqlite};

// A program that writes a file beyond its size limit is sent SIGXFSZ, and ends if it does
// not handle the signal.
#[test]
fn on_a_full_disk_nothing_is_done_and_the_server_is_not_ready_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let mut server = Process::start_on(&store);
    let (client, admin) = (server.client, server.admin);
    let ada = client.open("ada");
    client.get("/health/ready").expect(200);
    for (round, posted) in [(1, "1.00"), (2, "2.00")] {
        let key = format!("round {round}");
        server.limit_files("0");
        // Nothing was done, or the outcome is unknown: never a confirmed one.
        let late = client.deposit(&ada, &key, "1.00");
        assert!([503, 504].contains(&late.status), "{late:?}");
        assert!(late.header("retry-after").is_some());
        for end in [client, admin] {
            end.get("/health/ready").problem(503, "store_unavailable");
            end.get("/health/live").expect(200);
        }
        assert_eq!(admin.metric("wallet_can_commit "), 0);
        client.get("/v1/accounts").expect(200);

        server.limit_files("unlimited");
        client.deposit(&ada, &key, "1.00").expect(201);
        client.get("/health/ready").expect(200);
        assert_eq!(client.posted(&ada), posted);
    }
    server.limit_files("0");
    // No request commits: a probe finds the failure, and later its end.
    while client.get("/health/ready").status == 200 {
        std::thread::yield_now();
    }
    server.limit_files("unlimited");
    while client.get("/health/ready").status != 200 {
        std::thread::yield_now();
    }
    assert!(admin.metric("wallet_probes_failed_total ") > 0);
    server.kill();
    // The log names the cause.
    let failed = server.lines().into_iter().find(|line| {
        let error = line["fields"]["error"].as_str().unwrap_or_default();
        error.contains("committing") && error.contains("disk")
    });
    assert!(failed.is_some());
}

#[test]
fn a_disk_on_which_only_a_probe_finds_room_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let mut server = Process::start_on(&store);
    let (client, admin) = (server.client, server.admin);
    let ada = client.open_with("ada", "10.00");
    let bob = client.open("bob");
    // A few pages more, but no transfer of many legs.
    let log = folder.path().join("wallet.db-wal");
    let length = std::fs::metadata(&log).unwrap().len();
    server.limit_files(&(length + 20_000).to_string());
    let leg = serde_json::json!({"from": ada, "to": bob, "amount": "0.01", "currency": "EUR"});
    let large = serde_json::json!({"legs": vec![leg; 300]});
    let late = client.post("/v1/transfers", "large", &large);
    assert!([503, 504].contains(&late.status), "{late:?}");
    client
        .get("/health/ready")
        .problem(503, "store_unavailable");
    // Once that result is old, a probe finds it.
    while admin.metric("wallet_probes_total ") == 0 {
        client
            .get("/health/ready")
            .problem(503, "store_unavailable");
    }
    client
        .get("/health/ready")
        .problem(503, "store_unavailable");
    assert_eq!(admin.metric("wallet_probes_failed_total "), 1);
    server.limit_files("unlimited");
    client.post("/v1/transfers", "large", &large).expect(201);
    client.get("/health/ready").expect(200);
    server.kill();
}
