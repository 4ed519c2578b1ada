//! Cases of steps, and of refused steps.

use super::kit::{InboxKit, account, advance, first};
use wallet_core::Timestamp;
use wallet_core::ledger::{Epoch, Position, Restore, Version};
use wallet_core::messaging::InboxStep;
use wallet_core::store::StoreErrorKind;

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

/// A step with another start returns `false` and changes nothing: a repeated step,
/// a step from behind, from ahead, or of an unknown account.
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

/// A step that does not lead forward is refused and changes nothing, whether or not
/// the position is at its start.
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
            let (from, to) = (first(from), first(to));
            let step = InboxStep { account, from, to };
            let refused = kit.inbox().advance("a", &step).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Invalid, "{from} to {to}");
        }
        assert_eq!(kit.position("a", account(1)).await, 3);
        assert_eq!(kit.position("a", account(2)).await, 0);
    }
}

/// Versions up to `i64::MAX` are stored exactly.
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

/// A step to a later epoch leads forward whatever the versions are, and one to an
/// earlier epoch never does. Each starts at the account's epoch and version.
pub async fn a_later_epoch_is_ahead_of_any_version(kit: &InboxKit) {
    let account = account(1);
    let at = |epoch, version| Position::new(Epoch::new(epoch).unwrap(), version);
    let step = |from, to| InboxStep { account, from, to };
    let inbox = kit.inbox();
    assert!(kit.step("a", account, 0, 7).await);
    let restored = step(at(1, 7), at(2, 6));
    assert!(advance(inbox.as_ref(), "a", &restored).await);
    assert_eq!(kit.place("a", account).await, at(2, 6));
    // A repeated step, a step from a lost position, and a step from another epoch's
    // version.
    let elsewhere = [
        restored,
        step(at(1, 6), at(2, 7)),
        step(at(3, 6), at(3, 7)),
        step(at(1, 6), at(1, 8)),
    ];
    for step in elsewhere {
        assert!(!advance(inbox.as_ref(), "a", &step).await, "{step:?}");
        assert_eq!(kit.place("a", account).await, at(2, 6));
    }
    for (from, to) in [
        (at(2, 6), at(1, 9)),
        (at(2, 0), at(2, 1)),
        (at(2, 6), at(3, 0)),
    ] {
        let refused = inbox.advance("a", &step(from, to)).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid, "{from} to {to}");
    }
    let far = at(Epoch::MAX, 1);
    assert!(advance(inbox.as_ref(), "a", &step(at(2, 6), far)).await);
    drop(inbox);
    if kit.reopen().await {
        assert_eq!(kit.place("a", account).await, far);
    }
}

/// A consumer's restores are ordered by epoch, each once, with the earlier of two
/// times. Other consumers have their own. They are durable.
pub async fn restores_are_noted_once(kit: &InboxKit) {
    let restore = |epoch, at| Restore {
        epoch: Epoch::new(epoch).unwrap(),
        restored_to: Timestamp::from_micros(at),
    };
    let inbox = kit.inbox();
    assert_eq!(inbox.restores("a").await.unwrap(), []);
    let noted = [
        ("a", restore(Epoch::MAX, 7)),
        ("a", restore(2, 50)),
        ("b", restore(3, -5)),
        ("a", restore(2, 60)),
        ("a", restore(2, 40)),
        ("a", restore(2, 45)),
    ];
    for (name, restore) in noted {
        inbox.note_restore(name, &restore).await.unwrap();
    }
    let long = "x".repeat(InboxStep::CONSUMER_BYTES_MAX + 1);
    for name in ["", &long] {
        let refused = inbox.restores(name).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
        let refused = inbox.note_restore(name, &noted[0].1).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    }
    drop(inbox);
    for _ in 0..2 {
        let inbox = kit.inbox();
        let listed = inbox.restores("a").await.unwrap();
        assert_eq!(listed, [restore(2, 40), restore(Epoch::MAX, 7)]);
        assert_eq!(inbox.restores("b").await.unwrap(), [restore(3, -5)]);
        assert_eq!(inbox.restores("A").await.unwrap(), []);
        drop(inbox);
        if !kit.reopen().await {
            return;
        }
    }
}

/// Positions are durable.
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
