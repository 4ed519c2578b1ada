//! Backups are complete and consistent, and incomplete files are detected.

mod census;
mod epochs;
mod made;
mod restored;

use std::path::{Path, PathBuf};

use wallet_core::SystemClock;
use wallet_core::ledger::RaisedBy;
use wallet_sqlite::{Backup, BackupError, Existing, Restored, restore};

use crate::support::{commit, open_deferring, set_up, transfer};

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
        .filter(|name| !name.ends_with("-guard"))
        .collect();
    names.sort();
    names
}
