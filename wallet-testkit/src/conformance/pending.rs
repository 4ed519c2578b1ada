//! Pending sums: the accounts' counters against their open holds.

use super::steps::{amount, at_home, eur, given};
use crate::StoreKit;
use wallet_core::{AccountId, Capture, Release};

/// The pending counters equal the sums of the open holds, through partial captures,
/// releases and expiry.
pub async fn sums_add_up_the_open_holds(kit: &StoreKit) {
    let ada = kit.open_with("ada", 500).await;
    let bob = kit.open("bob").await;
    let eve = kit.open_with("eve", 100).await;
    let nobody = AccountId::new(given(404));
    let sums = async |accounts: &[AccountId]| {
        let keys: Vec<_> = accounts.iter().map(|id| at_home(*id)).collect();
        let sums = kit.store().pending_sums(&keys).await.unwrap();
        let sums = sums.into_iter().zip(keys).map(|(sums, key)| {
            let sums = sums?;
            assert_eq!((sums.account, sums.currency), (key, eur()));
            assert!(sums.is_even(), "{sums:?}");
            Some((sums.debits_held, sums.credits_held, sums.holds))
        });
        sums.collect::<Vec<_>>()
    };
    assert_eq!(sums(&[]).await, []);
    assert_eq!(sums(&[ada]).await, [Some((0, 0, 0))]);
    let one = kit.hold(ada, bob, 100).await;
    let two = kit.hold(ada, eve, 50).await;
    let three = kit.hold(eve, ada, 7).await;
    let all = [eve, nobody, ada, bob];
    assert_eq!(
        sums(&all).await,
        [Some((7, 50, 2)), None, Some((150, 7, 3)), Some((0, 100, 1))]
    );
    kit.accept(Capture::new(one).with_amount(Some(amount(30))))
        .await;
    kit.accept(Release::new(two)).await;
    assert_eq!(
        sums(&all).await,
        [Some((7, 0, 1)), None, Some((70, 7, 2)), Some((0, 70, 1))]
    );
    kit.accept(Capture::new(three)).await;
    kit.accept(Capture::new(one)).await;
    assert_eq!(
        sums(&all).await,
        [Some((0, 0, 0)), None, Some((0, 0, 0)), Some((0, 0, 0))]
    );
}
