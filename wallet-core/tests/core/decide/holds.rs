//! Holds: placed, captured, released, expired.

use std::time::Duration;

use crate::support::{
    A, B, NOW, SECOND, World, amount, cents, fresh, hold_changed, hold_id, leg, posted, transfer_id,
};
use wallet_core::ledger::{Counters, Decided, EffectKind, HoldStatus, TransferKind};
use wallet_core::request::Expire;
use wallet_core::{
    Capture, Currency, HoldId, Money, PlaceHold, PostTransfer, Receipt, Rejected, Rejection,
    Release, Status, Timestamp,
};

const H: HoldId = hold_id(1);

/// Debits pending and posted of A, credits pending and posted of B.
fn sums(world: &World) -> [i128; 4] {
    let (from, to) = (world.counters(A), world.counters(B));
    [
        from.debits_pending,
        from.debits_posted,
        to.credits_pending,
        to.credits_posted,
    ]
}

fn rejection(result: Result<Receipt, Rejected>) -> Option<Rejection> {
    result.err().map(|rejected| rejected.rejection)
}

#[test]
fn placing_reserves_on_both_sides_without_entries() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    let life = Duration::from_secs(60);
    let command = PlaceHold::new(A, B, cents(100)).with_id(H);
    let placed = hold_changed(world.run(command.with_expires_in(life)).unwrap());
    assert_eq!(sums(&world), [100, 0, 100, 0]);
    assert_eq!(world.counters(A).available(), 900);
    assert_eq!(placed.hold, world.hold(H));
    assert_eq!(placed.hold.remaining(), 100);
    assert_eq!(placed.hold.created_at, NOW);
    assert_eq!(placed.hold.expires_at, Some(NOW.saturating_add(life)));
    let effects = placed.effects.iter();
    let effects: Vec<_> = effects
        .map(|effect| (effect.account, effect.kind, effect.version, effect.entry))
        .collect();
    let kind = EffectKind::HoldPlaced;
    assert_eq!(effects, [(A, kind, 2, None), (B, kind, 2, None)]);
    assert_eq!(world.state(A).sequence, 0);
}

#[test]
fn a_full_capture_posts_and_ends_the_hold() {
    let mut world = World::with_hold(100);
    let posted = world.post(Capture::new(H));
    assert_eq!(sums(&world), [0, 100, 0, 100]);
    assert_eq!(posted.transfer.kind, TransferKind::Capture);
    assert_eq!(posted.transfer.hold, Some(H));
    assert_eq!(posted.transfer.legs, [leg(A, B, 100)]);
    let hold = *posted.hold.unwrap();
    assert_eq!(hold, world.hold(H));
    assert_eq!((hold.captured, hold.released), (100, 0));
    assert_eq!(hold.status, HoldStatus::Captured);
    let effects = posted.effects.iter();
    let effects: Vec<_> = effects
        .map(|effect| (effect.account, effect.kind, effect.version))
        .collect();
    let kind = EffectKind::HoldCaptured;
    assert_eq!(effects, [(A, kind, 2), (B, kind, 2)]);
    assert_eq!(world.state(A).sequence, 1);
    assert_eq!(
        rejection(world.ask(Capture::new(H))),
        Some(Rejection::HoldNotPending)
    );
}

/// The worked example of ADR 33.
#[test]
fn money_of_another_currency_is_not_captured() {
    let mut world = World::with_hold(60);
    world.post(Capture::new(H).with_amount(amount(50)));
    let money = |minor, code, exponent| {
        Money::minor(minor, Currency::new(code, exponent).unwrap()).unwrap()
    };
    for (money, expected) in [
        (money(10, "POINTS", 0), Rejection::CurrencyMismatch),
        (money(11, "POINTS", 0), Rejection::CaptureExceedsHold),
        (money(10, "EUR", 3), Rejection::CurrencyExponentMismatch),
    ] {
        let refused = world.ask(Capture::new(H).with_money(money)).unwrap_err();
        assert_eq!((refused.rejection, refused.subject), (expected, H.uuid()));
    }
    let rest = world.post(Capture::new(H).with_money(cents(10)));
    assert_eq!(rest.hold.unwrap().status, HoldStatus::Captured);
}

/// The worked example of ADR 34.
#[test]
fn a_capture_without_a_reference_has_that_of_its_hold() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    let hold = PlaceHold::new(A, B, cents(60)).with_id(H);
    let hold = hold.with_reference("order-7").unwrap();
    let hold = hold.with_description("room 12").unwrap().with_code(4);
    world.run(hold).unwrap();
    for (given, shown) in [
        (None, "order-7"),
        (Some("invoice-1"), "invoice-1"),
        (None, "order-7"),
    ] {
        let mut capture = Capture::new(H).with_amount(amount(20)).with_is_final(false);
        if let Some(given) = given {
            capture = capture.with_reference(given).unwrap();
        }
        let details = posted(world.run(capture).unwrap()).transfer.details;
        assert_eq!(details.reference.unwrap().as_str(), shown);
        // Nothing else is taken over.
        assert_eq!((details.code, details.description), (0, None));
    }
    assert_eq!(world.hold(H).status, HoldStatus::Captured);
}

#[test]
fn captures_in_parts_end_the_hold_when_nothing_remains() {
    let mut world = World::with_hold(100);
    let part = world.post(Capture::new(H).with_amount(amount(30)));
    assert_eq!(part.hold.unwrap().status, HoldStatus::Pending);
    assert_eq!(sums(&world), [70, 30, 70, 30]);
    let above = world.ask(Capture::new(H).with_amount(amount(71)));
    assert_eq!(rejection(above), Some(Rejection::CaptureExceedsHold));
    let rest = world.post(Capture::new(H));
    assert_eq!(rest.transfer.legs, [leg(A, B, 70)]);
    assert_eq!(rest.hold.unwrap().status, HoldStatus::Captured);
    assert_eq!(sums(&world), [0, 100, 0, 100]);
}

#[test]
fn a_final_capture_gives_the_rest_back() {
    let mut world = World::with_hold(100);
    let command = Capture::new(H).with_amount(amount(30));
    let posted = world.post(command.with_is_final(true));
    let hold = *posted.hold.unwrap();
    assert_eq!((hold.captured, hold.released), (30, 70));
    assert_eq!(hold.status, HoldStatus::Captured);
    assert_eq!(sums(&world), [0, 30, 0, 30]);
    assert_eq!(world.counters(A).available(), 970);
}

#[test]
fn a_capture_that_is_not_final_still_ends_a_hold_of_which_nothing_remains() {
    let mut world = World::with_hold(100);
    let command = Capture::new(H).with_amount(amount(99));
    let posted = world.post(command.with_is_final(false));
    assert_eq!(posted.hold.unwrap().status, HoldStatus::Pending);
    let posted = world.post(Capture::new(H).with_is_final(false));
    assert_eq!(posted.hold.unwrap().status, HoldStatus::Captured);
    assert_eq!(sums(&world), [0, 100, 0, 100]);
}

#[test]
fn a_release_gives_back_what_was_not_captured() {
    let mut world = World::with_hold(100);
    world.post(Capture::new(H).with_amount(amount(30)));
    let released = hold_changed(world.run(Release::new(H)).unwrap());
    let hold = released.hold;
    assert_eq!((hold.captured, hold.released), (30, 70));
    assert_eq!(hold.status, HoldStatus::Released);
    assert_eq!(sums(&world), [0, 30, 0, 30]);
    let kinds: Vec<_> = released
        .effects
        .iter()
        .map(|one| (one.kind, one.version))
        .collect();
    assert_eq!(kinds, [(EffectKind::HoldReleased, 3); 2]);
    assert_eq!(world.state(A).sequence, 1);
    assert_eq!(
        rejection(world.ask(Release::new(H))),
        Some(Rejection::HoldNotPending)
    );
}

#[test]
fn a_hold_is_captured_until_just_before_its_time_and_expired_from_then_on() {
    let mut world = World::with_hold(100);
    let mut hold = world.hold(H);
    hold.expires_at = Some(NOW);
    world.put_hold(hold);
    world.now = Timestamp::from_micros(NOW.as_micros() - 1);
    let early = world.ask(Expire::new(H));
    assert_eq!(rejection(early), Some(Rejection::HoldNotExpired));
    assert!(world.ask(Capture::new(H)).is_ok());

    world.now = NOW;
    let late = world.ask(Capture::new(H));
    assert_eq!(rejection(late), Some(Rejection::HoldExpired));
    assert!(world.ask(Release::new(H)).is_ok());
    let expired = hold_changed(world.run(Expire::new(H)).unwrap());
    assert_eq!(expired.hold.status, HoldStatus::Expired);
    assert_eq!(expired.hold.released, 100);
    assert_eq!(expired.effects[0].kind, EffectKind::HoldExpired);
    assert_eq!(sums(&world), [0, 0, 0, 0]);
}

#[test]
fn expiry_is_judged_by_the_clock_not_by_an_account_that_runs_ahead() {
    let mut world = World::with_hold(100);
    let mut hold = world.hold(H);
    hold.expires_at = Some(Timestamp::from_micros(NOW.as_micros() + 1));
    world.put_hold(hold);
    world.edit(A).last_at = Timestamp::from_micros(NOW.as_micros() + SECOND);
    let early = world.ask(Expire::new(H));
    assert_eq!(rejection(early), Some(Rejection::HoldNotExpired));
    assert!(world.ask(Capture::new(H)).is_ok());
}

#[test]
fn only_a_full_freeze_stops_capture_and_release_and_nothing_stops_expiry() {
    for (status, stops) in [
        (Status::Active, false),
        (Status::DebitsFrozen, false),
        (Status::CreditsFrozen, false),
        (Status::Frozen, true),
    ] {
        for account in [A, B] {
            let mut world = World::with_hold(100);
            let mut hold = world.hold(H);
            world.edit(account).status = status;
            let refused = stops.then_some(Rejection::AccountFrozen);
            assert_eq!(rejection(world.ask(Capture::new(H))), refused);
            assert_eq!(rejection(world.ask(Release::new(H))), refused);
            hold.expires_at = Some(NOW);
            world.put_hold(hold);
            assert_eq!(rejection(world.ask(Expire::new(H))), None, "{status:?}");
        }
    }
}

#[test]
fn a_freeze_of_one_side_stops_new_holds_on_that_side_only() {
    for (status, on, towards) in [
        (Status::DebitsFrozen, true, false),
        (Status::CreditsFrozen, false, true),
        (Status::Frozen, true, true),
    ] {
        let mut world = World::with(&[(A, 100), (B, 100)]);
        world.edit(A).status = status;
        let refused = |stops: bool| stops.then_some(Rejection::AccountFrozen);
        let leaving = world.ask(PlaceHold::new(A, B, cents(1)));
        assert_eq!(rejection(leaving), refused(on), "{status:?}");
        let coming = world.ask(PlaceHold::new(B, A, cents(1)));
        assert_eq!(rejection(coming), refused(towards), "{status:?}");
        let leaving = world.ask(PostTransfer::new(vec![leg(A, B, 1)]));
        assert_eq!(rejection(leaving), refused(on), "{status:?}");
        let coming = world.ask(PostTransfer::new(vec![leg(B, A, 1)]));
        assert_eq!(rejection(coming), refused(towards), "{status:?}");
    }
}

#[test]
fn a_capture_needs_neither_funds_nor_room_beyond_what_was_held() {
    let mut world = World::with_hold(100);
    world.edit(A).counters.debits_posted = 1000;
    world.edit(B).max_balance = Some(amount(100));
    world.post(Capture::new(H));
    assert_eq!(world.counters(A).available(), -100);
    assert_eq!(world.posted(B), 100);
}

#[test]
fn a_hold_placed_earlier_in_the_batch_is_captured_in_parts_and_released() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    let requests = vec![
        world.request(PlaceHold::new(A, B, cents(100)).with_id(H)),
        world.request(Capture::new(H).with_amount(amount(30))),
        world.request(Capture::new(H).with_amount(amount(71))),
        world.request(Release::new(H)),
        world.request(Capture::new(H)),
    ];
    let decision = world.decide(requests.clone());
    assert_eq!(decision.changes.holds.len(), 1);
    assert!(decision.changes.holds[0].is_new);
    assert_eq!(decision.changes.holds[0].hold.status, HoldStatus::Released);
    let decided = world.commit(requests);
    let result = |index: usize| fresh(&decided[index]).result.clone();
    assert!(result(1).is_ok());
    assert_eq!(
        result(2).unwrap_err().rejection,
        Rejection::CaptureExceedsHold
    );
    assert!(result(3).is_ok());
    assert_eq!(result(4).unwrap_err().rejection, Rejection::HoldNotPending);
    assert_eq!(sums(&world), [0, 30, 0, 30]);
    assert_eq!(world.state(A).version, 4);
    let hold = world.hold(H);
    assert_eq!((hold.captured, hold.released), (30, 70));
}

#[test]
fn one_request_places_and_captures_and_a_refused_one_leaves_no_hold() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    let place = PlaceHold::new(A, B, cents(100)).with_id(H);
    let fails = vec![
        place.clone().into(),
        Capture::new(H).with_amount(amount(60)).into(),
        Capture::new(H).with_amount(amount(60)).into(),
    ];
    let works = vec![place.into(), Capture::new(H).with_id(transfer_id(1)).into()];
    let requests = vec![world.requests(fails), world.requests(works)];
    let decided = world.commit(requests);
    let refused = fresh(&decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::CaptureExceedsHold);
    assert_eq!(refused.command, 2);
    let captured = posted(fresh(&decided[1]).receipts()[1].clone());
    assert_eq!(captured.transfer.key.id, transfer_id(1));
    assert_eq!(sums(&world), [0, 100, 0, 100]);
    assert_eq!(world.state(A).version, 3);
}

#[test]
fn a_hold_without_an_expiry_never_expires() {
    let mut world = World::with_hold(100);
    world.now = Timestamp::from_micros(i64::MAX);
    let refused = world.ask(Expire::new(H));
    assert_eq!(rejection(refused), Some(Rejection::HoldNotExpired));
}

#[test]
fn a_sweep_that_comes_too_early_is_not_recorded_and_one_in_time_is() {
    let mut world = World::with_hold(100);
    let mut hold = world.hold(H);
    hold.expires_at = Some(Timestamp::from_micros(NOW.as_micros() + 1));
    world.put_hold(hold);
    let early = world.decide(vec![world.sweep(H)]);
    let ahead_micros = 0;
    assert_eq!(early.decided, [Decided::ClockBehind { ahead_micros }]);
    assert!(early.changes.is_empty());
    assert_eq!(early.changes, wallet_core::store::ChangeSet::default());

    world.now = Timestamp::from_micros(NOW.as_micros() + 1);
    let decided = world.commit(vec![world.sweep(H)]);
    assert!(fresh(&decided[0]).result.is_ok());
    assert_eq!(sums(&world), [0, 0, 0, 0]);
    let again = world.commit(vec![world.sweep(H)]);
    assert_eq!(again, [Decided::Replayed(fresh(&decided[0]).clone())]);
}

#[test]
fn a_sweep_of_a_hold_that_ended_is_refused_for_good() {
    let mut world = World::with_hold(100);
    world.post(Capture::new(H));
    let decided = world.commit(vec![world.sweep(H)]);
    let refused = fresh(&decided[0]).result.clone().unwrap_err();
    assert_eq!(refused.rejection, Rejection::HoldNotPending);
    assert_eq!(
        world.counters(A),
        Counters {
            credits_posted: 1000,
            debits_posted: 100,
            ..Counters::default()
        }
    );
}

#[test]
fn a_damaged_hold_of_an_account_against_itself_moves_nothing() {
    let mut world = World::with_hold(100);
    let mut hold = world.hold(H);
    hold.to = A;
    hold.expires_at = Some(NOW);
    world.put_hold(hold.clone());
    let refused = Some(Rejection::AccountNotFound);
    assert_eq!(rejection(world.ask(Release::new(H))), refused);
    assert_eq!(rejection(world.ask(Expire::new(H))), refused);
    hold.expires_at = None;
    world.put_hold(hold);
    assert_eq!(rejection(world.ask(Capture::new(H))), refused);
}

#[test]
fn a_hold_until_a_time_ends_then_whenever_it_was_placed() {
    let mut world = World::with(&[(A, 1000), (B, 0)]);
    // The paying account lives a second ahead of the clock.
    world.edit(A).last_at = Timestamp::from_micros(NOW.as_micros() + SECOND);
    let until = |micros: i64| Timestamp::from_micros(NOW.as_micros() + micros);
    let place = |at| PlaceHold::new(A, B, cents(100)).with_expires_at(at);
    let id = hold_id(1);
    let placed = hold_changed(world.run(place(until(5)).with_id(id)).unwrap());
    assert_eq!(placed.hold.expires_at, Some(until(5)));
    world.now = until(4);
    assert!(world.ask(Capture::new(id)).is_ok());
    world.now = until(5);
    let late = world.ask(Capture::new(id)).unwrap_err();
    assert_eq!(late.rejection, Rejection::HoldExpired);
}

#[test]
fn the_end_of_a_hold_lies_after_now_and_at_most_ten_years_ahead() {
    let world = World::with(&[(A, 1000), (B, 0)]);
    let place = |micros: i64| {
        let at = Timestamp::from_micros(NOW.as_micros() + micros);
        let placed = world.ask(PlaceHold::new(A, B, cents(100)).with_expires_at(at));
        placed.err().map(|rejected| rejected.rejection)
    };
    let ten_years = 10 * 366 * 86_400 * SECOND;
    assert_eq!(place(-SECOND), Some(Rejection::ExpiryPassed));
    assert_eq!(place(0), Some(Rejection::ExpiryPassed));
    assert_eq!((place(1), place(ten_years)), (None, None));
    assert_eq!(place(ten_years + 1), Some(Rejection::ExpiryTooFar));
}
