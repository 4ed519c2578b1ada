//! Backups and restores of an operator, and their failures.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use serde_json::Value;

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

#[test]
fn a_backup_has_a_manifest_and_is_restored_as_it_was() {
    let files = files();
    let output = exits_with(&files.back_up(), 0);
    assert!(
        output.contains("3 accounts, 21 transfers, 1 holds"),
        "{output}"
    );
    let manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(&files.manifest).unwrap()).unwrap();
    assert_eq!(manifest["kind"], "wallet-sqlite-backup");
    assert_eq!(manifest["file"], "backup.db");
    assert_eq!(
        manifest["bytes"],
        std::fs::metadata(&files.copy).unwrap().len()
    );
    assert_eq!(manifest["sha256"].as_str().unwrap().len(), 64);
    let balance = &manifest["balances"][0];
    assert_eq!(
        (&balance["currency"], &balance["accounts"]),
        (&"EUR".into(), &3.into())
    );
    assert_eq!(balance["debits_posted"], "12000");
    assert_eq!(balance["debits_pending"], "500");
    assert_eq!(manifest["rows"]["transfers"], 21);
    #[cfg(unix)]
    for file in [&files.copy, &files.manifest] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }

    let output = exits_with(&files.restore(&files.fresh(), &["--verify-only"]), 0);
    assert!(output.contains("what its manifest says"), "{output}");
    assert!(!files.fresh().exists());
    let output = exits_with(&files.restore(&files.fresh(), &[]), 0);
    assert!(output.contains("restored: it holds"), "{output}");
    assert!(output.contains(" begins, restored to 20"), "{output}");
    let expect = ["verify", "--expect", text(&files.manifest)];
    let output = exits_with(&wallet(&files.fresh(), &expect), 0);
    assert!(
        output.contains("they are those of the manifest"),
        "{output}"
    );
    // Verifying and restoring did not change the backup.
    exits_with(&files.restore(&files.fresh(), &["--set-aside-existing"]), 0);
}

#[test]
fn books_that_lack_transfers_are_sound_and_not_what_is_expected() {
    let files = files();
    // An older copy, as one that was made without its log.
    let old = files.folder.path().join("old.db");
    std::fs::copy(&files.live, &old).unwrap();
    go_on(&files.live);
    exits_with(&files.back_up(), 0);
    exits_with(&wallet(&old, &["verify"]), 0);
    let expect = ["verify", "--expect", text(&files.manifest)];
    let output = exits_with(&wallet(&old, &expect), 1);
    assert!(output.contains("the books are sound"), "{output}");
    assert!(
        output.contains("LACKING: transfers: 22 in the manifest, 21 here"),
        "{output}"
    );
    exits_with(&wallet(&files.live, &expect), 0);
}

#[test]
fn books_that_went_on_hold_all_of_an_earlier_backup() {
    let files = Files::backed_up();
    go_on(&files.live);
    let expect = ["verify", "--expect", text(&files.manifest)];
    let output = exits_with(&wallet(&files.live, &expect), 0);
    assert!(output.contains("and 1 outcomes more"), "{output}");
}

#[test]
fn what_is_no_backup_of_the_manifest_is_not_restored() {
    type Spoil = fn(&Files);
    let cases: [(&str, i32, Spoil); 6] = [
        ("another size", 3, |files| {
            let whole = std::fs::read(&files.copy).unwrap();
            std::fs::write(&files.copy, &whole[..whole.len() - 4_096]).unwrap();
        }),
        ("another SHA-256", 3, |files| {
            let mut bytes = std::fs::read(&files.copy).unwrap();
            bytes[5_000] ^= 1;
            std::fs::write(&files.copy, bytes).unwrap();
        }),
        ("the manifest", 2, |files| {
            std::fs::remove_file(&files.manifest).unwrap();
        }),
        ("the manifest", 2, |files| {
            let whole = std::fs::read(&files.manifest).unwrap();
            std::fs::write(&files.manifest, &whole[..whole.len() / 2]).unwrap();
        }),
        ("the manifest", 2, |files| {
            std::fs::write(&files.manifest, "{}").unwrap();
        }),
        ("does not hold what the manifest says", 3, |files| {
            let text = std::fs::read_to_string(&files.manifest).unwrap();
            let text = text.replace("\"transfers\": 21", "\"transfers\": 22");
            std::fs::write(&files.manifest, text).unwrap();
        }),
    ];
    for (words, code, spoil) in cases {
        let files = Files::backed_up();
        spoil(&files);
        let before = files.names();
        for more in [&[][..], &["--verify-only"]] {
            let output = exits_with(&files.restore(&files.fresh(), more), code);
            assert!(output.contains(words), "{output}");
        }
        assert_eq!(files.names(), before, "{words}");
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let files = Files::backed_up();
    let before = files.names();
    assert!(exits_with(&files.back_up(), 3).contains("exists already"));
    assert!(exits_with(&files.restore(&files.live, &[]), 3).contains("exists already"));
    assert_eq!(files.names(), before);
    go_on(&files.live);
    let output = exits_with(&files.restore(&files.live, &["--set-aside-existing"]), 0);
    assert!(output.contains("wallet.db.replaced-1 now"), "{output}");
    let aside = files.folder.path().join("wallet.db.replaced-1");
    assert!(exits_with(&wallet(&aside, &["verify"]), 0).contains("22 transfers"));
    assert!(exits_with(&wallet(&files.live, &["verify"]), 0).contains("21 transfers"));
}

#[test]
fn a_target_that_is_full_or_cannot_be_written_gets_no_backup() {
    let files = files();
    let nowhere = files.folder.path().join("no/such/backup.db");
    let output = wallet(&files.live, &["backup", "--to", text(&nowhere)]);
    assert!(
        exits_with(&output, 3).contains("creating"),
        "an error of the system"
    );
    // No file may grow to the size of the books, as on a full disk.
    let blocks = std::fs::metadata(&files.live).unwrap().len() / 512 - 8;
    assert!(blocks > 70, "more than the index of a log takes: {blocks}");
    let limited = |command: &str| {
        let script = format!("ulimit -f {blocks}; exec {command}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .output();
        output.unwrap()
    };
    let program = env!("CARGO_BIN_EXE_wallet");
    let (live, copy) = (text(&files.live), text(&files.copy));
    let before = files.names();
    exits_with(
        &limited(&format!(
            "{program} --store sqlite:{live} backup --to {copy}"
        )),
        3,
    );
    assert_eq!(files.names(), before, "nothing is left");
    exits_with(&files.back_up(), 0);
    let new = files.fresh();
    let before = files.names();
    let restore = format!(
        "{program} --store sqlite:{} restore --from {copy}",
        text(&new)
    );
    exits_with(&limited(&restore), 3);
    assert_eq!(files.names(), before, "nothing is left");
    exits_with(&files.restore(&new, &[]), 0);
}

#[test]
fn a_restore_that_is_killed_leaves_the_file_restored_or_not_there() {
    let files = Files::backed_up();
    let (new, left) = (files.fresh(), files.folder.path().join("new.db.restoring"));
    let expect = ["verify", "--expect", text(&files.manifest)];
    // The rest of the failed run does not stop the next one.
    for spins in (0..40_u64).map(|kill| kill * 400_000) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        let store = format!("sqlite:{}", text(&new));
        command.args(["--store", &store, "restore", "--from", text(&files.copy)]);
        let mut child = command
            .env_clear()
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..spins {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if new.exists() {
            exits_with(&wallet(&new, &expect), 0);
            std::fs::remove_file(&new).unwrap();
        }
    }
    std::fs::write(&left, "half of a copy").unwrap();
    exits_with(&files.restore(&new, &[]), 0);
    assert!(!left.exists());
}

#[test]
fn what_a_verification_left_that_was_killed_keeps_nobody_from_verifying() {
    let files = Files::backed_up();
    let before = files.names();
    for left in ["backup.db.verifying", "backup.db.verifying-journal"] {
        std::fs::write(files.folder.path().join(left), "half").unwrap();
    }
    exits_with(&files.restore(&files.fresh(), &["--verify-only"]), 0);
    assert_eq!(files.names(), before);
    let text = std::fs::read_to_string(&files.manifest).unwrap();
    let text = text.replace("\"open_holds\": 1", "\"open_holds\": 2");
    std::fs::write(&files.manifest, text).unwrap();
    for more in [&["--verify-only"][..], &[]] {
        let output = exits_with(&files.restore(&files.fresh(), more), 3);
        assert!(output.contains("/backup.db does not hold"), "{output}");
    }
    assert_eq!(files.names(), before);
}

#[test]
fn what_a_backup_left_that_was_killed_is_reported_with_what_to_do() {
    let files = files();
    std::fs::write(&files.copy, "half of a copy").unwrap();
    let output = exits_with(&files.back_up(), 3);
    assert!(output.contains("has no manifest"), "{output}");
    assert!(output.contains("remove it and back up again"), "{output}");
    std::fs::remove_file(&files.copy).unwrap();
    exits_with(&files.back_up(), 0);
    let output = exits_with(&files.back_up(), 3);
    assert!(output.contains("backup.db exists already"), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn completed_work_exits_with_0_though_nobody_reads_the_report() {
    let files = files();
    let program = env!("CARGO_BIN_EXE_wallet");
    let run = |store: &Path, words: &str, out: &str| {
        let store = text(store);
        let script = format!("{program} --store sqlite:{store} {words} {out}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env_clear().output().unwrap()
    };
    let backup = format!("backup --to {}", text(&files.copy));
    let output = exits_with(&run(&files.live, &backup, "> /dev/full"), 0);
    assert!(
        output.contains("backup.db is made; it could not be reported"),
        "{output}"
    );
    exits_with(&files.restore(&files.fresh(), &["--verify-only"]), 0);
    let restore = format!("restore --from {}", text(&files.copy));
    let output = exits_with(&run(&files.fresh(), &restore, "> /dev/full"), 0);
    assert!(
        output.contains("new.db is restored; it could not be reported"),
        "{output}"
    );
    exits_with(&wallet(&files.fresh(), &["verify"]), 0);
}

#[test]
fn a_log_whose_file_is_gone_is_reported_by_every_command_and_by_the_server() {
    let files = Files::backed_up();
    let lost = files.fresh();
    let log = files.folder.path().join("new.db-wal");
    std::fs::write(&log, "acknowledged money").unwrap();
    let before = files.names();
    let copy = files.folder.path().join("other.db");
    let words = "new.db-wal is the log of a database that is not there";
    for output in [
        wallet(&lost, &["verify"]),
        wallet(&lost, &["backup", "--to", text(&copy)]),
        files.restore(&lost, &[]),
    ] {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let store = format!("sqlite:{}", text(&lost));
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "off"];
    let arguments = ["wallet-server", "--store", &store]
        .into_iter()
        .chain(listen);
    let server = wallet_server::run(&wallet_server::Config::parse_from(arguments));
    assert!(server.unwrap_err().to_string().contains(words));
    assert_eq!(files.names(), before);
    // Its file again, or aside with it.
    exits_with(&files.restore(&lost, &["--set-aside-existing"]), 0);
    assert!(files.names().contains(&"new.db.replaced-1-wal".to_owned()));
}

#[test]
fn stores_that_are_no_files_are_backed_up_otherwise() {
    for store in ["memory", "mysql://u:p@127.0.0.1/wallet"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.args(["--store", store, "backup", "--to", "/nowhere/backup.db"]);
        exits_with(&command.env_clear().output().unwrap(), 2);
    }
}

#[test]
fn a_database_that_went_back_begins_a_new_epoch_once() {
    let files = files();
    let past = [
        "restore-done",
        "--restored-to",
        "2026-01-01T00:00:00Z",
        "--by",
        "eve",
    ];
    let first = exits_with(&wallet(&files.live, &past), 0);
    assert!(first.contains("by eve"), "{first}");
    // The same again begins nothing, and says so.
    let second = exits_with(&wallet(&files.live, &past), 0);
    assert!(second.contains("nothing was begun"), "{second}");
    assert!(second.ends_with(&first), "{second}");
    // It went back to the same time once more.
    let again = [&past[..], &["--again"]].concat();
    let third = exits_with(&wallet(&files.live, &again), 0);
    assert!(!third.contains("nothing was begun"), "{third}");
    let epoch = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("epoch "))
            .map(str::to_owned)
    };
    assert_ne!(epoch(&third), epoch(&first));
    let other = ["restore-done", "--restored-to", "2026-01-02T00:00:00Z"];
    assert_ne!(exits_with(&wallet(&files.live, &other), 0), first);
    for (wrong, code) in [
        (["restore-done", "--restored-to", "yesterday"], 2),
        (["restore-done", "--restored-to", "2999-01-01T00:00:00Z"], 3),
    ] {
        let output = wallet(&files.live, &wrong);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}
