//! Cuts the connection of a host's transaction. The closure is repeated exactly if nothing
//! was committed.

use std::cell::Cell;
use std::sync::Arc;

use wallet_aurora::AuroraStore;
use wallet_core::WalletError;
use wallet_core::store::{ApplyError, HostTransactions, StoreErrorKind};
use wallet_test_servers::Kind;

use super::{Shop, order, paid, pay, shop, wallet};
use crate::support::books::{assert_sound, is_recorded, posted, transfer};
use crate::support::proxy::{CUTS, Cut, Proxy};
use crate::support::{on_both, patient};

on_both! {
    an_unknown_commit_is_settled_and_repeated_only_if_it_did_not_happen
    an_unknown_commit_without_a_payment_stays_unknown
    a_cut_at_any_packet_pays_once
}

/// A store behind a proxy, for the same books.
async fn behind_proxy(shop: &Shop) -> (Proxy, Arc<AuroraStore>) {
    let proxy = Proxy::start(&shop.database.url()).await;
    let settings = patient(proxy.url(&shop.database.url()));
    let store = AuroraStore::open(&settings).await.unwrap();
    (proxy, Arc::new(store))
}

async fn an_unknown_commit_is_settled_and_repeated_only_if_it_did_not_happen(kind: Kind) {
    let shop = shop(kind).await;
    let (proxy, store) = behind_proxy(&shop).await;
    let wallet = wallet(&store);
    for (id, cut, expected) in [(1, Cut::After, 1), (2, Cut::Before, 2), (3, Cut::Within, 2)] {
        let runs = Cell::new(0);
        let done = wallet.in_transaction(&*store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, id, "paid").await?;
            pay(&tx, &format!("cut-{id}"), 10).await?;
            if runs.get() == 1 {
                // The next packet is the commit.
                proxy.arm(0, cut);
            }
            Ok::<_, WalletError>(runs.get())
        });
        assert_eq!(done.await.unwrap(), expected, "{cut:?}");
        assert!(proxy.disarm());
        assert_eq!(runs.get(), expected, "{cut:?}");
    }
    assert_eq!(shop.orders().await, [paid(1), paid(2), paid(3)]);
    assert_eq!(posted(&shop.store, 0).await, 70);
    assert_sound(&shop.store).await;
}

async fn an_unknown_commit_without_a_payment_stays_unknown(kind: Kind) {
    let shop = shop(kind).await;
    let (proxy, store) = behind_proxy(&shop).await;
    let wallet = wallet(&store);
    for (cut, id) in [(Cut::After, 1), (Cut::Before, 2)] {
        let runs = Cell::new(0);
        let done = wallet.in_transaction(&*store, async |tx| {
            runs.set(runs.get() + 1);
            order(&tx, id, "new").await?;
            proxy.arm(0, cut);
            Ok::<_, WalletError>(())
        });
        let error = done.await.unwrap_err();
        assert_eq!(error.code(), "commit_unknown");
        assert!(!error.is_retryable(), "the order would be inserted again");
        assert_eq!(runs.get(), 1, "nothing can be proven");
    }
    assert_eq!(shop.orders().await, [(1, "new".to_owned())]);

    // The port reports the same.
    let mut transaction = store.begin().await.unwrap();
    let _applied = transaction.apply(&[transfer("a", 0, 1, 10)]).await.unwrap();
    proxy.arm(0, Cut::After);
    match transaction.commit().await {
        Err(ApplyError::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Indeterminate),
        other => panic!("{other:?}"),
    }
    assert!(is_recorded(&shop.store, "a").await);
}

async fn a_cut_at_any_packet_pays_once(kind: Kind) {
    let shop = shop(kind).await;
    let (proxy, store) = behind_proxy(&shop).await;
    let wallet = wallet(&store);
    let mut id = 0;
    for cut in CUTS {
        for packets in 0.. {
            id += 1;
            proxy.arm(packets, cut);
            let done = wallet.in_transaction(&*store, async |tx| {
                order(&tx, id, "paid").await?;
                pay(&tx, &format!("cut-{id}"), 1).await
            });
            done.await
                .unwrap_or_else(|error| panic!("{packets} {cut:?}: {error}"));
            if !proxy.disarm() {
                assert!(packets > 6, "every packet was cut");
                break;
            }
        }
    }
    let expected: Vec<_> = (1..=id).map(paid).collect();
    assert_eq!(shop.orders().await, expected);
    assert_eq!(posted(&shop.store, 0).await, 100 - i128::from(id));
    assert_sound(&shop.store).await;
}
