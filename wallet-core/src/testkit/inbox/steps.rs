//! What a step does, and what refuses it.

use super::InboxKit;
use super::kit::account;
use crate::{InboxStep, StoreErrorKind, Version};

/// A step moves the position, over missing versions too.
pub async fn a_step_moves_the_position(kit: &InboxKit) {
    assert!(kit.step("a", account(1), 0, 1).await);
    assert_eq!(kit.position("a", account(1)).await, 1);
    assert!(kit.step("a", account(1), 1, 2).await);
    assert_eq!(kit.position("a", account(1)).await, 2);
    assert!(kit.step("a", account(1), 2, 9).await);
    assert_eq!(kit.position("a", account(1)).await, 9);
    assert_eq!(kit.position("a", account(2)).await, 0);
}

/// A step that begins elsewhere is answered with `false` and changes nothing: one
/// made before, one from behind, one from ahead, one of an account never seen.
pub async fn a_step_from_elsewhere_changes_nothing(kit: &InboxKit) {
    assert!(kit.step("a", account(1), 0, 3).await);
    for (from, to) in [(0, 3), (0, 1), (0, 4), (2, 3), (2, 4), (4, 5)] {
        assert!(!kit.step("a", account(1), from, to).await, "{from}");
        assert_eq!(kit.position("a", account(1)).await, 3, "{from} to {to}");
    }
    assert!(!kit.step("a", account(2), 1, 2).await);
    assert_eq!(kit.position("a", account(2)).await, 0);
    assert!(kit.step("a", account(1), 3, 4).await);
    assert!(kit.step("a", account(2), 0, 1).await);
}

/// A step that does not lead forward is refused, whether or not the position
/// stands where it begins, and changes nothing.
pub async fn a_step_that_does_not_lead_forward_is_refused(kit: &InboxKit) {
    assert!(kit.step("a", account(1), 0, 3).await);
    let backward: [(Version, Version); 6] = [
        (3, 3),
        (3, 2),
        (3, 0),
        (3, -1),
        (-1, 4),
        (i64::MAX, i64::MIN),
    ];
    for (from, to) in backward.into_iter().chain([(0, 0), (-2, -1)]) {
        for number in [1, 2] {
            let account = account(number);
            let step = InboxStep { account, from, to };
            let refused = kit.inbox().advance("a", &step).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Invalid, "{from} to {to}");
        }
        assert_eq!(kit.position("a", account(1)).await, 3);
        assert_eq!(kit.position("a", account(2)).await, 0);
    }
}

/// Versions up to `i64::MAX` are kept exactly.
pub async fn versions_reach_the_end_of_their_range(kit: &InboxKit) {
    let mut from = 0;
    for to in [
        (1 << 53) + 1,
        (1 << 62) + 1,
        i64::MAX - 2,
        i64::MAX - 1,
        i64::MAX,
    ] {
        assert!(kit.step("a", account(1), from, to).await, "to {to}");
        assert_eq!(kit.position("a", account(1)).await, to);
        from = to;
    }
    assert!(!kit.step("a", account(1), i64::MAX - 1, i64::MAX).await);
    assert!(kit.step("a", account(2), 0, i64::MAX).await);
}

/// Positions outlive whoever made them.
pub async fn positions_are_durable(kit: &InboxKit) {
    assert!(kit.step("a", account(1), 0, 1).await);
    assert!(kit.step("a", account(1), 1, 2).await);
    assert!(kit.step("b", account(2), 0, 5).await);
    if !kit.reopen().await {
        return;
    }
    assert_eq!(kit.position("a", account(1)).await, 2);
    assert_eq!(kit.position("b", account(2)).await, 5);
    assert!(!kit.step("a", account(1), 0, 1).await);
    assert!(kit.step("a", account(1), 2, 3).await);
}
