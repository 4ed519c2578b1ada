//! The answers of concurrent clients of the memory stores have one order.

use std::sync::Arc;

use wallet_core::memory::{MemoryStore, OptimisticStore};
use wallet_core::store::LedgerStore;
use wallet_core::{SystemClock, Wallet};
use wallet_testkit::consistency::Bank;

async fn one_order_explains(store: Arc<dyn LedgerStore>) {
    let wallet = || Wallet::builder(Arc::clone(&store)).spawn().unwrap();
    let wallets = [wallet(), wallet()];
    for seed in 1..=5 {
        let bank = Bank {
            seed,
            ..Bank::default()
        };
        let (calls, found) = bank.run(&wallets).await;
        assert_eq!(found, [], "seed {seed}");
        assert!(calls > 450, "{calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_of_the_pessimistic_store_see_has_one_order() {
    one_order_explains(Arc::new(MemoryStore::new(Arc::new(SystemClock)))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_of_the_optimistic_store_see_has_one_order() {
    one_order_explains(Arc::new(OptimisticStore::new(Arc::new(SystemClock)))).await;
}
