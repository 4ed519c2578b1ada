//! Requests inside the host's transaction.
use crate::support::books::{
    accepted, assert_sound, commit, is_recorded, open, opening, posted, set_up, transfer,
};
use crate::support::{Database, on_both};
use sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::Decided;
use wallet_core::store::{ApplyError, TransactionLost};
use wallet_core::store::{NotAccepted, StoreErrorKind};
use wallet_core::{Rejection, StoreError};
use wallet_test_servers::Kind;

on_both! {
    an_order_and_its_payments_commit_together
    a_roll_back_takes_the_payment_back_and_frees_its_key
    dropping_the_handle_rolls_back
    a_refused_payment_rolls_the_order_back
    a_refusal_is_recorded_if_the_host_commits
    a_later_call_sees_what_an_earlier_one_applied
    an_account_of_a_host_that_rolled_back_is_not_remembered
    an_error_leaves_the_host_s_own_work
    a_deadlock_loses_the_transaction_and_the_handle_refuses
    a_lost_connection_loses_the_transaction
    whoever_stops_waiting_leaves_a_handle_that_refuses
    a_transaction_under_way_is_not_begun_again
    another_isolation_is_refused
    a_session_that_is_not_strict_is_refused
    a_transaction_of_the_host_s_is_taken_over
    other_books_are_refused
    an_error_of_the_host_s_own_is_found_at_the_commit
    a_change_of_schema_by_the_host_is_reported_as_a_commit
    a_snapshot_of_before_decides_nothing
}

/// The database is dropped last: it cannot be dropped under an open transaction.
struct Shop {
    connection: MySqlConnection,
    store: AuroraStore,
    database: Database,
}

async fn shop(kind: Kind) -> Shop {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let orders = "CREATE TABLE shop_order (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB";
    database.execute(orders).await;
    let connection = database.connect().await;
    Shop {
        connection,
        store,
        database,
    }
}

impl Shop {
    async fn orders(&self) -> usize {
        self.database.rows("SELECT id FROM shop_order").await.len()
    }
}

async fn order(transaction: &mut HostTransaction<'_>, id: i64) {
    let sql = format!("INSERT INTO shop_order VALUES ({id})");
    let connection = transaction.connection().unwrap();
    connection.execute(sql.as_str()).await.unwrap();
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

async fn an_order_and_its_payments_commit_together(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30), transfer("b", 1, 2, 120)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    let applied = applied.unwrap();
    assert_eq!(applied.decided().len(), 2);
    assert_eq!(applied.after_commit().len(), 2, "each sees those before it");
    assert_eq!(posted(&shop.store, 0).await, 100, "nobody else sees it yet");
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, 1);
    for (number, balance) in [(0, 70), (1, 10), (2, 220)] {
        assert_eq!(posted(&shop.store, number).await, balance);
    }
    assert_sound(&shop.store).await;
}

async fn a_roll_back_takes_the_payment_back_and_frees_its_key(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let _applied = shop.store.apply_in(&mut transaction, &requests).await;
    transaction.rollback().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 20)]).await;
    assert!(matches!(&again[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert_sound(&shop.store).await;
}

async fn dropping_the_handle_rolls_back(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let _applied = shop.store.apply_in(&mut transaction, &requests).await;
    drop(transaction);
    shop.connection.ping().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 30)]).await;
    assert!(matches!(again[0], Decided::Fresh(_)));
}

async fn a_refused_payment_rolls_the_order_back(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30), transfer("b", 0, 1, 71)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    let refused = applied.unwrap().accepted().unwrap_err();
    assert!(
        matches!(refused, NotAccepted::Rejected { request: 1, rejected }
            if rejected.rejection == Rejection::InsufficientFunds)
    );
    transaction.rollback().await.unwrap();
    assert_eq!(
        (shop.orders().await, posted(&shop.store, 0).await),
        (0, 100)
    );
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_refusal_is_recorded_if_the_host_commits(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [transfer("a", 0, 1, 101)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    let applied = applied.unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    assert!(applied.after_commit().is_empty());
    transaction.commit().await.unwrap();
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 101)]).await;
    assert!(matches!(&again[0], Decided::Replayed(outcome) if outcome.result.is_err()));
}

async fn a_later_call_sees_what_an_earlier_one_applied(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let first = [opening("open-9", 9), transfer("a", 0, 9, 30)];
    let _applied = shop.store.apply_in(&mut transaction, &first).await.unwrap();
    let second = [transfer("b", 9, 1, 30), transfer("a", 0, 9, 30)];
    let applied = shop.store.apply_in(&mut transaction, &second).await;
    let applied = applied.unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    // The second request has another id, but the same key and contents.
    assert!(matches!(&applied.decided()[1], Decided::Replayed(_)));
    transaction.commit().await.unwrap();
    assert_eq!(posted(&shop.store, 1).await, 130);
    assert_sound(&shop.store).await;
}

async fn an_account_of_a_host_that_rolled_back_is_not_remembered(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [opening("open-9", 9), transfer("a", 0, 9, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 2);
    transaction.rollback().await.unwrap();
    let missing = commit(&shop.store, vec![transfer("b", 0, 9, 30)]).await;
    assert!(matches!(&missing[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    let requests = vec![opening("open-9", 9), transfer("c", 0, 9, 30)];
    for decided in commit(&shop.store, requests).await {
        crate::support::books::accepted(&decided);
    }
    assert_eq!(posted(&shop.store, 9).await, 30);
    assert_sound(&shop.store).await;
}

async fn an_error_leaves_the_host_s_own_work(kind: Kind) {
    let mut shop = shop(kind).await;
    // Another transaction is about to take the key.
    let mut other = shop.database.connect().await;
    let mut taking = HostTransaction::begin(&mut other).await.unwrap();
    let theirs = [transfer("a", 2, 3, 1)];
    let _applied = shop.store.apply_in(&mut taking, &theirs).await.unwrap();

    let wait = "SET SESSION innodb_lock_wait_timeout = 1";
    shop.connection.execute(wait).await.unwrap();
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    match applied.unwrap_err() {
        ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
        other => panic!("{other}"),
    }
    order(&mut transaction, 2).await;
    transaction.commit().await.unwrap();
    taking.rollback().await.unwrap();
    assert_eq!(shop.orders().await, 2);
    assert!(!is_recorded(&shop.store, "a").await);
    assert_eq!(posted(&shop.store, 0).await, 100);
    assert_sound(&shop.store).await;
}

async fn a_deadlock_loses_the_transaction_and_the_handle_refuses(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut other = shop.database.connect().await;
    // The server rolls back the transaction with fewer changes. The other one changes more
    // than the host.
    let rows: Vec<String> = (100..400).map(|id| format!("({id})")).collect();
    let heavy = format!("BEGIN; INSERT INTO shop_order VALUES {}", rows.join(","));
    other.execute(heavy.as_str()).await.unwrap();
    let lock = "SELECT * FROM wallet_account ORDER BY num FOR UPDATE";
    other.execute(lock).await.unwrap();

    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applying = shop.store.apply_in(&mut transaction, &requests);
    let crossing = other.execute("SELECT * FROM shop_order WHERE id = 1 FOR UPDATE");
    let (applied, crossed) = tokio::join!(applying, crossing);
    crossed.unwrap();
    assert!(matches!(applied, Err(ApplyError::TransactionLost(Some(_)))));
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    let again = shop.store.apply_in(&mut transaction, &requests).await;
    assert!(matches!(again, Err(ApplyError::TransactionLost(None))));
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
    assert_sound(&shop.store).await;
}

async fn a_lost_connection_loses_the_transaction(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let host = transaction.connection().unwrap();
    let row = host.fetch_one("SELECT CAST(CONNECTION_ID() AS CHAR)").await;
    let id: String = sqlx::Row::get(&row.unwrap(), 0);
    shop.database.execute(&format!("KILL {id}")).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(Some(_)))));
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    drop(transaction);
    assert_eq!(shop.orders().await, 0);
    assert_sound(&shop.store).await;
}

async fn whoever_stops_waiting_leaves_a_handle_that_refuses(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut other = shop.database.connect().await;
    let lock = "BEGIN; SELECT * FROM wallet_account ORDER BY num FOR UPDATE";
    other.execute(lock).await.unwrap();
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let applying = shop.store.apply_in(&mut transaction, &requests);
    // The call waits for a lock that is never released.
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), applying).await;
    assert!(waited.is_err());
    assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    other.execute("ROLLBACK").await.unwrap();
    shop.connection.ping().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_transaction_under_way_is_not_begun_again(kind: Kind) {
    let mut shop = shop(kind).await;
    let first = "START TRANSACTION; INSERT INTO shop_order VALUES (1)";
    shop.connection.execute(first).await.unwrap();
    let begun = HostTransaction::begin(&mut shop.connection).await;
    assert_eq!(kind_of(begun), StoreErrorKind::Invalid);
    assert_eq!(shop.orders().await, 0, "it was not committed by the way");
}

async fn another_isolation_is_refused(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    shop.connection.execute(level).await.unwrap();
    let transaction = shop.connection.begin().await.unwrap();
    let adopted = HostTransaction::adopt(transaction).await;
    assert_eq!(kind_of(adopted), StoreErrorKind::Invalid);
    // A transaction that the handle begins is at READ COMMITTED, whatever the session's
    // level is.
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let host = transaction.connection().unwrap();
    let count = "SELECT CAST(count(*) AS CHAR) FROM shop_order";
    host.execute(count).await.unwrap();
    shop.database
        .execute("INSERT INTO shop_order VALUES (5)")
        .await;
    let seen: String = sqlx::Row::get(&host.fetch_one(count).await.unwrap(), 0);
    assert_eq!(seen, "1", "it sees what was committed meanwhile");
}

async fn a_session_that_is_not_strict_is_refused(kind: Kind) {
    let mut shop = shop(kind).await;
    let mode = "SET SESSION sql_mode = ''";
    shop.connection.execute(mode).await.unwrap();
    let begun = HostTransaction::begin(&mut shop.connection).await;
    assert_eq!(kind_of(begun), StoreErrorKind::Invalid);
}

async fn a_transaction_of_the_host_s_is_taken_over(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    shop.connection.execute(level).await.unwrap();
    let mut own = shop.connection.begin().await.unwrap();
    own.execute("INSERT INTO shop_order VALUES (1)")
        .await
        .unwrap();
    let mut transaction = HostTransaction::adopt(own).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, 1);
    assert_eq!(posted(&shop.store, 1).await, 130);
}

async fn other_books_are_refused(kind: Kind) {
    let shop = shop(kind).await;
    let other = Database::create(kind).await;
    let mut connection = other.connect().await;
    let requests = [transfer("a", 0, 1, 30)];
    for has_books in [false, true] {
        if has_books {
            open(&other).await;
        }
        let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
        let applied = shop.store.apply_in(&mut transaction, &requests).await;
        match applied.unwrap_err() {
            ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
            other => panic!("{other}"),
        }
        transaction.commit().await.unwrap();
    }
}

async fn an_error_of_the_host_s_own_is_found_at_the_commit(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 1);
    // The same happens after a deadlock of the host's own statements.
    let host = transaction.connection().unwrap();
    host.execute("ROLLBACK").await.unwrap();
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    assert!(matches!(applied, Err(ApplyError::TransactionLost(None))));
    let committed = transaction.commit().await;
    assert!(matches!(committed, Err(ApplyError::TransactionLost(None))));
    assert_eq!(posted(&shop.store, 1).await, 100);
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_change_of_schema_by_the_host_is_reported_as_a_commit(kind: Kind) {
    let mut shop = shop(kind).await;
    let ddl = "CREATE TABLE shop_more (id BIGINT PRIMARY KEY)";
    for (round, then_applies) in [(1, true), (2, false)] {
        let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
        order(&mut transaction, round).await;
        let requests = [transfer(&format!("a{round}"), 0, 1, 30)];
        let applied = shop.store.apply_in(&mut transaction, &requests).await;
        assert_eq!(applied.unwrap().after_commit().len(), 1);
        let host = transaction.connection().unwrap();
        host.execute(ddl.replace("more", &format!("more{round}")).as_str())
            .await
            .unwrap();
        if then_applies {
            let more = [transfer("more", 0, 1, 30)];
            let applied = shop.store.apply_in(&mut transaction, &more).await;
            assert!(matches!(applied, Err(ApplyError::CommittedEarly)));
            assert_eq!(transaction.connection().unwrap_err(), TransactionLost);
        } else {
            let committed = transaction.commit().await;
            assert!(matches!(committed, Err(ApplyError::CommittedEarly)));
        }
        assert!(is_recorded(&shop.store, &format!("a{round}")).await);
    }
    assert_eq!(shop.orders().await, 2);
    assert_eq!(posted(&shop.store, 1).await, 160);
    assert!(!is_recorded(&shop.store, "more").await);
    assert_sound(&shop.store).await;
}

async fn a_snapshot_of_before_decides_nothing(kind: Kind) {
    let mut shop = shop(kind).await;
    let level = |level: &str| format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
    let repeatable = level("REPEATABLE READ");
    shop.connection.execute(repeatable.as_str()).await.unwrap();
    let mut own = shop.connection.begin().await.unwrap();
    own.execute("SELECT * FROM shop_order").await.unwrap();
    // The session's level differs from the level of the open transaction.
    own.execute(level("READ COMMITTED").as_str()).await.unwrap();
    // Committed after the snapshot: the same key, a hold, a new account, a currency.
    accepted(&commit(&shop.store, vec![transfer("a", 0, 1, 30)]).await[0]);
    let mut transaction = HostTransaction::adopt(own).await.unwrap();
    let requests = [transfer("a", 0, 1, 30)];
    let applied = shop.store.apply_in(&mut transaction, &requests).await;
    let applied = match applied {
        Ok(applied) => applied,
        // MariaDB may refuse to lock a row that its snapshot does not contain.
        Err(ApplyError::TransactionLost(_)) => return,
        Err(error) => panic!("{error}"),
    };
    assert!(matches!(applied.decided()[0], Decided::Replayed(_)));
    transaction.commit().await.unwrap();
    assert_eq!(posted(&shop.store, 1).await, 130, "paid once");
    assert_sound(&shop.store).await;
}
