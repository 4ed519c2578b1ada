//! Cases of a balance cache.

use futures_util::future::join_all;
use uuid::Uuid;

use wallet_core::cache::BalanceCache;
use wallet_core::ledger::{AccountKey, Counters, Epoch, InLedger, Version};
use wallet_core::{AccountId, Balance, Currency, LedgerId};

type Kit = crate::Kit<dyn BalanceCache>;

fn account(ledger: u32, number: u128) -> AccountKey {
    InLedger::new(
        LedgerId::new(ledger),
        AccountId::new(Uuid::from_u128(number)),
    )
}

/// A balance whose sums show its version.
fn balance(account: AccountKey, version: Version) -> Balance {
    Balance {
        account,
        currency: Currency::iso("EUR").unwrap(),
        counters: Counters {
            credits_posted: i128::from(version) + 5,
            ..Counters::default()
        },
        epoch: Epoch::FIRST,
        version,
    }
}

async fn found(kit: &Kit, accounts: &[AccountKey]) -> Vec<Option<Version>> {
    let found = kit.port().get(accounts).await.unwrap();
    assert_eq!(found.len(), accounts.len(), "one answer per account");
    for (account, one) in accounts.iter().zip(&found) {
        if let Some(one) = one {
            assert_eq!(*one, balance(*account, one.version), "as it was put");
        }
    }
    found
        .into_iter()
        .map(|one| one.map(|one| one.version))
        .collect()
}

async fn put(kit: &Kit, account: AccountKey, version: Version) {
    kit.port().put(&[balance(account, version)]).await.unwrap();
}

/// Every field reads back, with the greatest and the least values too.
pub async fn what_was_put_is_found_whole(kit: &Kit) {
    let most = 10_i128.pow(38) - 1;
    let wide = Balance {
        account: account(u32::MAX, u128::MAX - 1),
        currency: Currency::new("POINTS", 0).unwrap(),
        counters: Counters {
            debits_posted: most,
            credits_posted: most - 1,
            debits_pending: most - 2,
            credits_pending: 1,
        },
        epoch: Epoch::new(Epoch::MAX).unwrap(),
        version: Version::MAX,
    };
    let narrow = Balance {
        account: account(0, 1),
        currency: Currency::new("ETH", 18).unwrap(),
        counters: Counters::default(),
        epoch: Epoch::FIRST,
        version: 1,
    };
    kit.port().put(&[wide, narrow]).await.unwrap();
    let read = kit.port().get(&[wide.account, narrow.account]).await;
    assert_eq!(read.unwrap(), [Some(wide), Some(narrow)]);
}

/// Answers are in the order of the accounts, with repeated accounts and with none.
pub async fn answers_are_in_the_order_asked(kit: &Kit) {
    let (one, two, three) = (account(0, 1), account(0, 2), account(0, 3));
    put(kit, one, 1).await;
    put(kit, three, 3).await;
    let asked = [three, two, one, three];
    assert_eq!(found(kit, &asked).await, [Some(3), None, Some(1), Some(3)]);
    assert_eq!(found(kit, &[]).await, []);
    kit.port().put(&[]).await.unwrap();
    kit.port().invalidate(&[]).await.unwrap();
}

/// Put-if-newer stores the newer balance.
pub async fn a_newer_version_replaces_an_older_one(kit: &Kit) {
    put(kit, account(0, 1), 4).await;
    put(kit, account(0, 1), 9).await;
    assert_eq!(found(kit, &[account(0, 1)]).await, [Some(9)]);
}

/// Put-if-newer drops the older balance.
pub async fn an_older_version_never_replaces_a_newer_one(kit: &Kit) {
    let (one, two) = (account(0, 1), account(0, 2));
    put(kit, one, 9).await;
    let mixed = [balance(one, 8), balance(two, 1)];
    kit.port().put(&mixed).await.unwrap();
    assert_eq!(found(kit, &[one, two]).await, [Some(9), Some(1)]);
}

/// Versions are compared as integers, not as texts or floats.
pub async fn versions_are_compared_as_whole_numbers(kit: &Kit) {
    let ascending = [
        9,
        10,
        255,
        256,
        (1 << 32) - 1,
        1 << 32,
        (1 << 53) + 1,
        (1 << 53) + 2,
        Version::MAX - 1,
        Version::MAX,
    ];
    let one = account(0, 1);
    for (index, version) in ascending.iter().enumerate() {
        put(kit, one, *version).await;
        if index > 0 {
            put(kit, one, ascending[index - 1]).await;
        }
        assert_eq!(found(kit, &[one]).await, [Some(*version)]);
    }
}

/// A balance of a later epoch replaces one of an earlier epoch, whatever the
/// versions are. Effects of the earlier epoch may be lost.
pub async fn a_later_epoch_counts_more_than_any_version(kit: &Kit) {
    let one = account(0, 1);
    let ascending = [
        (1, 7),
        (2, 5),
        (2, 6),
        (255, 1),
        (256, 1),
        (1 << 32, 9),
        ((1 << 32) + 1, 2),
        (Epoch::MAX - 1, 4),
        (Epoch::MAX, 3),
    ];
    let at = |(epoch, version): (u64, Version)| Balance {
        epoch: Epoch::new(epoch).unwrap(),
        ..balance(one, version)
    };
    for (index, position) in ascending.into_iter().enumerate() {
        kit.port().put(&[at(position)]).await.unwrap();
        if index > 0 {
            let earlier = at(ascending[index - 1]);
            kit.port().put(&[earlier]).await.unwrap();
        }
        let cached = kit.port().get(&[one]).await.unwrap();
        assert_eq!(cached, [Some(at(position))]);
    }
}

/// The same id in two ledgers is two accounts.
pub async fn ledgers_are_kept_apart(kit: &Kit) {
    put(kit, account(1, 7), 3).await;
    put(kit, account(2, 7), 2).await;
    let asked = [account(2, 7), account(0, 7), account(1, 7)];
    assert_eq!(found(kit, &asked).await, [Some(2), None, Some(3)]);
}

/// The newest balance of one call is stored, whatever the order in the call.
pub async fn the_newest_of_one_call_is_kept(kit: &Kit) {
    let one = account(0, 1);
    let versions = [2, 5, 3].map(|version| balance(one, version));
    kit.port().put(&versions).await.unwrap();
    assert_eq!(found(kit, &[one]).await, [Some(5)]);
}

/// A removed balance is a miss. Others stay.
pub async fn what_is_forgotten_is_a_miss_until_it_is_put_again(kit: &Kit) {
    let (one, two) = (account(0, 1), account(0, 2));
    put(kit, one, 5).await;
    put(kit, two, 5).await;
    kit.port().invalidate(&[one, account(0, 3)]).await.unwrap();
    assert_eq!(found(kit, &[one, two]).await, [None, Some(5)]);
    put(kit, one, 2).await;
    assert_eq!(found(kit, &[one]).await, [Some(2)]);
}

/// One call takes more accounts than any batch of the service has.
pub async fn many_accounts_go_in_one_call(kit: &Kit) {
    let accounts: Vec<_> = (1..=3_000).map(|number| account(0, number)).collect();
    let each = accounts.iter().zip(1..);
    let balances: Vec<_> = each.map(|(one, version)| balance(*one, version)).collect();
    kit.port().put(&balances).await.unwrap();
    let all: Vec<_> = balances.iter().map(|one| Some(one.version)).collect();
    assert_eq!(found(kit, &accounts).await, all);
    kit.port().invalidate(&accounts).await.unwrap();
    assert_eq!(found(kit, &accounts).await, vec![None; accounts.len()]);
}

/// Of concurrent writers the newest balance wins, whatever the order.
pub async fn of_writers_at_once_the_newest_wins(kit: &Kit) {
    let accounts: Vec<_> = (1..=8).map(|number| account(0, number)).collect();
    for round in 0..20 {
        let versions = [3, 8, 1, 7, 2, 6, 5, 4].map(|version| round * 8 + version);
        let all = |version: Version| accounts.iter().map(move |one| balance(*one, version));
        let writes = versions.map(|version| {
            let balances: Vec<_> = all(version).collect();
            async move { kit.port().put(&balances).await.unwrap() }
        });
        join_all(writes).await;
        let newest = vec![Some(round * 8 + 8); accounts.len()];
        assert_eq!(found(kit, &accounts).await, newest);
    }
}
