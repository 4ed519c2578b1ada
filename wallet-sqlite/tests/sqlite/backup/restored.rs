//! What is restored, what is refused, and what is set aside for it.

use wallet_core::SystemClock;
use wallet_sqlite::{BackupError, Existing, Standing, back_up, standing};

use super::{beside, books, files, names, put};
use crate::support::{assert_sound, commit, open, posted, transfer};

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
