//! Steps inside the consumer's transaction. The effect and the step commit together.

use sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraInbox, HostTransaction};
use wallet_core::ledger::{Epoch, Position, Version};
use wallet_core::messaging::InboxStep;
use wallet_core::store::StoreErrorKind;
use wallet_core::store::{ApplyError, TransactionLost};
use wallet_test_servers::Kind;

use crate::support::books::{account_key, set_up, transfer};
use crate::support::proxy::{CUTS, Proxy};
use crate::support::{Database, on_both};

on_both! {
    an_effect_and_its_step_commit_or_roll_back_together
    a_payment_and_its_step_commit_together
    without_a_transaction_no_step_is_recorded
    creating_the_table_commits_nothing_of_the_consumer_s
    what_is_refused_leaves_the_transaction_as_it_was
    a_lock_that_somebody_keeps_leaves_the_transaction
    a_deadlock_loses_the_transaction
    a_lost_connection_loses_the_transaction
    of_three_consumers_at_once_one_has_the_effect
    a_cut_at_any_point_leaves_effect_and_step_equal
}

const NAME: &str = "mailer";
const TABLE: &str = "
    CREATE TABLE mail (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, event INT NOT NULL)
    ENGINE = InnoDB";

fn step(number: u8, from: Version) -> InboxStep {
    InboxStep {
        account: account_key(number),
        from: Position::new(Epoch::FIRST, from),
        to: Position::new(Epoch::FIRST, from + 1),
    }
}

/// A consumer's database, with a table for its effects.
async fn mails(kind: Kind) -> (MySqlConnection, Database) {
    let database = Database::create(kind).await;
    database.execute(TABLE).await;
    let mut connection = database.connect().await;
    AuroraInbox::create_in(&mut connection).await.unwrap();
    (connection, database)
}

async fn send(connection: &mut MySqlConnection, number: u8) {
    let sql = format!("INSERT INTO mail (event) VALUES ({number})");
    connection.execute(sql.as_str()).await.unwrap();
}

/// The number of effects, and the consumer's position.
async fn stands(database: &Database, number: u8) -> (usize, Version) {
    let sql = format!("SELECT id FROM mail WHERE event = {number}");
    let sent = database.rows(&sql).await.len();
    let mut connection = database.connect().await;
    let account = account_key(number);
    let position = AuroraInbox::position_in(&mut connection, NAME, account).await;
    (sent, position.unwrap().version)
}

async fn an_effect_and_its_step_commit_or_roll_back_together(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    for from in [0, 1, 2] {
        for commits in [false, true] {
            let mut transaction = connection.begin().await.unwrap();
            send(&mut transaction, 1).await;
            let moved = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, from)).await;
            assert!(moved.unwrap());
            let account = account_key(1);
            let seen = AuroraInbox::position_in(&mut transaction, NAME, account).await;
            assert_eq!(seen.unwrap().version, from + 1, "its own step is seen");
            if commits {
                transaction.commit().await.unwrap();
            } else {
                transaction.rollback().await.unwrap();
                let before = usize::try_from(from).unwrap();
                assert_eq!(stands(&database, 1).await, (before, from));
            }
        }
        let sent = usize::try_from(from).unwrap() + 1;
        assert_eq!(stands(&database, 1).await, (sent, from + 1));
    }
}

async fn a_payment_and_its_step_commit_together(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    let store = crate::support::books::open(&database).await;
    set_up(&store, 100).await;
    for (commits, balance, position) in [(false, 100, 0), (true, 130, 1), (true, 130, 1)] {
        let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
        let own = transaction.connection().unwrap();
        let moved = AuroraInbox::advance_in(own, NAME, &step(0, 0)).await;
        let bonus = [transfer("bonus", 0, 1, 30)];
        let applied = store.apply_in_raw(&mut transaction, &bonus).await.unwrap();
        assert_eq!(applied.decided().len(), 1);
        if commits && moved.unwrap() {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(crate::support::books::posted(&store, 1).await, balance);
        assert_eq!(stands(&database, 0).await.1, position);
    }
}

async fn without_a_transaction_no_step_is_recorded(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    for from in [0, 1] {
        let refused = AuroraInbox::advance_in(&mut connection, NAME, &step(1, from)).await;
        assert!(matches!(refused, Err(ApplyError::TransactionLost(Some(_)))));
        assert_eq!(stands(&database, 1).await, (0, from));
        let mut transaction = connection.begin().await.unwrap();
        let moved = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, from)).await;
        assert!(moved.unwrap());
        transaction.commit().await.unwrap();
    }
}

async fn creating_the_table_commits_nothing_of_the_consumer_s(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    database.execute("DROP TABLE wallet_inbox").await;
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 1).await;
    let refused = AuroraInbox::create_in(&mut transaction).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let missing = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, 0)).await;
    match missing.unwrap_err() {
        ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Internal),
        other => panic!("{other}"),
    }
    transaction.rollback().await.unwrap();
    AuroraInbox::create_in(&mut connection).await.unwrap();
    assert_eq!(stands(&database, 1).await, (0, 0));
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 1).await;
    AuroraInbox::create_in(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(stands(&database, 1).await, (0, 0), "it was there already");
}

async fn what_is_refused_leaves_the_transaction_as_it_was(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 1).await;
    let back = InboxStep {
        to: Position::START,
        ..step(1, 0)
    };
    for (name, step) in [(NAME, back), ("", step(1, 0))] {
        let refused = AuroraInbox::advance_in(&mut transaction, name, &step).await;
        match refused.unwrap_err() {
            ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
            other => panic!("{other}"),
        }
    }
    for (from, expected) in [(1, false), (0, true), (0, false), (1, true), (3, false)] {
        let moved = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, from)).await;
        assert_eq!(moved.unwrap(), expected, "{from}");
    }
    transaction.commit().await.unwrap();
    assert_eq!(stands(&database, 1).await, (1, 2));
}

async fn a_lock_that_somebody_keeps_leaves_the_transaction(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    let wait = "SET SESSION innodb_lock_wait_timeout = 1";
    connection.execute(wait).await.unwrap();
    let mut other = database.connect().await;
    let mut first = other.begin().await.unwrap();
    let moved = AuroraInbox::advance_in(&mut first, NAME, &step(1, 0)).await;
    assert!(moved.unwrap());
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 2).await;
    let refused = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, 0)).await;
    match refused.unwrap_err() {
        ApplyError::Store(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
        other => panic!("{other}"),
    }
    let moved = AuroraInbox::advance_in(&mut transaction, NAME, &step(2, 0)).await;
    assert!(moved.unwrap());
    transaction.commit().await.unwrap();
    first.rollback().await.unwrap();
    assert_eq!(stands(&database, 1).await, (0, 0));
    assert_eq!(stands(&database, 2).await, (1, 1));
}

async fn a_deadlock_loses_the_transaction(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    let mut other = database.connect().await;
    // The server rolls back the transaction with fewer changes. The other one changes more
    // than the consumer.
    let rows = vec!["(9)"; 300].join(",");
    let heavy = format!("BEGIN; INSERT INTO mail (event) VALUES {rows}");
    other.execute(heavy.as_str()).await.unwrap();
    let moved = AuroraInbox::advance_in(&mut other, NAME, &step(2, 0)).await;
    assert!(moved.unwrap());
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 1).await;
    let first = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, 0)).await;
    assert!(first.unwrap());
    let (step_1, step_2) = (step(1, 0), step(2, 0));
    let crossing = AuroraInbox::advance_in(&mut other, NAME, &step_1);
    let second = AuroraInbox::advance_in(&mut transaction, NAME, &step_2);
    let (second, crossed) = tokio::join!(second, crossing);
    assert!(crossed.unwrap(), "what was in its way is gone");
    assert!(matches!(second, Err(ApplyError::TransactionLost(Some(_)))));
    let again = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, 0)).await;
    assert!(matches!(again, Err(ApplyError::TransactionLost(Some(_)))));
    other.execute("ROLLBACK").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(stands(&database, 1).await, (0, 0));
}

async fn a_lost_connection_loses_the_transaction(kind: Kind) {
    let (mut connection, database) = mails(kind).await;
    let mut transaction = connection.begin().await.unwrap();
    send(&mut transaction, 1).await;
    let id = "SELECT CAST(CONNECTION_ID() AS CHAR)";
    let row = transaction.fetch_one(id).await.unwrap();
    let id: String = sqlx::Row::get(&row, 0);
    database.execute(&format!("KILL {id}")).await;
    let lost = AuroraInbox::advance_in(&mut transaction, NAME, &step(1, 0)).await;
    assert!(matches!(lost, Err(ApplyError::TransactionLost(Some(_)))));
    drop(transaction);
    assert_eq!(stands(&database, 1).await, (0, 0));
}

/// The result of handling an event.
#[derive(Debug, PartialEq, Eq)]
enum Handled {
    Now,
    Before,
    /// The event is delivered again.
    Unknown,
}

/// Handles one event like a consumer: writes the effect first, so that it may be rolled
/// back.
async fn handle(connection: &mut MySqlConnection, number: u8) -> Handled {
    let Ok(mut transaction) = connection.begin().await else {
        return Handled::Unknown;
    };
    let sql = format!("INSERT INTO mail (event) VALUES ({number})");
    if transaction.execute(sql.as_str()).await.is_err() {
        return Handled::Unknown;
    }
    let moved = AuroraInbox::advance_in(&mut transaction, NAME, &step(number, 0)).await;
    if matches!(moved, Ok(true)) {
        return match transaction.commit().await {
            Ok(()) => Handled::Now,
            Err(_) => Handled::Unknown,
        };
    }
    // Rolls back now. A dropped transaction keeps its locks until its connection is used
    // again.
    let rolled_back = transaction.rollback().await;
    match moved.and(rolled_back.map_err(|_| TransactionLost.into())) {
        Ok(()) => Handled::Before,
        Err(_) => Handled::Unknown,
    }
}

async fn of_three_consumers_at_once_one_has_the_effect(kind: Kind) {
    const EVENTS: u8 = 40;
    let (_connection, database) = mails(kind).await;
    for (level, events) in [
        ("READ COMMITTED", 0..EVENTS),
        ("REPEATABLE READ", EVENTS..2 * EVENTS),
    ] {
        let work = async || {
            let mut connection = database.connect().await;
            let set = format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
            connection.execute(set.as_str()).await.unwrap();
            let mut handled = 0;
            for number in events.clone() {
                loop {
                    match handle(&mut connection, number).await {
                        Handled::Now => handled += 1,
                        Handled::Before => {}
                        Handled::Unknown => continue,
                    }
                    break;
                }
            }
            handled
        };
        let (one, other, third) = tokio::join!(work(), work(), work());
        assert_eq!(one + other + third, EVENTS);
        for number in events {
            assert_eq!(stands(&database, number).await, (1, 1), "{number}");
        }
    }
}

async fn a_cut_at_any_point_leaves_effect_and_step_equal(kind: Kind) {
    let (mut direct, database) = mails(kind).await;
    let proxy = Proxy::start(&database.url()).await;
    let url = proxy.url(&database.url());
    let mut number = 0;
    for cut in CUTS {
        for packets in 0.. {
            number += 1;
            let mut connection = MySqlConnection::connect(&url).await.unwrap();
            proxy.arm(packets, cut);
            let handled = handle(&mut connection, number).await;
            let was_cut = proxy.disarm();
            drop(connection);
            if handled == Handled::Now {
                assert_eq!(stands(&database, number).await, (1, 1));
            }
            // The event is delivered again, to another consumer. The first one may still
            // hold the lock.
            while handle(&mut direct, number).await == Handled::Unknown {}
            assert_eq!(stands(&database, number).await, (1, 1), "{packets} {cut:?}");
            if !was_cut {
                assert_eq!(handled, Handled::Now);
                break;
            }
        }
    }
}
