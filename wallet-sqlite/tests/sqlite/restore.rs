//! A backup is restored into the file of a running store. The store proves its caches
//! before it uses them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use wallet_core::ledger::{Decided, Epoch, InLedger, Position};
use wallet_core::messaging::{Inbox, InboxStep};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{AccountId, LedgerId, OpenAccount, Owner};
use wallet_sqlite::{HostTransaction, SqliteInbox, SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

use crate::support::child::Random;
use crate::support::{
    self, ACCOUNTS, accepted, account_key, assert_sound, commit, deposit, eur, open,
    open_deferring, posted, prepare, record_key, set_up, transfer,
};

/// Copies a whole database with SQLite's backup call. It makes a backup, or restores one
/// while the target is open.
fn copy(from: &Path, to: &Path) {
    let source = Connection::open(from).unwrap();
    let mut target = Connection::open(to).unwrap();
    target.busy_timeout(Duration::from_secs(5)).unwrap();
    let backup = Backup::new(&source, &mut target).unwrap();
    let pause = Duration::from_millis(1);
    backup.run_to_completion(1_000, pause, None).unwrap();
}

struct Files {
    _folder: tempfile::TempDir,
    live: PathBuf,
    backup: PathBuf,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    Files {
        live: folder.path().join("wallet.db"),
        backup: folder.path().join("backup.db"),
        _folder: folder,
    }
}

fn balances(store: &SqliteStore) -> Vec<i128> {
    (0..ACCOUNTS).map(|number| posted(store, number)).collect()
}

/// Transfers between the first accounts. Each round has a different set.
fn round(random: &mut Random, name: &str) -> Vec<Arc<PreparedRequest>> {
    let count = 1 + random.below(4);
    let request = |item| {
        let from = u8::try_from(random.below(ACCOUNTS.into())).unwrap();
        let minor = i128::from(random.below(50)) + 1;
        transfer(
            &format!("{name}-{item}"),
            from,
            (from + 1) % ACCOUNTS,
            minor,
        )
    };
    (0..count).map(request).collect()
}

#[test]
fn deltas_that_got_their_numbers_again_are_read_anew() {
    let Files { live, backup, .. } = &files();
    let store = open_deferring(live, 1);
    set_up(&store, 1_000);
    copy(live, backup);
    for number in 0..5 {
        commit(&store, vec![transfer(&format!("a-{number}"), 0, 1, 10)]);
    }
    assert_eq!((posted(&store, 0), posted(&store, 1)), (950, 1_050));
    copy(backup, live);
    // Another process gives the same numbers to other deltas.
    let other = open_deferring(live, 1);
    for number in 0..5 {
        commit(&other, vec![transfer(&format!("b-{number}"), 2, 3, 7)]);
    }
    drop(other);
    assert_eq!(balances(&store), [1_000, 1_000, 965, 1_035, 1_000, 1_000]);
    let lost = block_on(store.records(&[record_key("a-0"), record_key("b-0")])).unwrap();
    assert_eq!(lost[0], None, "what the backup did not hold");
    assert!(lost[1].is_some());
    // Decided on the contents of the file: 1,000 and no more.
    let all = commit(&store, vec![transfer("c-0", 0, 1, 1_000)]);
    accepted(&all[0]);
    assert_eq!(posted(&store, 0), 0);
    assert_sound(&store);
    assert_eq!(balances(&open(live)), balances(&store));
}

#[test]
fn a_store_that_saw_many_restores_keeps_the_books_of_the_file() {
    for seed in 0..6 {
        let Files { live, backup, .. } = &files();
        let stores = [open_deferring(live, 1), open_deferring(live, 3), open(live)];
        set_up(&stores[0], 10_000);
        copy(live, backup);
        let mut random = Random::new(seed);
        for number in 0..40 {
            match random.below(10) {
                0 => copy(live, backup),
                1 | 2 => copy(backup, live),
                _ => {}
            }
            let store = &stores[usize::try_from(random.below(3)).unwrap()];
            let requests = round(&mut random, &number.to_string());
            let decided = commit(store, requests);
            assert!(decided.iter().all(|one| matches!(one, Decided::Fresh(_))));
            let truth = balances(&open(live));
            for store in &stores {
                assert_eq!(balances(store), truth, "seed {seed}, round {number}");
            }
        }
        assert_sound(&stores[0]);
    }
}

#[test]
fn a_number_that_another_account_got_is_not_used_for_the_first_one() {
    let (first, second) = (
        AccountId::from_bytes([0xA1; 16]),
        AccountId::from_bytes([0xB2; 16]),
    );
    let open_as = |text: &str, id| {
        let open = OpenAccount::new(Owner::new("ada").unwrap(), eur()).with_id(id);
        prepare(text, open)
    };
    let pay = |text: &str, from| {
        let leg = wallet_core::Leg::new(from, support::account(1), support::euros(60));
        prepare(text, wallet_core::PostTransfer::new(vec![leg]))
    };
    let give = |text: &str, to| {
        let bank = wallet_core::SettlementName::new("bank").unwrap();
        prepare(
            text,
            wallet_core::Deposit::new(to, support::euros(100), bank),
        )
    };
    let Files { live, backup, .. } = &files();
    let store = open(live);
    set_up(&store, 1_000);
    copy(live, backup);
    for request in [open_as("x", first), give("fund-x", first)] {
        accepted(&commit(&store, vec![request])[0]);
    }
    copy(backup, live);
    let other = open(live);
    for request in [open_as("y", second), give("fund-y", second)] {
        accepted(&commit(&other, vec![request])[0]);
    }
    // A payment from the lost account is refused. The other request of the batch succeeds.
    let decided = commit(&store, vec![pay("from-x", first), transfer("n", 0, 1, 1)]);
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    accepted(&decided[1]);
    let key = InLedger::new(LedgerId::default(), second);
    let found = block_on(store.accounts(&[key])).unwrap();
    let state = found[0].as_ref().unwrap().state;
    assert_eq!(state.counters.posted(), 100, "nobody else's payment");
    // The reopened account is another account with another number.
    for request in [open_as("x-again", first), give("fund-x-again", first)] {
        accepted(&commit(&store, vec![request])[0]);
    }
    accepted(&commit(&store, vec![pay("from-x-again", first)])[0]);
    assert_sound(&store);
}

#[test]
fn a_hosts_transaction_after_a_restore_is_decided_on_the_file() {
    let Files { live, backup, .. } = &files();
    let store = open_deferring(live, 1);
    set_up(&store, 1_000);
    commit(&store, vec![transfer("spent", 0, 1, 900)]);
    copy(live, backup);
    commit(&store, vec![deposit("back", 0, 900)]);
    copy(backup, live);
    let other = open_deferring(live, 1);
    commit(&other, vec![transfer("else", 2, 3, 1)]);
    let mut connection = Connection::open(live).unwrap();
    let mut transaction = HostTransaction::begin(&mut connection).unwrap();
    let order = [transfer("order", 0, 1, 500)];
    let applied = store.apply_in_raw(&mut transaction, &order).unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    transaction.commit().unwrap();
    assert_eq!(posted(&store, 0), 100);
    assert_sound(&store);
}

#[test]
fn a_purge_after_a_restore_begins_where_the_file_says() {
    let Files { live, backup, .. } = &files();
    let store = open_deferring(live, 1);
    set_up(&store, 1_000);
    copy(live, backup);
    for number in 0..5 {
        commit(&store, vec![transfer(&format!("a-{number}"), 0, 1, 1)]);
    }
    let purge = |limit| {
        let older_than = Duration::ZERO;
        let what = wallet_core::store::Purge::Records { older_than, limit };
        block_on(store.purge(what)).unwrap()
    };
    while purge(100) > 0 {}
    copy(backup, live);
    let opened = u64::from(ACCOUNTS) * 2;
    for number in 0..5 {
        commit(&store, vec![transfer(&format!("b-{number}"), 0, 1, 1)]);
    }
    assert_eq!(purge(100), opened + 5);
    assert_sound(&store);
}

#[test]
fn a_store_whose_file_was_replaced_acknowledges_nothing_and_reads_nothing() {
    let Files { live, backup, .. } = &files();
    let store = open(live);
    set_up(&store, 1_000);
    copy(live, backup);
    commit(&store, vec![transfer("before", 0, 1, 1)]);
    std::fs::rename(backup, live).unwrap();
    let batch = Batch::new(vec![transfer("lost", 0, 1, 10)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let error = block_on(store.accounts(&[account_key(0)])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let error = block_on(store.records(&[record_key("before")])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    drop(store);
    // The log stays. It holds every commit since the backup, so that nothing is missing.
    let restored = open(live);
    assert_eq!(posted(&restored, 0), 999);
    let keys = ["before", "lost"].map(record_key);
    let found = block_on(restored.records(&keys)).unwrap();
    assert_eq!([found[0].is_some(), found[1].is_some()], [true, false]);
    assert_sound(&restored);
}

#[test]
fn a_store_whose_file_was_moved_away_acknowledges_nothing() {
    let Files { live, backup, .. } = &files();
    let store = open(live);
    set_up(&store, 1_000);
    std::fs::rename(live, backup).unwrap();
    let batch = Batch::new(vec![transfer("lost", 0, 1, 10)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    // Another file could have had the name meanwhile, and commits in the log.
    std::fs::rename(backup, live).unwrap();
    let batch = Batch::new(vec![transfer("back", 0, 1, 10)]);
    let error = block_on(store.transact(Arc::new(batch))).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    drop(store);
    let store = open(live);
    accepted(&commit(&store, vec![transfer("found", 0, 1, 10)])[0]);
    assert_eq!(posted(&store, 0), 990);
}

#[test]
fn an_inbox_whose_file_was_replaced_records_nothing() {
    let Files { live, backup, .. } = &files();
    let inbox = SqliteInbox::open(&SqliteSettings::new(live)).unwrap();
    copy(live, backup);
    std::fs::rename(backup, live).unwrap();
    let step = InboxStep {
        account: account_key(0),
        from: Position::START,
        to: Position::new(Epoch::FIRST, 1),
    };
    let error = block_on(inbox.advance("mailer", &step)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let error = block_on(inbox.positions("mailer", &[step.account])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}
