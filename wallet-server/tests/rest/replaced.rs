//! A server whose file was replaced ends, while its successor works on the new file. Both
//! files have their log under the same name.

use std::path::Path;

use crate::process::{Process, command_wallet, sqlite};

const DEPOSITS: u32 = 30;

/// Books with one account, copied while no server runs.
fn books(file: &Path, copy: &Path) -> String {
    let mut server = Process::start(file);
    let ada = server.client.open_with("ada", "5.00");
    server.terminate();
    std::fs::copy(file, copy).unwrap();
    ada
}

fn pay_in(server: &Process, account: &str) {
    for number in 0..DEPOSITS {
        let key = format!("after-{number}");
        server.client.deposit(account, &key, "1.00").expect(201);
    }
}

fn verify(file: &Path) {
    assert_eq!(command_wallet(&["verify", "--store", &sqlite(file)]), 0);
}

/// The first server ends after its successor has acknowledged deposits.
fn both(file: &Path, account: &str, replace: impl FnOnce()) {
    let mut first = Process::start(file);
    replace();
    assert_eq!(first.client.get("/health/ready").status, 503);
    let mut second = Process::start(file);
    pay_in(&second, account);
    first.terminate();
    assert_eq!(second.client.posted(account), "35.00");
    second.kill();
    let mut third = Process::start(file);
    assert_eq!(third.client.posted(account), "35.00", "nothing is lost");
    third.terminate();
    verify(file);
}

#[test]
fn a_server_whose_file_was_replaced_takes_nothing_from_its_successor_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
    let ada = books(&file, &copy);
    both(&file, &ada, || std::fs::rename(&copy, &file).unwrap());
}

#[test]
fn a_file_that_was_moved_aside_gets_nothing_of_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let [file, copy, old] = ["wallet.db", "copy.db", "old.db"].map(name);
    let ada = books(&file, &copy);
    both(&file, &ada, || {
        std::fs::rename(&file, &old).unwrap();
        std::fs::rename(&copy, &file).unwrap();
    });
    let mut server = Process::start(&old);
    assert_eq!(server.client.posted(&ada), "5.00");
    server.terminate();
    verify(&old);
}

#[test]
fn a_server_whose_log_was_removed_leaves_the_log_of_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
    let ada = books(&file, &copy);
    both(&file, &ada, || {
        for ending in ["-wal", "-shm"] {
            let log = format!("{}{ending}", file.display());
            std::fs::remove_file(log).unwrap();
        }
    });
}

/// The log stays where it is, as after `kill -9`. It belongs to the file.
#[test]
fn the_log_of_a_file_that_was_moved_away_stays_and_is_moved_along() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy, old] = ["wallet.db", "copy.db", "old.db"].map(|n| folder.path().join(n));
    let ada = books(&file, &copy);
    let mut server = Process::start(&file);
    pay_in(&server, &ada);
    std::fs::rename(&file, &old).unwrap();
    server.terminate();
    let log = |file: &Path| format!("{}-wal", file.display());
    std::fs::rename(log(&file), log(&old)).unwrap();
    let mut server = Process::start(&old);
    assert_eq!(server.client.posted(&ada), "35.00");
    server.terminate();
    verify(&old);
}

/// A backup takes the name of an open file, whose log holds every commit since the backup.
#[test]
fn a_backup_under_a_log_that_lacks_nothing_goes_on_with_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
    let ada = books(&file, &copy);
    let mut server = Process::start(&file);
    pay_in(&server, &ada);
    std::fs::rename(&copy, &file).unwrap();
    server.terminate();
    let mut server = Process::start(&file);
    assert_eq!(server.client.posted(&ada), "35.00");
    server.terminate();
    verify(&file);
}

/// The successor was killed: nobody has its file open, and its commits are in the log.
#[test]
fn a_server_that_ends_takes_nothing_from_a_successor_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
    let ada = books(&file, &copy);
    let mut first = Process::start(&file);
    std::fs::rename(&copy, &file).unwrap();
    let mut second = Process::start(&file);
    pay_in(&second, &ada);
    second.kill();
    first.terminate();
    let mut third = Process::start(&file);
    assert_eq!(third.client.posted(&ada), "35.00");
    third.terminate();
    verify(&file);
}

/// The successor's file was moved away, and the log that both shared is still there.
#[test]
fn a_log_that_a_successor_wrote_to_stays_when_its_file_is_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let [file, copy, old, second_file] = ["wallet.db", "copy.db", "old.db", "b.db"].map(name);
    let ada = books(&file, &copy);
    for back in [false, true] {
        let mut first = Process::start(&file);
        std::fs::rename(&file, &old).unwrap();
        std::fs::copy(&copy, &file).unwrap();
        assert_eq!(first.client.get("/health/ready").status, 503);
        let mut second = Process::start(&file);
        pay_in(&second, &ada);
        second.kill();
        std::fs::rename(&file, &second_file).unwrap();
        if back {
            std::fs::rename(&old, &file).unwrap();
            assert_eq!(
                first.client.get("/health/ready").status,
                503,
                "it does not go on"
            );
        }
        first.terminate();
        // The log is that of the second file: it is put back beside it.
        if back {
            std::fs::rename(&file, &old).unwrap();
        }
        std::fs::rename(&second_file, &file).unwrap();
        let mut third = Process::start(&file);
        assert_eq!(third.client.posted(&ada), "35.00", "back: {back}");
        third.terminate();
        std::fs::rename(&old, &file).unwrap();
        let mut first = Process::start(&file);
        assert_eq!(first.client.posted(&ada), "5.00", "back: {back}");
        first.terminate();
    }
}

/// Another server works on the file under its new name, and has ended.
#[test]
fn a_server_writes_nothing_into_its_file_once_the_file_has_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy, new] = ["wallet.db", "copy.db", "new.db"].map(|n| folder.path().join(n));
    let ada = books(&file, &copy);
    for replaces in [false, true] {
        let mut first = Process::start(&file);
        let paid = first.client.deposit(&ada, "first", "1.00");
        paid.expect(201);
        std::fs::rename(&file, &new).unwrap();
        if replaces {
            std::fs::copy(&copy, &file).unwrap();
        }
        let mut second = Process::start(&new);
        pay_in(&second, &ada);
        second.terminate();
        first.terminate();
        let mut third = Process::start(&new);
        assert_eq!(third.client.posted(&ada), "35.00");
        third.terminate();
        verify(&new);
        // The next round begins anew.
        let log = format!("{}-wal", file.display());
        std::fs::remove_file(log).unwrap();
        std::fs::copy(&copy, &file).unwrap();
    }
}

/// A log is removed, another server works on the file with a log of its own and ends, and that
/// log is removed too.
#[test]
fn a_removed_log_is_not_saved_over_what_others_have_written() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
    let ada = books(&file, &copy);
    let mut first = Process::start(&file);
    first.client.deposit(&ada, "first", "1.00").expect(201);
    let remove = || {
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
        }
    };
    remove();
    let mut second = Process::start(&file);
    pay_in(&second, &ada);
    second.terminate();
    remove();
    first.terminate();
    let mut third = Process::start(&file);
    assert_eq!(third.client.posted(&ada), "35.00");
    third.terminate();
    verify(&file);
}

/// The file is moved, and a link to it is left. Whoever opens it now has a log beside the new
/// name.
#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let [file, copy, new] = ["wallet.db", "copy.db", "new.db"].map(|n| folder.path().join(n));
    let ada = books(&file, &copy);
    let mut first = Process::start(&file);
    first.client.deposit(&ada, "first", "1.00").expect(201);
    std::fs::rename(&file, &new).unwrap();
    std::os::unix::fs::symlink(&new, &file).unwrap();
    let refused = first.client.deposit(&ada, "second", "1.00");
    assert_eq!(refused.status, 503);
    let mut second = Process::start(&file);
    pay_in(&second, &ada);
    second.terminate();
    first.terminate();
    let mut third = Process::start(&new);
    assert_eq!(third.client.posted(&ada), "35.00");
    third.terminate();
    verify(&new);
}
