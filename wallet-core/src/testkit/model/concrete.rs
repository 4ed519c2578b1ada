use std::time::Duration;

use uuid::Uuid;

use crate::{
    AccountId, Amount, Capture, Change, ChangeLimits, ChangeStatus, Command, Counters, Currency,
    Deposit, Description, Details, Expire, HoldId, InLedger, LedgerId, Leg, Metadata, Money,
    OpenAccount, Owner, PlaceHold, Policy, PostTransfer, Reference, Release, Reverse, ReverseWhat,
    SettlementName, Share, Split, Timestamp, TransferId, Withdrawal, settlement_account,
};

use super::Books;
use super::steps::Ask;

/// The place that stands for the settlement account of most deposits.
const SETTLEMENT_PLACE: u8 = 6;

/// Gives the small numbers of an [`Ask`] their meaning in a state of the books.
pub(super) fn command(ask: &Ask, ledger: LedgerId, books: &Books) -> Command {
    let place = |place: u8| account(ledger, place);
    let row = |place: u8| {
        books
            .accounts
            .get(&InLedger::new(ledger, account(ledger, place)))
    };
    let money = |place: u8, minor: u16, unit: u8| Money {
        amount: amount(minor),
        currency: match row(place) {
            Some(account) if unit == 0 => account.state.currency,
            Some(_) | None => currency(unit),
        },
    };
    match ask {
        Ask::Open(to, unit, floor, max) => {
            OpenAccount::new(Owner::new("somebody").unwrap(), currency(*unit))
                .with_id(Some(place(to % SETTLEMENT_PLACE)))
                .with_policy(policy(*floor))
                .with_max_balance(max.map(amount))
                .with_system(*floor == 5)
                .into()
        }
        Ask::Status(of, status) => ChangeStatus::new(place(*of), *status).into(),
        Ask::Limits(of, floor, max) => {
            let max = match max {
                0 if floor.is_some() => Change::Keep,
                0 | 1 => Change::Clear,
                max => Change::Set(amount(*max)),
            };
            let floor = floor.map(policy);
            ChangeLimits::new(place(*of))
                .with_policy(floor)
                .with_max_balance(max)
                .into()
        }
        Ask::Transfer(legs, unit, id) => {
            let legs = legs.iter().map(|(from, to, much)| {
                Leg::new(
                    place(*from),
                    place(other(*from, *to)),
                    money(*from, *much, *unit),
                )
            });
            PostTransfer::new(legs.collect())
                .with_id(id.map(|id| TransferId::new(named_id(1, id))))
                .with_details(details(id.unwrap_or(0)))
                .into()
        }
        Ask::Drain(from, to) => {
            let sums = row(*from).map_or_else(Counters::default, |row| row.state.counters);
            let posted = sums.credits_posted - sums.debits_posted;
            let minor = posted.clamp(1, Amount::MAX.minor());
            let all = Money {
                amount: Amount::new(minor).unwrap(),
                ..money(*from, 1, 0)
            };
            PostTransfer::new(vec![Leg::new(place(*from), place(other(*from, *to)), all)]).into()
        }
        Ask::Deposit(to, much, unit, name) => {
            Deposit::new(place(*to), money(*to, *much, *unit), settlement(*name)).into()
        }
        Ask::Withdrawal(from, much, unit, name) => {
            let (account, much) = (place(*from), money(*from, *much, *unit));
            Withdrawal::new(account, much, settlement(*name)).into()
        }
        Ask::Split(from, much, parts) => Split::new(
            place(*from),
            money(*from, *much, 0),
            shares(ledger, *from, parts),
        )
        .into(),
        Ask::Hold(from, to, much, life, id) => PlaceHold::new(
            place(*from),
            place(other(*from, *to)),
            money(*from, *much, 0),
        )
        .with_expires_in(life.map(|life| Duration::from_millis(life.into())))
        .with_id(id.map(|id| HoldId::new(named_id(2, id))))
        .into(),
        Ask::Capture(hold, much, is_final) => Capture::new(hold_id(*hold, ledger, books))
            .with_amount(much.map(amount))
            .with_is_final(*is_final)
            .into(),
        Ask::Release(hold) => Release::new(hold_id(*hold, ledger, books)).into(),
        Ask::Expire(hold) => Expire::new(hold_id(*hold, ledger, books)).into(),
        Ask::Reverse(transfer, legs, force) => Reverse::new(transfer_id(*transfer, ledger, books))
            .with_what(what(legs.as_deref()))
            .with_force(*force)
            .into(),
    }
}

/// The account at a place.
pub(super) fn account(ledger: LedgerId, place: u8) -> AccountId {
    if place == SETTLEMENT_PLACE {
        return settlement_account(ledger, currency(0), &settlement(0), 0);
    }
    AccountId::new(named_id(0, place))
}

/// Money cannot move from an account to itself.
const fn other(from: u8, to: u8) -> u8 {
    if from == to {
        (to + 1) % (SETTLEMENT_PLACE + 1)
    } else {
        to
    }
}

fn named_id(kind: u8, number: u8) -> Uuid {
    let bytes = [7, kind, number, 0, 0, 0, 0, 0, 0, 0];
    uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes).into_uuid()
}

/// The second and third currency share a code and differ in the exponent.
fn currency(unit: u8) -> Currency {
    match unit {
        0 => Currency::new("EUR", 2).unwrap(),
        1 => Currency::new("POINTS", 0).unwrap(),
        _ => Currency::new("EUR", 3).unwrap(),
    }
}

fn amount(minor: u16) -> Amount {
    if minor == u16::MAX {
        return Amount::MAX;
    }
    Amount::new(minor.into()).unwrap()
}

fn policy(floor: u8) -> Policy {
    match floor {
        0 | 3 => Policy::NonNegative,
        1 | 4 => Policy::Overdraft(amount(40)),
        2 => Policy::Overdraft(amount(15)),
        _ => Policy::Unlimited,
    }
}

fn settlement(name: u8) -> SettlementName {
    SettlementName::new(if name == 0 { "bank" } else { "card" }).unwrap()
}

fn details(code: u8) -> Details {
    Details {
        code: code.into(),
        reference: (code > 2).then(|| Reference::new("order-1").unwrap()),
        description: (code > 3).then(|| Description::new("Für Möhren").unwrap()),
        metadata: (code > 4).then(|| Metadata::parse(r#"{"b":[1,-2],"a":{}}"#).unwrap()),
        effective_at: (code > 4).then_some(Timestamp::from_micros(-1)),
    }
}

/// Shares by weight, at least a basis point each; the last one gets the rest.
fn shares(ledger: LedgerId, from: u8, parts: &[(u8, u8)]) -> Vec<Share> {
    let mut left = 10_000;
    let mut shares = Vec::new();
    for (index, (to, weight)) in parts.iter().enumerate() {
        let share_bp = if index + 1 == parts.len() {
            left
        } else {
            u32::from(*weight) * 10 + 1
        };
        left -= share_bp;
        shares.push(Share {
            to: account(ledger, other(from, *to)),
            share_bp,
        });
    }
    shares
}

fn what(legs: Option<&[(u8, Option<u16>)]>) -> ReverseWhat {
    match legs {
        None => ReverseWhat::Rest,
        Some([(_, Some(much))]) => ReverseWhat::Amount(amount(*much)),
        Some(legs) => {
            let legs = legs.iter();
            ReverseWhat::Legs(
                legs.map(|(leg, much)| ((*leg).into(), much.map(amount)))
                    .collect(),
            )
        }
    }
}

/// One of the holds that exist, or now and then one of those that may.
fn hold_id(pick: u16, ledger: LedgerId, books: &Books) -> HoldId {
    let all = books.holds.keys().filter(|key| key.ledger == ledger);
    choose(pick, all).unwrap_or_else(|| HoldId::new(named_id(2, pick.to_be_bytes()[1] % 7)))
}

fn transfer_id(pick: u16, ledger: LedgerId, books: &Books) -> TransferId {
    let all = books.transfers.keys().filter(|key| key.ledger == ledger);
    choose(pick, all).unwrap_or_else(|| TransferId::new(named_id(1, pick.to_be_bytes()[1] % 7)))
}

fn choose<'a, Id: Copy + 'a>(pick: u16, all: impl Iterator<Item = &'a InLedger<Id>>) -> Option<Id> {
    let all: Vec<_> = all.collect();
    // One in eight names something by its number instead.
    if all.is_empty() || pick.is_multiple_of(8) {
        return None;
    }
    Some(all[usize::from(pick) % all.len()].id)
}
