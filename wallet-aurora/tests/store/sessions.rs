//! Servers with other settings.

use std::sync::Arc;

use sqlx::{Connection, Executor, MySqlConnection};
use wallet_aurora::{AuroraSettings, AuroraStore};
use wallet_core::ledger::Details;
use wallet_core::runtime::Clock;
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_core::{IdempotencyKey, Leg, Metadata, PostTransfer, Request, SystemClock, Wallet};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{account, account_key, assert_sound, euros, open, posted, set_up};
use crate::support::{Database, on_both};

on_both! {
    what_a_server_is_set_up_with_changes_nothing
    a_server_that_takes_small_packets_only_gets_small_ones
    whether_acknowledged_commits_survive_a_crash_is_reported
    a_change_of_schema_may_take_longer_than_an_answer
}

async fn a_server_that_takes_small_packets_only_gets_small_ones(kind: Kind) {
    let server = Private::start_with(kind, &["--max-allowed-packet=65536"]);
    let database = Database::create_on(&server.url()).await;
    let store = Arc::new(open(&database).await);
    set_up(&store, 1_000).await;
    let ledger: Arc<dyn LedgerStore> = Arc::<AuroraStore>::clone(&store);
    let wallet = Wallet::builder(ledger).spawn().unwrap();
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(3_900));
    let details = Details {
        metadata: Some(Metadata::parse(&long).unwrap()),
        ..Details::default()
    };
    // All requests wait at once, so that batches are as large as possible.
    let submitted = (0..200).map(|number| {
        let leg = Leg::new(account(0), account(1), euros(1));
        let transfer = PostTransfer::new(vec![leg]).with_details(details.clone());
        let key = IdempotencyKey::parse("test", &format!("small-{number}")).unwrap();
        wallet.submit_raw(Request::new(key, transfer))
    });
    for answer in futures_util::future::join_all(submitted).await {
        answer.unwrap().accepted().unwrap();
    }
    assert_eq!(posted(&store, 1).await, 1_200);
    assert_sound(&store).await;
}

async fn what_a_server_is_set_up_with_changes_nothing(kind: Kind) {
    let options = [
        "--autocommit=0",
        "--completion-type=CHAIN",
        "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
        "--transaction-isolation=SERIALIZABLE",
        "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci",
        "--default-time-zone=+05:30",
        "--auto-increment-increment=7",
        "--auto-increment-offset=3",
    ];
    let server = Private::start_with(kind, &options);
    let database = Database::create_on(&server.url()).await;
    let store = open(&database).await;
    set_up(&store, 100).await;
    assert_sound(&store).await;
    let other = open(&database).await;
    assert_eq!(posted(&other, 0).await, 100, "it was committed");
    let accounts = store.accounts(&[account_key(0)]).await.unwrap();
    let opened = accounts[0].as_ref().unwrap().created_at;
    let now = SystemClock.now();
    // Half an hour: a wrong time zone would show at least this difference.
    let half = std::time::Duration::from_secs(1_800);
    assert!(
        now.since(opened) < half && opened.since(now) < half,
        "{opened} {now}"
    );
}

#[test]
fn a_server_that_asks_for_tls_gets_it() {
    crate::support::block_on(async {
        let server = Private::start_with(Kind::MySql, &["--require-secure-transport=ON"]);
        let secure = format!("{}/mysql?ssl-mode=REQUIRED", server.admin_url());
        let name = "wallet_secure";
        let mut admin = MySqlConnection::connect(&secure).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        admin.execute(create.as_str()).await.unwrap();
        let plain = format!("{}/{name}?ssl-mode=DISABLED", server.url());
        let refused = AuroraStore::open(&AuroraSettings::new(plain)).await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Internal);
        let url = format!("{}/{name}?ssl-mode=REQUIRED", server.url());
        let store = AuroraStore::open(&AuroraSettings::new(url)).await;
        let store = store.unwrap();
        set_up(&store, 100).await;
        assert_sound(&store).await;
    });
}

async fn whether_acknowledged_commits_survive_a_crash_is_reported(kind: Kind) {
    let binary_log = ["--log-bin=log", "--server-id=1"];
    for (options, log, binary) in [
        (vec!["--sync-binlog=1"], true, true),
        (
            vec!["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=1"],
            false,
            true,
        ),
        (vec!["--sync-binlog=0"], true, false),
    ] {
        let server = Private::start_with(kind, &[&options[..], &binary_log].concat());
        let database = Database::create_on(&server.url()).await;
        let durability = open(&database).await.durability();
        let reported = (durability.flushes_log, durability.flushes_binary_log);
        assert_eq!(reported, (log, binary), "{options:?}");
        assert_eq!(durability.is_full(), log && binary);
        assert_eq!(durability.shows_only_durable, binary);
    }
    let database = Database::create(kind).await;
    let durability = open(&database).await.durability();
    assert!(durability.is_full(), "no binary log");
    assert!(!durability.shows_only_durable);
}

async fn a_change_of_schema_may_take_longer_than_an_answer(kind: Kind) {
    let database = Database::create(kind).await;
    let mut settings = database.settings();
    settings.answer_wait = std::time::Duration::from_millis(200);
    // Another process changes the schema.
    let mut other = database.connect().await;
    let lock = "SELECT GET_LOCK(CONCAT('wallet:', LEFT(SHA2(DATABASE(), 256), 40)), 0)";
    other.execute(lock).await.unwrap();
    let opening = tokio::spawn(async move { AuroraStore::open(&settings).await });
    // The call has waited far longer than an answer may take.
    let waits = "SELECT id FROM information_schema.processlist \
                 WHERE db = DATABASE() AND time >= 2 AND info LIKE 'SELECT GET_LOCK%'";
    while database.rows(waits).await.is_empty() {
        assert!(!opening.is_finished(), "it gave up");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    other.close().await.unwrap();
    opening.await.unwrap().unwrap();
}

#[test]
fn a_server_that_numbers_commits_out_of_order_is_refused() {
    crate::support::block_on(async {
        let server = Private::start_with(Kind::MariaDb, &["--version=8.0.11-TiDB-v8.5.1"]);
        let database = Database::create_on(&server.url()).await;
        let refused = AuroraStore::open(&database.settings()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal);
        assert!(refused.context().contains("TiDB"), "{refused}");
        let refused = AuroraStore::migrate(&database.settings()).await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Internal);
        assert_eq!(
            database.rows("SHOW TABLES").await.len(),
            0,
            "nothing was made"
        );
    });
}
