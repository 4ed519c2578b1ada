//! A server error at every kind of row that is written. No partial result exists, whatever
//! the host does next.

use std::sync::Arc;

use sqlx::{Connection, Executor};
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::Details;
use wallet_core::request::{PreparedRequest, ReverseWhat};
use wallet_core::store::ApplyError;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{
    Capture, Currency, HoldId, Leg, OpenAccount, Owner, PlaceHold, PostTransfer, Reference,
    Release, Reverse, TransferId,
};
use wallet_test_servers::Kind;

use crate::support::books::{
    account, assert_sound, commit, deposit, euros, id, open, prepare, record_key, set_up, transfer,
};
use crate::support::{Database, on_both};

on_both! {
    an_error_at_any_table_leaves_nothing_half
    a_deadlock_or_lock_timeout_at_any_table_leaves_nothing_half
    data_that_the_server_refuses_is_invalid_and_rolled_back
}

/// Every table that requests write, and the kind of write.
const WRITES: [(&str, &str); 16] = [
    ("wallet_batch", "INSERT"),
    ("wallet_batch", "UPDATE"),
    ("wallet_currency", "INSERT"),
    ("wallet_account_profile", "INSERT"),
    ("wallet_account", "INSERT"),
    ("wallet_account", "UPDATE"),
    ("wallet_journal", "INSERT"),
    ("wallet_reference", "INSERT"),
    ("wallet_reversal", "INSERT"),
    ("wallet_reversal", "UPDATE"),
    ("wallet_entry", "INSERT"),
    ("wallet_hold", "INSERT"),
    ("wallet_hold", "UPDATE"),
    ("wallet_hold_reference", "INSERT"),
    ("wallet_capture", "INSERT"),
    ("wallet_outbox", "INSERT"),
];

/// Requests that together write every table.
fn requests() -> Vec<Arc<PreparedRequest>> {
    let details = Details {
        reference: Some(Reference::new("order-1").unwrap()),
        ..Details::default()
    };
    let leg = Leg::new(account(2), account(3), euros(5));
    let referenced = PostTransfer::new(vec![leg]).with_details(details);
    let points = Currency::new("POINTS", 0).unwrap();
    let part = Reverse::new(TransferId::from_bytes(id(0xA3)));
    vec![
        transfer("a", 0, 1, 30),
        deposit("b", 1, 7),
        prepare("c", referenced),
        prepare("d", OpenAccount::new(Owner::new("eve").unwrap(), points)),
        prepare("e", Capture::new(HoldId::from_bytes(id(0xA1)))),
        prepare("f", Release::new(HoldId::from_bytes(id(0xA2)))),
        prepare("g", part.with_what(ReverseWhat::Amount(euros(1).amount))),
        prepare("h", Reverse::new(TransferId::from_bytes(id(0xA4)))),
        prepare("i", hold(0xA5).with_reference("order-1").unwrap()),
        transfer("j", 0, 1, 1_000_000),
    ]
}

const KEYS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn hold(number: u8) -> PlaceHold {
    let hold = PlaceHold::new(account(4), account(5), euros(5));
    hold.with_id(HoldId::from_bytes(id(number)))
}

async fn shop(kind: Kind) -> (Database, AuroraStore) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    let reversible = |number: u8| {
        let leg = Leg::new(account(2), account(3), euros(5));
        PostTransfer::new(vec![leg]).with_id(TransferId::from_bytes(id(number)))
    };
    // One transfer is reversed in part already, so that its row is changed.
    let part = Reverse::new(TransferId::from_bytes(id(0xA3)));
    let first = vec![
        prepare("h1", hold(0xA1)),
        prepare("h2", hold(0xA2)),
        prepare("t1", reversible(0xA3)),
        prepare("t2", reversible(0xA4)),
        prepare("r1", part.with_what(ReverseWhat::Amount(euros(1).amount))),
    ];
    for decided in commit(&store, first).await {
        crate::support::books::accepted(&decided);
    }
    database
        .execute("CREATE TABLE shop_order (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        .await;
    (database, store)
}

async fn recorded(store: &AuroraStore) -> usize {
    let keys = KEYS.map(record_key);
    let records = store.records(&keys).await.unwrap();
    records.into_iter().flatten().count()
}

async fn an_error_at_any_table_leaves_nothing_half(kind: Kind) {
    let (database, store) = shop(kind).await;
    let mut connection = database.connect().await;
    for (number, (table, event)) in WRITES.into_iter().enumerate() {
        let trigger = format!(
            "CREATE TRIGGER refusal BEFORE {event} ON {table} FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'"
        );
        database.execute(&trigger).await;
        let batch = Arc::new(wallet_core::request::Batch::new(requests()));
        let refused = store.transact(batch).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal, "{table}");

        let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
        let applied = store.apply_in_raw(&mut transaction, &requests()).await;
        match applied.unwrap_err() {
            ApplyError::Store(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Internal, "{table}");
            }
            other => panic!("{table}: {other}"),
        }
        let host = transaction.connection().unwrap();
        let order = format!("INSERT INTO shop_order VALUES ({number})");
        host.execute(order.as_str()).await.unwrap();
        transaction.commit().await.unwrap();
        database.execute("DROP TRIGGER refusal").await;
        assert_eq!(recorded(&store).await, 0, "{table}");
        assert_sound(&store).await;
    }
    let orders = database.rows("SELECT id FROM shop_order").await.len();
    assert_eq!(
        orders,
        WRITES.len(),
        "the host's own was committed each time"
    );
    let mut transaction = HostTransaction::begin(&mut connection).await.unwrap();
    let applied = store
        .apply_in_raw(&mut transaction, &requests())
        .await
        .unwrap();
    assert_eq!(applied.after_commit().len(), KEYS.len() - 1);
    transaction.commit().await.unwrap();
    assert_eq!(recorded(&store).await, KEYS.len());
    assert_sound(&store).await;
}

async fn a_deadlock_or_lock_timeout_at_any_table_leaves_nothing_half(kind: Kind) {
    let (database, store) = shop(kind).await;
    for (table, event) in WRITES {
        for (code, state) in [(1205, "HY000"), (1213, "40001")] {
            let trigger = format!(
                "CREATE TRIGGER refusal BEFORE {event} ON {table} FOR EACH ROW \
                 SIGNAL SQLSTATE '{state}' SET MYSQL_ERRNO = {code}"
            );
            database.execute(&trigger).await;
            let batch = Arc::new(wallet_core::request::Batch::new(requests()));
            let refused = store.transact(batch).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Conflict, "{table} {code}");

            let mut connection = database.connect().await;
            let mut host = HostTransaction::begin(&mut connection).await.unwrap();
            let own = host.connection().unwrap();
            own.execute("INSERT INTO shop_order VALUES (1)")
                .await
                .unwrap();
            let applied = store.apply_in_raw(&mut host, &requests()).await;
            match (code, applied.unwrap_err()) {
                // The host may continue or not. Here its order is not committed alone.
                (1205, ApplyError::Store(error)) => {
                    assert_eq!(error.kind(), StoreErrorKind::Conflict, "{table}");
                    host.rollback().await.unwrap();
                }
                // The server does this after a real deadlock.
                (1213, ApplyError::TransactionLost(_)) => {
                    assert!(host.commit().await.is_err(), "{table}");
                }
                (_, other) => panic!("{table} {code}: {other}"),
            }
            connection.close().await.unwrap();
            database.execute("DROP TRIGGER refusal").await;
            assert_eq!(recorded(&store).await, 0, "{table} {code}");
            assert!(database.rows("SELECT id FROM shop_order").await.is_empty());
        }
        assert_sound(&store).await;
    }
    for decided in commit(&store, requests()).await.iter().take(KEYS.len() - 1) {
        crate::support::books::accepted(decided);
    }
    assert_sound(&store).await;
}

async fn data_that_the_server_refuses_is_invalid_and_rolled_back(kind: Kind) {
    let (database, store) = shop(kind).await;
    let narrow = "ALTER TABLE wallet_reference MODIFY reference VARBINARY(3) NOT NULL";
    database.execute(narrow).await;
    let batch = Arc::new(wallet_core::request::Batch::new(requests()));
    let refused = store.transact(batch).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    assert_eq!(recorded(&store).await, 0);
    // The connection that met the error still works.
    let decided = commit(&store, vec![transfer("k", 0, 1, 30)]).await;
    crate::support::books::accepted(&decided[0]);
    assert_sound(&store).await;
}
