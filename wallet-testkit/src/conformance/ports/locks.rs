//! Cases of a lock service.

use std::time::Duration;

use futures_util::future::join_all;

use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::{LockError, LockLease, LockManager};
use wallet_core::store::StoreErrorKind;

type Kit = crate::Kit<dyn LockManager>;

const TTL: Duration = Duration::from_secs(10);

fn name(text: &str) -> LockName {
    LockName::new(text).unwrap()
}

async fn acquire(kit: &Kit, lock: &str, owner: &str) -> Option<LockLease> {
    let owner = LockOwner::new(owner).unwrap();
    let lease = kit.port().acquire(&name(lock), &owner, TTL).await.unwrap();
    if let Some(lease) = &lease {
        assert_eq!((&lease.name, &lease.owner), (&name(lock), &owner));
    }
    lease
}

fn is_lost<T>(answer: Result<T, LockError>) -> bool {
    match answer {
        Ok(_) => false,
        Err(LockError::LeaseLost) => true,
        Err(error) => panic!("the lock service failed: {error}"),
    }
}

/// A name has one owner at a time. Other owners cannot acquire it.
pub async fn one_owner_has_a_name_at_a_time(kit: &Kit) {
    assert!(acquire(kit, "sweep", "a").await.is_some());
    for _ in 0..3 {
        assert_eq!(acquire(kit, "sweep", "b").await, None);
    }
}

/// A lease ends by itself, and not earlier.
pub async fn a_lease_ends_by_itself(kit: &Kit) {
    let lease = acquire(kit, "sweep", "a").await.unwrap();
    let now = wallet_core::runtime::Clock::now(kit.clock());
    assert_eq!(lease.until, now.saturating_add(TTL));
    kit.advance_ms(9_999);
    assert_eq!(acquire(kit, "sweep", "b").await, None);
    kit.advance_ms(1);
    assert!(acquire(kit, "sweep", "b").await.is_some());
}

/// Tokens only grow: by release, by expiry, by the same owner, and while the clock
/// stands still or steps back.
pub async fn tokens_only_grow(kit: &Kit) {
    let mut last = 0;
    for round in 0..20 {
        let owner = if round % 3 == 0 { "a" } else { "b" };
        let lease = acquire(kit, "sweep", owner).await.unwrap();
        assert!(lease.token > last, "{} after {last}", lease.token);
        last = lease.token;
        match round % 4 {
            0 => kit.advance(TTL),
            1 => {
                kit.port().release(&lease).await.unwrap();
                kit.clock().step_back(Duration::from_secs(60));
            }
            _ => kit.port().release(&lease).await.unwrap(),
        }
    }
}

/// The same owner can acquire its name again, so that an attempt with a lost answer
/// can be repeated at once.
pub async fn the_same_owner_gets_it_again_and_fences_itself(kit: &Kit) {
    let first = acquire(kit, "sweep", "a").await.unwrap();
    let second = acquire(kit, "sweep", "a").await.unwrap();
    assert!(second.token > first.token);
    assert!(is_lost(kit.port().renew(&first, TTL).await));
    assert!(is_lost(kit.port().release(&first).await));
    let renewed = kit.port().renew(&second, TTL).await.unwrap();
    assert_eq!(renewed.token, second.token);
}

/// A renewed lease lasts longer, from the time of the renewal.
pub async fn a_renewed_lease_lasts_longer(kit: &Kit) {
    let mut lease = acquire(kit, "sweep", "a").await.unwrap();
    for _ in 0..3 {
        kit.advance_ms(7_000);
        lease = kit.port().renew(&lease, TTL).await.unwrap();
        let now = wallet_core::runtime::Clock::now(kit.clock());
        assert_eq!(lease.until, now.saturating_add(TTL));
        assert_eq!(acquire(kit, "sweep", "b").await, None);
    }
    let short = Duration::from_secs(1);
    lease = kit.port().renew(&lease, short).await.unwrap();
    kit.advance(short);
    assert!(is_lost(kit.port().renew(&lease, TTL).await));
    assert!(acquire(kit, "sweep", "b").await.is_some());
}

/// A lost lease is neither renewed nor released. The current owner is not affected.
pub async fn what_was_lost_is_neither_renewed_nor_released(kit: &Kit) {
    let lost = acquire(kit, "sweep", "a").await.unwrap();
    kit.advance(TTL);
    assert!(is_lost(kit.port().renew(&lost, TTL).await), "it has ended");
    assert!(is_lost(kit.port().release(&lost).await), "it has ended");
    let held = acquire(kit, "sweep", "b").await.unwrap();
    assert!(is_lost(kit.port().renew(&lost, TTL).await));
    assert!(is_lost(kit.port().release(&lost).await));
    assert_eq!(acquire(kit, "sweep", "a").await, None, "b has it still");
    kit.port().release(&held).await.unwrap();
    assert!(is_lost(kit.port().release(&held).await), "only once");
}

/// A released name is free at once for every owner.
pub async fn a_released_name_is_free_at_once(kit: &Kit) {
    let lease = acquire(kit, "sweep", "a").await.unwrap();
    kit.port().release(&lease).await.unwrap();
    assert!(acquire(kit, "sweep", "b").await.is_some());
    assert!(is_lost(kit.port().renew(&lease, TTL).await));
}

/// Names are independent, whatever characters they have.
pub async fn names_are_kept_apart(kit: &Kit) {
    let names = ["a", "a:b", "a}", "{a", "\u{e4}"];
    let mut leases = Vec::new();
    for lock in names {
        leases.push(acquire(kit, lock, "a").await.unwrap());
    }
    kit.port().release(&leases[1]).await.unwrap();
    for lock in names {
        let free = acquire(kit, lock, "b").await.is_some();
        assert_eq!(free, lock == "a:b", "{lock}");
    }
}

/// A `ttl` that is too short or too long is refused.
pub async fn bad_leases_are_invalid(kit: &Kit) {
    let owner = LockOwner::new("a").unwrap();
    let bad = [
        Duration::ZERO,
        LockLease::TTL_MIN
            .checked_sub(Duration::from_nanos(1))
            .unwrap(),
        LockLease::TTL_MAX + Duration::from_nanos(1),
    ];
    for ttl in bad {
        let answer = kit.port().acquire(&name("sweep"), &owner, ttl).await;
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Invalid);
    }
    let lease = acquire(kit, "sweep", "b").await.expect("it is free");
    for ttl in bad {
        match kit.port().renew(&lease, ttl).await {
            Err(LockError::Store(error)) => assert_eq!(error.kind(), StoreErrorKind::Invalid),
            other => panic!("{other:?}"),
        }
    }
}

/// Of concurrent owners exactly one wins each time.
pub async fn of_owners_at_once_one_wins(kit: &Kit) {
    for round in 0..10 {
        let owners: Vec<_> = (0..10).map(|number| format!("{round}-{number}")).collect();
        let tries = owners.iter().map(|owner| acquire(kit, "sweep", owner));
        let winners: Vec<_> = join_all(tries).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        kit.port().release(&winners[0]).await.unwrap();
    }
}
