//! A file beside the log of later books: a server refuses it, and no command answers from
//! it as if nothing were missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_core::{Leg, Money, PostTransfer, SystemClock};
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::{ADA, BOB, books, exits_with, submit, wallet};

fn pay(store: &SqliteStore, name: &str, count: u32) {
    let eur = wallet_core::Currency::iso("EUR").unwrap();
    for number in 0..count {
        let money = Money::parse("0.01", eur).unwrap();
        let leg = Leg::new(ADA.parse().unwrap(), BOB.parse().unwrap(), money);
        submit(
            store,
            &format!("{name}-{number}"),
            PostTransfer::new(vec![leg]),
        );
    }
}

fn log(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", file.display()))
}

/// An old copy of the file beside a log that continues later books. The payments `lost-…`
/// are in neither.
fn mixture(folder: &Path) -> PathBuf {
    let [live, mixed] = ["live.db", "mixed.db"].map(|name| folder.join(name));
    books(&live);
    std::fs::copy(&live, &mixed).unwrap();
    let store = SqliteStore::open(&SqliteSettings::new(&live), Arc::new(SystemClock)).unwrap();
    pay(&store, "lost", 200);
    let checkpoint = "PRAGMA wal_checkpoint(RESTART)";
    let connection = Connection::open(&live).unwrap();
    connection.query_row(checkpoint, (), |_| Ok(())).unwrap();
    pay(&store, "later", 5);
    std::fs::copy(log(&live), log(&mixed)).unwrap();
    mixed
}

#[test]
fn no_command_answers_from_a_file_that_a_server_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let file = mixture(folder.path());
    let before = [file.clone(), log(&file)].map(|file| std::fs::read(file).unwrap());
    let commands = [
        &["outcome", "lost-1"][..],
        &["statement", ADA],
        &["events"],
        &["purge", "--older-than-days", "400"],
        &["restore-done", "--restored-to", "2026-01-01T00:00:00Z"],
    ];
    for command in commands {
        let text = exits_with(&wallet(&file, command), 3);
        assert!(text.contains("do not belong together"), "{text}");
    }
    // This one examines the file, says so, and does not call it sound.
    let text = exits_with(&wallet(&file, &["verify"]), 1);
    assert!(
        text.contains("a server does not start with this file"),
        "{text}"
    );
    let after = [file.clone(), log(&file)].map(|file| std::fs::read(file).unwrap());
    assert!(after == before, "file and log stay as they are");
}
