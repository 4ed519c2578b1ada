//! Damage of the ledger.

use std::sync::Arc;

use uuid::Uuid;
use wallet_core::cache::BalanceCache;
use wallet_core::memory::MemoryStore;
use wallet_core::verify::reconcile::Difference;
use wallet_core::{IdempotencyKey, LedgerId, Money, PlaceHold, Request, Timestamp, Wallet};

use super::{Place, eur, id, key};

#[tokio::test]
async fn damage_of_the_ledger_is_found() {
    let (account, currency) = (key(2), eur());
    let balance = Place::new().await.balance(2).posted().minor;

    let place = Place::new().await;
    place.damage(|tables| {
        let state = &mut tables.accounts.get_mut(&account).unwrap().state;
        state.counters.credits_posted += 7;
    });
    let posted = balance + 7;
    let found = place.found().await;
    assert_eq!(
        found,
        [
            Difference::NotEven {
                ledger: LedgerId::default(),
                currency,
                posted: 7,
            },
            Difference::BalanceWrong {
                account,
                currency,
                posted,
                entries: balance,
            },
            Difference::CacheWrong {
                account,
                currency,
                version: place.balance(2).version,
                cached: balance,
                posted,
            },
        ]
    );

    let place = Place::new().await;
    place.damage(|tables| drop(tables.entries.get_mut(&account).unwrap().drain(4..7)));
    let missing = |first, last| Difference::EntriesMissing {
        account,
        first,
        last,
    };
    assert_eq!(place.found().await, [missing(5, 7)]);
    place.damage(|tables| tables.entries.get_mut(&account).unwrap().truncate(10));
    assert_eq!(place.found().await, [missing(5, 7), missing(14, 20)]);

    let changes: [fn(&mut wallet_core::Entry); 3] = [
        |entry| entry.balance_after += 1,
        |entry| entry.version = 0,
        |entry| entry.created_at = Timestamp::from_micros(0),
    ];
    for change in changes {
        let place = Place::new().await;
        place.damage(|tables| change(&mut tables.entries.get_mut(&account).unwrap()[9]));
        let found = place.found().await;
        let wrong = Difference::EntryWrong {
            account,
            sequence: 10,
        };
        assert!(found.contains(&wrong), "{found:?}");
    }

    let place = Place::new().await;
    place.damage(|tables| tables.transfers.clear());
    let found = place.found().await;
    assert_eq!(found.len(), 4);
    let all = found.iter();
    assert!(
        all.clone().all(|one| one.code() == "unreadable"),
        "{found:?}"
    );
}

#[tokio::test]
async fn held_money_that_the_account_does_not_say_is_found() {
    let place = Place::new().await;
    let wallet = Wallet::builder(Arc::<MemoryStore>::clone(&place.store));
    let wallet = wallet.clock(place.clock.clone()).spawn().unwrap();
    let hundred = Money::minor(100, eur()).unwrap();
    let hold = PlaceHold::new(id(2), id(3), hundred)
        .with_id(wallet_core::HoldId::new(Uuid::from_u128(700)));
    let request = Request::new(IdempotencyKey::parse("test", "hold").unwrap(), hold);
    wallet
        .submit_raw(request)
        .await
        .unwrap()
        .accepted()
        .unwrap();
    place.cache.invalidate(&[key(2), key(3)]).await.unwrap();
    assert_eq!(place.found().await, []);

    place.damage(|tables| {
        let state = &mut tables.accounts.get_mut(&key(2)).unwrap().state;
        state.counters.debits_pending = 0;
    });
    let found = place.found().await;
    let [Difference::PendingWrong { sums }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((sums.debits_pending, sums.debits_held), (0, 100));
    assert_eq!((sums.account, sums.holds), (key(2), 1));
    let text = found[0].to_string();
    assert!(text.contains("0.00 is held to be paid"), "{text}");
    assert!(
        text.contains("its 1 open holds say 1.00 and 0.00"),
        "{text}"
    );

    // A missing hold leaves both of its accounts with pending amounts that no hold
    // explains.
    place.damage(|tables| tables.holds.clear());
    let found = place.found().await;
    let codes: Vec<_> = found
        .iter()
        .map(|one| (one.code(), one.account()))
        .collect();
    assert_eq!(codes, [("pending_wrong", Some(key(3)))]);
}
