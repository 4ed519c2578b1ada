//! Backups beside a running server.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::{Process, command_wallet, sqlite};
use crate::support::transfer;

/// The command `wallet` on a file; the code that it exits with.
fn wallet(file: &Path, arguments: &[&str]) -> u8 {
    command_wallet(&[&["--store", &sqlite(file)], arguments].concat())
}

#[test]
fn a_backup_beside_a_running_server_restores_what_was_acknowledged_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy, new] =
        ["wallet.db", "backup.db", "new.db"].map(|name| folder.path().join(name));
    let manifest = folder.path().join("backup.db.manifest.json");
    let mut server = Process::start(&file);
    let client = server.client;
    let ada = client.open_with("ada", "1000000.00");
    let bob = client.open("bob");
    let body = transfer(&ada, &bob, "0.01");
    let count = AtomicUsize::new(0);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let backup = ["backup", "--to", copy.to_str().unwrap()];
    let restore = ["restore", "--from", copy.to_str().unwrap()];
    let by_then = std::thread::scope(|scope| {
        for worker in 0..3 {
            let (count, body, is_done) = (&count, &body, &is_done);
            scope.spawn(move || {
                for index in 0_u32.. {
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                    let key = format!("w{worker}-{index}");
                    client.post("/v1/transfers", &key, body).expect(201);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while count.load(Ordering::Relaxed) < 50 {
            std::thread::yield_now();
        }
        let by_then = count.load(Ordering::Relaxed);
        let made = wallet(&file, &backup);
        is_done.store(true, Ordering::Relaxed);
        assert_eq!(made, 0);
        by_then
    });
    // The file is in use; the flag does not change that.
    for more in [&[][..], &["--set-aside-existing"]] {
        let refused = wallet(&file, &[&restore[..], more].concat());
        assert_eq!(refused, 3);
    }
    assert_eq!(client.get("/health/ready").status, 200);
    server.kill();
    let restored = wallet(&new, &restore);
    assert_eq!(restored, 0);
    let expect = ["verify", "--expect", manifest.to_str().unwrap()];
    for file in [&new, &file] {
        let verified = wallet(file, &expect);
        assert_eq!(verified, 0);
    }
    let server = Process::start(&new);
    let cents = |id: &str| {
        server
            .client
            .posted(id)
            .replace('.', "")
            .parse::<usize>()
            .unwrap()
    };
    let moved = cents(&bob);
    assert!(
        (by_then..=count.load(Ordering::Relaxed)).contains(&moved),
        "{moved}"
    );
    assert_eq!(cents(&ada).saturating_add(moved), 100_000_000);
}
