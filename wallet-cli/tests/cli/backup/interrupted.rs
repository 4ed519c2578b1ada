//! Commands that were killed, that found no space, or that could not report.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::Command;

use super::{Files, files, text};
use crate::{exits_with, wallet};

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
