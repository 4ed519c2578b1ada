//! Processes that share a file stay correct.

use crate::support;
use crate::support::child::{self, Acknowledged};

#[test]
fn child_process() {
    child::run();
}

#[test]
fn two_processes_on_the_same_accounts_keep_the_books() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    support::set_up(&support::open(&path), 10_000);
    let mut children =
        [1, 2].map(|seed| child::spawn("two_processes::child_process", &path, seed, 40));
    let mut acknowledged = Acknowledged::new();
    // A pipe holds more than a child writes, so no child waits for its reader.
    for child in &mut children {
        let lines = child::lines(child);
        let acknowledgements = lines.map(|line| child::note(&line.unwrap(), &mut acknowledged));
        assert!(
            acknowledgements
                .filter(|is_acknowledgement| *is_acknowledgement)
                .count()
                >= 80,
            "two workers, forty rounds each"
        );
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    child::verify(&path, &acknowledged);
}
