//! The payments commit, roll back, and are recorded together with the work of the host.

use super::{order, shop};
use crate::support::books::{assert_sound, commit, is_recorded, opening, posted, transfer};
use crate::support::on_both;
use sqlx::Connection;
use wallet_aurora::HostTransaction;
use wallet_core::Rejection;
use wallet_core::ledger::Decided;
use wallet_core::store::NotAccepted;
use wallet_test_servers::Kind;

on_both! {
    an_order_and_its_payments_commit_together
    a_roll_back_takes_the_payment_back_and_frees_its_key
    dropping_the_handle_rolls_back
    a_refused_payment_rolls_the_order_back
    a_refusal_is_recorded_if_the_host_commits
    a_later_call_sees_what_an_earlier_one_applied
    an_account_of_a_host_that_rolled_back_is_not_remembered
}

async fn an_order_and_its_payments_commit_together(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30), transfer("b", 1, 2, 120)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    let applied = applied.unwrap();
    assert_eq!(applied.decided().len(), 2);
    assert_eq!(applied.after_commit().len(), 2, "each sees those before it");
    assert_eq!(posted(&shop.store, 0).await, 100, "nobody else sees it yet");
    transaction.commit().await.unwrap();
    assert_eq!(shop.orders().await, 1);
    for (number, balance) in [(0, 70), (1, 10), (2, 220)] {
        assert_eq!(posted(&shop.store, number).await, balance);
    }
    assert_sound(&shop.store).await;
}

async fn a_roll_back_takes_the_payment_back_and_frees_its_key(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let _applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    transaction.rollback().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    assert!(!is_recorded(&shop.store, "a").await);
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 20)]).await;
    assert!(matches!(&again[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    assert_sound(&shop.store).await;
}

async fn dropping_the_handle_rolls_back(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30)];
    let _applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    drop(transaction);
    shop.connection.ping().await.unwrap();
    assert_eq!(shop.orders().await, 0);
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 30)]).await;
    assert!(matches!(again[0], Decided::Fresh(_)));
}

async fn a_refused_payment_rolls_the_order_back(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    order(&mut transaction, 1).await;
    let requests = [transfer("a", 0, 1, 30), transfer("b", 0, 1, 71)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    let refused = applied.unwrap().accepted().unwrap_err();
    assert!(
        matches!(refused, NotAccepted::Rejected { request: 1, rejected }
            if rejected.rejection == Rejection::InsufficientFunds)
    );
    transaction.rollback().await.unwrap();
    assert_eq!(
        (shop.orders().await, posted(&shop.store, 0).await),
        (0, 100)
    );
    assert!(!is_recorded(&shop.store, "a").await);
}

async fn a_refusal_is_recorded_if_the_host_commits(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [transfer("a", 0, 1, 101)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    let applied = applied.unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    assert!(applied.after_commit().is_empty());
    transaction.commit().await.unwrap();
    let again = commit(&shop.store, vec![transfer("a", 0, 1, 101)]).await;
    assert!(matches!(&again[0], Decided::Replayed(outcome) if outcome.result.is_err()));
}

async fn a_later_call_sees_what_an_earlier_one_applied(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let first = [opening("open-9", 9), transfer("a", 0, 9, 30)];
    let _applied = shop
        .store
        .apply_in_raw(&mut transaction, &first)
        .await
        .unwrap();
    let second = [transfer("b", 9, 1, 30), transfer("a", 0, 9, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &second).await;
    let applied = applied.unwrap();
    assert!(matches!(&applied.decided()[0], Decided::Fresh(outcome) if outcome.result.is_ok()));
    // The second request has another id, but the same key and contents.
    assert!(matches!(&applied.decided()[1], Decided::Replayed(_)));
    transaction.commit().await.unwrap();
    assert_eq!(posted(&shop.store, 1).await, 130);
    assert_sound(&shop.store).await;
}

async fn an_account_of_a_host_that_rolled_back_is_not_remembered(kind: Kind) {
    let mut shop = shop(kind).await;
    let mut transaction = HostTransaction::begin(&mut shop.connection).await.unwrap();
    let requests = [opening("open-9", 9), transfer("a", 0, 9, 30)];
    let applied = shop.store.apply_in_raw(&mut transaction, &requests).await;
    assert_eq!(applied.unwrap().after_commit().len(), 2);
    transaction.rollback().await.unwrap();
    let missing = commit(&shop.store, vec![transfer("b", 0, 9, 30)]).await;
    assert!(matches!(&missing[0], Decided::Fresh(outcome) if outcome.result.is_err()));
    let requests = vec![opening("open-9", 9), transfer("c", 0, 9, 30)];
    for decided in commit(&shop.store, requests).await {
        crate::support::books::accepted(&decided);
    }
    assert_eq!(posted(&shop.store, 9).await, 30);
    assert_sound(&shop.store).await;
}
