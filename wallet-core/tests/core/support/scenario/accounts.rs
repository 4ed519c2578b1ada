//! The conditions that refuse changes of accounts.

use wallet_core::ledger::COUNTER_MAX;
use wallet_core::request::Change;
use wallet_core::{ChangeLimits, ChangeStatus, OpenAccount, Owner, Policy, Rejection, Status};

use super::super::{A, B, World, amount, eur, eur3, state};
use super::Side::From;
use super::money::{basics, system};
use super::{Case, Condition, Place, condition, edit, missing, scenario};

pub(super) fn open() -> Case {
    let exponent = Rejection::CurrencyExponentMismatch;
    let place = [Place::Currency(From)];
    Case {
        name: "open",
        scenario: || {
            let owner = Owner::new("ada").unwrap();
            let command = OpenAccount::new(owner, eur()).with_id(A);
            scenario(World::new(), A, B, command)
        },
        conditions: vec![
            condition("id taken", Rejection::IdTaken, &[Place::NewId], |s| {
                s.world.put(state(A, 0));
            }),
            condition("known otherwise", exponent, &place, |s| {
                s.world.tables.currencies.insert(eur3().code(), eur3());
            }),
        ],
        apart: &[],
    }
}

/// The conditions that refuse a change of one account.
pub(super) fn on_one_account() -> Vec<Condition> {
    let keep = |s: &Condition| {
        !matches!(
            s.rejection,
            Rejection::CurrencyMismatch | Rejection::CurrencyExponentMismatch
        )
    };
    let mut conditions: Vec<_> = basics(From).into_iter().filter(keep).collect();
    conditions.extend([missing(From), system(From)]);
    conditions
}

const MISSING_ACCOUNT: &str = "an account that is missing has no state";

pub(super) fn close() -> Case {
    let holds = Rejection::HoldsOutstanding;
    let mut conditions = on_one_account();
    conditions.extend([
        edit(
            From,
            "with a hold on it",
            holds,
            Place::Pending(From),
            |a| {
                a.counters.debits_pending = 1;
            },
        ),
        edit(
            From,
            "with a hold towards it",
            holds,
            Place::Pending(From),
            |a| {
                a.counters.credits_pending = 1;
            },
        ),
        edit(
            From,
            "with money",
            Rejection::BalanceNotZero,
            Place::Sums(From),
            |a| {
                a.counters.credits_posted = 1;
            },
        ),
        edit(
            From,
            "with debt",
            Rejection::BalanceNotZero,
            Place::Sums(From),
            |a| {
                a.counters.debits_posted = 1;
            },
        ),
    ]);
    Case {
        name: "close",
        scenario: || {
            let command = ChangeStatus::new(A, Status::Closed);
            scenario(World::with(&[(A, 0)]), A, B, command)
        },
        conditions,
        apart: &[
            (
                Rejection::AccountNotFound,
                Rejection::SystemAccount,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::AccountClosed,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::HoldsOutstanding,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::BalanceNotZero,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::CounterOverflow,
                MISSING_ACCOUNT,
            ),
        ],
    }
}

pub(super) fn limits() -> Case {
    let breached = Rejection::LimitBreached;
    let mut conditions = on_one_account();
    conditions.extend([
        edit(From, "below the floor", breached, Place::Sums(From), |a| {
            a.policy = Policy::Unlimited;
            a.counters.debits_posted = a.counters.credits_posted + 101;
        }),
        edit(
            From,
            "above the ceiling",
            breached,
            Place::Sums(From),
            |a| {
                a.counters.credits_pending = 5000;
            },
        ),
        edit(
            From,
            "far above the ceiling",
            breached,
            Place::Sums(From),
            |a| {
                a.counters.credits_posted = COUNTER_MAX;
                a.counters.credits_pending = COUNTER_MAX;
            },
        ),
    ]);
    Case {
        name: "limits",
        scenario: || {
            let command = ChangeLimits::new(A).with_policy(Policy::Overdraft(amount(100)));
            let command = command.with_max_balance(Change::Set(amount(5000)));
            scenario(World::with(&[(A, 1000)]), A, B, command)
        },
        conditions,
        apart: &[
            (
                Rejection::AccountNotFound,
                Rejection::SystemAccount,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::AccountClosed,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::LimitBreached,
                MISSING_ACCOUNT,
            ),
            (
                Rejection::AccountNotFound,
                Rejection::CounterOverflow,
                MISSING_ACCOUNT,
            ),
        ],
    }
}
