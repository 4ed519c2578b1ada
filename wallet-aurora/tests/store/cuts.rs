//! Cuts the connection at every packet: before, within and after it. No partial result may
//! exist. A repeated call settles an unknown outcome.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraStore, HostTransaction};
use wallet_core::ledger::Decided;
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::store::ApplyError;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{HoldId, PlaceHold, Rejection};
use wallet_test_servers::Kind;

use crate::support::books::{
    account, assert_sound, commit, euros, id, is_recorded, open, opening, posted, prepare,
    record_key, set_up, transfer,
};
use crate::support::proxy::{CUTS, Cut, Proxy};
use crate::support::{Database, on_both, patient};

on_both! {
    a_cut_at_any_point_of_a_batch_is_settled_by_the_same_batch_again
    a_cut_at_any_point_of_the_host_s_transaction_leaves_nothing_half
    a_connection_that_died_at_rest_is_replaced
    a_commit_held_back_is_never_decided_a_second_time
    a_payment_that_has_arrived_is_not_cancelled
    a_payment_that_arrives_after_it_was_cancelled_does_nothing
}

/// A batch that needs every kind of packet: accounts to find, a hold to resolve, locks, the
/// commit.
fn requests(name: &str, number: u8) -> Vec<Arc<PreparedRequest>> {
    let capture = wallet_core::Capture::new(HoldId::from_bytes(id(number)));
    vec![
        transfer(&format!("{name}-move"), 0, 1, 10),
        prepare(&format!("{name}-capture"), capture),
        opening(&format!("{name}-open"), 100 + number),
    ]
}

async fn place_hold(store: &AuroraStore, number: u8) {
    let hold = PlaceHold::new(account(2), account(3), euros(1));
    let hold = hold.with_id(HoldId::from_bytes(id(number)));
    let placed = commit(store, vec![prepare(&format!("hold-{number}"), hold)]).await;
    crate::support::books::accepted(&placed[0]);
}

async fn a_cut_at_any_point_of_a_batch_is_settled_by_the_same_batch_again(kind: Kind) {
    let database = Database::create(kind).await;
    let direct = open(&database).await;
    set_up(&direct, 10_000).await;
    let proxy = Proxy::start(&database.url()).await;
    let settings = patient(proxy.url(&database.url()));
    let mut number = 0;
    let mut doubts = 0;
    for cut in CUTS {
        for packets in 0.. {
            number += 1;
            place_hold(&direct, number).await;
            // The cache is empty, so every packet is sent.
            let store = AuroraStore::open(&settings).await.unwrap();
            let batch = Arc::new(Batch::new(requests(&format!("b{number}"), number)));
            proxy.arm(packets, cut);
            let first = store.transact(Arc::clone(&batch)).await;
            let was_cut = proxy.disarm();
            match first {
                Ok(_) => assert!(!was_cut),
                Err(error) => {
                    assert!(was_cut, "{error}");
                    doubts += i32::from(error.kind() == StoreErrorKind::Indeterminate);
                    if error.kind() != StoreErrorKind::Indeterminate {
                        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                        let key = format!("b{number}-move");
                        assert!(!is_recorded(&direct, &key).await, "{packets} {cut:?}");
                    }
                    again(&store, batch).await;
                }
            }
            if !was_cut {
                break;
            }
        }
    }
    assert_eq!(doubts, 3, "the last packet, in each way");
    assert_eq!(posted(&direct, 1).await, 10_000 + i128::from(number) * 10);
    assert_sound(&direct).await;
}

/// A payment of 0.10 with the key `held`. A proxy holds its last packet back, so the caller
/// does not learn the outcome.
struct HeldBack {
    _database: Database,
    direct: AuroraStore,
    store: AuroraStore,
    proxy: Proxy,
    batch: Arc<Batch>,
}

impl HeldBack {
    async fn begin(kind: Kind) -> Self {
        let database = Database::create(kind).await;
        let direct = open(&database).await;
        set_up(&direct, 10_000).await;
        let proxy = Proxy::start(&database.url()).await;
        let mut settings = patient(proxy.url(&database.url()));
        settings.answer_wait = Duration::from_secs(2);
        let store = AuroraStore::open(&settings).await.unwrap();
        // After this the accounts are cached, and a batch is two packets.
        commit(&store, vec![transfer("first", 0, 1, 10)]).await;
        let batch = Arc::new(Batch::new(vec![transfer("held", 0, 1, 10)]));
        proxy.arm(1, Cut::Held);
        let unknown = store.transact(Arc::clone(&batch)).await.unwrap_err();
        assert_eq!(unknown.kind(), StoreErrorKind::Indeterminate);
        Self {
            _database: database,
            direct,
            store,
            proxy,
            batch,
        }
    }
}

fn cancellation() -> Arc<Batch> {
    Arc::new(Batch::new(vec![Arc::new(PreparedRequest::cancellation(
        record_key("held"),
    ))]))
}

async fn a_payment_that_has_arrived_is_not_cancelled(kind: Kind) {
    let held = HeldBack::begin(kind).await;
    held.proxy.let_go();
    again(&held.store, Arc::clone(&held.batch)).await;
    // The cancellation finds the payment.
    let cancelled = held.direct.transact(cancellation()).await.unwrap().decided;
    let paid = held.direct.transact(held.batch).await.unwrap().decided;
    assert_eq!(cancelled, paid);
    crate::support::books::accepted(&cancelled[0]);
    assert_eq!(posted(&held.direct, 1).await, 10_020);
    assert_sound(&held.direct).await;
}

async fn a_payment_that_arrives_after_it_was_cancelled_does_nothing(kind: Kind) {
    let held = HeldBack::begin(kind).await;
    // A missing record proves nothing. A cancellation proves that nothing was recorded.
    let records = held.direct.records(&[record_key("held")]).await.unwrap();
    assert_eq!(records, [None]);
    let cancelled = held.direct.transact(cancellation()).await.unwrap().decided;
    let Decided::Fresh(outcome) = &cancelled[0] else {
        panic!("{cancelled:?}");
    };
    let refused = outcome.result.as_ref().unwrap_err().rejection;
    assert_eq!(refused, Rejection::Cancelled);
    held.proxy.let_go();
    for store in [&held.store, &held.direct] {
        // The late packet may hold the account locks for a moment.
        let late = loop {
            let late = store.transact(Arc::clone(&held.batch)).await;
            let late = late.unwrap().decided;
            if late[0] != Decided::Blocked {
                break late;
            }
        };
        assert_eq!(late, [Decided::Replayed(Arc::clone(outcome))]);
    }
    assert_eq!(posted(&held.direct, 1).await, 10_010);
    assert_sound(&held.direct).await;
}

async fn a_commit_held_back_is_never_decided_a_second_time(kind: Kind) {
    let HeldBack {
        direct,
        store,
        proxy,
        batch,
        _database,
    } = HeldBack::begin(kind).await;
    // No other caller gets past the account locks meanwhile.
    for settler in [&store, &direct, &store] {
        let decided = settler.transact(Arc::clone(&batch)).await.unwrap().decided;
        assert_eq!(decided[0], Decided::Blocked);
    }
    assert_eq!(posted(&direct, 1).await, 10_010);
    proxy.let_go();
    again(&store, Arc::clone(&batch)).await;
    let settled = direct.transact(batch).await.unwrap().decided;
    assert!(matches!(settled[0], Decided::Replayed(_)), "{settled:?}");
    assert_eq!(posted(&direct, 1).await, 10_020, "once");
    assert_sound(&direct).await;
}

/// Repeats the same batch until it is settled, as the service does.
async fn again(store: &AuroraStore, batch: Arc<Batch>) {
    for _ in 0..1_000 {
        match store.transact(Arc::clone(&batch)).await {
            Ok(committed) => {
                let is_blocked = |one: &Decided| matches!(one, Decided::Blocked);
                if committed.decided.iter().any(is_blocked) {
                    continue;
                }
                for decided in &committed.decided {
                    crate::support::books::accepted(decided);
                }
                return;
            }
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}"),
        }
    }
    panic!("never settled");
}

async fn a_cut_at_any_point_of_the_host_s_transaction_leaves_nothing_half(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 10_000).await;
    database
        .execute("CREATE TABLE shop_order (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        .await;
    let proxy = Proxy::start(&database.url()).await;
    let url = proxy.url(&database.url());
    let mut number = 0;
    for cut in CUTS {
        for packets in 0.. {
            number += 1;
            place_hold(&store, number).await;
            let mut connection = MySqlConnection::connect(&url).await.unwrap();
            proxy.arm(packets, cut);
            let committed = order(&store, &mut connection, number).await;
            let was_cut = proxy.disarm();
            // The server may still run the packet. A later caller waits for its locks.
            drop(connection);
            let is_there = loop {
                let key = format!("h{number}-move");
                match store
                    .records(&[crate::support::books::record_key(&key)])
                    .await
                {
                    Ok(records) => break records[0].is_some(),
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict),
                }
            };
            let orders = format!("SELECT id FROM shop_order WHERE id = {number}");
            let ordered = !database.rows(&orders).await.is_empty();
            assert_eq!(is_there, ordered, "{packets} {cut:?}");
            match committed {
                Committed::Yes => assert!(is_there),
                Committed::No => assert!(!is_there, "{packets} {cut:?}"),
                Committed::Unknown => assert!(was_cut),
            }
            if !was_cut {
                assert_eq!(committed, Committed::Yes);
                break;
            }
        }
    }
    assert_sound(&store).await;
}

#[derive(Debug, PartialEq, Eq)]
enum Committed {
    Yes,
    No,
    Unknown,
}

/// A host that continues after every error, as far as its handle allows.
async fn order(store: &AuroraStore, connection: &mut MySqlConnection, number: u8) -> Committed {
    let Ok(mut transaction) = HostTransaction::begin(connection).await else {
        return Committed::No;
    };
    let requests = requests(&format!("h{number}"), number);
    let applied = store.apply_in_raw(&mut transaction, &requests).await;
    assert!(!matches!(applied, Err(ApplyError::Store(_))), "{applied:?}");
    let Ok(host) = transaction.connection() else {
        let refused = transaction.commit().await;
        assert!(matches!(refused, Err(ApplyError::TransactionLost(None))));
        return Committed::No;
    };
    let sql = format!("INSERT INTO shop_order VALUES ({number})");
    let ordered = host.execute(sql.as_str()).await;
    match transaction.commit().await {
        Ok(()) => {
            ordered.unwrap();
            Committed::Yes
        }
        Err(ApplyError::Store(error)) if error.kind() == StoreErrorKind::Indeterminate => {
            Committed::Unknown
        }
        Err(_) => Committed::No,
    }
}

async fn a_connection_that_died_at_rest_is_replaced(kind: Kind) {
    let database = Database::create(kind).await;
    let proxy = Proxy::start(&database.url()).await;
    let mut settings = patient(proxy.url(&database.url()));
    settings.idle = Duration::ZERO;
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 100).await;
    // The connection dies when it is tested, and the caller does not notice.
    proxy.arm(0, Cut::Before);
    let decided = commit(&store, vec![transfer("a", 0, 1, 10)]).await;
    assert!(proxy.disarm());
    assert!(matches!(&decided[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
}
