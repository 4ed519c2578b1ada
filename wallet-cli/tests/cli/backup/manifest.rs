//! Backups, their manifests, and books and files that are compared with a manifest.

use serde_json::Value;

use super::{Files, files, go_on, text};
use crate::{exits_with, wallet};

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
