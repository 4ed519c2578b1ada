//! Holds: placing, capturing, releasing, expiring, listing.

use std::sync::Arc;
use std::time::Duration;

use super::steps::{
    amount, at_home, cents, deposit, eur, given, held, of_another_currency, owner, posted,
    receipts, refusal, request, transfer,
};
use crate::StoreKit;
use crate::store_kit::{fresh, replayed};
use wallet_core::ledger::{Decided, Details, EffectKind, HoldStatus, TransferKind};
use wallet_core::request::{Expire, PreparedRequest, ReverseWhat};
use wallet_core::store::{CaptureQuery, HoldQuery, HoldReferenceQuery, ReferenceQuery};
use wallet_core::{
    AccountId, Capture, ChangeStatus, Command, HoldId, LedgerId, OpenAccount, PlaceHold, Reference,
    Rejection, Release, Reverse, Status,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A hold with an expiry time is the same request when it is repeated later. It
/// ends at that time. A time in the past is refused for good.
pub async fn a_hold_until_a_time_is_the_same_request_again(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let until = kit.now().saturating_add(Duration::from_secs(10));
    let place = |at| PlaceHold::new(ada, bob, cents(40)).with_expires_at(Some(at));
    let submit = async |text: &str, at| kit.submit(request(text, place(at))).await;
    let first = fresh(submit("until", until).await);
    kit.advance(Duration::from_secs(3));
    let again = submit("until", until).await;
    assert_eq!(again, Decided::Replayed(Arc::clone(&first)));
    let hold = held(&receipts(&first)[0]);
    assert_eq!(hold.expires_at, Some(until));
    let late = submit("late", kit.now()).await;
    let refused = fresh(late);
    assert_eq!(refusal(&refused).rejection, Rejection::ExpiryPassed);
    kit.advance(Duration::from_secs(7));
    assert_eq!(
        kit.refuse(Capture::new(hold.key.id)).await,
        Rejection::HoldExpired
    );
    let again = submit("late", kit.now().saturating_sub(Duration::from_secs(7))).await;
    assert_eq!(again, Decided::Replayed(refused));
    kit.accept(Expire::new(hold.key.id)).await;
    assert_eq!(kit.balances(ada).await, (100, 100));
}

/// A hold reserves money without a movement. Its capture moves the money and ends
/// the hold.
pub async fn a_capture_posts_what_was_held(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 60).await;
    assert_eq!(kit.balances(ada).await, (100, 40));
    assert_eq!(kit.balances(bob).await, (0, 0));
    assert_eq!(kit.account(bob).await.state.counters.credits_pending, 60);
    let more = kit.refuse(transfer(ada, bob, 41)).await;
    assert_eq!(more, Rejection::InsufficientFunds);
    let receipt = kit.accept(Capture::new(hold)).await;
    let capture = posted(&receipt);
    assert_eq!(capture.transfer.kind, TransferKind::Capture);
    assert_eq!(capture.transfer.hold, Some(hold));
    let kinds: Vec<_> = capture.effects.iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::HoldCaptured; 2]);
    let now = kit.hold_now(hold).await;
    assert_eq!(now, held(&receipt));
    assert_eq!((now.captured, now.released), (60, 0));
    assert_eq!(now.status, HoldStatus::Captured);
    assert_eq!(kit.balances(ada).await, (40, 40));
    assert_eq!(kit.balances(bob).await, (60, 60));
    assert_eq!(kit.account(bob).await.state.counters.credits_pending, 0);
}

/// Partial captures add up. The hold ends when nothing remains.
pub async fn captures_of_parts_add_up(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 60).await;
    for (part, captured, status) in [
        (10, 10, HoldStatus::Pending),
        (20, 30, HoldStatus::Pending),
        (30, 60, HoldStatus::Captured),
    ] {
        kit.accept(Capture::new(hold).with_amount(Some(amount(part))))
            .await;
        let now = kit.hold_now(hold).await;
        assert_eq!((now.captured, now.status), (captured, status));
        assert_eq!(kit.balances(ada).await, (100 - captured, 40));
    }
    let again = kit.refuse(Capture::new(hold)).await;
    assert_eq!(again, Rejection::HoldNotPending);
}

/// A final partial capture releases the rest.
pub async fn a_final_capture_gives_the_rest_back(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 60).await;
    let last = Capture::new(hold)
        .with_amount(Some(amount(15)))
        .with_is_final(Some(true));
    kit.accept(last).await;
    let now = kit.hold_now(hold).await;
    assert_eq!((now.captured, now.released), (15, 45));
    assert_eq!(now.status, HoldStatus::Captured);
    assert_eq!(kit.balances(ada).await, (85, 85));
    assert_eq!(kit.account(bob).await.state.counters.credits_pending, 0);
}

/// No capture exceeds the remaining amount.
pub async fn a_capture_beyond_the_hold_is_refused(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 60).await;
    let take = |minor| Capture::new(hold).with_amount(Some(amount(minor)));
    assert_eq!(kit.refuse(take(61)).await, Rejection::CaptureExceedsHold);
    kit.accept(take(50)).await;
    assert_eq!(kit.refuse(take(11)).await, Rejection::CaptureExceedsHold);
    // Ten of something else are not ten of this.
    let points = Capture::new(hold).with_money(of_another_currency(10));
    assert_eq!(kit.refuse(points).await, Rejection::CurrencyMismatch);
    assert_eq!(kit.hold_now(hold).await.captured, 50);
    assert_eq!(kit.balances(ada).await, (50, 40));
}

/// A release returns the remaining amount and ends the hold.
pub async fn a_release_gives_back_what_is_left(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let hold = kit.hold(ada, bob, 60).await;
    kit.accept(Capture::new(hold).with_amount(Some(amount(20))))
        .await;
    let receipt = kit.accept(Release::new(hold)).await;
    let now = kit.hold_now(hold).await;
    assert_eq!(now, held(&receipt));
    assert_eq!((now.captured, now.released), (20, 40));
    assert_eq!(now.status, HoldStatus::Released);
    assert_eq!(kit.balances(ada).await, (80, 80));
    assert_eq!(kit.balances(bob).await, (20, 20));
    let commands: [Command; 3] = [
        Capture::new(hold).into(),
        Release::new(hold).into(),
        Expire::new(hold).into(),
    ];
    for command in commands {
        assert_eq!(kit.refuse(command).await, Rejection::HoldNotPending);
    }
}

/// A missing hold can be neither captured nor released, and a hold's id is used
/// only once.
pub async fn a_hold_is_known_by_its_id(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let id = HoldId::new(given(7));
    for command in [Command::from(Capture::new(id)), Release::new(id).into()] {
        assert_eq!(kit.refuse(command).await, Rejection::HoldNotFound);
    }
    let place = PlaceHold::new(ada, bob, cents(10)).with_id(Some(id));
    kit.accept(place.clone()).await;
    assert_eq!(kit.refuse(place.clone()).await, Rejection::IdTaken);
    kit.accept(Release::new(id)).await;
    assert_eq!(kit.refuse(place).await, Rejection::IdTaken);
    let keys = [HoldId::new(given(404)), id].map(at_home);
    let found = kit.store().holds(&keys).await.unwrap();
    assert_eq!(found, [None, Some(kit.hold_now(id).await)]);
}

/// A hold reads back with every field, also after a reopen.
pub async fn a_hold_reads_back_whole(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let details = Details {
        code: 7,
        reference: Some(Reference::new("room 12").unwrap()),
        ..Details::default()
    };
    let place = PlaceHold::new(ada, bob, cents(10))
        .with_expires_in(Some(MINUTE))
        .with_details(details.clone());
    let hold = held(&kit.accept(place).await);
    assert_eq!((hold.from, hold.to, hold.money), (ada, bob, cents(10)));
    assert_eq!(
        hold.expires_at,
        Some(hold.created_at.saturating_add(MINUTE))
    );
    assert_eq!(hold.details, details);
    kit.reopen().await;
    assert_eq!(kit.hold_now(hold.key.id).await, hold);
}

/// Within one request, and within one batch, a new hold can be captured.
pub async fn a_hold_placed_just_before_can_be_captured(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let (one, two) = (HoldId::new(given(1)), HoldId::new(given(2)));
    let place = |id| PlaceHold::new(ada, bob, cents(10)).with_id(Some(id));
    let outcome = kit
        .decide(vec![place(one).into(), Capture::new(one).into()])
        .await;
    assert_eq!(receipts(&outcome).len(), 2);
    let requests = [Command::from(place(two)), Capture::new(two).into()];
    let requests =
        requests.map(|command| kit.prepare(wallet_core::Request::new(kit.fresh_key(), command)));
    for decided in kit.transact(requests.to_vec()).await {
        receipts(&fresh(decided));
    }
    assert_eq!(kit.hold_now(two).await.status, HoldStatus::Captured);
    assert_eq!(kit.balances(bob).await, (20, 20));
}

/// Frozen debits or credits stop new holds, but not the end of old ones. A frozen
/// account stops captures and releases too.
pub async fn a_frozen_account_still_honours_its_holds(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let holds = [kit.hold(ada, bob, 10).await, kit.hold(ada, bob, 10).await];
    for (account, status) in [(ada, Status::DebitsFrozen), (bob, Status::CreditsFrozen)] {
        kit.accept(ChangeStatus::new(account, status)).await;
    }
    let new = kit.refuse(PlaceHold::new(ada, bob, cents(1))).await;
    assert_eq!(new, Rejection::AccountFrozen);
    kit.accept(Capture::new(holds[0]).with_amount(Some(amount(5))))
        .await;
    kit.accept(Release::new(holds[1])).await;
    kit.accept(ChangeStatus::new(ada, Status::Frozen)).await;
    for command in [
        Command::from(Capture::new(holds[0])),
        Release::new(holds[0]).into(),
    ] {
        assert_eq!(kit.refuse(command).await, Rejection::AccountFrozen);
    }
    assert_eq!(kit.balances(ada).await, (95, 90));
}

/// From its expiry time on a hold cannot be captured, only expired, whatever the
/// status of its accounts.
pub async fn an_expired_hold_can_only_be_expired(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let place = PlaceHold::new(ada, bob, cents(10)).with_expires_in(Some(MINUTE));
    let hold = held(&kit.accept(place).await).key.id;
    kit.advance(MINUTE.saturating_sub(Duration::from_micros(1)));
    assert_eq!(
        kit.refuse(Expire::new(hold)).await,
        Rejection::HoldNotExpired
    );
    kit.accept(Capture::new(hold).with_amount(Some(amount(3))))
        .await;
    kit.advance(Duration::from_micros(1));
    assert_eq!(kit.refuse(Capture::new(hold)).await, Rejection::HoldExpired);
    assert_eq!(kit.balances(ada).await, (97, 90));
    kit.accept(ChangeStatus::new(ada, Status::Frozen)).await;
    kit.accept(Expire::new(hold)).await;
    let now = kit.hold_now(hold).await;
    assert_eq!((now.captured, now.released), (3, 7));
    assert_eq!(now.status, HoldStatus::Expired);
    assert_eq!(kit.balances(ada).await, (97, 97));
}

/// A sweep that is too early records nothing. A later sweep expires the hold once,
/// and any other sweep is a replay.
pub async fn the_sweep_expires_a_hold_once(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let place = PlaceHold::new(ada, bob, cents(10)).with_expires_in(Some(MINUTE));
    let hold = held(&kit.accept(place).await).key;
    let ids = crate::SeededIds::new(99);
    let sweep = || Arc::new(PreparedRequest::expiry(hold, &ids));
    let early = kit.transact(vec![sweep()]).await.remove(0);
    assert!(matches!(early, Decided::ClockBehind { .. }), "{early:?}");
    let key = sweep().key();
    assert_eq!(kit.store().records(&[key]).await.unwrap(), [None]);
    kit.advance(MINUTE);
    let first = fresh(kit.transact(vec![sweep()]).await.remove(0));
    assert_eq!(held(&receipts(&first)[0]).status, HoldStatus::Expired);
    let second = replayed(kit.transact(vec![sweep()]).await.remove(0));
    assert_eq!(second, first);
    assert_eq!(kit.balances(ada).await, (100, 100));
}

/// Expired holds are listed with the longest expired first, up to the limit, and
/// only pending ones.
pub async fn expired_holds_come_longest_expired_first(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let mut holds = Vec::new();
    for minutes in [5, 3, 4, 1, 2] {
        let place = PlaceHold::new(ada, bob, cents(1)).with_expires_in(Some(MINUTE * minutes));
        holds.push(held(&kit.accept(place).await).key);
    }
    kit.hold(ada, bob, 1).await;
    let store = kit.store();
    assert_eq!(store.expired_holds(10).await.unwrap(), []);
    kit.advance(MINUTE * 4);
    let all = [holds[3], holds[4], holds[1], holds[2]];
    assert_eq!(store.expired_holds(10).await.unwrap(), all);
    assert_eq!(store.expired_holds(2).await.unwrap(), all[..2]);
    assert_eq!(store.expired_holds(0).await.unwrap(), []);
    kit.accept(Release::new(holds[4].id)).await;
    kit.accept(Expire::new(holds[3].id)).await;
    assert_eq!(store.expired_holds(10).await.unwrap(), all[2..]);
}

/// Expired holds of every ledger are listed in one order of time.
pub async fn expired_holds_of_every_ledger_are_returned(kit: &StoreKit) {
    if !kit.drives_the_clock() {
        return;
    }
    let (ada, bob) = (AccountId::new(given(1)), AccountId::new(given(2)));
    let mut right = Vec::new();
    for (ledger, minutes) in [(5, 3), (0, 2), (u32::MAX, 1)] {
        let ledger = LedgerId::new(ledger);
        let open = |id| OpenAccount::new(owner("x"), eur()).with_id(Some(id));
        let place = PlaceHold::new(ada, bob, cents(1)).with_expires_in(Some(MINUTE * minutes));
        let commands = vec![
            open(ada).into(),
            open(bob).into(),
            deposit(ada, 1).into(),
            place.into(),
        ];
        let request = wallet_core::Request::of_many(kit.fresh_key(), commands).in_ledger(ledger);
        let outcome = fresh(kit.submit(request).await);
        let key = held(&receipts(&outcome)[3]).key;
        assert_eq!(key.ledger, ledger);
        right.insert(0, key);
    }
    kit.advance(MINUTE * 3);
    let expired = kit.store().expired_holds(u32::MAX).await.unwrap();
    assert_eq!(expired, right);
}

/// Holds are listed for both of their accounts, by status, page by page.
pub async fn holds_are_listed_for_both_accounts(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let eve = kit.open("eve").await;
    kit.accept(deposit(bob, 100)).await;
    let one = kit.hold(ada, bob, 1).await;
    let two = kit.hold(bob, ada, 2).await;
    let three = kit.hold(ada, eve, 3).await;
    kit.accept(Release::new(two)).await;
    let list = async |account: AccountId, status, after, limit| {
        let query = HoldQuery {
            account: at_home(account),
            status,
            after,
            limit,
        };
        let holds = kit.store().list_holds(&query).await.unwrap();
        holds.iter().map(|hold| hold.key.id).collect::<Vec<_>>()
    };
    assert_eq!(list(ada, None, None, 10).await, [one, two, three]);
    assert_eq!(list(bob, None, None, 10).await, [one, two]);
    assert_eq!(list(eve, None, None, 10).await, [three]);
    let pending = Some(HoldStatus::Pending);
    assert_eq!(list(ada, pending, None, 10).await, [one, three]);
    assert_eq!(list(ada, Some(HoldStatus::Released), None, 10).await, [two]);
    assert_eq!(list(ada, pending, None, 1).await, [one]);
    assert_eq!(list(ada, pending, Some(one), 1).await, [three]);
    assert_eq!(list(ada, None, Some(three), 10).await, []);
}

/// A hold that the floor or a missing account forbids is refused and has no effect.
pub async fn a_refused_hold_reserves_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    kit.hold(ada, bob, 100).await;
    let outcome = kit
        .decide(vec![PlaceHold::new(ada, bob, cents(1)).into()])
        .await;
    let rejected = refusal(&outcome);
    assert_eq!(rejected.rejection, Rejection::InsufficientFunds);
    assert_eq!(rejected.subject, ada.uuid());
    let nobody = AccountId::new(given(404));
    let outcome = kit.refuse(PlaceHold::new(ada, nobody, cents(1))).await;
    assert_eq!(outcome, Rejection::AccountNotFound);
    assert_eq!(kit.balances(ada).await, (100, 0));
}

/// Holds of a reference are paged by id, in their current state, and no others.
pub async fn holds_are_found_by_reference(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let mut keys = Vec::new();
    for text in ["order-1", "order-2", "order-1", "order-1"] {
        let place = PlaceHold::new(ada, bob, cents(10));
        let place = place.with_reference(text).expect("a reference");
        keys.push(held(&kit.accept(place).await).key);
    }
    kit.hold(ada, bob, 1).await;
    kit.accept(Release::new(keys[2].id)).await;
    let mut query = HoldReferenceQuery {
        ledger: LedgerId::default(),
        reference: Reference::new("order-1").expect("a reference"),
        after: None,
        limit: 2,
    };
    let page = kit.store().referenced_holds(&query).await.unwrap();
    assert_eq!(
        page,
        [
            kit.hold_now(keys[0].id).await,
            kit.hold_now(keys[2].id).await
        ]
    );
    assert_eq!(page[1].status, HoldStatus::Released);
    query.after = Some(keys[2].id);
    let page = kit.store().referenced_holds(&query).await.unwrap();
    assert_eq!(page, [kit.hold_now(keys[3].id).await]);
    query.after = None;
    query.limit = 0;
    assert_eq!(kit.store().referenced_holds(&query).await.unwrap(), []);
    query.limit = 10;
    query.ledger = LedgerId::new(1);
    assert_eq!(kit.store().referenced_holds(&query).await.unwrap(), []);
    query.ledger = LedgerId::default();
    query.reference = Reference::new("order").expect("a reference");
    assert_eq!(kit.store().referenced_holds(&query).await.unwrap(), []);
}

/// Captures of a hold are paged by id, with their reversed amounts. A capture has the
/// hold's reference unless it gives its own.
pub async fn captures_are_found_by_their_hold(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let place = PlaceHold::new(ada, bob, cents(50));
    let place = place.with_reference("order-1").expect("a reference");
    let hold = held(&kit.accept(place).await).key;
    let other = kit.hold(ada, bob, 10).await;
    let mut ids = Vec::new();
    for (text, of) in [
        (None, hold.id),
        (Some("late"), hold.id),
        (None, other),
        (None, hold.id),
    ] {
        let mut capture = Capture::new(of)
            .with_amount(amount(10))
            .with_is_final(false);
        if let Some(text) = text {
            capture = capture.with_reference(text).expect("a reference");
        }
        ids.push(posted(&kit.accept(capture).await).transfer.key.id);
    }
    let back = ReverseWhat::Amount(amount(4));
    kit.accept(Reverse::new(ids[1]).with_what(back)).await;
    let mut query = CaptureQuery::first(hold, 2);
    let page = kit.store().captures(&query).await.unwrap();
    assert_eq!(
        page,
        [
            kit.transfer_now(ids[0]).await,
            kit.transfer_now(ids[1]).await
        ]
    );
    assert_eq!(page[1].reversed, [4]);
    query.after = Some(ids[1]);
    let page = kit.store().captures(&query).await.unwrap();
    assert_eq!(page, [kit.transfer_now(ids[3]).await]);
    query.after = Some(ids[3]);
    assert_eq!(kit.store().captures(&query).await.unwrap(), []);
    query.after = None;
    query.limit = 0;
    assert_eq!(kit.store().captures(&query).await.unwrap(), []);
    let nothing = CaptureQuery::first(HoldId::new(given(404)), 10);
    assert_eq!(kit.store().captures(&nothing).await.unwrap(), []);

    let mut query = ReferenceQuery {
        ledger: LedgerId::default(),
        reference: Reference::new("order-1").expect("a reference"),
        after: None,
        limit: 10,
    };
    for (text, expected) in [("order-1", vec![ids[0], ids[3]]), ("late", vec![ids[1]])] {
        query.reference = Reference::new(text).expect("a reference");
        let found = kit.store().list_transfers(&query).await.unwrap();
        let found: Vec<_> = found.iter().map(|row| row.transfer.key.id).collect();
        assert_eq!(found, expected, "{text}");
    }
}
