//! Backups are complete and consistent, and incomplete files are detected.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::SystemClock;
use wallet_core::ledger::RaisedBy;
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_sqlite::{
    Backup, BackupError, Census, Existing, Restored, Standing, back_up, restore, standing,
};
use wallet_testkit::{ManualClock, block_on};

use crate::support::child::{self, Acknowledged};
use crate::support::{
    ACCOUNTS, assert_sound, commit, open, open_deferring, posted, set_up, transfer,
};

struct Files {
    folder: tempfile::TempDir,
    live: PathBuf,
    copy: PathBuf,
    target: PathBuf,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    Files {
        live: file("wallet.db"),
        copy: file("backup.db"),
        target: file("restored.db"),
        folder,
    }
}

/// Books with transfers in tables and in deltas.
fn books(path: &Path) -> wallet_sqlite::SqliteStore {
    let store = open_deferring(path, 2);
    set_up(&store, 1_000);
    for number in 0..30 {
        commit(&store, vec![transfer(&format!("t-{number}"), 0, 1, 1)]);
    }
    store
}

/// Restores in the name of this test.
fn put(
    from: &Path,
    backup: &Backup,
    to: &Path,
    existing: Existing,
) -> Result<Restored, BackupError> {
    let by = RaisedBy::new("a test").unwrap();
    restore(from, backup, to, existing, &by, &SystemClock)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// The names in the folder, sorted.
fn names(files: &Files) -> Vec<String> {
    let all = std::fs::read_dir(files.folder.path()).unwrap();
    let mut names: Vec<String> = all
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn child_process() {
    child::run();
}

#[test]
fn a_backup_made_beside_traffic_is_of_one_commit_and_restores_to_sound_books() {
    let files = files();
    set_up(&open(&files.live), 10_000);
    let mut children =
        [1, 2].map(|seed| child::spawn("backup::child_process", &files.live, seed, 60));
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
fn a_file_that_lacks_transfers_is_not_taken_for_a_sound_one() {
    let files = files();
    let store = books(&files.live);
    // The file without its log, as a plain copy beside a running store.
    std::fs::copy(&files.live, &files.target).unwrap();
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let early = Census::take(&files.live).unwrap();
    commit(&store, vec![transfer("later", 0, 1, 1)]);
    let late = Census::take(&files.live).unwrap();
    drop(store);

    assert_eq!(standing(&files.live, &early).unwrap(), Standing::Ahead(1));
    assert_eq!(standing(&files.live, &late).unwrap(), Standing::Same);
    let Standing::Lacking(what) = standing(&files.copy, &late).unwrap() else {
        panic!("it lacks a transfer");
    };
    assert_eq!(what[1], "transfers: 37 in the manifest, 36 here");
    // A file that lacks everything is no ledger, or one with less.
    match standing(&files.target, &backup.census) {
        Ok(Standing::Lacking(what)) => assert!(!what.is_empty()),
        Ok(other) => panic!("{other:?}"),
        Err(_) => {}
    }

    // Other books with the same counts.
    let other = files.folder.path().join("other.db");
    drop(books(&other));
    let found = standing(&other, &backup.census).unwrap();
    let Standing::Lacking(what) = found else {
        panic!("{found:?}");
    };
    assert!(
        what[0].starts_with("the last commit 42 is not here"),
        "{what:?}"
    );
}

#[test]
fn a_balance_that_was_changed_by_hand_is_reported() {
    let files = files();
    // Small commits write to the tables directly.
    set_up(&open(&files.live), 1_000);
    let census = Census::take(&files.live).unwrap();
    let file = Connection::open(&files.live).unwrap();
    let swap = "UPDATE wallet_account SET counters = x'00020bb80000' WHERE num = 3";
    assert_eq!(file.execute(swap, ()).unwrap(), 1);
    let Standing::Lacking(what) = standing(&files.live, &census).unwrap() else {
        panic!("the change was not found");
    };
    assert_eq!(what, ["the balances of ledger 0 in EUR are others"]);
}

#[test]
fn a_purge_takes_nothing_from_a_backup() {
    use std::time::Duration;
    use wallet_core::store::Purge;

    let files = files();
    let store = books(&files.live);
    commit(&store, vec![transfer("refused", 0, 1, 1_000_000)]);
    let census = Census::take(&files.live).unwrap();
    let purge = Purge::Records {
        older_than: Duration::ZERO,
        limit: 10_000,
    };
    assert_eq!(block_on(store.purge(purge)).unwrap(), 43);
    assert_eq!(standing(&files.live, &census).unwrap(), Standing::Same);
}

#[test]
fn a_backup_that_was_changed_or_cut_off_is_not_restored() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let whole = std::fs::read(&files.copy).unwrap();
    let before = names(&files);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let longer = [&whole[..], b"x"].concat();
    for (bytes, why) in [
        (&whole[..whole.len() - 2_048], "it has another size"),
        (&[][..], "it has another size"),
        (&longer[..], "it has another size"),
        (&flipped[..], "it has another SHA-256"),
    ] {
        std::fs::write(&files.copy, bytes).unwrap();
        let error = put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap_err();
        let BackupError::OtherBytes { what, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(what, why);
        assert_eq!(names(&files), before, "nothing is left");
    }
    std::fs::write(&files.copy, &whole).unwrap();
    // A manifest of other books, with the bytes of these.
    let mut wrong = backup.clone();
    wrong.census.rows.transfers += 1;
    let error = put(&files.copy, &wrong, &files.target, Existing::Refuse).unwrap_err();
    assert!(matches!(error, BackupError::Differs { .. }), "{error}");
    assert_eq!(names(&files), before);
    put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap();
}

#[test]
fn nothing_is_overwritten_unless_it_is_asked_for() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let error = back_up(&files.live, &files.copy, &SystemClock).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    let error = put(&files.copy, &backup, &files.live, Existing::Refuse).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");

    commit(&open(&files.live), vec![transfer("later", 0, 1, 1)]);
    let mut names = Vec::new();
    for _ in 0..2 {
        let restored = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
        names.push(restored.aside.unwrap());
    }
    assert_eq!(
        names,
        [".replaced-1", ".replaced-2"].map(|ending| beside(&files.live, ending))
    );
    assert_eq!(posted(&open(&files.live), 0), 970);
    assert_eq!(posted(&open(&names[0]), 0), 969, "with what came later");
    assert_sound(&open(&names[0]));
}

#[test]
fn a_file_that_somebody_has_open_is_not_replaced() {
    let files = files();
    let store = books(&files.live);
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let error = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap_err();
    assert!(matches!(error, BackupError::InUse(_)), "{error}");
    commit(&store, vec![transfer("goes-on", 0, 1, 1)]);
    assert_eq!(posted(&store, 0), 969);
    drop(store);
    put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    assert_eq!(posted(&open(&files.live), 0), 970);
}

#[test]
fn a_log_that_was_left_behind_is_never_added_to_a_restored_file() {
    let files = files();
    let store = books(&files.live);
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    // A log with commits whose file was removed.
    let log = beside(&files.target, "-wal");
    std::fs::copy(beside(&files.live, "-wal"), &log).unwrap();
    drop(store);
    let error = put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap_err();
    assert!(matches!(error, BackupError::Leftover(_)), "{error}");
    assert!(log.exists() && !files.target.exists());
    let restored = put(&files.copy, &backup, &files.target, Existing::SetAside).unwrap();
    let aside = restored.aside.unwrap();
    assert!(beside(&aside, "-wal").exists() && !log.exists());
    assert_eq!(
        standing(&files.target, &backup.census).unwrap(),
        Standing::Same
    );
}

#[test]
fn a_damaged_file_is_set_aside_as_it_is() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    std::fs::write(&files.live, "Dear Sir or Madam, ".repeat(500)).unwrap();
    let restored = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    let aside = std::fs::read(restored.aside.unwrap()).unwrap();
    assert!(aside.starts_with(b"Dear Sir"));
    assert_sound(&open(&files.live));
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

#[test]
fn each_restore_begins_an_epoch_of_its_own() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let first = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    let last = backup.census.last.unwrap().at;
    assert!(
        first.epoch.restored_to < last,
        "no later than what the backup holds"
    );
    let store = open(&files.live);
    let epochs = block_on(store.epochs()).unwrap();
    assert_eq!(epochs.raised(), std::slice::from_ref(&first.epoch));
    commit(&store, vec![transfer("after", 0, 1, 1)]);
    assert_sound(&store);
    drop(store);
    // The next backup contains the epoch, and is restored into a later one.
    let copy = files.folder.path().join("second.db");
    let backup = back_up(&files.live, &copy, &SystemClock).unwrap();
    let second = put(&copy, &backup, &files.target, Existing::Refuse).unwrap();
    assert!(second.epoch.epoch > first.epoch.epoch);
    let epochs = block_on(open(&files.target).epochs()).unwrap();
    assert_eq!(epochs.raised(), [first.epoch, second.epoch]);
}

/// An account that was ahead of the clock pays at its own time. An outcome after the backup
/// has the clock's time: it is earlier than the last one in the backup, and lost.
#[test]
fn a_restore_goes_back_to_before_the_backup_where_an_account_is_ahead_of_the_clock() {
    let files = files();
    drop(books(&files.live));
    let hour = Duration::from_secs(3_600);
    let begun_at = SystemClock.now().saturating_sub(hour);
    let clock = ManualClock::new(begun_at);
    let backup = back_up(&files.live, &files.copy, &clock).unwrap();
    let last = backup.census.last.unwrap().at;
    assert!(last > begun_at.saturating_add(hour / 2), "an hour ahead");
    let restored = put(&files.copy, &backup, &files.target, Existing::Refuse).unwrap();
    let minute_before = begun_at.saturating_sub(Duration::from_secs(60));
    assert_eq!(restored.epoch.restored_to, minute_before);
}

#[test]
fn every_number_of_a_census_is_compared_at_a_restore() {
    type Change = fn(&mut wallet_sqlite::RowCounts) -> &mut u64;
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let before = names(&files);
    let counts: [Change; 9] = [
        |rows| &mut rows.accounts,
        |rows| &mut rows.transfers,
        |rows| &mut rows.references,
        |rows| &mut rows.reversals,
        |rows| &mut rows.holds,
        |rows| &mut rows.open_holds,
        |rows| &mut rows.currencies,
        |rows| &mut rows.outcomes,
        |rows| &mut rows.keys,
    ];
    for (index, count) in counts.into_iter().enumerate() {
        let mut wrong = backup.clone();
        *count(&mut wrong.census.rows) += 1;
        let refused = put(&files.copy, &wrong, &files.target, Existing::Refuse);
        let Err(BackupError::Differs { path, missing }) = refused else {
            panic!("{index}: {refused:?}");
        };
        assert_eq!((path, missing.len()), (files.copy.clone(), 1), "{index}");
        assert_eq!(names(&files), before, "{index}");
    }
}

#[test]
fn a_backup_is_not_restored_onto_itself() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    std::fs::hard_link(&files.copy, &files.target).unwrap();
    let before = names(&files);
    let dotted = files.folder.path().join("./backup.db");
    for to in [&files.copy, &files.target, &dotted] {
        for existing in [Existing::Refuse, Existing::SetAside] {
            let error = put(&files.copy, &backup, to, existing).unwrap_err();
            assert!(error.to_string().contains("the backup itself"), "{error}");
            assert_eq!(names(&files), before);
        }
    }
}

#[test]
fn a_restore_begins_an_epoch_that_none_before_it_had() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    // The live books have an epoch ahead of the clock.
    let ahead = 9_000_000_000_u64;
    let file = Connection::open(&files.live).unwrap();
    let raise = "INSERT INTO wallet_epoch VALUES (?, 0, 0, 'a clock that stepped forward')";
    file.execute(raise, [i64::try_from(ahead).unwrap()])
        .unwrap();
    drop(file);
    for more in 1..=2 {
        let restored = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
        assert_eq!(restored.epoch.epoch.number(), ahead + more);
    }
    // In other folders, where no earlier epoch is known: one restore after the other.
    let mut epochs = Vec::new();
    for number in 0..3 {
        let to = files.folder.path().join(format!("{number}.db"));
        let restored = put(&files.copy, &backup, &to, Existing::Refuse).unwrap();
        epochs.push(restored.epoch.epoch);
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
}

#[test]
fn a_backup_of_books_that_were_restored_and_stood_still_begins_an_epoch_too() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let first = put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
    let again = files.folder.path().join("again.db");
    let backup = back_up(&files.live, &again, &SystemClock).unwrap();
    let second = put(&again, &backup, &files.target, Existing::Refuse).unwrap();
    assert!(second.epoch.epoch > first.epoch.epoch);
}

#[test]
fn nothing_of_a_file_that_was_set_aside_stays_under_its_name() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    // An empty log and its index, as a replacement under a running server leaves them.
    for left in [&["-wal", "-shm"][..], &[]] {
        for ending in left {
            std::fs::write(beside(&files.live, ending), "").unwrap();
        }
        put(&files.copy, &backup, &files.live, Existing::SetAside).unwrap();
        for ending in ["-wal", "-shm", "-journal"] {
            assert!(!beside(&files.live, ending).exists(), "{ending}");
        }
    }
    for aside in ["wallet.db.replaced-1", "wallet.db.replaced-2"] {
        let aside = files.folder.path().join(aside);
        for ending in ["-wal", "-shm", "-journal"] {
            assert!(!beside(&aside, ending).exists(), "{ending}");
        }
        assert_sound(&open(&aside));
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_the_file_that_is_restored() {
    let files = files();
    drop(books(&files.live));
    let backup = back_up(&files.live, &files.copy, &SystemClock).unwrap();
    let data = files.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let link = files.folder.path().join("link.db");
    std::os::unix::fs::symlink("data/real.db", &link).unwrap();
    // The link leads to nothing yet.
    put(&files.copy, &backup, &link, Existing::Refuse).unwrap();
    let restored = put(&files.copy, &backup, &link, Existing::SetAside).unwrap();
    assert_eq!(restored.aside.unwrap(), data.join("real.db.replaced-1"));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_sound(&open(&data.join("real.db")));
    assert_sound(&open(&link));
}
