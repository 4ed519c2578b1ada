use wallet_core::ledger::{Direction, EffectKind, HoldChanged, HoldStatus, Posted, TransferKind};
use wallet_core::request::Expire;
use wallet_core::{
    Amount, Capture, Currency, Hold, HoldId, Leg, Money, PlaceHold, Receipt, Rejection, Release,
    Status, Timestamp, Transfer, TransferId,
};

use super::books::{Attempt, Refusal, Side};

impl Attempt {
    pub(super) fn place_hold(
        &mut self,
        id: HoldId,
        command: &PlaceHold,
    ) -> Result<Receipt, Refusal> {
        if self.books.holds.contains_key(&self.key(id)) {
            return Err((Rejection::IdTaken, id.uuid()));
        }
        let ten_years = 10 * 366 * 86_400 * 1_000_000;
        if let Some(end) = command.expires_at {
            if end.as_micros() <= self.now.as_micros() {
                return Err((Rejection::ExpiryPassed, id.uuid()));
            }
            if end.as_micros() - self.now.as_micros() > ten_years {
                return Err((Rejection::ExpiryTooFar, id.uuid()));
            }
        }
        let leg = Leg::new(command.from, command.to, command.money);
        self.customers_only(&[command.from, command.to])?;
        self.may_meet(&leg)?;
        self.may_move(&leg, false)?;
        let minor = command.money.amount.minor();
        let kind = EffectKind::HoldPlaced;
        let effects = vec![
            self.touch(command.from, kind, |s| s.counters.debits_pending += minor)?,
            self.touch(command.to, kind, |s| s.counters.credits_pending += minor)?,
        ];
        let micros = |life: std::time::Duration| i64::try_from(life.as_micros()).unwrap();
        let hold = Hold {
            key: self.key(id),
            from: command.from,
            to: command.to,
            money: command.money,
            captured: 0,
            released: 0,
            status: HoldStatus::Pending,
            expires_at: command
                .expires_in
                .map(|life| Timestamp::from_micros(self.at.as_micros() + micros(life)))
                .or(command.expires_at),
            details: command.details.clone(),
            created_at: self.at,
        };
        self.books.holds.insert(hold.key, hold.clone());
        Ok(Receipt::HoldChanged(HoldChanged { hold, effects }))
    }

    pub(super) fn capture(
        &mut self,
        id: TransferId,
        command: &Capture,
    ) -> Result<Receipt, Refusal> {
        self.free_transfer(id)?;
        let about = command.hold.uuid();
        let mut hold = self.pending(command.hold)?;
        if self.is_over(&hold) {
            return Err((Rejection::HoldExpired, about));
        }
        let left = still_held(&hold);
        let minor = command.amount.map_or(left, Amount::minor);
        if minor > left {
            return Err((Rejection::CaptureExceedsHold, about));
        }
        if let Some(why) = other_currency(command.currency, hold.money.currency) {
            return Err((why, about));
        }
        self.not_frozen(&hold)?;
        let ends = minor == left || command.is_final == Some(true);
        let money = Money::minor(minor, hold.money.currency).unwrap();
        let side = Side {
            account: hold.from,
            direction: Direction::Debit,
            amount: money.amount,
            unheld: if ends { left } else { minor },
            transfer: id,
            leg: 0,
        };
        let other = Side {
            account: hold.to,
            direction: Direction::Credit,
            ..side
        };
        let kind = EffectKind::HoldCaptured;
        let effects = vec![self.enter(side, kind)?, self.enter(other, kind)?];
        hold.captured += minor;
        if ends {
            hold.released += left - minor;
            hold.status = HoldStatus::Captured;
        }
        self.books.holds.insert(hold.key, hold.clone());
        let transfer = Transfer {
            key: self.key(id),
            kind: TransferKind::Capture,
            legs: vec![Leg::new(hold.from, hold.to, money)],
            details: command.details.clone(),
            hold: Some(command.hold),
            reversal: None,
            created_at: self.at,
        };
        self.book(&transfer);
        Ok(Receipt::Posted(Posted {
            transfer,
            hold: Some(Box::new(hold)),
            effects,
        }))
    }

    pub(super) fn release(&mut self, command: &Release) -> Result<Receipt, Refusal> {
        let hold = self.pending(command.hold)?;
        self.not_frozen(&hold)?;
        self.give_back(hold, HoldStatus::Released, EffectKind::HoldReleased)
    }

    pub(super) fn expire(&mut self, command: &Expire) -> Result<Receipt, Refusal> {
        let hold = self.pending(command.hold)?;
        if !self.is_over(&hold) {
            return Err((Rejection::HoldNotExpired, command.hold.uuid()));
        }
        self.give_back(hold, HoldStatus::Expired, EffectKind::HoldExpired)
    }

    fn give_back(
        &mut self,
        mut hold: Hold,
        status: HoldStatus,
        kind: EffectKind,
    ) -> Result<Receipt, Refusal> {
        let left = still_held(&hold);
        let effects = vec![
            self.touch(hold.from, kind, |s| s.counters.debits_pending -= left)?,
            self.touch(hold.to, kind, |s| s.counters.credits_pending -= left)?,
        ];
        hold.released += left;
        hold.status = status;
        self.books.holds.insert(hold.key, hold.clone());
        Ok(Receipt::HoldChanged(HoldChanged { hold, effects }))
    }

    fn pending(&self, id: HoldId) -> Result<Hold, Refusal> {
        let hold = self.books.holds.get(&self.key(id));
        let hold = hold.ok_or((Rejection::HoldNotFound, id.uuid()))?;
        if hold.status != HoldStatus::Pending {
            return Err((Rejection::HoldNotPending, id.uuid()));
        }
        Ok(hold.clone())
    }

    /// Compares the expiry with the store's clock, whatever the request's time is.
    fn is_over(&self, hold: &Hold) -> bool {
        hold.expires_at.is_some_and(|end| self.now >= end)
    }

    fn not_frozen(&self, hold: &Hold) -> Result<(), Refusal> {
        for id in [hold.from, hold.to] {
            if self.state(id).status == Status::Frozen {
                return Err((Rejection::AccountFrozen, id.uuid()));
            }
        }
        Ok(())
    }
}

/// The remaining minor units of a hold.
const fn still_held(hold: &Hold) -> i128 {
    hold.money.amount.minor() - hold.captured - hold.released
}

/// Why an amount that a caller gave in `given` is no amount of something in `held`.
pub(super) fn other_currency(given: Option<Currency>, held: Currency) -> Option<Rejection> {
    let given = given.filter(|given| *given != held)?;
    Some(if given.code() == held.code() {
        Rejection::CurrencyExponentMismatch
    } else {
        Rejection::CurrencyMismatch
    })
}
