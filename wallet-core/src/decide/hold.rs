use crate::ledger::{
    Amount, EffectKind, Hold, HoldChanged, HoldId, HoldStatus, Leg, Money, Receipt, Rejection,
    Timestamp, TransferKind,
};
use crate::request::{Capture, Expire, HOLD_LIFE_MAX, PlaceHold, Release};

use super::leg::{LegKinds, Reach};
use super::{CommandExecutor, Refusal, same_currency};

impl CommandExecutor<'_, '_> {
    pub(super) fn place_hold(&mut self, command: &PlaceHold) -> Result<Receipt, Refusal> {
        let key = self.key(HoldId::new(self.prepared.id));
        if self.books.hold(key).is_some() {
            return Err((Rejection::IdTaken, self.prepared.id));
        }
        let expires_at = self.expiry_of(command)?;
        let pair = self.pair(command.from, command.to, command.money, Reach::Customers)?;
        pair.admit(command.money.amount, false)?;
        let moved = pair.hold(command.money.amount.minor())?;
        let hold = Hold {
            key,
            from: command.from,
            to: command.to,
            money: command.money,
            captured: 0,
            released: 0,
            status: HoldStatus::Pending,
            expires_at,
            details: command.details.clone(),
            created_at: self.at,
        };
        let effects = self.write_hold(&hold, &moved, EffectKind::HoldPlaced);
        self.books.put_hold(hold.clone(), true);
        Ok(Receipt::HoldChanged(HoldChanged { hold, effects }))
    }

    /// The expiry time of a new hold. A life counts from the request's time. A time
    /// that the caller gave is compared with the store's clock, which also decides
    /// the expiry later.
    fn expiry_of(&self, command: &PlaceHold) -> Result<Option<Timestamp>, Refusal> {
        let Some(at) = command.expires_at else {
            let life = command.expires_in;
            return Ok(life.map(|life| self.at.saturating_add(life)));
        };
        let now = self.books.now();
        if at <= now {
            return Err((Rejection::ExpiryPassed, self.prepared.id));
        }
        if at > now.saturating_add(HOLD_LIFE_MAX) {
            return Err((Rejection::ExpiryTooFar, self.prepared.id));
        }
        Ok(Some(at))
    }

    pub(super) fn capture(&mut self, command: &Capture) -> Result<Receipt, Refusal> {
        self.new_transfer()?;
        let mut hold = self.pending_hold(command.hold)?;
        if hold.is_expired(self.books.now()) {
            return Err((Rejection::HoldExpired, command.hold.uuid()));
        }
        let remaining = hold.remaining();
        let exceeds = (Rejection::CaptureExceedsHold, command.hold.uuid());
        let minor = command.amount.map_or(remaining, Amount::minor);
        let rest = remaining
            .checked_sub(minor)
            .filter(|rest| *rest >= 0)
            .ok_or(exceeds)?;
        // A pending hold has a remaining amount, so this is at least 1.
        let amount = Amount::new(minor).map_err(|_| exceeds)?;
        same_currency(command.currency, hold.money.currency)
            .map_err(|why| (why, command.hold.uuid()))?;
        let pair = self.pair(hold.from, hold.to, hold.money, Reach::Chosen)?;
        pair.not_frozen()?;
        let is_final = rest == 0 || command.is_final.unwrap_or(false);
        let given_back = if is_final { rest } else { 0 };
        let moved = pair.post(amount, minor.saturating_add(given_back))?;
        hold.captured = hold.captured.saturating_add(minor);
        hold.released = hold.released.saturating_add(given_back);
        if is_final {
            hold.status = HoldStatus::Captured;
        }
        self.books.put_hold(hold.clone(), false);
        let money = Money {
            amount,
            currency: hold.money.currency,
        };
        let leg = Leg::new(hold.from, hold.to, money);
        let effects = self.write_leg(&leg, 0, &moved, LegKinds::CAPTURE).to_vec();
        let mut details = command.details.clone();
        if details.reference.is_none() {
            details.reference.clone_from(&hold.details.reference);
        }
        let kind = TransferKind::Capture;
        Ok(self.posted(kind, vec![leg], details, Some(hold), None, effects))
    }

    pub(super) fn release(&mut self, command: &Release) -> Result<Receipt, Refusal> {
        let hold = self.pending_hold(command.hold)?;
        let pair = self.pair(hold.from, hold.to, hold.money, Reach::Chosen)?;
        pair.not_frozen()?;
        self.give_back(hold, HoldStatus::Released, EffectKind::HoldReleased)
    }

    /// Only time ends a hold here, so no status of an account prevents it.
    pub(super) fn expire(&mut self, command: &Expire) -> Result<Receipt, Refusal> {
        let hold = self.pending_hold(command.hold)?;
        if !hold.is_expired(self.books.now()) {
            return Err((Rejection::HoldNotExpired, command.hold.uuid()));
        }
        self.give_back(hold, HoldStatus::Expired, EffectKind::HoldExpired)
    }

    fn pending_hold(&self, id: HoldId) -> Result<Hold, Refusal> {
        let hold = self.books.hold(self.key(id));
        let hold = hold.ok_or((Rejection::HoldNotFound, id.uuid()))?;
        if hold.status == HoldStatus::Pending {
            Ok(hold.clone())
        } else {
            Err((Rejection::HoldNotPending, id.uuid()))
        }
    }

    fn give_back(
        &mut self,
        mut hold: Hold,
        status: HoldStatus,
        kind: EffectKind,
    ) -> Result<Receipt, Refusal> {
        let pair = self.pair(hold.from, hold.to, hold.money, Reach::Chosen)?;
        let remaining = hold.remaining();
        let moved = pair.hold(remaining.saturating_neg())?;
        let effects = self.write_hold(&hold, &moved, kind);
        hold.released = hold.released.saturating_add(remaining);
        hold.status = status;
        self.books.put_hold(hold.clone(), false);
        Ok(Receipt::HoldChanged(HoldChanged { hold, effects }))
    }
}
