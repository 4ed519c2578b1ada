//! A database clock that steps by an hour.

use std::sync::Arc;
use std::time::Duration;

use wallet_aurora::AuroraStore;
use wallet_core::runtime::Clock;
use wallet_core::store::Outbox;
use wallet_core::{Deposit, Request, Settings, SettlementName, SystemClock, Wallet, WalletError};
use wallet_test_servers::{Kind, Private};

use crate::support::books::{account, assert_sound, euros, key, open, posted, set_up};
use crate::support::{Database, on_both};

on_both! {
    after_an_hour_ahead_the_raised_bound_is_the_way_out
    after_an_hour_ahead_the_lease_of_a_dead_relay_is_free
}

const HOUR: i64 = 3_600;

async fn on_a_server_with_a_clock(kind: Kind) -> (Private, Database) {
    let server = Private::start_with_clock(kind, &[]);
    let database = Database::create_on(&server.url()).await;
    set_up(&open(&database).await, 1_000).await;
    (server, database)
}

fn wallet(store: AuroraStore) -> Wallet {
    let wallet = Wallet::builder(Arc::new(store)).settings(Settings {
        sweep_interval: None,
        ..Settings::default()
    });
    wallet.spawn().unwrap()
}

fn pay_in(text: &str, to: u8) -> Request {
    let bank = SettlementName::new("bank").unwrap();
    Request::new(key(text), Deposit::new(account(to), euros(10), bank))
}

async fn after_an_hour_ahead_the_raised_bound_is_the_way_out(kind: Kind) {
    let (server, database) = on_a_server_with_a_clock(kind).await;
    let wallet = wallet(open(&database).await);
    server.set_clock(HOUR);
    let ahead = wallet.submit_raw(pay_in("ahead", 0)).await.unwrap();
    ahead.accepted().unwrap();
    server.set_clock(0);
    // The bank's account is an hour ahead, and so is every deposit from it.
    let refused = wallet.submit_raw(pay_in("later", 1)).await;
    let Err(WalletError::ClockBehind { ahead_micros }) = refused else {
        panic!("not refused: {refused:?}");
    };
    let minutes = ahead_micros / 60_000_000;
    assert!((55..=60).contains(&minutes), "{minutes} minutes");
    let until = SystemClock
        .now()
        .saturating_add(Duration::from_secs(HOUR.unsigned_abs()));
    wallet
        .raise_max_ahead(Duration::from_secs(7_200), until)
        .unwrap();
    // The key is free again, because nothing was recorded under it.
    let later = wallet.submit_raw(pay_in("later", 1)).await.unwrap();
    later.accepted().unwrap();
    assert_eq!(later.outcome.at, ahead.outcome.at, "times never go back");
    let store = open(&database).await;
    assert_eq!(
        (posted(&store, 0).await, posted(&store, 1).await),
        (1_010, 1_010)
    );
    assert_sound(&store).await;
}

async fn after_an_hour_ahead_the_lease_of_a_dead_relay_is_free(kind: Kind) {
    let (server, database) = on_a_server_with_a_clock(kind).await;
    let ttl = Duration::from_secs(30);
    let store = open(&database).await;
    server.set_clock(HOUR);
    let dead = store.acquire("dead", ttl).await.unwrap().unwrap();
    assert_eq!(store.acquire("alive", ttl).await.unwrap(), None);
    server.set_clock(0);
    let taken = store.acquire("alive", ttl).await.unwrap().unwrap();
    assert!(taken.token > dead.token && taken.until < dead.until);
    assert!(store.renew(&dead, ttl).await.is_err(), "fenced");
}
