use wallet_core::ledger::Details;
use wallet_core::runtime::Clock;
use wallet_core::store::{AccountQuery, HoldQuery, ReferenceQuery};
use wallet_core::{Capture, EntryQuery, LedgerId, PlaceHold, PostTransfer, Reference, Request};

use crate::service::world::{World, account, account_key, euros, key, leg, transfer};

#[tokio::test]
async fn what_was_committed_is_read_through_the_service() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let reference = Reference::new("order-1").unwrap();
    let details = Details {
        reference: Some(reference.clone()),
        ..Details::default()
    };
    let pay = PostTransfer::new(vec![leg(1, 2, 100)]).with_details(details);
    let paid = wallet
        .submit_raw(Request::new(key("pay"), pay))
        .await
        .unwrap();
    let transfer = paid.posted().unwrap().unwrap().transfer.clone();
    let hold = PlaceHold::new(account(1), account(2), euros(30));
    let reserved = wallet
        .submit_raw(Request::new(key("hold"), hold))
        .await
        .unwrap();
    let hold = reserved.hold().unwrap().unwrap().clone();

    let ledger = LedgerId::default();
    let keys = [account_key(2), account_key(77), account_key(1)];
    let found = wallet.accounts(&keys).await.unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|one| one.map(|one| one.state.key))
        .collect();
    assert_eq!(found, [Some(keys[0]), None, Some(keys[2])]);
    assert_eq!(wallet.account(account_key(77)).await.unwrap(), None);
    let query = AccountQuery {
        ledger,
        owner: None,
        currency: None,
        after: Some(account(39)),
        limit: 1,
    };
    let listed = wallet.list_accounts(&query).await.unwrap();
    assert_eq!(listed[0].state.key, account_key(40));

    let row = wallet.transfer(transfer.key).await.unwrap().unwrap();
    assert_eq!((&row.transfer, &row.reversed[..]), (&transfer, &[0][..]));
    let query = ReferenceQuery {
        ledger,
        reference,
        after: None,
        limit: 10,
    };
    assert_eq!(wallet.list_transfers(&query).await.unwrap(), [row]);
    assert_eq!(wallet.hold(hold.key).await.unwrap(), Some(hold.clone()));
    let query = HoldQuery {
        account: account_key(2),
        status: None,
        after: None,
        limit: 10,
    };
    assert_eq!(wallet.list_holds(&query).await.unwrap(), [hold]);

    let query = EntryQuery::first(account_key(1), 10);
    let entries = wallet.entries(&query).await.unwrap();
    let balances: Vec<_> = entries.iter().map(|entry| entry.balance_after).collect();
    assert_eq!(balances, [10_000, 9_900]);
    let now = world.clock.now();
    let past = wallet.balance_at(account_key(1), now).await.unwrap();
    assert_eq!(past.unwrap().posted, 9_900);
}

#[tokio::test]
async fn an_answer_shows_what_its_request_made_and_nothing_else() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let paid = wallet.submit_raw(transfer("pay", 1, 2)).await.unwrap();
    assert_eq!(paid.accepted().unwrap().len(), 1);
    assert_eq!(paid.account().unwrap(), None);
    assert_eq!(paid.hold().unwrap(), None);
    let hold = PlaceHold::new(account(1), account(2), euros(30));
    let reserved = wallet
        .submit_raw(Request::new(key("hold"), hold))
        .await
        .unwrap();
    assert_eq!(reserved.posted().unwrap(), None);
    let placed = reserved.hold().unwrap().unwrap();
    assert_eq!(placed.remaining(), 30);
    let capture = Request::new(key("capture"), Capture::new(placed.key.id));
    let captured = wallet.submit_raw(capture).await.unwrap();
    assert_eq!(captured.hold().unwrap().unwrap().remaining(), 0);
    let posted = &captured.posted().unwrap().unwrap().transfer;
    assert_eq!(posted.legs, [leg(1, 2, 30)]);

    let set_up = wallet
        .recorded(crate::service::world::record("set up"))
        .await;
    let set_up = wallet_core::service::Answer {
        outcome: set_up.unwrap().unwrap(),
        replayed: true,
    };
    assert_eq!(set_up.account().unwrap().unwrap().state.key.id, account(99));
    assert_eq!(set_up.accepted().unwrap().len(), 81);
    let refused = wallet.submit_raw(transfer("refused", 1, 77)).await.unwrap();
    let rejected = refused.accepted().unwrap_err();
    assert_eq!(rejected.subject, account(77).uuid());
    assert_eq!(refused.account(), Err(rejected));
    assert_eq!(refused.posted(), Err(rejected));
    assert_eq!(refused.hold(), Err(rejected));
}
