//! How a backup is made: beside traffic, as one file, or not at all.

use std::io::{Seek, SeekFrom, Write};

use wallet_core::SystemClock;
use wallet_sqlite::{BackupError, Census, Existing, Standing, back_up, standing};

use super::{beside, books, files, names, put};
use crate::support::child::{self, Acknowledged};
use crate::support::{ACCOUNTS, assert_sound, open, posted, set_up};

#[test]
fn child_process() {
    child::run();
}

#[test]
fn a_backup_made_beside_traffic_is_of_one_commit_and_restores_to_sound_books() {
    let files = files();
    set_up(&open(&files.live), 10_000);
    let mut children =
        [1, 2].map(|seed| child::spawn("backup::made::child_process", &files.live, seed, 60));
    let mut made = Vec::new();
    for number in 0..5 {
        let copy = files.folder.path().join(format!("backup-{number}.db"));
        let backup = back_up(&files.live, &copy, &SystemClock).unwrap();
        made.push((copy, backup));
    }
    let mut acknowledged = Acknowledged::new();
    for child in &mut children {
        for line in child::lines(child) {
            child::note(&line.unwrap(), &mut acknowledged);
        }
        assert!(child.wait().unwrap().success());
    }
    for (copy, backup) in &made {
        let target = beside(copy, ".restored");
        put(copy, backup, &target, Existing::Refuse).unwrap();
        let store = open(&target);
        assert_sound(&store);
        let all: i128 = (0..ACCOUNTS).map(|number| posted(&store, number)).sum();
        assert_eq!(all, 60_000, "of one commit");
        drop(store);
        assert_eq!(standing(&target, &backup.census).unwrap(), Standing::Same);
        // The live books have continued from the backup.
        let live = standing(&files.live, &backup.census).unwrap();
        assert!(
            matches!(live, Standing::Ahead(_) | Standing::Same),
            "{live:?}"
        );
    }
    assert!(!acknowledged.is_empty(), "the children have run");
    child::verify(&files.live, &acknowledged);
}

#[test]
fn a_backup_is_one_private_file_without_a_log() {
    let files = files();
    let store = books(&files.live);
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    assert_eq!(
        names(&files),
        ["backup.db", "wallet.db", "wallet.db-shm", "wallet.db-wal"]
    );
    assert_eq!(backup.bytes, std::fs::metadata(&files.copy).unwrap().len());
    let rows = backup.census.rows;
    assert_eq!((rows.accounts, rows.transfers), (7, 36));
    assert_eq!((rows.outcomes, rows.keys), (42, 42), "keys in deltas too");
    let [sum] = backup.census.sums.as_slice() else {
        panic!("one currency");
    };
    assert_eq!((sum.accounts, sum.entries), (7, 72));
    assert_eq!((sum.debits_posted, sum.credits_posted), (6_030, 6_030));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&files.copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A second census of the same books is equal.
    assert_eq!(Census::take(&files.copy).unwrap(), backup.census);
    let again = Census::take(&files.live).unwrap();
    assert_eq!(again, backup.census);
    drop(store);
    put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap();
}

#[test]
fn a_backup_of_damaged_books_is_refused() {
    let files = files();
    drop(books(&files.live));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(&files.live)
        .unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&vec![0xEE; 40_000]).unwrap();
    drop(file);
    let error = back_up(&files.live, &files.copy, &SystemClock).unwrap_err();
    let is_reported = matches!(
        error,
        BackupError::Damaged { .. } | BackupError::Store { .. }
    );
    assert!(is_reported, "{error}");
    assert!(!files.copy.exists());
}

#[test]
fn where_nothing_can_be_written_there_is_an_error_and_no_backup() {
    let files = files();
    drop(books(&files.live));
    let nowhere = files.folder.path().join("no/such/backup.db");
    let error = back_up(&files.live, &nowhere, &SystemClock).unwrap_err();
    assert!(matches!(error, BackupError::Io { .. }), "{error}");
    let error = back_up(
        &files.folder.path().join("none.db"),
        &files.copy,
        &SystemClock,
    )
    .unwrap_err();
    assert!(matches!(error, BackupError::Store { .. }), "{error}");
    assert!(!files.copy.exists());
    std::fs::write(&files.target, "no database").unwrap();
    let error = back_up(&files.target, &files.copy, &SystemClock).unwrap_err();
    assert!(matches!(error, BackupError::Store { .. }), "{error}");
    assert!(!files.copy.exists());
}
