//! The epoch that begins for a database that went back by other means.

use super::files;
use crate::{exits_with, wallet};

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
