//! Arbitrary batches and snapshots, with few ids so that they collide, and with
//! numbers that no valid store has.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wallet_core::ledger::{
    AccountState, COUNTER_MAX, Counters, Epoch, Fingerprint, HoldStatus, InLedger, Record,
    Reversal, SettlementShards, TransferWithReversals,
};
use wallet_core::request::{
    Change, Expire, PreparedRequest, ReverseWhat, Share, SystemAccount, SystemLeg, SystemTransfer,
};
use wallet_core::store::Snapshot;
use wallet_core::{
    AccountId, Amount, Capture, ChangeLimits, ChangeStatus, Command, Currency, Deposit, Hold,
    HoldId, LedgerId, Leg, Money, OpenAccount, Outcome, Owner, PlaceHold, Policy, PostTransfer,
    Release, Request, Reverse, Split, Status, Timestamp, TransferId, Withdrawal,
};

use super::{
    A, B, C, CountedIds, D, NOW, amount, bank, bank_account, eur, eur3, hold_id, key, state,
    transfer_id, transfer_row, usd,
};

pub(crate) fn account_id() -> impl Strategy<Value = AccountId> {
    select(vec![A, B, C, D, bank_account()])
}

fn transfer_ids() -> impl Strategy<Value = TransferId> {
    select(vec![transfer_id(1), transfer_id(2), transfer_id(3)])
}

fn hold_ids() -> impl Strategy<Value = HoldId> {
    select(vec![hold_id(1), hold_id(2), hold_id(3)])
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![18 => Just(eur()), 1 => Just(eur3()), 1 => Just(usd())]
}

/// Mostly small, so that parts of it remain.
fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![30 => (1..200_i128).prop_map(amount), 1 => Just(Amount::MAX)]
}

fn money() -> impl Strategy<Value = Money> {
    (amounts(), currency()).prop_map(|(amount, currency)| Money { amount, currency })
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        3 => Just(Policy::NonNegative),
        1 => amounts().prop_map(Policy::Overdraft),
        2 => Just(Policy::Unlimited),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        6 => Just(Status::Active),
        1 => Just(Status::DebitsFrozen),
        1 => Just(Status::CreditsFrozen),
        1 => Just(Status::Frozen),
        1 => Just(Status::Closed),
    ]
}

fn leg() -> impl Strategy<Value = Leg> {
    (account_id(), account_id(), money()).prop_map(|(from, to, money)| Leg::new(from, to, money))
}

fn system_leg() -> impl Strategy<Value = SystemLeg> {
    let side = || {
        prop_oneof![
            2 => Just(SystemAccount::Settlement(bank())),
            2 => account_id().prop_map(SystemAccount::Account),
        ]
    };
    (side(), side(), money()).prop_map(|(from, to, money)| SystemLeg::new(from, to, money))
}

fn what() -> impl Strategy<Value = ReverseWhat> {
    prop_oneof![
        Just(ReverseWhat::Rest),
        amounts().prop_map(ReverseWhat::Amount),
        amounts().prop_map(ReverseWhat::Proportional),
        vec((0..4_u16, option::of(amounts())), 1..4).prop_map(ReverseWhat::Legs),
    ]
}

fn on_accounts() -> impl Strategy<Value = Command> {
    let ceiling = prop_oneof![
        Just(Change::Keep),
        Just(Change::Clear),
        amounts().prop_map(Change::Set),
    ];
    prop_oneof![
        (option::of(account_id()), currency(), policy()).prop_map(|(id, currency, policy)| {
            let owner = Owner::new("somebody").unwrap();
            let id = id.filter(|id| *id != bank_account());
            let open = OpenAccount::new(owner, currency).with_id(id);
            open.with_policy(policy).into()
        }),
        (account_id(), status()).prop_map(|(id, status)| ChangeStatus::new(id, status).into()),
        (account_id(), option::of(policy()), ceiling).prop_map(|(id, policy, ceiling)| {
            let limits = ChangeLimits::new(id).with_policy(policy);
            limits.with_max_balance(ceiling).into()
        }),
    ]
}

fn on_money() -> impl Strategy<Value = Command> {
    let id = || option::of(transfer_ids());
    prop_oneof![
        (vec(leg(), 1..4), id()).prop_map(|(legs, id)| PostTransfer::new(legs).with_id(id).into()),
        (account_id(), money(), id())
            .prop_map(|(to, money, id)| Deposit::new(to, money, bank()).with_id(id).into()),
        (account_id(), money(), id()).prop_map(|(from, money, id)| Withdrawal::new(
            from,
            money,
            bank()
        )
        .with_id(id)
        .into()),
        (vec(system_leg(), 1..3), id())
            .prop_map(|(legs, id)| SystemTransfer::new(legs).with_id(id).into()),
        (account_id(), money(), account_id(), account_id()).prop_map(|(from, money, one, two)| {
            let share = |to, share_bp| Share { to, share_bp };
            Split::new(from, money, vec![share(one, 3_333), share(two, 6_667)]).into()
        }),
        (transfer_ids(), what(), any::<bool>(), id()).prop_map(|(transfer, what, force, id)| {
            let reverse = Reverse::new(transfer).with_what(what);
            reverse.with_force(force).with_id(id).into()
        }),
    ]
}

fn on_holds() -> impl Strategy<Value = Command> {
    let life = select(vec![None, Some(Duration::from_micros(1))]);
    prop_oneof![
        (account_id(), account_id(), money(), hold_ids(), life).prop_map(
            |(from, to, money, id, life)| {
                let hold = PlaceHold::new(from, to, money).with_id(id);
                hold.with_expires_in(life).into()
            }
        ),
        (
            hold_ids(),
            option::of(amounts()),
            option::of(any::<bool>()),
            transfer_ids()
        )
            .prop_map(|(hold, amount, is_final, id)| {
                let capture = Capture::new(hold).with_amount(amount);
                capture.with_is_final(is_final).with_id(id).into()
            }),
        (account_id(), account_id(), money(), time()).prop_map(|(from, to, money, at)| {
            PlaceHold::new(from, to, money).with_expires_at(at).into()
        }),
        hold_ids().prop_map(|hold| Release::new(hold).into()),
        hold_ids().prop_map(|hold| Expire::new(hold).into()),
    ]
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![1 => on_accounts(), 3 => on_money(), 2 => on_holds()]
}

/// Requests that are valid alone. Some share a key, some are of another ledger, and
/// some are of the sweep.
pub(crate) fn requests() -> impl Strategy<Value = Vec<Arc<PreparedRequest>>> {
    let submitted = (0..8_u8, prop::bool::weighted(0.05), vec(command(), 1..4));
    let request = prop_oneof![
        9 => submitted.prop_map(Some).boxed(),
        1 => Just(None).boxed(),
    ];
    vec((request, hold_ids()), 1..8).prop_map(|requests| {
        let ids = CountedIds::default();
        let requests = requests.into_iter().filter_map(|(request, hold)| {
            let Some((number, elsewhere, commands)) = request else {
                let hold = InLedger::new(LedgerId::default(), hold);
                return Some(PreparedRequest::expiry(hold, &ids));
            };
            let request = Request::of_many(key(&number.to_string()), commands);
            let ledger = LedgerId::new(u32::from(elsewhere));
            PreparedRequest::new(request.in_ledger(ledger), &ids, &SettlementShards::new()).ok()
        });
        requests.map(Arc::new).collect()
    })
}

/// A running sum, at times one that no sound store would hold.
fn sum() -> impl Strategy<Value = i128> {
    prop_oneof![
        12 => 0..1_000_i128,
        8 => Just(0),
        1 => select(vec![-1, COUNTER_MAX, COUNTER_MAX - 1, i128::MAX, i128::MIN]),
    ]
}

fn count() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 1..9_i64, 1 => select(vec![i64::MAX, i64::MAX - 1, i64::MIN, -1])]
}

fn time() -> impl Strategy<Value = Timestamp> {
    let near = NOW.as_micros();
    prop_oneof![
        20 => (near - 3..near + 3).prop_map(Timestamp::from_micros),
        1 => select(vec![i64::MIN, i64::MAX]).prop_map(Timestamp::from_micros),
    ]
}

fn account_state(id: AccountId) -> impl Strategy<Value = AccountState> {
    let sums = [sum(), sum(), sum(), sum()];
    let limits = (policy(), option::weighted(0.2, amounts()), status());
    let times = (count(), count(), time());
    let system = prop::bool::weighted(if id == bank_account() { 0.9 } else { 0.1 });
    (sums, limits, currency(), times, system).prop_map(
        move |([debits, credits, from, to], limits, currency, times, system)| {
            let (version, sequence, last_at) = times;
            AccountState {
                system,
                counters: Counters {
                    debits_posted: debits,
                    credits_posted: credits,
                    debits_pending: from,
                    credits_pending: to,
                },
                policy: limits.0,
                max_balance: limits.1,
                status: limits.2,
                currency,
                version,
                sequence,
                last_at,
                ..state(id, 0)
            }
        },
    )
}

fn hold(id: HoldId) -> impl Strategy<Value = Hold> {
    let status = select(vec![
        HoldStatus::Pending,
        HoldStatus::Pending,
        HoldStatus::Captured,
        HoldStatus::Expired,
    ]);
    let parts = (sum(), sum(), status, option::of(time()));
    (account_id(), account_id(), money(), parts).prop_map(move |(from, to, money, parts)| {
        let (captured, released, status, expires_at) = parts;
        Hold {
            money,
            captured,
            released,
            status,
            expires_at,
            ..super::hold_row(id, from, to, 1)
        }
    })
}

fn transfer(id: TransferId) -> impl Strategy<Value = TransferWithReversals> {
    let is_reversal = prop::bool::weighted(0.1);
    (vec(leg(), 0..4), vec(sum(), 0..5), is_reversal).prop_map(move |(legs, reversed, undoes)| {
        let mut row = transfer_row(id, legs);
        // More often than not the totals fit the legs.
        if reversed.len() < 4 {
            row.reversed.fill(0);
        } else {
            row.reversed = reversed;
        }
        row.transfer.reversal = undoes.then(|| Reversal {
            transfer: transfer_id(9),
            legs: vec![0],
            forced: false,
        });
        row
    })
}

fn some<T: Clone + std::fmt::Debug>(
    rows: Vec<impl Strategy<Value = T> + 'static>,
    probability: f64,
) -> impl Strategy<Value = Vec<T>> {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| option::weighted(probability, row).boxed())
        .collect();
    rows.prop_map(|rows| rows.into_iter().flatten().collect())
}

/// Every list is sorted and unique, as a store promises; nothing else is valid.
/// Records exist for some of the keys of [`requests`].
pub(crate) fn snapshot() -> impl Strategy<Value = Snapshot> {
    let accounts = [A, B, C, D, bank_account()];
    let accounts = accounts.map(|id| {
        let row = option::weighted(0.95, account_state(id));
        row.prop_map(move |state| (super::in_ledger(id), state))
    });
    let holds = [1, 2, 3].map(|number| hold(hold_id(number)));
    let transfers = [1, 2, 3].map(|number| transfer(transfer_id(number)));
    let currencies = [eur(), usd()].map(Just);
    let records = (0..8_u8).map(|number| {
        any::<bool>().prop_map(move |accepted| {
            let result = Ok(Vec::new());
            let at = NOW;
            Record {
                key: key(&number.to_string()).record_key(LedgerId::default()),
                fingerprint: Fingerprint::from_bytes([u8::from(accepted); 32]),
                outcome: Arc::new(Outcome {
                    at,
                    epoch: Epoch::FIRST,
                    result,
                }),
            }
        })
    });
    let rows = (
        some(accounts.into(), 0.95),
        some(holds.into(), 0.8),
        some(transfers.into(), 0.8),
        some(currencies.into(), 0.8),
        some(records.collect(), 0.1),
    );
    (time(), rows).prop_map(|(now, rows)| {
        let mut snapshot = Snapshot::at(now);
        (
            snapshot.accounts,
            snapshot.holds,
            snapshot.transfers,
            snapshot.currencies,
            snapshot.records,
        ) = rows;
        snapshot.accounts.sort_unstable_by_key(|row| row.0);
        snapshot.records.sort_unstable_by_key(|record| record.key);
        snapshot
    })
}
