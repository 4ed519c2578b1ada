//! A server whose file was replaced ends, while its successor works on the new file. Both
//! files have their log under the same name.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Process, command_wallet, sqlite};

const DEPOSITS: u32 = 30;

/// A folder with the file of a server and a copy of it.
struct Place {
    folder: TempDir,
    file: PathBuf,
    copy: PathBuf,
    /// The only account.
    ada: String,
}

impl Place {
    /// Books with 5.00 on one account, copied while no server runs.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [file, copy] = ["wallet.db", "copy.db"].map(|name| folder.path().join(name));
        let mut server = Process::start(&file);
        let ada = server.client.open_with("ada", "5.00");
        server.terminate();
        std::fs::copy(&file, &copy).unwrap();
        Self {
            folder,
            file,
            copy,
            ada,
        }
    }

    /// The path of another file.
    fn named(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pay_in(&self, server: &Process) {
        for number in 0..DEPOSITS {
            let key = format!("after-{number}");
            server.client.deposit(&self.ada, &key, "1.00").expect(201);
        }
    }

    /// Asserts what a new server on `file` shows.
    fn assert_posted(&self, file: &Path, posted: &str) {
        let mut server = Process::start(file);
        assert_eq!(
            server.client.posted(&self.ada),
            posted,
            "{}",
            file.display()
        );
        server.terminate();
    }

    /// The first server ends after its successor has acknowledged deposits.
    fn assert_nothing_is_lost(&self, replace: impl FnOnce()) {
        let mut first = Process::start(&self.file);
        replace();
        assert_eq!(first.client.get("/health/ready").status, 503);
        let mut second = Process::start(&self.file);
        self.pay_in(&second);
        first.terminate();
        assert_eq!(second.client.posted(&self.ada), "35.00");
        second.kill();
        self.assert_posted(&self.file, "35.00");
        verify(&self.file);
    }
}

fn log(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", file.display()))
}

fn remove_log(file: &Path) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(log(file, ending));
    }
}

fn verify(file: &Path) {
    assert_eq!(command_wallet(&["verify", "--store", &sqlite(file)]), 0);
}

#[test]
fn a_server_whose_file_was_replaced_takes_nothing_from_its_successor_when_it_ends() {
    let place = Place::new();
    place.assert_nothing_is_lost(|| std::fs::rename(&place.copy, &place.file).unwrap());
}

#[test]
fn a_file_that_was_moved_aside_gets_nothing_of_its_successor() {
    let place = Place::new();
    let old = place.named("old.db");
    place.assert_nothing_is_lost(|| {
        std::fs::rename(&place.file, &old).unwrap();
        std::fs::rename(&place.copy, &place.file).unwrap();
    });
    place.assert_posted(&old, "5.00");
    verify(&old);
}

#[test]
fn a_server_whose_log_was_removed_leaves_the_log_of_its_successor() {
    let place = Place::new();
    place.assert_nothing_is_lost(|| {
        for ending in ["-wal", "-shm"] {
            std::fs::remove_file(log(&place.file, ending)).unwrap();
        }
    });
}

/// The log stays where it is, as after `kill -9`. It belongs to the file.
#[test]
fn the_log_of_a_file_that_was_moved_away_stays_and_is_moved_along() {
    let place = Place::new();
    let old = place.named("old.db");
    let mut server = Process::start(&place.file);
    place.pay_in(&server);
    std::fs::rename(&place.file, &old).unwrap();
    server.terminate();
    std::fs::rename(log(&place.file, "-wal"), log(&old, "-wal")).unwrap();
    place.assert_posted(&old, "35.00");
    verify(&old);
}

/// A backup takes the name of an open file, whose log holds every commit since the backup.
#[test]
fn a_backup_under_a_log_that_lacks_nothing_goes_on_with_the_log() {
    let place = Place::new();
    let mut server = Process::start(&place.file);
    place.pay_in(&server);
    std::fs::rename(&place.copy, &place.file).unwrap();
    server.terminate();
    place.assert_posted(&place.file, "35.00");
    verify(&place.file);
}

/// The successor was killed: nobody has its file open, and its commits are in the log.
#[test]
fn a_server_that_ends_takes_nothing_from_a_successor_that_was_killed() {
    let place = Place::new();
    let mut first = Process::start(&place.file);
    std::fs::rename(&place.copy, &place.file).unwrap();
    let mut second = Process::start(&place.file);
    place.pay_in(&second);
    second.kill();
    first.terminate();
    place.assert_posted(&place.file, "35.00");
    verify(&place.file);
}

/// The successor's file was moved away, and the log that both shared is still there.
#[test]
fn a_log_that_a_successor_wrote_to_stays_when_its_file_is_moved_away() {
    let place = Place::new();
    let file = &place.file;
    let [old, second_file] = ["old.db", "b.db"].map(|name| place.named(name));
    for back in [false, true] {
        let mut first = Process::start(file);
        std::fs::rename(file, &old).unwrap();
        std::fs::copy(&place.copy, file).unwrap();
        assert_eq!(first.client.get("/health/ready").status, 503);
        let mut second = Process::start(file);
        place.pay_in(&second);
        second.kill();
        std::fs::rename(file, &second_file).unwrap();
        if back {
            std::fs::rename(&old, file).unwrap();
            let ready = first.client.get("/health/ready").status;
            assert_eq!(ready, 503, "it does not go on");
        }
        first.terminate();
        // The log is that of the second file: it is put back beside it.
        if back {
            std::fs::rename(file, &old).unwrap();
        }
        std::fs::rename(&second_file, file).unwrap();
        place.assert_posted(file, "35.00");
        std::fs::rename(&old, file).unwrap();
        place.assert_posted(file, "5.00");
    }
}

/// Another server works on the file under its new name, and has ended.
#[test]
fn a_server_writes_nothing_into_its_file_once_the_file_has_another_name() {
    let place = Place::new();
    let (file, new) = (&place.file, place.named("new.db"));
    for replaces in [false, true] {
        let mut first = Process::start(file);
        let paid = first.client.deposit(&place.ada, "first", "1.00");
        paid.expect(201);
        std::fs::rename(file, &new).unwrap();
        if replaces {
            std::fs::copy(&place.copy, file).unwrap();
        }
        let mut second = Process::start(&new);
        place.pay_in(&second);
        second.terminate();
        first.terminate();
        place.assert_posted(&new, "35.00");
        verify(&new);
        // The next round begins anew.
        std::fs::remove_file(log(file, "-wal")).unwrap();
        std::fs::copy(&place.copy, file).unwrap();
    }
}

/// A log is removed, another server works on the file with a log of its own and ends, and that
/// log is removed too.
#[test]
fn a_removed_log_is_not_saved_over_what_others_have_written() {
    let place = Place::new();
    let mut first = Process::start(&place.file);
    let paid = first.client.deposit(&place.ada, "first", "1.00");
    paid.expect(201);
    remove_log(&place.file);
    let mut second = Process::start(&place.file);
    place.pay_in(&second);
    second.terminate();
    remove_log(&place.file);
    first.terminate();
    place.assert_posted(&place.file, "35.00");
    verify(&place.file);
}

/// The file is moved, and a link to it is left. Whoever opens it now has a log beside the new
/// name.
#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_is_another_file() {
    let place = Place::new();
    let new = place.named("new.db");
    let mut first = Process::start(&place.file);
    let paid = first.client.deposit(&place.ada, "first", "1.00");
    paid.expect(201);
    std::fs::rename(&place.file, &new).unwrap();
    std::os::unix::fs::symlink(&new, &place.file).unwrap();
    let refused = first.client.deposit(&place.ada, "second", "1.00");
    assert_eq!(refused.status, 503);
    let mut second = Process::start(&place.file);
    place.pay_in(&second);
    second.terminate();
    first.terminate();
    place.assert_posted(&new, "35.00");
    verify(&new);
}
