//! The meaning of the small numbers of a random request in any state.

use uuid::Uuid;

use wallet_core::ledger::{Description, Details, settlement_account};
use wallet_core::request::{ReverseWhat, Share};
use wallet_core::{
    AccountId, Amount, Currency, LedgerId, Metadata, Policy, Reference, SettlementName, Timestamp,
};

/// The place of the settlement account of most deposits.
pub(super) const SETTLEMENT_PLACE: u8 = 6;

/// The account at a place.
pub(super) fn account(ledger: LedgerId, place: u8) -> AccountId {
    if place == SETTLEMENT_PLACE {
        return settlement_account(ledger, currency(0), &settlement(0), 0);
    }
    AccountId::new(named_id(0, place))
}

/// Money cannot move from an account to itself.
pub(super) const fn other(from: u8, to: u8) -> u8 {
    if from == to {
        (to + 1) % (SETTLEMENT_PLACE + 1)
    } else {
        to
    }
}

pub(super) fn named_id(kind: u8, number: u8) -> Uuid {
    let bytes = [7, kind, number, 0, 0, 0, 0, 0, 0, 0];
    uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000, &bytes).into_uuid()
}

/// Two codes have two exponents each. The first use decides.
pub(super) fn currency(unit: u8) -> Currency {
    match unit {
        0 => Currency::new("EUR", 2).unwrap(),
        1 => Currency::new("POINTS", 0).unwrap(),
        2 => Currency::new("EUR", 3).unwrap(),
        3 => Currency::new("GEM", 1).unwrap(),
        _ => Currency::new("GEM", 4).unwrap(),
    }
}

pub(super) fn amount(minor: u16) -> Amount {
    if minor == u16::MAX {
        return Amount::MAX;
    }
    Amount::new(minor.into()).unwrap()
}

/// `minor` plus or minus a little, if the result is an amount.
pub(super) fn near(minor: i128, more: i8) -> Amount {
    let minor = minor + i128::from(more);
    Amount::new(minor.clamp(1, Amount::MAX.minor())).unwrap()
}

pub(super) fn policy(floor: u8) -> Policy {
    match floor {
        0 | 3 => Policy::NonNegative,
        1 | 4 => Policy::Overdraft(amount(40)),
        2 => Policy::Overdraft(amount(15)),
        _ => Policy::Unlimited,
    }
}

pub(super) fn settlement(name: u8) -> SettlementName {
    SettlementName::new(if name == 0 { "bank" } else { "card" }).unwrap()
}

pub(super) fn details(code: u8) -> Details {
    Details {
        code: code.into(),
        reference: (code > 2).then(|| Reference::new("order-1").unwrap()),
        description: (code > 3).then(|| Description::new("Für Möhren").unwrap()),
        metadata: (code > 4).then(|| Metadata::parse(r#"{"b":[1,-2],"a":{}}"#).unwrap()),
        effective_at: (code > 4).then_some(Timestamp::from_micros(-1)),
    }
}

/// Shares by weight, at least one basis point each. The last one gets the rest.
pub(super) fn shares(ledger: LedgerId, from: u8, parts: &[(u8, u8)]) -> Vec<Share> {
    let mut left = 10_000;
    let mut shares = Vec::new();
    for (index, (to, weight)) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let share_bp = if is_last {
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

pub(super) fn what(legs: Option<&[(u8, Option<u16>)]>) -> ReverseWhat {
    match legs {
        None => ReverseWhat::Rest,
        Some([(_, Some(much))]) => ReverseWhat::Amount(amount(*much)),
        Some(legs) => {
            let legs = legs.iter();
            let legs = legs.map(|(leg, much)| ((*leg).into(), much.map(amount)));
            ReverseWhat::Legs(legs.collect())
        }
    }
}
