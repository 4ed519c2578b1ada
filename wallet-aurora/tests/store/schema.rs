//! The schema: when it is created, and when it is refused.

use wallet_aurora::{AuroraSettings, AuroraStore};
use wallet_core::store::{LedgerStore, StoreErrorKind};
use wallet_test_servers::Kind;

use crate::support::books::{assert_sound, open, set_up};
use crate::support::{Database, on_both};

on_both! {
    opening_without_migrating_refuses_an_older_schema
    migrating_again_changes_nothing
    many_may_migrate_at_once
    a_step_that_was_cut_off_is_run_again
    a_newer_schema_is_refused
    a_migration_that_was_changed_is_refused
    addresses_that_lead_nowhere_fail_as_such
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, wallet_core::StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

async fn opening_without_migrating_refuses_an_older_schema(kind: Kind) {
    let database = Database::create(kind).await;
    let settings = AuroraSettings {
        migrate: false,
        ..database.settings()
    };
    let opened = AuroraStore::open(&settings).await;
    assert_eq!(kind_of(opened), StoreErrorKind::Internal);
    AuroraStore::migrate(&database.settings()).await.unwrap();
    let store = AuroraStore::open(&settings).await.unwrap();
    assert_eq!(store.ledgers().await.unwrap(), []);
}

async fn migrating_again_changes_nothing(kind: Kind) {
    let database = Database::create(kind).await;
    let store = open(&database).await;
    set_up(&store, 5).await;
    AuroraStore::migrate(&database.settings()).await.unwrap();
    let rows = database.rows("SELECT version FROM wallet_migration").await;
    assert_eq!(rows.len(), 2);
    assert_sound(&open(&database).await).await;
}

async fn many_may_migrate_at_once(kind: Kind) {
    let database = Database::create(kind).await;
    let settings = database.settings();
    let opening = (0..6).map(|_| AuroraStore::open(&settings));
    for opened in futures_util::future::join_all(opening).await {
        opened.unwrap();
    }
}

async fn a_step_that_was_cut_off_is_run_again(kind: Kind) {
    let database = Database::create(kind).await;
    set_up(&open(&database).await, 5).await;
    database
        .execute("DELETE FROM wallet_migration; DROP TABLE wallet_parked, wallet_lease")
        .await;
    assert_sound(&open(&database).await).await;
    let rows = database.rows("SELECT only_row FROM wallet_identity").await;
    assert_eq!(rows.len(), 1);
}

async fn a_newer_schema_is_refused(kind: Kind) {
    let database = Database::create(kind).await;
    open(&database).await;
    database
        .execute("INSERT INTO wallet_migration VALUES (3, x'61', REPEAT('a', 32), 0)")
        .await;
    let opened = AuroraStore::open(&database.settings()).await;
    assert_eq!(kind_of(opened), StoreErrorKind::Internal);
}

async fn a_migration_that_was_changed_is_refused(kind: Kind) {
    let database = Database::create(kind).await;
    open(&database).await;
    database
        .execute("UPDATE wallet_migration SET checksum = REPEAT('a', 32) WHERE version = 1")
        .await;
    let opened = AuroraStore::open(&database.settings()).await;
    assert_eq!(kind_of(opened), StoreErrorKind::Internal);
}

async fn addresses_that_lead_nowhere_fail_as_such(kind: Kind) {
    let database = Database::create(kind).await;
    let kind_at = async |url: String| kind_of(AuroraStore::open(&AuroraSettings::new(url)).await);
    assert_eq!(
        kind_at("no address".to_owned()).await,
        StoreErrorKind::Internal
    );
    let nobody = "mysql://wallet:x@127.0.0.1:1/wallet_x".to_owned();
    assert_eq!(kind_at(nobody).await, StoreErrorKind::Unavailable);
    let stranger = database.url().replace("wallet:", "stranger:");
    assert_eq!(kind_at(stranger).await, StoreErrorKind::Internal);
}
