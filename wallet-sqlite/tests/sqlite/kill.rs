//! A process that is killed under load loses nothing that it acknowledged.

use crate::support;
use crate::support::child::{self, Acknowledged, Random};

const KILLS: u64 = 25;

#[test]
fn child_process() {
    child::run();
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.db");
    support::set_up(&support::open(&path), 10_000);
    let mut random = Random::new(7);
    let mut acknowledged = Acknowledged::new();
    for kill in 1..=KILLS {
        let mut child = child::spawn("kill::child_process", &path, kill, u64::MAX);
        let mut lines = child::lines(&mut child);
        let mut left = random.below(60);
        while left > 0 {
            let line = lines
                .next()
                .expect("the child runs until it is killed")
                .unwrap();
            left -= u64::from(child::note(&line, &mut acknowledged));
        }
        // The kill comes anywhere between two acknowledgements, a flush included.
        for _ in 0..random.below(2_000_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Lines that the child wrote before it died count too.
        for line in lines.map_while(Result::ok) {
            child::note(&line, &mut acknowledged);
        }
        child::verify(&path, &acknowledged);
    }
    assert!(acknowledged.values().flatten().count() > 100);
}
