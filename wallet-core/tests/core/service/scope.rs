use std::sync::Arc;

use wallet_core::ledger::{AccountChanged, HoldChanged, InLedger, Posted};
use wallet_core::request::{BulkRequest, Expire, Share, SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::store::LedgerStore;
use wallet_core::{
    Account, Amount, Capture, ChangeLimits, ChangeStatus, Deposit, LedgerId, OpenAccount,
    PlaceHold, Policy, PostTransfer, Rejection, Release, Request, Reverse, SettlementName, Split,
    Status, Wallet, WalletError, Withdrawal,
};

use crate::service::world::{JumpClock, World, account, euros, key, leg, transfer};

fn rejection(error: &WalletError) -> Option<Rejection> {
    error.rejected().map(|rejected| rejected.rejection)
}

#[tokio::test]
async fn a_refusal_is_an_error_and_the_same_again() {
    let world = World::new().await;
    let too_much = || {
        let pay = PostTransfer::new(vec![leg(1, 2, 10_001)]);
        Request::new(key("too much"), pay)
    };
    let wallet = &world.wallet;
    for _ in 0..2 {
        let error = wallet.submit(too_much()).await.unwrap_err();
        assert_eq!(rejection(&error), Some(Rejection::InsufficientFunds));
        assert!(!error.is_retryable());
    }
    assert!(world.is_recorded("too much").await);
    let raw = wallet.submit_raw(too_much()).await.unwrap();
    assert!(raw.replayed);
    assert!(raw.accepted().is_err());

    let fine = wallet.submit(transfer("fine", 1, 2)).await.unwrap();
    let again = wallet.submit(transfer("fine", 1, 2)).await.unwrap();
    assert_eq!((fine.is_replay(), again.is_replay()), (false, true));
    assert_eq!(fine.outcome(), again.outcome());
    assert_eq!(fine.at(), fine.outcome().at);
    assert_eq!(fine.positions().len(), 2);
    assert_eq!(
        fine.posted().map(Posted::id),
        again.posted().map(Posted::id)
    );
}

#[tokio::test]
async fn a_command_is_run_until_its_result_is_known() {
    use crate::service::scripted::Step;
    use wallet_core::store::StoreErrorKind::Unavailable;
    let settings = wallet_core::Settings {
        tries_max: 1,
        ..crate::service::world::quiet()
    };
    let minute = std::time::Duration::from_secs(60);
    let pay = PostTransfer::new(vec![leg(1, 2, 100)]);
    let fails = |count| vec![Step::Fail(Unavailable); count];

    let world = World::with(settings.clone()).await;
    let shop = world.wallet.scope("test").unwrap();
    world.store.script.lock().unwrap().extend(fails(5));
    let paid = shop.run_until_known("paid", pay.clone(), minute).await;
    assert_eq!(paid.unwrap().transfer.legs, [leg(1, 2, 100)]);
    assert_eq!(world.store.sizes().len(), 6);
    let again = shop.run_until_known("paid", pay.clone(), minute).await;
    again.unwrap();
    assert_eq!(world.posted(1).await, 9_900);

    // A refusal is a result.
    let too_much = PostTransfer::new(vec![leg(1, 2, 100_000)]);
    let refused = shop.run_until_known("refused", too_much, minute).await;
    assert_eq!(refused.unwrap_err().code(), "insufficient_funds");

    // Patience ends.
    let before = world.store.sizes().len();
    world.store.script.lock().unwrap().extend(fails(1_000));
    let begun = wallet_core::runtime::Clock::now(&*world.clock);
    let failed = shop.run_until_known("failed", pay.clone(), minute).await;
    assert_eq!(failed.unwrap_err().code(), "store_unavailable");
    assert!(world.store.sizes().len() > before + 3);
    let waited = wallet_core::runtime::Clock::now(&*world.clock).since(begun);
    assert!(waited < minute, "{waited:?}");

    // What may still come is not covered by a later failure.
    let world = World::with(settings).await;
    let shop = world.wallet.scope("test").unwrap();
    world
        .store
        .script
        .lock()
        .unwrap()
        .push_back(Step::CommitLater);
    world.store.script.lock().unwrap().extend(fails(1_000));
    world.store.fail_records(Unavailable);
    let unknown = shop.run_until_known("unknown", pay, minute).await;
    assert_eq!(unknown.unwrap_err().code(), "indeterminate");
}

#[tokio::test]
async fn many_requests_at_once_are_each_accepted_or_an_error() {
    let world = World::new().await;
    let too_much = PostTransfer::new(vec![leg(3, 4, 10_001)]);
    let requests = vec![
        transfer("one", 1, 2),
        Request::new(key("two"), too_much.clone()),
        transfer("three", 5, 6),
    ];
    let mut done = world.wallet.submit_all(requests).await.into_iter();
    assert!(done.next().unwrap().is_ok());
    let error = done.next().unwrap().unwrap_err();
    assert_eq!(rejection(&error), Some(Rejection::InsufficientFunds));
    assert!(done.next().unwrap().is_ok());

    let items = vec![
        PostTransfer::new(vec![leg(1, 2, 1)]).into(),
        too_much.into(),
        PostTransfer::new(vec![leg(1, 2, 1)]).into(),
    ];
    let bulk = BulkRequest::new(key("bulk"), items);
    let mut done = world.wallet.submit_bulk(bulk).await.unwrap().into_iter();
    assert!(done.next().unwrap().is_ok());
    let error = done.next().unwrap().unwrap_err();
    assert_eq!(rejection(&error), Some(Rejection::InsufficientFunds));
    assert!(
        done.next().unwrap().is_ok(),
        "a refused item stops no other"
    );
}

#[tokio::test]
async fn every_command_has_its_receipt() {
    let world = World::new().await;
    let shop = world.wallet.scope("shop").unwrap();
    let eur = euros(1).currency;
    let [ada, bob] = [1, 2].map(account);
    let bank = || SettlementName::new("bank").unwrap();

    let open = OpenAccount::new("eve".parse().unwrap(), eur);
    let eve: Account = shop.run("open", open).await.unwrap();
    assert_eq!(eve.owner.as_str(), "eve");
    assert_eq!(eve.key(), InLedger::from(eve.id()));
    let frozen = ChangeStatus::new(eve.id(), Status::Frozen);
    let changed: AccountChanged = shop.run("freeze", frozen).await.unwrap();
    assert_eq!(changed.state.status, Status::Frozen);
    let limits = ChangeLimits::new(ada).with_policy(Policy::Overdraft(Amount::new(5).unwrap()));
    let changed: AccountChanged = shop.run("limits", limits).await.unwrap();
    assert_eq!(changed.state.key.id, ada);

    let deposit = Deposit::new(ada, euros(100), bank());
    let _: Posted = shop.run("deposit", deposit).await.unwrap();
    let withdrawal = Withdrawal::new(ada, euros(40), bank());
    let _: Posted = shop.run("withdrawal", withdrawal).await.unwrap();
    let settlement = |name| SystemAccount::Settlement(SettlementName::new(name).unwrap());
    let fee = SystemLeg::new(settlement("bank"), settlement("fees"), euros(1));
    let _: Posted = shop
        .run("fee", SystemTransfer::new(vec![fee]))
        .await
        .unwrap();
    let pay = PostTransfer::simple(ada, bob, euros(10))
        .with_code(7)
        .with_reference("order-7")
        .unwrap()
        .with_description("an order")
        .unwrap();
    let paid: Posted = shop.run("pay", pay).await.unwrap();
    assert_eq!(paid.transfer.details.code, 7);
    let reversed: Posted = shop.run("back", Reverse::new(paid.id())).await.unwrap();
    assert_eq!(reversed.transfer.reversal.unwrap().transfer, paid.id());
    let share = |to, share_bp| Share { to, share_bp };
    let shares = vec![share(bob, 2_500), share(account(3), 7_500)];
    let split: Posted = shop
        .run("split", Split::new(ada, euros(10), shares))
        .await
        .unwrap();
    assert_eq!(split.transfer.legs.len(), 2);

    let hold = || PlaceHold::new(ada, bob, euros(20));
    let placed: HoldChanged = shop.run("hold", hold()).await.unwrap();
    let captured: Posted = shop
        .run("capture", Capture::new(placed.id()))
        .await
        .unwrap();
    assert_eq!(captured.hold.unwrap().key.id, placed.id());
    let placed = shop.run("hold 2", hold()).await.unwrap();
    let early = shop
        .run("expire", Expire::new(placed.id()))
        .await
        .unwrap_err();
    assert_eq!(rejection(&early), Some(Rejection::HoldNotExpired));
    let released: HoldChanged = shop
        .run("release", Release::new(placed.id()))
        .await
        .unwrap();
    assert_eq!(released.id(), placed.id());

    let both = vec![
        PostTransfer::simple(ada, bob, euros(1)).into(),
        PostTransfer::simple(bob, ada, euros(1)).into(),
    ];
    let accepted = shop.run_all("both", both).await.unwrap();
    assert_eq!(accepted.receipts().len(), 2);
}

#[tokio::test]
async fn a_scope_has_its_own_keys_and_its_ledger() {
    let world = World::new().await;
    let [shop, club] = ["shop", "club"].map(|scope| world.wallet.scope(scope).unwrap());
    let other = shop.clone().in_ledger(LedgerId::new(7));
    let eur = euros(1).currency;
    let open = || OpenAccount::new("eve".parse().unwrap(), eur);
    let mut ids = Vec::new();
    for scope in [&shop, &club, &other] {
        assert!(scope.accepted("open").await.unwrap().is_none());
        ids.push(scope.run("open", open()).await.unwrap().key());
        let accepted = scope.accepted("open").await.unwrap().unwrap();
        assert!(accepted.account().is_some() && accepted.is_replay());
    }
    assert_eq!(ids[2].ledger, LedgerId::new(7));
    ids.dedup();
    assert_eq!(ids.len(), 3);

    shop.cancel("never").await.unwrap();
    let error = shop.run("never", open()).await.unwrap_err();
    assert_eq!(rejection(&error), Some(Rejection::Cancelled));
    let error = shop.accepted("never").await.unwrap_err();
    assert_eq!(rejection(&error), Some(Rejection::Cancelled));
    let error = shop.run("", open()).await.unwrap_err();
    assert_eq!(error.code(), "invalid_value");
    assert_eq!(world.wallet.scope("").unwrap_err().code(), "invalid_value");
}

#[tokio::test]
async fn a_wallet_takes_any_store() {
    let clock = JumpClock::new();
    let store = || wallet_core::memory::MemoryStore::new(clock.clone());
    let shared: Arc<dyn LedgerStore> = Arc::new(store());
    for builder in [
        Wallet::builder(store()),
        Wallet::builder(Arc::new(store())),
        Wallet::builder(shared),
    ] {
        let (_wallet, _driver) = builder.clock(clock.clone()).build().unwrap();
    }
}
