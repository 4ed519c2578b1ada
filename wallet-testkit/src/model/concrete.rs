use std::time::Duration;

use wallet_core::ledger::{Counters, InLedger};
use wallet_core::request::{Change, Expire, ReverseWhat, SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{
    Account, AccountId, Capture, ChangeLimits, ChangeStatus, Command, Deposit, HoldId, LedgerId,
    Leg, Money, OpenAccount, Owner, PlaceHold, PostTransfer, Release, Reverse, Split, TransferId,
    Withdrawal,
};

use crate::ManualClock;

use super::Books;
use super::accounts::least;
use super::steps::Ask;
use super::values::{
    SETTLEMENT_PLACE, account, amount, currency, details, named_id, near, other, policy,
    settlement, shares, what,
};

/// The state in which small numbers get their meaning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) ledger: LedgerId,
    pub(super) books: &'a Books,
}

impl Scene<'_> {
    /// The command of an [`Ask`] in this state.
    pub(super) fn command(&self, ask: &Ask) -> Command {
        match ask {
            Ask::Open(to, unit, floor, max) => {
                OpenAccount::new(Owner::new("somebody").unwrap(), currency(*unit))
                    .with_id(Some(self.place(to % SETTLEMENT_PLACE)))
                    .with_policy(policy(*floor))
                    .with_max_balance(max.map(amount))
                    .with_system(*floor == 5)
                    .into()
            }
            Ask::Status(of, status) => ChangeStatus::new(self.place(*of), *status).into(),
            Ask::Limits(of, floor, max) => self.limits(*of, *floor, *max),
            Ask::Ceiling(of, more) => {
                let max = Change::Set(near(to_come(&self.sums(*of)), *more));
                ChangeLimits::new(self.place(*of))
                    .with_max_balance(max)
                    .into()
            }
            Ask::Transfer(legs, unit, id) => {
                let legs = legs.iter();
                let legs = legs.map(|(from, to, much)| self.leg(*from, *to, *much, *unit));
                PostTransfer::new(legs.collect())
                    .with_id(id.map(|id| TransferId::new(named_id(1, id))))
                    .with_details(details(id.unwrap_or(0)))
                    .into()
            }
            Ask::Drain(from, to) => {
                let sums = self.sums(*from);
                let mut leg = self.leg(*from, *to, 1, 0);
                leg.money.amount = near(sums.credits_posted - sums.debits_posted, 0);
                PostTransfer::new(vec![leg]).into()
            }
            Ask::Edge(from, to, more, is_hold) => self.edge(*from, *to, *more, *is_hold),
            Ask::Deposit(to, much, unit, name) => {
                let much = self.money(*to, *much, *unit);
                Deposit::new(self.place(*to), much, settlement(*name)).into()
            }
            Ask::Withdrawal(from, much, unit, name) => {
                let much = self.money(*from, *much, *unit);
                Withdrawal::new(self.place(*from), much, settlement(*name)).into()
            }
            Ask::System(legs, unit) => {
                let legs = legs.iter().map(|(from, to, much)| {
                    let to = if from == to { (to + 1) % 9 } else { *to };
                    let much = self.money(SETTLEMENT_PLACE, *much, *unit);
                    SystemLeg::new(self.own(*from), self.own(to), much)
                });
                SystemTransfer::new(legs.collect()).into()
            }
            Ask::Split(from, much, parts) => {
                let shares = shares(self.ledger, *from, parts);
                Split::new(self.place(*from), self.money(*from, *much, 0), shares).into()
            }
            Ask::Hold(from, to, much, life, id) => {
                let leg = self.leg(*from, *to, *much, 0);
                PlaceHold::new(leg.from, leg.to, leg.money)
                    .with_expires_in(life.map(|life| Duration::from_millis(life.into())))
                    .with_id(id.map(|id| HoldId::new(named_id(2, id))))
                    .into()
            }
            Ask::HoldUntil(from, to, much, halves) => {
                let leg = self.leg(*from, *to, *much, 0);
                let life = match halves {
                    0 => Duration::from_secs(20 * 366 * 86_400),
                    halves => Duration::from_millis(u64::from(*halves) * 500),
                };
                PlaceHold::new(leg.from, leg.to, leg.money)
                    .with_expires_at(ManualClock::START.saturating_add(life))
                    .into()
            }
            Ask::Capture(hold, much, is_final) => Capture::new(self.hold(*hold))
                .with_amount(much.map(amount))
                .with_is_final(*is_final)
                .into(),
            Ask::Release(hold) => Release::new(self.hold(*hold)).into(),
            Ask::Expire(hold) => Expire::new(self.hold(*hold)).into(),
            Ask::Reverse(transfer, legs, force) => Reverse::new(self.transfer(*transfer))
                .with_what(what(legs.as_deref()))
                .with_force(*force)
                .into(),
            Ask::Refund(transfer, much, force) => Reverse::new(self.transfer(*transfer))
                .with_what(ReverseWhat::Proportional(amount(*much)))
                .with_force(*force)
                .into(),
        }
    }

    fn limits(&self, of: u8, floor: Option<u8>, max: u16) -> Command {
        let max = match max {
            0 if floor.is_some() => Change::Keep,
            0 | 1 => Change::Clear,
            max => Change::Set(amount(max)),
        };
        ChangeLimits::new(self.place(of))
            .with_policy(floor.map(policy))
            .with_max_balance(max)
            .into()
    }

    /// The amount up to the maximum balance, or else the floor.
    fn edge(&self, from: u8, to: u8, more: i8, is_hold: bool) -> Command {
        let mut leg = self.leg(from, to, 1, 0);
        let room = self.row(other(from, to)).and_then(ceiling_room);
        let room = room.or_else(|| self.row(from).and_then(floor_room));
        leg.money.amount = near(room.unwrap_or(1), more);
        if is_hold {
            PlaceHold::new(leg.from, leg.to, leg.money).into()
        } else {
            PostTransfer::new(vec![leg]).into()
        }
    }

    /// A name for a small number, otherwise the id of a place.
    fn own(&self, number: u8) -> SystemAccount {
        match number.checked_sub(2) {
            None => SystemAccount::Settlement(settlement(number)),
            Some(place) => SystemAccount::Account(self.place(place)),
        }
    }

    fn place(&self, place: u8) -> AccountId {
        account(self.ledger, place)
    }

    fn row(&self, place: u8) -> Option<&Account> {
        let key = InLedger::new(self.ledger, self.place(place));
        self.books.accounts.get(&key)
    }

    fn sums(&self, place: u8) -> Counters {
        self.row(place)
            .map_or_else(Counters::default, |row| row.state.counters)
    }

    fn leg(&self, from: u8, to: u8, much: u16, unit: u8) -> Leg {
        let to = self.place(other(from, to));
        Leg::new(self.place(from), to, self.money(from, much, unit))
    }

    /// Money of the account at a place, unless another unit is given.
    fn money(&self, place: u8, minor: u16, unit: u8) -> Money {
        Money {
            amount: amount(minor),
            currency: match self.row(place) {
                Some(account) if unit == 0 => account.state.currency,
                Some(_) | None => currency(unit),
            },
        }
    }

    /// An existing hold, or sometimes one that may not exist.
    fn hold(&self, pick: u16) -> HoldId {
        let all = self.books.holds.keys();
        let all = all.filter(|key| key.ledger == self.ledger);
        choose(pick, all).unwrap_or_else(|| HoldId::new(named_id(2, pick.to_be_bytes()[1] % 7)))
    }

    fn transfer(&self, pick: u16) -> TransferId {
        let all = self.books.transfers.keys();
        let all = all.filter(|key| key.ledger == self.ledger);
        let named = || TransferId::new(named_id(1, pick.to_be_bytes()[1] % 7));
        choose(pick, all).unwrap_or_else(named)
    }
}

/// Posted balance plus pending credits.
const fn to_come(sums: &Counters) -> i128 {
    sums.credits_posted - sums.debits_posted + sums.credits_pending
}

/// The amount that an account can still receive.
fn ceiling_room(account: &Account) -> Option<i128> {
    Some(account.state.max_balance?.minor() - to_come(&account.state.counters))
}

/// The amount that an account can still pay.
fn floor_room(account: &Account) -> Option<i128> {
    let sums = account.state.counters;
    let available = sums.credits_posted - sums.debits_posted - sums.debits_pending;
    Some(available - least(account.state.policy)?)
}

fn choose<'a, Id: Copy + 'a>(pick: u16, all: impl Iterator<Item = &'a InLedger<Id>>) -> Option<Id> {
    let all: Vec<_> = all.collect();
    // One in eight uses a number instead.
    if all.is_empty() || pick.is_multiple_of(8) {
        return None;
    }
    Some(all[usize::from(pick) % all.len()].id)
}
