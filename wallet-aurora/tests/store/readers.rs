//! A reader that lags behind: an earlier copy of the tables.

use wallet_aurora::AuroraStore;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, Position, Version};
use wallet_core::store::LedgerStore;
use wallet_core::{EntryQuery, LedgerId};
use wallet_test_servers::Kind;

use crate::support::books::{
    accepted, account_key, commit, is_recorded, open, opening, posted, set_up, transfer,
};
use crate::support::{Database, on_both, patient};

on_both! {
    reads_go_to_the_reader_and_decisions_to_the_writer
    whoever_asks_for_what_they_wrote_gets_it
    a_trial_balance_is_read_where_it_is_fresh_enough
}

async fn reads_go_to_the_reader_and_decisions_to_the_writer(kind: Kind) {
    let writer = Database::create(kind).await;
    // A reader that never catches up.
    let reader = Database::create(kind).await;
    open(&reader).await;
    let mut settings = patient(writer.url());
    settings.reader = Some(reader.url());
    let store = AuroraStore::open(&settings).await.unwrap();
    set_up(&store, 100).await;
    let decided = commit(&store, vec![transfer("a", 0, 1, 30)]).await;
    accepted(&decided[0]);
    let view = store.reading(Freshness::Cached);
    assert_eq!(view.accounts(&[account_key(1)]).await.unwrap(), [None]);
    assert_eq!(view.ledgers().await.unwrap(), []);
    assert_eq!(posted(&store, 1).await, 130, "nobody asked for the reader");
    assert!(is_recorded(&store, "a").await);
    assert_eq!(posted(&open(&writer).await, 1).await, 130);
}

/// Copies every table of the ledger.
async fn copy(from: &Database, to: &Database) {
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name LIKE 'wallet\\_%'";
    let tables = to.rows(sql).await;
    assert!(tables.len() > 10, "{}", tables.len());
    for table in tables {
        let table: String = sqlx::Row::get_unchecked(&table, 0);
        let source = from.name();
        let copy = format!("REPLACE INTO {table} SELECT * FROM {source}.{table}");
        to.execute(&copy).await;
    }
}

async fn version(store: &AuroraStore, account: AccountKey) -> Version {
    let accounts = store.accounts(&[account]).await.unwrap();
    accounts[0].as_ref().unwrap().state.version
}

async fn whoever_asks_for_what_they_wrote_gets_it(kind: Kind) {
    let writer = Database::create(kind).await;
    let reader = Database::create(kind).await;
    let direct = open(&writer).await;
    set_up(&direct, 100).await;
    open(&reader).await;
    let mut settings = patient(writer.url());
    settings.reader = Some(reader.url());
    let store = AuroraStore::open(&settings).await.unwrap();
    let account = account_key(1);
    accepted(&commit(&store, vec![transfer("a", 0, 1, 30)]).await[0]);
    let first = version(&direct, account).await;
    copy(&writer, &reader).await;
    accepted(&commit(&store, vec![transfer("b", 0, 1, 5)]).await[0]);
    let second = version(&direct, account).await;

    let view = store.reading(Freshness::Cached);
    assert_eq!(posted(&view, 1).await, 130, "the reader is behind");
    let seen = |version| Freshness::AtLeast(vec![(account, Position::new(Epoch::FIRST, version))]);
    assert_eq!(posted(&store.reading(Freshness::Strong), 1).await, 135);
    let entries = async |freshness: Freshness| {
        let query = EntryQuery::first(account, 10);
        let view = store.reading(freshness);
        view.entries(&query).await.unwrap().len()
    };
    // The reader is fresh enough for a caller that has seen no later state.
    assert_eq!(posted(&store.reading(seen(first)), 1).await, 130);
    assert_eq!(entries(seen(first)).await, 2);
    assert_eq!(posted(&store.reading(seen(second)), 1).await, 135);
    assert_eq!(entries(seen(second)).await, 3);
    assert_eq!(entries(Freshness::Cached).await, 2);
    let unknown = Freshness::AtLeast(vec![(account_key(99), Position::new(Epoch::FIRST, 1))]);
    assert_eq!(
        entries(unknown).await,
        3,
        "nobody has it, so the writer is asked"
    );
    // Reads for a decision go to the writer, whatever freshness is set.
    let all = transfer("c", 1, 0, 135);
    accepted(&commit(&store.reading(Freshness::Cached), vec![all]).await[0]);
}

async fn a_trial_balance_is_read_where_it_is_fresh_enough(kind: Kind) {
    let writer = Database::create(kind).await;
    let reader = Database::create(kind).await;
    let direct = open(&writer).await;
    set_up(&direct, 100).await;
    open(&reader).await;
    let mut settings = patient(writer.url());
    settings.reader = Some(reader.url());
    let store = AuroraStore::open(&settings).await.unwrap();
    let account = account_key(1);
    let first = version(&direct, account).await;
    copy(&writer, &reader).await;
    accepted(&commit(&store, vec![opening("late", 50), transfer("a", 0, 1, 30)]).await[1]);
    let second = version(&direct, account).await;
    let accounts = async |freshness: Freshness| {
        let view = store.reading(freshness);
        let sums = view.trial_balance(LedgerId::default()).await.unwrap();
        assert_eq!((sums.len(), sums[0].posted), (1, 0));
        sums[0].accounts
    };
    let all = accounts(Freshness::Strong).await;
    let seen = |version| Freshness::AtLeast(vec![(account, Position::new(Epoch::FIRST, version))]);
    assert_eq!(accounts(Freshness::Cached).await, all - 1, "of the reader");
    assert_eq!(accounts(seen(first)).await, all - 1);
    assert_eq!(accounts(seen(second)).await, all);
}
