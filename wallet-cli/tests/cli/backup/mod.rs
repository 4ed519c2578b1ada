//! Backups and restores of an operator, and their failures.

mod epoch;
mod interrupted;
mod manifest;
mod refused;

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{books, exits_with, submit, wallet};

struct Files {
    folder: tempfile::TempDir,
    live: PathBuf,
    copy: PathBuf,
    manifest: PathBuf,
}

/// Books, not backed up yet.
fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let files = Files {
        live: file("wallet.db"),
        copy: file("backup.db"),
        manifest: file("backup.db.manifest.json"),
        folder,
    };
    books(&files.live);
    files
}

impl Files {
    fn backed_up() -> Self {
        let files = files();
        exits_with(&files.back_up(), 0);
        files
    }

    fn back_up(&self) -> Output {
        wallet(&self.live, &["backup", "--to", text(&self.copy)])
    }

    fn restore(&self, to: &Path, more: &[&str]) -> Output {
        wallet(
            to,
            &[&["restore", "--from", text(&self.copy)], more].concat(),
        )
    }

    fn fresh(&self) -> PathBuf {
        self.folder.path().join("new.db")
    }

    /// The names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = all
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// One more deposit.
fn go_on(file: &Path) {
    use std::sync::Arc;
    use wallet_core::{Currency, Deposit, Money, SettlementName, SystemClock};
    use wallet_sqlite::{SqliteSettings, SqliteStore};

    let store = SqliteStore::open(&SqliteSettings::new(file), Arc::new(SystemClock)).unwrap();
    let money = Money::parse("1.00", Currency::iso("EUR").unwrap()).unwrap();
    let bank = SettlementName::new("bank").unwrap();
    let deposit = Deposit::new(crate::ADA.parse().unwrap(), money, bank);
    submit(&store, "one more", deposit);
}
