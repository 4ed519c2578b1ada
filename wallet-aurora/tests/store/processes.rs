//! Processes that share a database and are killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use wallet_aurora::AuroraStore;
use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::store::LedgerStore;
use wallet_core::verify::Verifier;
use wallet_core::{Outcome, TransferId};
use wallet_test_servers::Kind;

use crate::support::books::{ACCOUNTS, assert_sound, open, record_key, set_up, transfer};
use crate::support::{Database, block_on, on_both, patient};

on_both! {
    a_kill_at_any_moment_loses_nothing_acknowledged
}

const ADDRESS: &str = "WALLET_TEST_CHILD_URL";
const SEED: &str = "WALLET_TEST_CHILD_SEED";
const KILLS: u64 = 6;

/// The acknowledged outcomes of children, by key: the transfer if accepted.
type Acknowledged = BTreeMap<String, Option<TransferId>>;

/// The child's entry point. It does nothing unless a parent started it.
#[test]
fn child_process() {
    let (Ok(url), Ok(seed)) = (std::env::var(ADDRESS), std::env::var(SEED)) else {
        return;
    };
    let seed: u64 = seed.parse().unwrap();
    block_on(async {
        let store = AuroraStore::open(&patient(url)).await.unwrap();
        for round in 0.. {
            let mut keys = vec![format!("shared-{}", round / 4)];
            keys.extend((0..(round + seed) % 8).map(|item| format!("{seed}-{round}-{item}")));
            let requests = (0_u64..).zip(&keys).map(|(item, key)| {
                // The payer is the same for every child that shares the key.
                let from = if item == 0 { 0 } else { (round * 7 + item) % 6 };
                let from = u8::try_from(from).unwrap();
                transfer(key, from, (from + 1) % ACCOUNTS, 1)
            });
            let batch = Arc::new(Batch::new(requests.collect()));
            let decided = settled(&store, batch).await;
            let mut lines = String::new();
            for (key, decided) in keys.iter().zip(&decided) {
                let answer = posted_by(decided).map_or("refused".to_owned(), |id| id.to_string());
                lines = format!("{lines}\nack {key} {answer}\n");
            }
            let mut out = std::io::stdout().lock();
            out.write_all(lines.as_bytes()).unwrap();
        }
    });
}

async fn settled(store: &AuroraStore, batch: Arc<Batch>) -> Vec<Decided> {
    loop {
        match store.transact(Arc::clone(&batch)).await {
            Ok(committed) if !committed.decided.contains(&Decided::Blocked) => {
                return committed.decided;
            }
            Ok(_) => {}
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
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

/// Starts this test executable again as a child.
fn spawn(database: &Database, seed: u64) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child_process", "--nocapture"])
        .env(ADDRESS, database.url())
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Records a line if it is a complete acknowledgement. Returns whether it was.
fn note(line: &str, acknowledged: &mut Acknowledged) -> bool {
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

async fn a_kill_at_any_moment_loses_nothing_acknowledged(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 10_000).await;
    let mut acknowledged = Acknowledged::new();
    let (mut steady, mut steady_lines) = spawn(&database, 1_000);
    for kill in 1..=KILLS {
        let (mut child, mut lines) = spawn(&database, kill);
        let mut left = 20 + kill * 17;
        while left > 0 {
            let line = lines.next().expect("it runs until it is killed").unwrap();
            left -= u64::from(note(&line, &mut acknowledged));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Lines that the child wrote before it died count too.
        for line in lines.map_while(Result::ok) {
            note(&line, &mut acknowledged);
        }
        // The other child continues meanwhile.
        let mut left = 10;
        while left > 0 {
            let line = steady_lines.next().expect("it runs on").unwrap();
            left -= u64::from(note(&line, &mut acknowledged));
        }
    }
    steady.kill().unwrap();
    steady.wait().unwrap();
    for line in steady_lines.map_while(Result::ok) {
        note(&line, &mut acknowledged);
    }
    verify(&store, &acknowledged).await;
}

/// Checks that every acknowledged transfer is stored exactly once, and that the books are
/// sound.
async fn verify(store: &AuroraStore, acknowledged: &Acknowledged) {
    let keys: Vec<_> = acknowledged.keys().map(|key| record_key(key)).collect();
    // The transactions of killed children have ended once their locks are free.
    let records = loop {
        match store.records(&keys).await {
            Ok(records) => break records,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    };
    assert_sound(store).await;
    let books = Verifier::new(store).books().await.unwrap();
    let mut entries: BTreeMap<TransferId, usize> = BTreeMap::new();
    for entry in books.entries.values().flatten() {
        *entries.entry(entry.transfer).or_default() += 1;
    }
    for ((key, answer), record) in acknowledged.iter().zip(records) {
        let record = record.unwrap_or_else(|| panic!("lost: {key}"));
        assert_eq!(only_transfer(&record.outcome), *answer, "{key}");
        let count = answer.map_or(2, |id| entries.get(&id).copied().unwrap_or(0));
        assert_eq!(count, 2, "a debit and a credit, once: {key}");
    }
    assert!(acknowledged.len() > 200);
}
