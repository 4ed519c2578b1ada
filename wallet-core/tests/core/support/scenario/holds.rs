//! The conditions that refuse the steps of a placed hold.

use std::time::Duration;

use wallet_core::ledger::HoldStatus;
use wallet_core::request::Expire;
use wallet_core::{Capture, Rejection, Release, Status};

use super::super::{A, B, World, amount, hold_id, in_ledger, transfer_id};
use super::Side::{From, To};
use super::money::{at_last_sequence, basics, frozen, transfer_id_taken};
use super::{Case, Condition, Place, condition, edit, missing, scenario};

/// The conditions that refuse every step of a placed hold.
pub(super) fn on_a_hold() -> Vec<Condition> {
    let all = [
        Place::HoldRow,
        Place::HoldStatus,
        Place::HoldTime,
        Place::What,
    ];
    let mut conditions = basics(From);
    conditions.extend(basics(To));
    conditions.extend([missing(From), missing(To)]);
    conditions.push(condition(
        "hold missing",
        Rejection::HoldNotFound,
        &all,
        |s| {
            s.world.tables.holds.clear();
        },
    ));
    for status in [
        HoldStatus::Captured,
        HoldStatus::Released,
        HoldStatus::Expired,
    ] {
        let name = format!("hold {status:?}");
        let ended = Rejection::HoldNotPending;
        conditions.push(condition(&name, ended, &[Place::HoldStatus], move |s| {
            let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
            hold.unwrap().status = status;
        }));
    }
    let overflow = Rejection::CounterOverflow;
    conditions.push(edit(To, "with lost sums", overflow, Place::Sums(To), |a| {
        a.counters.credits_pending = 0;
    }));
    conditions
}

const MISSING_HOLD: &str = "a hold that is missing has no status, time or amount";

pub(super) fn capture() -> Case {
    let mut conditions = on_a_hold();
    conditions.extend([
        transfer_id_taken(),
        frozen(From, Status::Frozen),
        frozen(To, Status::Frozen),
        at_last_sequence(From),
        at_last_sequence(To),
    ]);
    let expired = Rejection::HoldExpired;
    conditions.push(condition(
        "hold expired",
        expired,
        &[Place::HoldTime],
        |s| {
            let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
            hold.unwrap().expires_at = Some(s.world.now);
        },
    ));
    let exceeds = Rejection::CaptureExceedsHold;
    conditions.push(condition("too much", exceeds, &[Place::What], |s| {
        let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
        s.command = command.with_amount(amount(101)).into();
    }));
    Case {
        name: "capture",
        scenario: || {
            let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
            scenario(World::with_hold(100), A, B, command)
        },
        conditions,
        apart: &[
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotPending,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::HoldExpired,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::CaptureExceedsHold,
                MISSING_HOLD,
            ),
        ],
    }
}

pub(super) fn release() -> Case {
    let mut conditions = on_a_hold();
    conditions.extend([frozen(From, Status::Frozen), frozen(To, Status::Frozen)]);
    Case {
        name: "release",
        scenario: || scenario(World::with_hold(100), A, B, Release::new(hold_id(1))),
        conditions,
        apart: &[(
            Rejection::HoldNotFound,
            Rejection::HoldNotPending,
            MISSING_HOLD,
        )],
    }
}

pub(super) fn expire() -> Case {
    let mut conditions = on_a_hold();
    let early = Rejection::HoldNotExpired;
    conditions.push(condition("too early", early, &[Place::HoldTime], |s| {
        let later = s.world.now.saturating_add(Duration::from_micros(1));
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = Some(later);
    }));
    conditions.push(condition("no expiry", early, &[Place::HoldTime], |s| {
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = None;
    }));
    Case {
        name: "expire",
        scenario: || {
            let mut world = World::with_hold(100);
            let mut hold = world.hold(hold_id(1));
            hold.expires_at = Some(world.now);
            world.put_hold(hold);
            scenario(world, A, B, Expire::new(hold_id(1)))
        },
        conditions,
        apart: &[
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotPending,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotExpired,
                MISSING_HOLD,
            ),
        ],
    }
}
