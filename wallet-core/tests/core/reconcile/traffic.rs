//! Reconciliations during traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;
use wallet_core::history::Backfill;
use wallet_core::memory::{MemoryCache, MemoryHistory, MemoryStore};
use wallet_core::runtime::Clock;
use wallet_core::verify::reconcile::Reconciler;
use wallet_core::{
    Command, IdempotencyKey, Money, PlaceHold, Release, Request, SystemClock, Wallet,
};

use super::{ACCOUNTS, accounts, eur, id, pay};

/// Holds money of an account for a moment.
async fn hold_and_release(wallet: &Wallet, caller: u128, number: u128) {
    let (from, name) = (number % ACCOUNTS + 1, format!("{caller}-{number}"));
    let hold = wallet_core::HoldId::new(Uuid::from_u128(caller * 1_000_000 + number + 1_000));
    let one = Money::minor(1, eur()).unwrap();
    let place = PlaceHold::new(id(from), id(from % ACCOUNTS + 1), one).with_id(hold);
    let place: Command = place.into();
    for (step, command) in [("hold", place), ("release", Release::new(hold).into())] {
        let key = IdempotencyKey::parse("test", &format!("{step}-{name}")).unwrap();
        let answer = wallet.submit_raw(Request::new(key, command)).await.unwrap();
        answer.accepted().unwrap();
    }
}

/// Payments, holds, a projection and a cache run during repeated reconciliations.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn traffic_looks_like_no_difference() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let cache = MemoryCache::new(Arc::clone(&clock), Duration::from_secs(60), 1_000);
    let cache = Arc::new(cache);
    let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&store));
    let wallet = wallet
        .cache(Arc::<MemoryCache>::clone(&cache))
        .spawn()
        .unwrap();
    accounts(&wallet).await;
    let history = MemoryHistory::new();
    let is_done = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for caller in 0..3 {
        let wallet = wallet.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..2_000 {
                let from = number % ACCOUNTS + 1;
                let request = pay(&format!("{caller}-{number}"), from, from % ACCOUNTS + 1);
                wallet
                    .submit_raw(request)
                    .await
                    .unwrap()
                    .accepted()
                    .unwrap();
                if number % 4 == 0 {
                    hold_and_release(&wallet, caller, number).await;
                }
            }
        }));
    }
    let projecting = {
        let (history, store) = (history.clone(), Arc::clone(&store));
        let is_done = Arc::clone(&is_done);
        tokio::spawn(async move {
            while !is_done.load(Ordering::Relaxed) {
                let backfill = Backfill::new(&history, &*store);
                backfill.run(&mut |_| ()).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let (mut looks, mut same, mut behind, mut cached) = (0, 0, 0, 0);
    while tasks.iter().any(|task| !task.is_finished()) || looks < 20 {
        let reconciler = Reconciler::new(&*store).with_history(&history);
        let report = reconciler.with_cache(&*cache).run(&mut |_| ()).await;
        let report = report.unwrap();
        assert_eq!(report.differences, []);
        let tally = report.history.unwrap();
        same += tally.same;
        behind += tally.behind;
        cached += report.cache.unwrap().same + report.cache.unwrap().stale;
        looks += 1;
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    is_done.store(true, Ordering::Relaxed);
    projecting.await.unwrap();
    assert!(
        same > 0 && behind > 0 && cached > 0,
        "{same} {behind} {cached}"
    );
    let report = Reconciler::new(&*store).run(&mut |_| ()).await.unwrap();
    assert_eq!(report.entries, 12_000);
}
