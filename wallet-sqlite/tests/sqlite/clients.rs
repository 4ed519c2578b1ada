//! The observations of concurrent clients have one order.

use std::sync::Arc;

use wallet_core::{SystemClock, Wallet};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::consistency::Bank;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_of_two_wallets_on_one_file_see_has_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::new(folder.path().join("wallet.db"));
    let wallet = || {
        let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        Wallet::builder(Arc::new(store)).spawn().unwrap()
    };
    let wallets = [wallet(), wallet()];
    let (calls, found) = Bank::default().run(&wallets).await;
    assert_eq!(found, []);
    assert!(calls > 450, "{calls} calls");
}
