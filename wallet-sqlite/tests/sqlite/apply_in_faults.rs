//! An error at every statement of `apply_in`; then the host continues. No partial result
//! exists, whatever the host commits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::Connection;
use wallet_core::ledger::Details;
use wallet_core::request::PreparedRequest;
use wallet_core::store::ApplyError;
use wallet_core::store::LedgerStore;
use wallet_core::{Capture, HoldId, PlaceHold, Reference, Release, Reverse, TransferId};
use wallet_sqlite::{HostTransaction, SqliteStore};
use wallet_testkit::block_on;

use crate::support::{self, deposit, posted, prepare, record_key, transfer};

const ORDER: &str = "INSERT INTO shop_order VALUES (1)";

/// Requests that together write every table of the ledger. The file already has a hold and
/// a transfer that they refer to.
fn requests() -> Vec<Arc<PreparedRequest>> {
    // Longer than a page, so that a full disk causes an error.
    let note = format!(r#"{{"note":"{}"}}"#, "x".repeat(4_000));
    let details = Details {
        metadata: Some(wallet_core::Metadata::parse(&note).unwrap()),
        reference: Some(Reference::new("order-1").unwrap()),
        ..Details::default()
    };
    let leg = wallet_core::Leg::new(support::account(2), support::account(3), support::euros(5));
    let referenced = wallet_core::PostTransfer::new(vec![leg]).with_details(details);
    let owner = wallet_core::Owner::new("eve").unwrap();
    let points = wallet_core::Currency::new("POINTS", 0).unwrap();
    vec![
        transfer("a", 0, 1, 30),
        deposit("b", 1, 7),
        prepare("c", referenced),
        prepare("d", wallet_core::OpenAccount::new(owner, points)),
        prepare("e", Capture::new(HoldId::from_bytes([0x21; 16]))),
        prepare("f", Release::new(HoldId::from_bytes([0x22; 16]))),
        prepare("g", Reverse::new(TransferId::from_bytes([0x23; 16]))),
        prepare("h", hold(0x24).with_reference("order-1").unwrap()),
        transfer("i", 0, 1, 1_000_000),
    ]
}

fn hold(id: u8) -> PlaceHold {
    let (from, to) = (support::account(4), support::account(5));
    PlaceHold::new(from, to, support::euros(5)).with_id(HoldId::from_bytes([id; 16]))
}

fn shop(path: &Path) -> SqliteStore {
    let store = support::open(path);
    support::set_up(&store, 100);
    // The next deposit is the bank's sixteenth entry, which has its own row.
    for number in 0..9 {
        support::commit(&store, vec![deposit(&format!("more-{number}"), 5, 1)]);
    }
    let leg = wallet_core::Leg::new(support::account(2), support::account(3), support::euros(5));
    let id = TransferId::from_bytes([0x23; 16]);
    let reversible = wallet_core::PostTransfer::new(vec![leg]).with_id(id);
    let first = vec![
        prepare("h1", hold(0x21)),
        prepare("h2", hold(0x22)),
        prepare("t1", reversible),
    ];
    let decided = support::commit(&store, first);
    for decided in &decided {
        support::accepted(decided);
    }
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("CREATE TABLE shop_order (id INTEGER PRIMARY KEY) STRICT")
        .unwrap();
    store
}

/// Applies the requests, then inserts an order and commits, whatever the result was.
/// Returns whether the requests were applied, and whether the host's work was committed.
fn go(store: &SqliteStore, connection: &mut Connection) -> (bool, bool) {
    let mut transaction = HostTransaction::begin(connection).unwrap();
    match store.apply_in_raw(&mut transaction, &requests()) {
        Ok(applied) => {
            assert_eq!(applied.decided().len(), requests().len());
            transaction
                .connection()
                .unwrap()
                .execute(ORDER, ())
                .unwrap();
            transaction.commit().unwrap();
            (true, true)
        }
        Err(ApplyError::TransactionLost(_)) => {
            assert!(transaction.connection().is_err(), "the handle refuses");
            let lost = transaction.commit();
            assert!(matches!(lost, Err(ApplyError::TransactionLost(_))));
            (false, false)
        }
        Err(_) => {
            transaction
                .connection()
                .unwrap()
                .execute(ORDER, ())
                .unwrap();
            transaction.commit().unwrap();
            (false, true)
        }
    }
}

/// The host's work after an error: its own statement, and the commit. Returns whether the
/// handle allowed it.
fn order_and_commit(transaction: HostTransaction<'_>, first: &str) -> bool {
    let Ok(host) = transaction.connection() else {
        return false;
    };
    host.query_row(first, (), |_| Ok(())).unwrap();
    host.execute(ORDER, ()).unwrap();
    transaction.commit().unwrap();
    true
}

fn assert_all_or_nothing(store: &SqliteStore, path: &Path, (applied, ordered): (bool, bool)) {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(record_key);
    let records = block_on(store.records(&keys)).unwrap();
    assert!(records.iter().all(|record| record.is_some() == applied));
    assert_eq!(posted(store, 0), if applied { 70 } else { 100 });
    let connection = Connection::open(path).unwrap();
    let count = "SELECT count(*) FROM shop_order";
    let orders: i64 = connection.query_row(count, (), |row| row.get(0)).unwrap();
    assert_eq!(orders, i64::from(ordered));
    support::assert_sound(store);
}

/// A copy of a prepared shop, so that every fault starts from the same books.
struct Template {
    folder: tempfile::TempDir,
}

impl Template {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        drop(shop(&path));
        let target = folder.path().join("template.db");
        let copy = Connection::open(&path).unwrap();
        copy.execute("VACUUM INTO ?", (target.to_str().unwrap(),))
            .unwrap();
        Self { folder }
    }

    fn fresh(&self, name: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(format!("{name}.db"));
        std::fs::copy(self.folder.path().join("template.db"), &path).unwrap();
        path
    }
}

#[test]
fn a_constraint_at_every_written_row_leaves_the_hosts_transaction_as_it_was() {
    let template = Template::new();
    let tables = [
        ("wallet_account", "INSERT"),
        ("wallet_account", "UPDATE"),
        ("wallet_account_profile", "INSERT"),
        ("wallet_journal", "INSERT"),
        ("wallet_record", "INSERT"),
        ("wallet_transfer", "INSERT"),
        ("wallet_reference", "INSERT"),
        ("wallet_reversal", "INSERT"),
        ("wallet_entry", "INSERT"),
        ("wallet_hold", "INSERT"),
        ("wallet_hold", "UPDATE"),
        ("wallet_hold_reference", "INSERT"),
        ("wallet_capture", "INSERT"),
        ("wallet_currency", "INSERT"),
        ("wallet_outbox", "INSERT"),
    ];
    for (index, (table, change)) in tables.into_iter().enumerate() {
        for (action, ordered) in [("ABORT", true), ("FAIL", true), ("ROLLBACK", false)] {
            let path = template.fresh(&format!("{index}-{action}"));
            let store = support::open(&path);
            let mut connection = Connection::open(&path).unwrap();
            let trigger = format!(
                "CREATE TEMP TRIGGER fault AFTER {change} ON main.{table}
                 BEGIN SELECT RAISE({action}, 'injected'); END"
            );
            connection.execute_batch(&trigger).unwrap();
            let came_of_it = go(&store, &mut connection);
            assert_eq!(came_of_it, (false, ordered), "{table} {change} {action}");
            assert_all_or_nothing(&store, &path, came_of_it);
        }
    }
}

#[test]
fn an_interrupt_at_every_step_of_the_engine_is_all_or_nothing() {
    let template = Template::new();
    let left = Arc::new(AtomicI64::new(i64::MAX));
    let (mut step, mut lost, mut committed) = (1, 0, 0);
    loop {
        let path = template.fresh(&format!("interrupted-{step}"));
        let store = support::open(&path);
        let mut connection = Connection::open(&path).unwrap();
        left.store(i64::MAX, Ordering::Relaxed);
        let counter = Arc::clone(&left);
        let fault = move || counter.fetch_sub(1, Ordering::Relaxed) == 0;
        let _ = connection.progress_handler(1, Some(fault));
        let mut transaction = HostTransaction::begin(&mut connection).unwrap();
        left.store(step, Ordering::Relaxed);
        let result = store.apply_in_raw(&mut transaction, &requests());
        let fired = left.load(Ordering::Relaxed) < 0;
        left.store(i64::MAX, Ordering::Relaxed);
        let applied = result.is_ok();
        let ordered = order_and_commit(transaction, "SELECT 1");
        assert!(ordered || !applied);
        lost += usize::from(!ordered);
        committed += usize::from(ordered && !applied);
        drop(connection);
        assert_all_or_nothing(&store, &path, (applied, ordered));
        if !fired {
            assert!(applied);
            break;
        }
        step += 1 + step / 24;
    }
    assert!(
        lost > 0 && committed > 0,
        "both ways were met: {lost} lost, {committed} kept"
    );
}

#[test]
fn a_full_disk_at_any_page_is_all_or_nothing() {
    let template = Template::new();
    for spare in 0..40 {
        let path = template.fresh(&format!("full-{spare}"));
        let store = support::open(&path);
        let mut connection = Connection::open(&path).unwrap();
        let pages: i64 = connection
            .query_row("PRAGMA page_count", (), |r| r.get(0))
            .unwrap();
        let limit = format!("PRAGMA max_page_count = {}", pages + spare);
        connection.query_row(&limit, (), |_| Ok(())).unwrap();
        let mut transaction = HostTransaction::begin(&mut connection).unwrap();
        let applied = store.apply_in_raw(&mut transaction, &requests()).is_ok();
        let lifted = format!("PRAGMA max_page_count = {}", pages + 1_000);
        let ordered = order_and_commit(transaction, &lifted);
        assert_all_or_nothing(&store, &path, (applied, ordered));
        if applied {
            assert!(spare > 0, "the limit was met at least once");
            return;
        }
    }
    panic!("never applied");
}
