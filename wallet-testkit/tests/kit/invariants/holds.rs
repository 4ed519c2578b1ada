//! Damage of holds.

use wallet_core::Hold;
use wallet_core::ledger::HoldStatus;
use wallet_core::verify::Violation;

use super::{after, shows};

fn damage_hold(status: HoldStatus, damage: impl FnOnce(&mut Hold)) -> Vec<Violation> {
    after(|books, _| {
        let mut holds = books.holds.values_mut();
        damage(holds.find(|hold| hold.status == status).unwrap());
    })
}

#[test]
fn a_hold_that_does_not_add_up_shows() {
    let violations = damage_hold(HoldStatus::Captured, |hold| hold.captured -= 1);
    shows!(violations, Violation::HoldDiffers { .. });
    let violations = damage_hold(HoldStatus::Captured, |hold| hold.released += 1);
    shows!(violations, Violation::HoldDiffers { .. });
    let violations = damage_hold(HoldStatus::Pending, |hold| {
        hold.status = HoldStatus::Released;
    });
    shows!(
        violations,
        Violation::HoldDiffers { .. },
        Violation::PendingDiffers { .. }
    );
    let violations = after(|books, _| {
        books
            .holds
            .retain(|_, hold| hold.status == HoldStatus::Pending);
    });
    shows!(violations, Violation::HoldDiffers { .. });
}
