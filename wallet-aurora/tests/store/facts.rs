//! Pins the facts about both servers that the adapter relies on.

use sqlx::{Connection, Executor, MySqlConnection, Row};
use wallet_test_servers::Kind;

use crate::support::{Database, on_both};

on_both! {
    an_error_ends_its_packet_so_that_its_commit_is_not_run
    every_statement_of_a_packet_has_its_own_time
    a_lock_wait_leaves_the_transaction_open_and_a_deadlock_ends_it
    a_locking_read_of_a_missing_row_locks_no_gap
    a_duplicate_on_a_clustered_key_locks_no_gap
    the_isolation_can_be_chosen_only_outside_of_a_transaction
    skip_locked_leaves_out_what_others_keep
}

async fn pair(kind: Kind) -> (MySqlConnection, MySqlConnection, Database) {
    let database = Database::create(kind).await;
    let table = "CREATE TABLE t (a INT NOT NULL PRIMARY KEY, b INT NOT NULL) ENGINE = InnoDB; \
                 INSERT INTO t VALUES (1, 0), (5, 0), (9, 0)";
    database.execute(table).await;
    let mut connections = [database.connect().await, database.connect().await];
    for connection in &mut connections {
        let set = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
                   SET SESSION innodb_lock_wait_timeout = 1";
        connection.execute(set).await.unwrap();
    }
    let [one, other] = connections;
    (one, other, database)
}

async fn code(connection: &mut MySqlConnection, sql: &str) -> u16 {
    let error = connection.execute(sql).await.unwrap_err();
    let error = error.as_database_error().unwrap();
    let error = error.downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
    error.number()
}

async fn rows(connection: &mut MySqlConnection, sql: &str) -> Vec<i32> {
    let rows = connection.fetch_all(sql).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn an_error_ends_its_packet_so_that_its_commit_is_not_run(kind: Kind) {
    let (mut one, mut other, _database) = pair(kind).await;
    let packet = "START TRANSACTION; INSERT INTO t VALUES (2, 0); INSERT INTO t VALUES (5, 0); \
                  INSERT INTO t VALUES (3, 0); COMMIT";
    assert_eq!(code(&mut one, packet).await, 1062);
    assert_eq!(
        rows(&mut other, "SELECT a FROM t ORDER BY a").await,
        [1, 5, 9]
    );
    // The transaction is still open and keeps its work from before the error.
    assert_eq!(
        rows(&mut one, "SELECT a FROM t ORDER BY a").await,
        [1, 2, 5, 9]
    );
    one.execute("ROLLBACK").await.unwrap();
    assert_eq!(
        rows(&mut one, "SELECT a FROM t ORDER BY a").await,
        [1, 5, 9]
    );
}

async fn every_statement_of_a_packet_has_its_own_time(kind: Kind) {
    let (mut one, _other, _database) = pair(kind).await;
    let now = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
    let packet = format!("{now}; DO SLEEP(0.05); {now}");
    let rows = one.fetch_all(packet.as_str()).await.unwrap();
    let times: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert!(times[1] - times[0] >= 50_000, "{times:?}");
}

async fn a_lock_wait_leaves_the_transaction_open_and_a_deadlock_ends_it(kind: Kind) {
    let (mut one, mut other, _database) = pair(kind).await;
    other
        .execute("BEGIN; UPDATE t SET b = 1 WHERE a = 1")
        .await
        .unwrap();
    let first = "BEGIN; UPDATE t SET b = 2 WHERE a = 5; UPDATE t SET b = 2 WHERE a = 1";
    assert_eq!(code(&mut one, first).await, 1205);
    assert_eq!(rows(&mut one, "SELECT b FROM t WHERE a = 5").await, [2]);
    // The server rolls back the transaction with fewer changes, so this one survives.
    let heavy: Vec<String> = (100..400).map(|number| format!("({number}, 0)")).collect();
    let heavy = format!("INSERT INTO t VALUES {}", heavy.join(","));
    other.execute(heavy.as_str()).await.unwrap();
    let (crossed, crossing) = tokio::join!(
        code(&mut one, "UPDATE t SET b = 2 WHERE a = 1"),
        other.execute("UPDATE t SET b = 1 WHERE a = 5")
    );
    crossing.unwrap();
    assert_eq!(crossed, 1213);
    other.execute("COMMIT").await.unwrap();
    assert_eq!(rows(&mut one, "SELECT b FROM t WHERE a = 5").await, [1]);
}

async fn a_locking_read_of_a_missing_row_locks_no_gap(kind: Kind) {
    let (mut one, mut other, _database) = pair(kind).await;
    let read = "BEGIN; SELECT a FROM t WHERE a IN (2, 3, 4) LOCK IN SHARE MODE";
    assert_eq!(rows(&mut one, read).await, Vec::<i32>::new());
    other.execute("INSERT INTO t VALUES (3, 0)").await.unwrap();
}

async fn a_duplicate_on_a_clustered_key_locks_no_gap(kind: Kind) {
    let (mut one, mut other, _database) = pair(kind).await;
    assert_eq!(
        code(&mut one, "BEGIN; INSERT INTO t VALUES (5, 0)").await,
        1062
    );
    for number in [4, 6] {
        let insert = format!("INSERT INTO t VALUES ({number}, 0)");
        other.execute(insert.as_str()).await.unwrap();
    }
    one.execute("ROLLBACK").await.unwrap();
}

async fn the_isolation_can_be_chosen_only_outside_of_a_transaction(kind: Kind) {
    let (mut one, _other, _database) = pair(kind).await;
    let choose = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
    one.execute(choose).await.unwrap();
    one.execute("START TRANSACTION").await.unwrap();
    assert_eq!(code(&mut one, choose).await, 1568);
    one.execute("ROLLBACK").await.unwrap();
    one.execute(choose).await.unwrap();
    one.ping().await.unwrap();
}

async fn skip_locked_leaves_out_what_others_keep(kind: Kind) {
    let (mut one, mut other, _database) = pair(kind).await;
    other
        .execute("BEGIN; SELECT a FROM t WHERE a = 5 FOR UPDATE")
        .await
        .unwrap();
    let skip = "SELECT a FROM t FORCE INDEX (PRIMARY) WHERE a IN (1, 5, 9) \
                ORDER BY a FOR UPDATE SKIP LOCKED";
    assert_eq!(rows(&mut one, skip).await, [1, 9]);
}
