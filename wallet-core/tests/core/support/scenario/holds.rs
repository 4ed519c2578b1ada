//! The conditions that refuse the steps of a placed hold.

use std::time::Duration;

use wallet_core::ledger::HoldStatus;
use wallet_core::request::Expire;
use wallet_core::{Capture, Rejection, Release, Status};

use super::super::{A, B, World, amount, hold_id, in_ledger, transfer_id};
use super::Side::{From, To};
use super::money::{at_last_sequence, basics, frozen, transfer_id_taken};
use super::{Case, Place, Sabotage, edit, missing, sabotage, scenario};

/// The conditions that refuse every step of a placed hold.
pub(super) fn on_a_hold() -> Vec<Sabotage> {
    let all = [
        Place::HoldRow,
        Place::HoldStatus,
        Place::HoldTime,
        Place::What,
    ];
    let mut sabotages = basics(From);
    sabotages.extend(basics(To));
    sabotages.extend([missing(From), missing(To)]);
    sabotages.push(sabotage(
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
        sabotages.push(sabotage(&name, ended, &[Place::HoldStatus], move |s| {
            let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
            hold.unwrap().status = status;
        }));
    }
    let overflow = Rejection::CounterOverflow;
    sabotages.push(edit(To, "with lost sums", overflow, Place::Sums(To), |a| {
        a.counters.credits_pending = 0;
    }));
    sabotages
}

const MISSING_HOLD: &str = "a hold that is missing has no status, time or amount";

pub(super) fn capture() -> Case {
    let mut sabotages = on_a_hold();
    sabotages.extend([
        transfer_id_taken(),
        frozen(From, Status::Frozen),
        frozen(To, Status::Frozen),
        at_last_sequence(From),
        at_last_sequence(To),
    ]);
    let expired = Rejection::HoldExpired;
    sabotages.push(sabotage("hold expired", expired, &[Place::HoldTime], |s| {
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = Some(s.world.now);
    }));
    let exceeds = Rejection::CaptureExceedsHold;
    sabotages.push(sabotage("too much", exceeds, &[Place::What], |s| {
        let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
        s.command = command.with_amount(amount(101)).into();
    }));
    Case {
        name: "capture",
        scenario: || {
            let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
            scenario(World::with_hold(100), A, B, command)
        },
        sabotages,
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
    let mut sabotages = on_a_hold();
    sabotages.extend([frozen(From, Status::Frozen), frozen(To, Status::Frozen)]);
    Case {
        name: "release",
        scenario: || scenario(World::with_hold(100), A, B, Release::new(hold_id(1))),
        sabotages,
        apart: &[(
            Rejection::HoldNotFound,
            Rejection::HoldNotPending,
            MISSING_HOLD,
        )],
    }
}

pub(super) fn expire() -> Case {
    let mut sabotages = on_a_hold();
    let early = Rejection::HoldNotExpired;
    sabotages.push(sabotage("too early", early, &[Place::HoldTime], |s| {
        let later = s.world.now.saturating_add(Duration::from_micros(1));
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = Some(later);
    }));
    sabotages.push(sabotage("no expiry", early, &[Place::HoldTime], |s| {
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
        sabotages,
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
