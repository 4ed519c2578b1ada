//! Stops a restore after every step.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_core::ledger::RaisedBy;
use wallet_core::store::LedgerStore;
use wallet_core::{SystemClock, Timestamp};
use wallet_testkit::block_on;

use super::{Existing, restore, stop};
use crate::backup::{Backup, back_up};
use crate::file::beside;
use crate::{SqliteSettings, SqliteStore};

/// Who raised the epochs of the books at `path`. Opens the file in any state.
fn raised(path: &Path) -> Vec<String> {
    let settings = SqliteSettings {
        create: false,
        ..SqliteSettings::new(path)
    };
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    let epochs = block_on(store.epochs()).unwrap();
    let by = epochs.raised().iter().map(|one| one.by.to_string());
    by.collect()
}

fn raise(store: &SqliteStore, by: &str) {
    let by = RaisedBy::new(by).unwrap();
    block_on(store.raise_epoch(Timestamp::EPOCH, &by)).unwrap();
}

fn backed_up(folder: &Path) -> (PathBuf, Backup) {
    let copy = folder.join("backup.db");
    let books = folder.join("first.db");
    let store = SqliteStore::open(&SqliteSettings::new(&books), Arc::new(SystemClock)).unwrap();
    raise(&store, "backup");
    let backup = back_up(&books, &copy, &SystemClock).unwrap();
    (copy, backup)
}

/// A file whose log holds the last commit, as after `kill -9`.
fn old(folder: &Path, to: &Path) {
    let books = folder.join("second.db");
    let store = SqliteStore::open(&SqliteSettings::new(&books), Arc::new(SystemClock)).unwrap();
    raise(&store, "old");
    for ending in ["", "-wal"] {
        std::fs::copy(beside(&books, ending), beside(to, ending)).unwrap();
    }
}

/// How many names lead to the file.
fn names(path: &Path) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(&std::fs::metadata(path).unwrap());
    #[cfg(not(unix))]
    return u64::from(path.exists());
}

/// Restores, and stops after that many steps. Returns whether the restore completed.
fn stopped_after(steps: u32, from: &Path, backup: &Backup, to: &Path, existing: Existing) -> bool {
    let by = RaisedBy::new("restore").unwrap();
    stop::plant(Some(steps));
    let work = || restore(from, backup, to, existing, &by, &SystemClock).unwrap();
    let done = catch_unwind(AssertUnwindSafe(work));
    stop::plant(None);
    done.is_ok()
}

#[test]
fn at_every_step_the_name_is_the_old_file_or_the_restored_one() {
    let mut seen = Vec::new();
    for steps in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (copy, backup) = backed_up(folder.path());
        let to = folder.path().join("wallet.db");
        old(folder.path(), &to);
        let is_done = stopped_after(steps, &copy, &backup, &to, Existing::SetAside);
        let found = raised(&to);
        assert_eq!(
            names(&to),
            1,
            "{steps}: whoever opens it removes a second name"
        );
        assert!(
            found == ["old"] || found == ["backup", "restore"],
            "{steps}: {found:?}"
        );
        if found != ["old"] {
            assert_eq!(raised(&beside(&to, ".replaced-1")), ["old"], "{steps}");
            for ending in ["-wal", "-journal", "-shm"] {
                assert!(!beside(&to, ending).exists(), "{steps}: {ending}");
            }
        }
        seen.push(found.len());
        if is_done {
            break;
        }
        // Restores again over the remaining files.
        assert!(stopped_after(99, &copy, &backup, &to, Existing::SetAside));
        assert_eq!(raised(&to), ["backup", "restore"]);
        assert!(!beside(&to, ".restoring").exists());
    }
    assert!(seen.contains(&1) && seen.contains(&2), "{seen:?}");
}

#[test]
fn at_every_step_a_name_that_was_free_is_restored_or_refused() {
    for steps in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (copy, backup) = backed_up(folder.path());
        let to = folder.path().join("wallet.db");
        let is_done = stopped_after(steps, &copy, &backup, &to, Existing::Refuse);
        if to.exists() {
            assert_eq!(raised(&to), ["backup", "restore"]);
        } else {
            // A store must not create new books beside an unfinished restore.
            let settings = SqliteSettings::new(&to);
            let error = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap_err();
            assert!(error.to_string().contains("restore again"), "{error}");
            assert!(stopped_after(99, &copy, &backup, &to, Existing::Refuse));
        }
        if is_done {
            break;
        }
    }
}

#[test]
fn a_log_without_its_file_is_set_aside_and_at_every_step_nobody_begins_new_books() {
    for steps in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (copy, backup) = backed_up(folder.path());
        let to = folder.path().join("wallet.db");
        old(folder.path(), &to);
        std::fs::remove_file(&to).unwrap();
        let is_done = stopped_after(steps, &copy, &backup, &to, Existing::SetAside);
        if to.exists() {
            assert_eq!(raised(&to), ["backup", "restore"]);
            assert!(beside(&to, ".replaced-1-wal").exists());
        } else {
            let settings = SqliteSettings::new(&to);
            SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap_err();
        }
        if is_done {
            break;
        }
    }
}
