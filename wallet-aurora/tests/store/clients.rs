//! The observations of concurrent clients have one order.

use std::sync::Arc;

use wallet_core::Wallet;
use wallet_test_servers::Kind;
use wallet_testkit::consistency::Bank;

use crate::support::books::open;
use crate::support::{Database, on_both};

on_both! {
    what_clients_of_two_wallets_on_one_database_see_has_one_order
}

async fn what_clients_of_two_wallets_on_one_database_see_has_one_order(kind: Kind) {
    let database = Database::create(kind).await;
    let mut wallets = Vec::new();
    for _ in 0..2 {
        let store = Arc::new(open(&database).await);
        wallets.push(Wallet::builder(store).spawn().unwrap());
    }
    let (calls, found) = Bank::default().run(&wallets).await;
    assert_eq!(found, []);
    assert!(calls > 450, "{calls} calls");
    for wallet in wallets {
        wallet.shutdown().await;
    }
}
