//! A child process that works on the shared accounts and reports what was acknowledged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use wallet_core::ledger::Decided;
use wallet_core::store::LedgerStore;
use wallet_core::verify::Verifier;
use wallet_core::{Outcome, SystemClock, TransferId};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

use super::{ACCOUNTS, commit, is_guarded, open, record_key, transfer};

const FILE: &str = "WALLET_SQLITE_TEST_FILE";
const SEED: &str = "WALLET_SQLITE_TEST_SEED";
const ROUNDS: &str = "WALLET_SQLITE_TEST_ROUNDS";
const GUARDED: &str = "WALLET_SQLITE_TEST_GUARDED";

/// A xorshift generator. Its seed decides every value.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}

/// The acknowledged outcomes of children, by key: the transfer if accepted.
pub(crate) type Acknowledged = BTreeMap<String, Option<TransferId>>;

/// Starts this test executable again as a child that runs the test `entry`, a name with
/// its module.
pub(crate) fn spawn(entry: &str, path: &Path, seed: u64, rounds: u64) -> Child {
    command(entry, path, seed, rounds).spawn().unwrap()
}

/// Like `spawn`. The child guards its log.
pub(crate) fn spawn_guarded(entry: &str, path: &Path, seed: u64, rounds: u64) -> Child {
    let mut command = command(entry, path, seed, rounds);
    command.env(GUARDED, "1").spawn().unwrap()
}

fn command(entry: &str, path: &Path, seed: u64, rounds: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", entry, "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .env(SEED, seed.to_string())
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::piped());
    command
}

/// The child's entry point. It does nothing unless a parent started it.
pub(crate) fn run() {
    let Ok(path) = std::env::var(FILE) else {
        return;
    };
    let number = |name| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let (seed, rounds) = (number(SEED), number(ROUNDS));
    // Every other process defers the writes of its larger commits.
    let by_default = SqliteSettings::new(&path);
    let settings = SqliteSettings {
        defer_from: if seed % 2 == 0 {
            by_default.defer_from
        } else {
            4
        },
        // With a guard, one process waits for the other.
        lock_wait: Duration::from_secs(if is_guarded() { 60 } else { 1 }),
        guard_log: std::env::var(GUARDED).is_ok(),
        ..by_default
    };
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).expect("the file opens");
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let store = &store;
            scope.spawn(move || work(store, seed, worker, rounds));
        }
    });
}

fn work(store: &wallet_sqlite::SqliteStore, seed: u64, worker: u64, rounds: u64) {
    let mut random = Random::new(seed * 2 + worker);
    for round in 0..rounds {
        let mut keys = Vec::new();
        let mut requests = Vec::new();
        // Every child and worker sends this request too, and all get one answer.
        keys.push(format!("shared-{}", round / 4));
        requests.push(transfer(&format!("shared-{}", round / 4), 0, 1, 1));
        for item in 0..random.below(8) {
            let from = u8::try_from(random.below(ACCOUNTS.into())).unwrap();
            let to = (from + 1 + u8::try_from(random.below(4)).unwrap()) % ACCOUNTS;
            let key = format!("{seed}-{worker}-{round}-{item}");
            let minor = i128::from(random.below(40)) + 1;
            requests.push(transfer(&key, from, to, minor));
            keys.push(key);
        }
        let decided = commit(store, requests);
        let mut lines = String::new();
        for (key, decided) in keys.iter().zip(&decided) {
            let answer = posted_by(decided).map_or("refused".to_owned(), |id| id.to_string());
            lines.push_str(&format!("\nack {key} {answer}\n"));
        }
        std::io::stdout()
            .lock()
            .write_all(lines.as_bytes())
            .unwrap();
    }
}

fn posted_by(decided: &Decided) -> Option<TransferId> {
    match decided {
        Decided::Fresh(outcome) | Decided::Replayed(outcome) => only_transfer(outcome),
        other => panic!("{other:?}"),
    }
}

fn only_transfer(outcome: &Outcome) -> Option<TransferId> {
    outcome.transfers().next().map(|transfer| transfer.key.id)
}

/// The lines that the child writes.
pub(crate) fn lines(child: &mut Child) -> std::io::Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

/// Records a line if it is a complete acknowledgement. Returns whether it was.
pub(crate) fn note(line: &str, acknowledged: &mut Acknowledged) -> bool {
    let mut words = line.split(' ');
    let (Some("ack"), Some(key), Some(answer)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    // A line that the kill cut off proves nothing.
    let id: Option<TransferId> = answer.parse().ok();
    if id.is_none() && answer != "refused" {
        return false;
    }
    let first = acknowledged.entry(key.to_owned()).or_insert(id);
    assert_eq!(*first, id, "one key, one outcome: {key}");
    true
}

/// Checks that every acknowledged transfer is stored exactly once, and that the books are
/// sound.
pub(crate) fn verify(path: &Path, acknowledged: &Acknowledged) {
    let store = open(path);
    super::assert_sound(&store);
    let books = block_on(Verifier::new(&store).books()).unwrap();
    let mut entries: BTreeMap<TransferId, usize> = BTreeMap::new();
    for entry in books.entries.values().flatten() {
        *entries.entry(entry.transfer).or_default() += 1;
    }
    let keys: Vec<_> = acknowledged.keys().map(|key| record_key(key)).collect();
    let records = block_on(store.records(&keys)).unwrap();
    for ((key, answer), record) in acknowledged.iter().zip(records) {
        let record = record.unwrap_or_else(|| panic!("lost: {key}"));
        assert_eq!(only_transfer(&record.outcome), *answer, "{key}");
        let count = answer.map_or(2, |id| entries.get(&id).copied().unwrap_or(0));
        assert_eq!(count, 2, "a debit and a credit, once: {key}");
    }
}
