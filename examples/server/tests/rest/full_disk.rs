//! A disk that takes no more, for a while.

use crate::process::{Process, sqlite};

// A program that writes more to a file than it may is sent SIGXFSZ, and ends where it does
// not take that.
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
        // Nothing was done, or nobody knows: never that it was.
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
    // Nobody writes: a probe finds it out, and finds out when it is over.
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
