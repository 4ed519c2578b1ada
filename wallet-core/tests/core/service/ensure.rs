use wallet_core::ledger::InLedger;
use wallet_core::request::Change;
use wallet_core::service::Difference;
use wallet_core::store::Purge;
use wallet_core::{
    AccountId, Amount, ChangeLimits, ChangeStatus, Currency, LedgerId, Metadata, OpenAccount,
    Policy, Rejection, Status, WalletError,
};

use crate::service::world::{World, account, euros};

fn open(owner: &str) -> OpenAccount {
    OpenAccount::new(owner.parse().unwrap(), euros(1).currency)
}

/// The worked example of ADR 28.
#[tokio::test]
async fn an_account_is_opened_once_and_then_read() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let first = wallet.ensure_account(open("ada")).await.unwrap();
    assert!(first.is_new);
    assert_eq!(first.differs, []);
    let eur = euros(1).currency;
    let id = AccountId::derived(LedgerId::default(), &"ada".parse().unwrap(), eur, "");
    assert_eq!(first.id(), id);
    let commits = || world.store.batches.lock().unwrap().len();
    let before = commits();
    for _ in 0..3 {
        let again = wallet.ensure_account(open("ada")).await.unwrap();
        assert_eq!((again.is_new, again.id()), (false, id));
    }
    assert_eq!(commits(), before, "nothing is committed");

    // Other owners, currencies, labels and ledgers have other accounts.
    let savings = AccountId::derived(LedgerId::default(), &"ada".parse().unwrap(), eur, "savings");
    let savings = wallet.ensure_account(open("ada").with_id(savings)).await;
    let other = wallet.scope("shop").unwrap().in_ledger(LedgerId::new(3));
    let mut ids = vec![
        first.account.key(),
        savings.unwrap().account.key(),
        wallet
            .ensure_account(open("bob"))
            .await
            .unwrap()
            .account
            .key(),
        wallet
            .ensure_account(usd("ada"))
            .await
            .unwrap()
            .account
            .key(),
        other
            .ensure_account(open("ada"))
            .await
            .unwrap()
            .account
            .key(),
    ];
    ids.sort();
    ids.dedup_by_key(|key| key.id);
    assert_eq!(ids.len(), 5);
}

fn usd(owner: &str) -> OpenAccount {
    OpenAccount::new(owner.parse().unwrap(), Currency::iso("USD").unwrap())
}

#[tokio::test]
async fn what_differs_is_named_and_never_changed() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let id = wallet.ensure_account(open("ada")).await.unwrap().id();
    let limit = Amount::new(500).unwrap();
    let wanted = open("ada")
        .with_policy(Policy::Overdraft(limit))
        .with_max_balance(limit)
        .with_metadata(Metadata::parse(r#"{"tier":1}"#).unwrap());
    let found = wallet.ensure_account(wanted.clone()).await.unwrap();
    let expected = [
        Difference::Policy,
        Difference::MaxBalance,
        Difference::Metadata,
    ];
    assert_eq!(found.differs, expected);
    assert_eq!(found.account.state.policy, Policy::NonNegative);

    let shop = wallet.scope("shop").unwrap();
    let limits = ChangeLimits::new(id)
        .with_policy(Policy::Overdraft(limit))
        .with_max_balance(Change::Set(limit));
    shop.run("limits", limits).await.unwrap();
    let found = wallet.ensure_account(wanted).await.unwrap();
    assert_eq!(found.differs, [Difference::Metadata]);

    // Closed stays closed.
    let close = ChangeStatus::new(id, Status::Closed);
    shop.run("close", close).await.unwrap();
    let found = wallet.ensure_account(open("ada")).await.unwrap();
    assert!(found.differs.contains(&Difference::Status));
    assert_eq!(found.account.state.status, Status::Closed);
    let system = wallet.ensure_account(open("ada").with_system(true)).await;
    assert!(system.unwrap().differs.contains(&Difference::System));
}

#[tokio::test]
async fn another_owner_or_currency_is_an_error() {
    let world = World::new().await;
    let wallet = &world.wallet;
    for open in [open("nobody"), usd("somebody")] {
        let error = wallet
            .ensure_account(open.with_id(account(1)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, WalletError::Rejected(why) if why.rejection == Rejection::IdTaken),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn callers_that_race_get_one_account() {
    let world = World::new().await;
    world.store.close();
    let ensure = |open: OpenAccount| {
        let wallet = world.wallet.clone();
        tokio::spawn(async move { wallet.ensure_account(open).await })
    };
    // The second caller wants another policy: it is no mismatch, it differs.
    let racers = [
        ensure(open("ada")),
        ensure(open("ada").with_policy(Policy::Unlimited)),
    ];
    crate::service::world::settle().await;
    world.store.open_wide();
    let mut found = Vec::new();
    for racer in racers {
        found.push(racer.await.unwrap().unwrap());
    }
    found.sort_by_key(|one| !one.is_new);
    assert_eq!(found[0].id(), found[1].id());
    assert_eq!((found[0].is_new, found[1].is_new), (true, false));
    assert_eq!(found[1].differs, [Difference::Policy]);
}

#[tokio::test]
async fn it_survives_a_purge_of_all_keys() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let first = wallet.ensure_account(open("ada")).await.unwrap();
    let purge = Purge::Records {
        older_than: std::time::Duration::ZERO,
        limit: 1_000,
    };
    wallet.purge(purge).await.unwrap();
    let again = wallet.ensure_account(open("ada")).await.unwrap();
    assert_eq!((again.is_new, again.id()), (false, first.id()));
    let found = wallet.account(first.id()).await.unwrap();
    assert_eq!(
        found.map(|found| found.key()),
        Some(InLedger::from(first.id()))
    );
}
