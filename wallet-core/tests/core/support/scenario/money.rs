//! The conditions that refuse a new movement of money.

use std::time::Duration;

use wallet_core::ledger::COUNTER_MAX;
use wallet_core::request::{Share, SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{Deposit, PlaceHold, Policy, PostTransfer, Rejection, Split, Status, Withdrawal};

use super::super::{
    A, B, NOW, World, amount, bank, bank_account, cents, eur3, hold_id, hold_row, in_ledger, leg,
    transfer_id, transfer_row, usd,
};
use super::Side::{From, To};
use super::{Case, Condition, Place, Side, condition, edit, missing, places_of, scenario};

/// The conditions that refuse any movement of money: currency and closed status.
pub(super) fn basics(side: Side) -> Vec<Condition> {
    let currency = Place::Currency(side);
    let exponent = Rejection::CurrencyExponentMismatch;
    let mismatch = Rejection::CurrencyMismatch;
    let closed = Rejection::AccountClosed;
    let overflow = Rejection::CounterOverflow;
    vec![
        edit(side, "with another exponent", exponent, currency, |a| {
            a.currency = eur3();
        }),
        edit(side, "in dollars", mismatch, currency, |a| {
            a.currency = usd();
        }),
        edit(side, "closed", closed, Place::Status(side), |a| {
            a.status = Status::Closed;
        }),
        edit(
            side,
            "at its last version",
            overflow,
            Place::Version(side),
            |a| {
                a.version = i64::MAX;
            },
        ),
    ]
}

pub(super) fn frozen(side: Side, status: Status) -> Condition {
    let name = format!("{status:?}");
    let rejection = Rejection::AccountFrozen;
    edit(side, &name, rejection, Place::Status(side), move |a| {
        a.status = status;
    })
}

/// Customers' commands may not name system accounts.
pub(super) fn system(side: Side) -> Condition {
    let rejection = Rejection::SystemAccount;
    edit(
        side,
        "a system account",
        rejection,
        Place::System(side),
        |a| {
            a.system = true;
        },
    )
}

/// System transfers may not name a customer's account.
fn a_customer_s(side: Side) -> Condition {
    let rejection = Rejection::NotSystemAccount;
    edit(side, "a customer's", rejection, Place::System(side), |a| {
        a.system = false;
    })
}

pub(super) fn at_last_sequence(side: Side) -> Condition {
    let overflow = Rejection::CounterOverflow;
    let place = Place::Sequence(side);
    edit(side, "at its last sequence", overflow, place, |a| {
        a.sequence = i64::MAX;
    })
}

/// The conditions that refuse a new movement from one account to another.
pub(super) fn new_money() -> Vec<Condition> {
    let funds = Rejection::InsufficientFunds;
    let overflow = Rejection::CounterOverflow;
    let mut all = basics(From);
    all.extend(basics(To));
    all.extend([
        frozen(From, Status::Frozen),
        frozen(From, Status::DebitsFrozen),
        frozen(To, Status::Frozen),
        frozen(To, Status::CreditsFrozen),
        edit(From, "without funds", funds, Place::Sums(From), |a| {
            a.policy = Policy::NonNegative;
            a.counters.debits_posted = a.counters.credits_posted;
        }),
        edit(From, "sunk", funds, Place::Sums(From), |a| {
            a.policy = Policy::NonNegative;
            a.counters.debits_posted = COUNTER_MAX;
            a.counters.debits_pending = COUNTER_MAX;
        }),
        edit(From, "spent", overflow, Place::Sums(From), |a| {
            a.policy = Policy::Unlimited;
            a.counters.debits_posted = COUNTER_MAX;
            a.counters.debits_pending = COUNTER_MAX;
        }),
        edit(To, "brimful", overflow, Place::Sums(To), |a| {
            a.counters.credits_posted = COUNTER_MAX;
            a.counters.credits_pending = COUNTER_MAX;
        }),
        edit(
            To,
            "at its ceiling",
            Rejection::MaxBalanceExceeded,
            Place::Ceiling(To),
            |a| a.max_balance = Some(amount(1)),
        ),
    ]);
    all
}

pub(super) fn transfer_id_taken() -> Condition {
    condition("id taken", Rejection::IdTaken, &[Place::NewId], |s| {
        let row = transfer_row(transfer_id(1), vec![leg(A, B, 1)]);
        s.world.put_transfer(row);
    })
}

pub(super) fn post_transfer() -> Case {
    let mut conditions = new_money();
    conditions.extend([transfer_id_taken(), missing(From), missing(To)]);
    conditions.extend([system(From), system(To)]);
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "transfer",
        scenario: || {
            let command = PostTransfer::new(vec![leg(A, B, 100)]).with_id(transfer_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        conditions,
        apart: &[],
    }
}

/// A missing settlement account is opened, unless the store knows its currency with
/// another exponent.
pub(super) fn settlement_unopenable(side: Side) -> Condition {
    let rejection = Rejection::CurrencyExponentMismatch;
    let places = places_of(side);
    condition("settlement unopenable", rejection, &places, move |s| {
        let key = in_ledger(s.id(side));
        s.world.tables.accounts.remove(&key);
        s.world.tables.currencies.insert(eur3().code(), eur3());
    })
}

pub(super) fn deposit() -> Case {
    let mut conditions = new_money();
    conditions.extend([transfer_id_taken(), missing(To), system(To)]);
    conditions.push(settlement_unopenable(From));
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "deposit",
        scenario: || {
            let world = World::with(&[(bank_account(), 1000), (A, 0)]);
            let command = Deposit::new(A, cents(100), bank()).with_id(transfer_id(1));
            scenario(world, bank_account(), A, command)
        },
        conditions,
        apart: &[
            (
                Rejection::AccountNotFound,
                Rejection::MaxBalanceExceeded,
                "only the customer can be missing, and only it is credited",
            ),
            (
                Rejection::AccountNotFound,
                Rejection::SystemAccount,
                "only the customer can be missing, and then it is no system account",
            ),
        ],
    }
}

pub(super) fn withdrawal() -> Case {
    let mut conditions = new_money();
    conditions.extend([transfer_id_taken(), missing(From), system(From)]);
    conditions.push(settlement_unopenable(To));
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "withdrawal",
        scenario: || {
            let world = World::with(&[(A, 1000), (bank_account(), 0)]);
            let command = Withdrawal::new(A, cents(100), bank()).with_id(transfer_id(1));
            scenario(world, A, bank_account(), command)
        },
        conditions,
        apart: &[
            (
                Rejection::AccountNotFound,
                Rejection::InsufficientFunds,
                "only the customer can be missing, and only it is debited",
            ),
            (
                Rejection::AccountNotFound,
                Rejection::SystemAccount,
                "only the customer can be missing, and then it is no system account",
            ),
        ],
    }
}

pub(super) fn system_transfer() -> Case {
    let mut conditions = new_money();
    conditions.extend([transfer_id_taken(), missing(From), missing(To)]);
    conditions.extend([a_customer_s(From), a_customer_s(To)]);
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "system transfer",
        scenario: || {
            let mut world = World::with(&[(A, 1000), (B, 0)]);
            world.edit(A).system = true;
            world.edit(B).system = true;
            let own = SystemAccount::Account;
            let leg = SystemLeg::new(own(A), own(B), cents(100));
            let command = SystemTransfer::new(vec![leg]).with_id(transfer_id(1));
            scenario(world, A, B, command)
        },
        conditions,
        apart: &[],
    }
}

pub(super) fn split() -> Case {
    let mut conditions = new_money();
    conditions.extend([transfer_id_taken(), missing(From), missing(To)]);
    conditions.extend([system(From), system(To)]);
    conditions.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "split",
        scenario: || {
            let share_bp = 10_000;
            let shares = vec![Share { to: B, share_bp }];
            let command = Split::new(A, cents(100), shares).with_id(transfer_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        conditions,
        apart: &[],
    }
}

pub(super) fn place_hold() -> Case {
    let mut conditions = new_money();
    conditions.extend([missing(From), missing(To), system(From), system(To)]);
    let taken = Rejection::IdTaken;
    conditions.push(condition("id taken", taken, &[Place::NewId], |s| {
        s.world.put_hold(hold_row(hold_id(1), A, B, 1));
    }));
    let until = |micros| Some(NOW.saturating_add(Duration::from_micros(micros)));
    let holding = |at| {
        PlaceHold::new(A, B, cents(100))
            .with_id(hold_id(1))
            .with_expires_at(at)
    };
    let ten_years = 10 * 366 * 86_400 * 1_000_000;
    let passed = Rejection::ExpiryPassed;
    let far = Rejection::ExpiryTooFar;
    conditions.extend([
        condition("until now", passed, &[Place::What], move |s| {
            s.command = holding(until(0)).into();
        }),
        condition("until too far", far, &[Place::What], move |s| {
            s.command = holding(until(ten_years + 1)).into();
        }),
    ]);
    Case {
        name: "hold",
        scenario: || {
            let command = PlaceHold::new(A, B, cents(100)).with_id(hold_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        conditions,
        apart: &[(
            Rejection::ExpiryPassed,
            Rejection::ExpiryTooFar,
            "a time has come or is far away",
        )],
    }
}
