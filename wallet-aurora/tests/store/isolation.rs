//! A problem of one request affects no other request. The tests use rows that a foreign
//! transaction has inserted and not committed, rows that cannot be read, and callers that
//! only read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Row as _;
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::{Decided, HoldKey, HoldStatus, SettlementShards};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::{Clock, Uuid7};
use wallet_core::service::Answer;
use wallet_core::store::{HoldQuery, LedgerStore, StoreErrorKind};
use wallet_core::{
    Command, Currency, Deposit, Hold, Leg, OpenAccount, Owner, PlaceHold, PostTransfer, Request,
    Settings, SettlementName, SystemClock, Wallet, WalletError,
};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{
    accepted, account, account_key, assert_sound, commit, deposit, euros, is_recorded, key, open,
    posted, prepare, record_key, set_up, transfer,
};
use crate::support::{Database, on_both};

on_both! {
    what_a_host_has_not_committed_stalls_only_who_needs_it
    an_open_key_is_waited_for_once_and_not_at_every_use
    behind_an_open_key_the_rest_of_its_call_waits_that_depends_on_it
    callers_who_read_never_keep_a_commit_waiting_for_a_connection
    callers_who_ask_about_just_now_share_commits
    a_damaged_outcome_fails_its_own_request_and_names_the_row
    a_damaged_hold_stops_no_other_from_expiring
}

fn wallet(store: AuroraStore) -> Wallet {
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        sweep_interval: None,
        ..Settings::default()
    });
    wallet.spawn().unwrap()
}

fn pay(text: &str, from: u8, to: u8) -> Request {
    let leg = Leg::new(account(from), account(to), euros(1));
    Request::new(key(text), PostTransfer::new(vec![leg]))
}

fn from_new_bank() -> Command {
    let name = SettlementName::new("newbank").unwrap();
    Deposit::new(account(2), euros(7), name).into()
}

fn in_new_currency(number: u8) -> Command {
    let open = OpenAccount::new(Owner::new("ada").unwrap(), Currency::iso("CHF").unwrap());
    open.with_id(account(number)).into()
}

async fn what_a_host_has_not_committed_stalls_only_who_needs_it(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    // A key, a settlement account and a currency that are not committed yet.
    let requests = [
        transfer("kept", 0, 1, 1),
        prepare("host-deposit", from_new_bank()),
        prepare("host-open", in_new_currency(70)),
    ];
    let applied = store.apply_in_raw(&mut host, &requests).await.unwrap();
    assert_eq!(applied.after_commit().len(), 3);

    let wallet = wallet(store);
    let mut waiting = Vec::new();
    for request in [
        pay("kept", 0, 1),
        Request::new(key("own-deposit"), from_new_bank()),
        Request::new(key("own-open"), in_new_currency(71)),
    ] {
        let wallet = wallet.clone();
        waiting.push(tokio::spawn(
            async move { wallet.submit_raw(request).await },
        ));
        tokio::task::yield_now().await;
    }
    // Transfers between accounts that the host has not locked.
    let neighbours = (0..40).map(|number| pay(&format!("n{number}"), 3, 4));
    for answer in wallet.submit_all_raw(neighbours.collect()).await {
        answer.unwrap().accepted().unwrap();
    }
    assert!(waiting.iter().all(|task| !task.is_finished()));
    let stats = wallet.stats();
    assert_eq!(
        (stats.splits, stats.retries),
        (0, 0),
        "the store named the culprit"
    );
    host.commit().await.unwrap();
    let mut answers: Vec<Answer> = Vec::new();
    for task in waiting {
        answers.push(task.await.unwrap().unwrap());
    }
    let replayed: Vec<bool> = answers.iter().map(|answer| answer.replayed).collect();
    assert_eq!(replayed, [true, false, false]);
    let store = open(&database).await;
    assert_eq!(posted(&store, 2).await, 1_014);
    assert_sound(&store).await;
}

async fn an_open_key_is_waited_for_once_and_not_at_every_use(kind: Kind) {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    settings.lock_wait = Duration::from_secs(4);
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 1_000).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let uncommitted = [deposit("kept", 5, 1)];
    let _applied = store.apply_in_raw(&mut host, &uncommitted).await.unwrap();
    // Only the key is shared. The host has locked none of these accounts.
    let again = || transfer("kept", 0, 1, 1);
    // If each request waited, the test would exceed its time limit.
    for number in 0..60 {
        let others = transfer(&format!("o{number}"), 2, 3, 1);
        let decided = commit(&store, vec![again(), others]).await;
        assert_eq!(decided[0], Decided::Blocked);
        accepted(&decided[1]);
    }
    host.rollback().await.unwrap();
    let decided = commit(&store, vec![again()]).await;
    accepted(&decided[0]);
    assert_eq!(posted(&store, 5).await, 1_000);
    assert_sound(&store).await;
}

async fn behind_an_open_key_the_rest_of_its_call_waits_that_depends_on_it(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    // Only the key is shared. The call needs none of the locked accounts.
    let uncommitted = [deposit("kept", 5, 1)];
    let _applied = store.apply_in_raw(&mut host, &uncommitted).await.unwrap();
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        sweep_interval: None,
        tries_max: 100,
        ..Settings::for_server()
    });
    let wallet = wallet.spawn().unwrap();
    let amount = |text: &str, from: u8, to: u8, cents: i128| {
        let leg = Leg::new(account(from), account(to), euros(cents));
        Request::new(key(text), PostTransfer::new(vec![leg]))
    };
    let call = vec![
        amount("kept", 0, 1, 900),
        // The second transfer needs the money of the first one.
        amount("second", 1, 2, 1_500),
        amount("apart", 3, 4, 1),
    ];
    let caller = wallet.clone();
    let call = tokio::spawn(async move { caller.submit_all_raw(call).await });
    let looking = open(&database).await;
    while !is_recorded(&looking, "apart").await {
        tokio::task::yield_now().await;
    }
    let neighbour = wallet.submit_raw(amount("neighbour", 1, 2, 1)).await;
    neighbour.unwrap().accepted().unwrap();
    assert!(!is_recorded(&looking, "second").await);
    host.rollback().await.unwrap();
    for answer in call.await.unwrap() {
        answer.unwrap().accepted().unwrap();
    }
    assert_sound(&looking).await;
}

async fn callers_who_read_never_keep_a_commit_waiting_for_a_connection(kind: Kind) {
    let database = Database::create(kind).await;
    let store = Arc::new(open(&database).await);
    set_up(&store, 1_000).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let uncommitted = [transfer("kept", 0, 1, 1)];
    let _applied = store.apply_in_raw(&mut host, &uncommitted).await.unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let callers = (0..64).map(|_| {
        let (store, ends) = (Arc::clone(&store), Arc::clone(&ends));
        tokio::spawn(async move {
            // Each call waits for the key that is never committed.
            while !ends.load(Ordering::SeqCst) {
                let late = store.records(&[record_key("kept")]).await;
                assert!(late.unwrap_err().is_retryable());
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    while waiting(&database).await < 4 {
        tokio::task::yield_now().await;
    }
    for number in 0..20 {
        let request = transfer(&format!("t{number}"), 2, 3, 1);
        let batch = Arc::new(Batch::new(vec![request]));
        // The first try succeeds: a connection is always available.
        let decided = store.transact(batch).await.unwrap().decided;
        accepted(&decided[0]);
    }
    ends.store(true, Ordering::SeqCst);
    host.rollback().await.unwrap();
    for caller in callers {
        caller.abort();
    }
    assert_sound(&store).await;
}

/// The number of connections that wait for a record.
async fn waiting(database: &Database) -> usize {
    let sql = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() \
               AND info LIKE '%LOCK IN SHARE MODE%' AND info NOT LIKE '%processlist%'";
    database.rows(sql).await.len()
}

/// A counter of a private server.
async fn counted(database: &Database, name: &str) -> u64 {
    let sql = format!("SHOW GLOBAL STATUS LIKE '{name}'");
    let count: String = database.rows(&sql).await[0].get_unchecked(1);
    count.parse().unwrap()
}

async fn callers_who_ask_about_just_now_share_commits(kind: Kind) {
    let server = Private::start(kind);
    let database = Database::create_on(&server.url()).await;
    let mut settings = database.settings();
    settings.lock_wait = Duration::from_secs(20);
    let store = Arc::new(AuroraStore::open(&settings).await.unwrap());
    set_up(&store, 1_000).await;
    let mut connection = database.connect().await;
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let uncommitted = [transfer("kept", 0, 1, 1)];
    let _applied = store.apply_in_raw(&mut host, &uncommitted).await.unwrap();
    let at = SystemClock.now();
    let before = counted(&database, "Com_commit").await;
    let askers: Vec<_> = (0..64_u8)
        .map(|number| {
            let (store, account) = (Arc::clone(&store), account_key(number % 4));
            tokio::spawn(async move { store.balance_at(account, at).await })
        })
        .collect();
    // Waits until a call waits for the accounts that the host has locked, with the others
    // behind it.
    let sql = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() \
               AND time >= 1 AND info LIKE '%FORCE INDEX (PRIMARY)%FOR UPDATE%'";
    while database.rows(sql).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    host.rollback().await.unwrap();
    for asker in askers {
        let balance = asker.await.unwrap().unwrap().unwrap();
        assert_eq!(balance.posted, 1_000);
    }
    let made = counted(&database, "Com_commit").await - before;
    // Each call has read first, in a read-only transaction.
    let made = made.checked_sub(64).unwrap();
    assert!((1..32).contains(&made), "{made} commits for 64 questions");
    // One locked account fails no question about another account.
    let mut settings = database.settings();
    settings.lock_wait = Duration::from_secs(1);
    let store = Arc::new(AuroraStore::open(&settings).await.unwrap());
    let mut host = HostTransaction::begin(&mut connection).await.unwrap();
    let uncommitted = [transfer("again", 0, 1, 1)];
    let _applied = store.apply_in_raw(&mut host, &uncommitted).await.unwrap();
    let at = SystemClock.now();
    let ask = |number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.balance_at(account_key(number), at).await })
    };
    let waits = counted(&database, "Innodb_row_lock_waits").await;
    let waiting: Vec<_> = (0..60).map(|_| ask(0)).collect();
    assert_eq!(ask(3).await.unwrap().unwrap().unwrap().posted, 1_000);
    for task in waiting {
        assert!(task.await.unwrap().unwrap_err().is_retryable());
    }
    // The store does not wait once for each question.
    let waits = counted(&database, "Innodb_row_lock_waits").await - waits;
    assert!((1..40).contains(&waits), "{waits} waits for 60 questions");
    host.rollback().await.unwrap();
}

async fn a_damaged_outcome_fails_its_own_request_and_names_the_row(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    accepted(&commit(&store, vec![transfer("damaged", 0, 1, 1)]).await[0]);
    let hash = u128::from_be_bytes(record_key("damaged").hash);
    for bytes in ["FF", "01"] {
        let damage =
            format!("UPDATE wallet_journal SET outcome = x'{bytes}' WHERE hash = x'{hash:032x}'");
        database.execute(&damage).await;
        let wallet = wallet(open(&database).await);
        let mut requests: Vec<Request> = (0..20)
            .map(|number| pay(&format!("{bytes}-{number}"), 2, 3))
            .collect();
        requests.insert(11, pay("damaged", 0, 1));
        for (index, answer) in wallet
            .submit_all_raw(requests)
            .await
            .into_iter()
            .enumerate()
        {
            match answer {
                Ok(answer) if index != 11 => drop(answer.accepted().unwrap()),
                Err(WalletError::Store(error)) if index == 11 => {
                    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
                    assert!(error.context().contains(&format!("{hash:032x}")), "{error}");
                }
                other => panic!("{index}: {other:?}"),
            }
        }
        assert_eq!(wallet.stats().damaged, 1);
    }
}

fn expiring(text: &str) -> Arc<PreparedRequest> {
    let hold = PlaceHold::new(account(0), account(1), euros(1));
    let request = Request::new(key(text), hold.with_expires_in(Duration::from_micros(1)));
    Arc::new(PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap())
}

async fn a_damaged_hold_stops_no_other_from_expiring(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 1_000).await;
    let requests = (0..9).map(|number| expiring(&format!("hold-{number}")));
    for decided in commit(&store, requests.collect()).await {
        accepted(&decided);
    }
    let holds = |status| HoldQuery {
        account: account_key(0),
        status: Some(status),
        after: None,
        limit: 100,
    };
    let placed: Vec<Hold> = store.list_holds(&holds(HoldStatus::Pending)).await.unwrap();
    assert_eq!(placed.len(), 9);
    let mut damaged: Vec<HoldKey> = Vec::new();
    for (hold, bytes) in placed.iter().zip(["FF", "01", ""]) {
        let id = hold.key.id.uuid().simple();
        let damage = format!("UPDATE wallet_hold SET body = x'{bytes}' WHERE id = x'{id}'");
        database.execute(&damage).await;
        damaged.push(hold.key);
    }
    let wallet = wallet(store);
    assert_eq!(wallet.sweep_expired(100).await.unwrap(), 6);
    assert_eq!(wallet.stats().damaged, 3);
    let mut reported: Vec<HoldKey> = Vec::new();
    for (hold, error) in wallet.damaged_holds() {
        assert!(error.context().contains(&hold.id.to_string()), "{error}");
        reported.push(hold);
    }
    assert_eq!(reported, damaged);
}
