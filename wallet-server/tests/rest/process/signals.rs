//! Signals that stop the server, and what its file holds afterwards.

use std::process::Command;

use super::Process;
use crate::support::transfer;

#[test]
fn sigterm_and_sigint_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Process::start(&folder.path().join("wallet.db"));
        server.client.open("ada");
        // An idle connection does not delay the stop.
        let _idle = std::net::TcpStream::connect(server.client.address).unwrap();
        let id = server.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn after_sigterm_a_copy_of_the_one_file_holds_everything_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    let mut server = Process::start(&file);
    let client = server.client;
    let ada = client.open_with("ada", "1000.00");
    let bob = client.open("bob");
    for index in 0..100 {
        let body = transfer(&ada, &bob, "0.01");
        client
            .post("/v1/transfers", &format!("t{index}"), &body)
            .expect(201);
    }
    server.terminate();
    for ending in ["-wal", "-shm"] {
        let log = folder.path().join(format!("wallet.db{ending}"));
        assert!(!log.exists(), "{ending}");
    }
    let copy = folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    let restored = Process::start(&copy);
    assert_eq!(restored.client.posted(&ada), "999.00");
    assert_eq!(restored.client.posted(&bob), "1.00");
}
