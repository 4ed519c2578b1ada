//! A request's time: the current time, or the latest time of an account that it
//! touches.

use std::time::Duration;

use crate::support::{
    A, B, C, NOW, SECOND, World, cents, fresh, hold_changed, hold_id, leg, transfer_id,
    transfer_row,
};
use wallet_core::ledger::Decided;
use wallet_core::request::Batch;
use wallet_core::{
    AccountId, Capture, ChangeStatus, Command, PlaceHold, PostTransfer, Release, Reverse, Status,
    Timestamp,
};

fn pay(from: AccountId, to: AccountId, minor: i128) -> Command {
    PostTransfer::new(vec![leg(from, to, minor)]).into()
}

fn later(micros: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + micros)
}

#[test]
fn a_request_has_the_latest_of_now_and_its_accounts_times() {
    let mut world = World::with(&[(A, 10), (B, 0), (C, 0)]);
    world.edit(A).last_at = later(-5);
    world.edit(B).last_at = later(5);
    let requests = vec![
        world.request(pay(A, C, 1)),
        world.request(pay(A, B, 1)),
        world.request(pay(A, C, 1)),
        world.request(ChangeStatus::new(B, Status::Active)),
    ];
    let decided = world.commit(requests);
    let times: Vec<_> = decided.iter().map(|one| fresh(one).at).collect();
    assert_eq!(times, [NOW, later(5), later(5), later(5)]);
    for entries in world.tables.entries.values() {
        assert!(entries.is_sorted_by_key(|entry| entry.created_at));
    }
    assert_eq!(world.state(C).last_at, later(5));
}

#[test]
fn the_accounts_behind_a_hold_or_transfer_count_for_the_time_too() {
    for account in [A, B] {
        let mut world = World::with_hold(100);
        world.put_transfer(transfer_row(transfer_id(7), vec![leg(B, A, 100)]));
        world.edit(account).last_at = later(5);
        let time = |command: Command| {
            let decision = world.decide(vec![world.request(command)]);
            fresh(&decision.decided[0]).at
        };
        assert_eq!(time(Capture::new(hold_id(1)).into()), later(5));
        assert_eq!(time(Release::new(hold_id(1)).into()), later(5));
        assert_eq!(time(Reverse::new(transfer_id(7)).into()), later(5));
    }
}

#[test]
fn a_hold_lives_from_its_requests_time_on() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.edit(A).last_at = later(5);
    let life = Duration::from_secs(1);
    let place = PlaceHold::new(A, B, cents(1)).with_expires_in(life);
    let placed = hold_changed(world.run(place).unwrap()).hold;
    assert_eq!(placed.created_at, later(5));
    assert_eq!(placed.expires_at, Some(later(5 + SECOND)));
}

#[test]
fn an_account_may_run_two_seconds_ahead_and_not_a_microsecond_more() {
    let mut world = World::with(&[(A, 10), (B, 0)]);
    world.edit(B).last_at = later(2 * SECOND);
    let at_the_bound = world.decide(vec![world.request(pay(A, B, 1))]);
    assert_eq!(fresh(&at_the_bound.decided[0]).at, later(2 * SECOND));

    world.edit(B).last_at = later(2 * SECOND + 1);
    let beyond = world.decide(vec![world.request(pay(A, B, 1))]);
    let ahead_micros = 2_000_001;
    assert_eq!(beyond.decided, [Decided::ClockBehind { ahead_micros }]);
    assert!(beyond.changes.is_empty());

    let wider = Batch::with_max_ahead(
        vec![world.request(pay(A, B, 1))],
        Duration::from_micros(2_000_001),
    );
    let decision = wallet_core::decide::decide(&wider, &world.snapshot(&wider));
    assert_eq!(fresh(&decision.decided[0]).at, later(2 * SECOND + 1));
}

#[test]
fn a_refused_request_drags_no_account_ahead() {
    let mut world = World::with(&[(A, 10), (B, 0), (C, 0)]);
    world.edit(B).last_at = later(5);
    let decided = world.commit(vec![
        world.requests(vec![pay(A, B, 1), pay(A, B, 10)]),
        world.request(pay(A, C, 1)),
    ]);
    assert!(fresh(&decided[0]).result.is_err());
    assert_eq!(fresh(&decided[0]).at, later(5));
    assert_eq!(fresh(&decided[1]).at, NOW);
    assert_eq!(world.state(A).last_at, NOW);
    assert_eq!(world.state(B).last_at, later(5));
}
