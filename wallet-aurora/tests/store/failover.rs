//! The cache of a running process after the database lost its last commits. Three causes
//! are tested: a failover to a replica that lagged, a restore in place, and a crash of a
//! server that had not flushed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row as _;
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::ApplyError;
use wallet_core::store::{
    DoneSet, LedgerStore, Outbox, OutboxError, ParkedEvent, RowProgress, RowState, StoreErrorKind,
};
use wallet_core::{Currency, OpenAccount, Owner, Rejection};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{
    accepted, account, account_key, assert_sound, commit, deposit, open, opening, posted, prepare,
    set_up, transfer,
};
use crate::support::cluster::Cluster;
use crate::support::{Database, on_both, patient};

on_both! {
    after_a_failover_that_lost_an_account_nobody_else_pays_for_it
    after_a_failover_an_account_is_in_the_currency_that_it_has_now
    after_a_failover_a_relay_never_marks_what_it_has_not_published
    after_a_restore_in_place_nobody_else_pays_for_a_lost_account
    after_a_crash_without_a_flush_nobody_else_pays_for_a_lost_account
    numbers_that_are_given_again_are_passed_over
}

/// An account that is lost. Another account gets its number.
const LOST: u8 = 50;
const OTHER: u8 = 60;

/// Repeats the same batch until it is settled, as the service does.
async fn settle(store: &AuroraStore, requests: Vec<Arc<PreparedRequest>>) -> Vec<Decided> {
    let batch = Arc::new(Batch::new(requests));
    for _ in 0..20 {
        match store.transact(Arc::clone(&batch)).await {
            Ok(committed) => return committed.decided,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
    panic!("it never settles");
}

/// The reason why a request was refused.
fn refusal(decided: &Decided) -> Rejection {
    match decided {
        Decided::Fresh(outcome) => outcome.result.as_ref().unwrap_err().rejection,
        other => panic!("not refused: {other:?}"),
    }
}

async fn number(database: &Database, account: u8) -> i64 {
    let id = self::account(account).uuid().simple();
    let sql = format!("SELECT num FROM wallet_account_profile WHERE id = x'{id}'");
    database.rows(&sql).await[0].get_unchecked(0)
}

/// Opens an account with 100.00 in one commit, and uses it.
async fn open_funded(store: &AuroraStore, number: u8) {
    let name = |what: &str| format!("{what}-{number}");
    let requests = vec![
        opening(&name("open"), number),
        deposit(&name("fund"), number, 10_000),
    ];
    for decided in settle(store, requests).await {
        accepted(&decided);
    }
    accepted(&settle(store, vec![transfer(&name("use"), number, 0, 100)]).await[0]);
}

/// The checks for a process that used [`LOST`] before the loss.
async fn assert_only_the_owner_pays(process: &AuroraStore, database: &Database, lost_number: i64) {
    // In some cases the earlier connections are gone.
    accepted(&settle(process, vec![transfer("again", 1, 2, 10)]).await[0]);
    // The lost account's number is free: the request is refused, and nothing is stored.
    let before = posted(process, 0).await;
    let pay = vec![transfer("pay-1", LOST, 0, 10), transfer("pay-2", 1, 2, 10)];
    let decided = settle(process, pay).await;
    assert_eq!(refusal(&decided[0]), Rejection::AccountNotFound);
    accepted(&decided[1]);
    assert_eq!(posted(process, 0).await, before);
    assert_sound(process).await;

    // Another process opens another account. It gets the number of a lost one.
    let second = AuroraStore::open(&database.settings()).await.unwrap();
    let third = AuroraStore::open(&database.settings()).await.unwrap();
    for other in OTHER.. {
        open_funded(&second, other).await;
        if number(database, other).await >= lost_number {
            break;
        }
    }
    assert_eq!(
        refusal(&settle(process, vec![transfer("pay-3", LOST, 0, 10)]).await[0]),
        Rejection::AccountNotFound
    );
    open_funded(&third, LOST).await;
    accepted(&settle(process, vec![transfer("pay-4", LOST, 0, 10)]).await[0]);
    assert_eq!(posted(&third, LOST).await, 10_000 - 100 - 10);
    assert_sound(&third).await;
}

async fn after_a_failover_that_lost_an_account_nobody_else_pays_for_it(kind: Kind) {
    let mut cluster = Cluster::start(kind).await;
    let database = cluster.database().await;
    let process = AuroraStore::open(&cluster.settings(&database))
        .await
        .unwrap();
    set_up(&process, 1_000).await;
    cluster.fall_behind().await;
    open_funded(&process, LOST).await;
    let lost_number = number(&database, LOST).await;
    cluster.fail_over().await;
    let database = cluster.promoted(&database);

    // The other account gets the number before this process has noticed the loss.
    let second = AuroraStore::open(&database.settings()).await.unwrap();
    open_funded(&second, OTHER).await;
    assert_eq!(number(&database, OTHER).await, lost_number, "given again");
    let pay = vec![transfer("pay-0", LOST, 0, 10)];
    let decided = settle(&process, pay).await;
    assert_eq!(posted(&second, OTHER).await, 9_900, "it is another's money");
    assert_eq!(refusal(&decided[0]), Rejection::AccountNotFound);
    assert_only_the_owner_pays(&process, &database, lost_number).await;
}

fn opening_in(text: &str, number: u8, currency: &str) -> Arc<PreparedRequest> {
    let open = OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso(currency).unwrap());
    prepare(text, open.with_id(account(number)))
}

async fn after_a_failover_an_account_is_in_the_currency_that_it_has_now(kind: Kind) {
    let mut cluster = Cluster::start(kind).await;
    let database = cluster.database().await;
    let process = AuroraStore::open(&cluster.settings(&database))
        .await
        .unwrap();
    set_up(&process, 1_000).await;
    cluster.fall_behind().await;
    accepted(&settle(&process, vec![opening_in("open-eur", LOST, "EUR")]).await[0]);
    accepted(&settle(&process, vec![transfer("use", 0, LOST, 10)]).await[0]);
    cluster.fail_over().await;
    let database = cluster.promoted(&database);
    let second = AuroraStore::open(&database.settings()).await.unwrap();
    accepted(&settle(&second, vec![opening_in("open-jpy", LOST, "JPY")]).await[0]);

    let decided = settle(&process, vec![transfer("pay", 0, LOST, 10)]).await;
    assert_eq!(refusal(&decided[0]), Rejection::CurrencyMismatch);
    assert_sound(&second).await;
}

async fn after_a_failover_a_relay_never_marks_what_it_has_not_published(kind: Kind) {
    let mut cluster = Cluster::start(kind).await;
    let database = cluster.database().await;
    let process = AuroraStore::open(&cluster.settings(&database))
        .await
        .unwrap();
    set_up(&process, 1_000).await;
    let wait = Duration::from_secs(600);
    let lease = process.acquire("relay", wait).await.unwrap().unwrap();
    cluster.fall_behind().await;
    accepted(&settle(&process, vec![transfer("lost", 0, 1, 10)]).await[0]);
    let claimed = process.claim(&lease, &BTreeSet::new(), 100).await.unwrap();
    let lost = claimed.last().unwrap().id;
    cluster.fail_over().await;
    let database = cluster.promoted(&database);
    let second = AuroraStore::open(&database.settings()).await.unwrap();
    accepted(&settle(&second, vec![transfer("another", 2, 3, 10)]).await[0]);

    // The earlier connections are gone. After that, the row belongs to another commit.
    let progress = [RowProgress {
        row: lost,
        done: DoneSet::from([0, 1]),
        state: RowState::Complete,
    }];
    let event = ParkedEvent {
        row: lost,
        index: 0,
        account: account_key(0),
        version: 9,
        reason: "as a test wants it".to_owned(),
    };
    let marked = loop {
        match process.mark_done(&lease, &progress).await {
            Err(OutboxError::Store(error)) if error.is_retryable() => {}
            marked => break marked,
        }
    };
    assert!(matches!(marked, Err(OutboxError::LeaseLost)), "{marked:?}");
    let parked = process.park(&lease, &event).await;
    assert!(matches!(parked, Err(OutboxError::LeaseLost)), "{parked:?}");
    assert_eq!(process.parked().await.unwrap(), []);
    let lease = process.acquire("relay", wait).await.unwrap().unwrap();
    let claimed = process.claim(&lease, &BTreeSet::new(), 100).await.unwrap();
    let again = claimed.iter().find(|row| row.id == lost).unwrap();
    assert_eq!(again.done, DoneSet::new());
    process.mark_done(&lease, &progress).await.unwrap();
    let left = process.claim(&lease, &BTreeSet::new(), 100).await.unwrap();
    assert!(left.iter().all(|row| row.id != lost));
}

/// All tables with their contents, in a separate database.
struct Dump {
    original: Database,
    tables: Vec<(String, String)>,
}

impl Dump {
    async fn of(database: &Database, server: &str) -> Self {
        let original = Database::create_on(server).await;
        let mut tables = Vec::new();
        let sql = "SELECT table_name FROM information_schema.tables \
                   WHERE table_schema = DATABASE() AND table_name LIKE 'wallet\\_%'";
        for row in database.rows(sql).await {
            let table: String = row.get_unchecked(0);
            let create = database.rows(&format!("SHOW CREATE TABLE {table}")).await;
            let create: String = create[0].get_unchecked(1);
            original.execute(&create).await;
            let source = database.name();
            let copy = format!("INSERT INTO {table} SELECT * FROM {source}.{table}");
            original.execute(&copy).await;
            tables.push((table, create));
        }
        Self { original, tables }
    }

    /// Loads the dump: drops, creates and fills each table.
    async fn reload(&self, into: &Database, with_numbers: bool) {
        for (table, create) in &self.tables {
            into.execute(&format!("DROP TABLE {table}")).await;
            let create = match create.split_once(" AUTO_INCREMENT=") {
                Some((head, tail)) if !with_numbers => {
                    let tail = tail.trim_start_matches(|digit: char| digit.is_ascii_digit());
                    format!("{head}{tail}")
                }
                _ => create.clone(),
            };
            into.execute(&create).await;
            let source = self.original.name();
            let copy = format!("INSERT INTO {table} SELECT * FROM {source}.{table}");
            into.execute(&copy).await;
        }
    }
}

async fn after_a_restore_in_place_nobody_else_pays_for_a_lost_account(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let process = open(&database).await;
    set_up(&process, 1_000).await;
    let dump = Dump::of(&database, &server.url()).await;
    open_funded(&process, LOST).await;
    let lost_number = number(&database, LOST).await;
    dump.reload(&database, true).await;
    assert_only_the_owner_pays(&process, &database, lost_number).await;
}

fn copy_folder(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let copied = Command::new("cp")
        .arg("--archive")
        .args([from, to])
        .status();
    assert!(copied.unwrap().success());
}

async fn after_a_crash_without_a_flush_nobody_else_pays_for_a_lost_account(kind: Kind) {
    let mut server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let process = open(&database).await;
    set_up(&process, 1_000).await;
    // The disk of a crashed server: the state of some earlier moment.
    let (data, disk) = (server.folder().join("data"), server.folder().join("disk"));
    server.kill();
    copy_folder(&data, &disk);
    server.restart();
    open_funded(&process, LOST).await;
    let lost_number = number(&database, LOST).await;
    server.kill();
    copy_folder(&disk, &data);
    server.restart();
    assert_only_the_owner_pays(&process, &database, lost_number).await;
}

async fn numbers_that_are_given_again_are_passed_over(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let process = AuroraStore::open(&patient(database.url())).await.unwrap();
    set_up(&process, 1_000).await;
    for number in 0..5 {
        accepted(&commit(&process, vec![transfer(&format!("t{number}"), 0, 1, 1)]).await[0]);
    }
    // Retention has removed the rows that determine the next number. The dump does not
    // contain the next number either.
    database.execute("DELETE FROM wallet_batch").await;
    let dump = Dump::of(&database, &server.url()).await;
    dump.reload(&database, false).await;
    let store = open(&database).await;
    let mut requests = vec![opening("late", LOST), deposit("late-fund", LOST, 7)];
    requests.push(transfer("late-pay", 0, 1, 1));
    for decided in settle(&process, requests).await {
        accepted(&decided);
    }
    accepted(&settle(&store, vec![transfer("later", 0, 1, 1)]).await[0]);
    assert_eq!(posted(&store, LOST).await, 7);
    assert_sound(&store).await;

    // The same in a host's transaction, which continues afterwards.
    database.execute("DELETE FROM wallet_batch").await;
    let dump = Dump::of(&database, &server.url()).await;
    dump.reload(&database, false).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let requests = [opening("host-open", OTHER), transfer("host-pay", 0, 1, 1)];
    match store.apply_in_raw(&mut host, &requests).await {
        Err(ApplyError::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
        other => panic!("{other:?}"),
    }
    let applied = store.apply_in_raw(&mut host, &requests).await.unwrap();
    assert_eq!(applied.after_commit().len(), 2);
    host.commit().await.unwrap();
    assert_sound(&store).await;
}
