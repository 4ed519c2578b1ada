use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use wallet_core::Status;

use super::machine::Step;

/// The commands of a random request, in small numbers that stand for accounts,
/// currencies, ids and amounts. They have a meaning in every state, so that a
/// failing case shrinks.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Open an account: place, currency, floor, ceiling.
    Open(u8, u8, u8, Option<u16>),
    /// Change a status.
    Status(u8, Status),
    /// Change limits: floor, ceiling (0 keeps, 1 clears, more sets).
    Limits(u8, Option<u8>, u16),
    /// A transfer: legs (from, to, amount), currency (0 is that of the account),
    /// the id's number.
    Transfer(Vec<(u8, u8, u16)>, u8, Option<u8>),
    /// Moves the whole balance of one account to another.
    Drain(u8, u8),
    /// An amount at the floor of one account or the maximum balance of the other,
    /// plus or minus one: from, to, difference, whether as a hold.
    Edge(u8, u8, i8, bool),
    /// A maximum balance at the current balance with pending credits, plus or minus
    /// one.
    Ceiling(u8, i8),
    /// A deposit: account, amount, currency, settlement.
    Deposit(u8, u16, u8, u8),
    /// A withdrawal: account, amount, currency, settlement.
    Withdrawal(u8, u16, u8, u8),
    /// A system transfer: legs (from, to, amount), currency. Small numbers are
    /// settlement names, larger ones are places.
    System(Vec<(u8, u8, u16)>, u8),
    /// A split: from, amount, parts (to, weight).
    Split(u8, u16, Vec<(u8, u8)>),
    /// A hold: from, to, amount, life in milliseconds, the id's number.
    Hold(u8, u8, u16, Option<u16>, Option<u8>),
    /// A hold with an expiry time: from, to, amount, half seconds after the start
    /// of the run. Zero is the far future.
    HoldUntil(u8, u8, u16, u16),
    /// A capture: the hold, the amount, whether it is final.
    Capture(u16, Option<u16>, Option<bool>),
    /// A release of this hold.
    Release(u16),
    /// An expiry of this hold.
    Expire(u16),
    /// A reversal: the transfer, the amounts of legs (index, amount), whether it is
    /// forced.
    Reverse(u16, Option<Vec<(u8, Option<u16>)>>, bool),
    /// A proportional reversal: the transfer, the amount of all its legs, whether
    /// it is forced.
    Refund(u16, u16, bool),
}

/// The form of a random request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A single command alone, several as a list.
    Alone,
    /// A list, also for one command.
    List,
    /// A bulk request.
    Bulk,
    /// A cancellation of the key, whatever the commands are.
    Cancellation,
}

/// A random request.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The form.
    pub form: Form,
    /// 0 for a new key; otherwise the number of an earlier key.
    pub earlier_key: u16,
    /// Whether a request under an earlier key is equal to the earlier one.
    pub is_retry: bool,
    /// The ledger.
    pub ledger: u8,
    /// The commands.
    pub asks: Vec<Ask>,
}

/// The first step: opens accounts with money.
pub(super) fn opening() -> Step {
    let mut drafts = Vec::new();
    for place in 0..5 {
        let currency = u8::from(place == 4);
        let policy = place % 3;
        drafts.push(Draft {
            form: Form::Alone,
            earlier_key: 0,
            is_retry: false,
            ledger: 0,
            asks: vec![
                Ask::Open(place, currency, policy, (place % 2 == 1).then_some(150)),
                Ask::Deposit(place, 100, currency, 0),
            ],
        });
    }
    Step::Submit(drafts)
}

/// A random step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => vec(draft(), 1..5).prop_map(Step::Submit),
        2 => clock().prop_map(Step::Clock),
        1 => Just(Step::Sweep),
        1 => (0_u8..7, -4_i32..=0).prop_map(|(account, ago)| Step::PastBalance(account, ago * 500)),
    ]
}

fn clock() -> impl Strategy<Value = i32> {
    // Mostly in half seconds, as lives and past times are, so that times are often
    // equal.
    let halves = |range: std::ops::Range<i32>| range.prop_map(|halves| halves * 500);
    prop_oneof![
        6 => halves(0..10),
        2 => 0_i32..5_000,
        2 => halves(-3..0),
        1 => halves(-6..-3),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let earlier = prop_oneof![6 => Just(0_u16), 1 => 1..u16::MAX];
    let ledger = prop_oneof![9 => Just(0_u8), 1 => Just(1)];
    let closing = (0_u8..6, 0_u8..6)
        .prop_map(|(from, to)| vec![Ask::Drain(from, to), Ask::Status(from, Status::Closed)]);
    let opening = (3_u8..7, 2_u8..5, ask())
        .prop_map(|(place, unit, next)| vec![Ask::Open(place, unit, 0, None), next]);
    // A hold that is captured in part and then expires.
    let lapsing = (0_u8..4, 0_u8..4, 0_u8..6, 1_u16..6).prop_map(|(from, to, id, halves)| {
        let hold = Ask::Hold(from, to, 20, Some(halves * 500), Some(id));
        vec![hold, Ask::Capture(u16::from(id) * 8, Some(5), None)]
    });
    let asks = prop_oneof![
        12 => vec(ask(), 1..2),
        4 => vec(ask(), 2..4),
        1 => closing,
        1 => opening,
        1 => lapsing,
    ];
    let form = prop_oneof![
        10 => Just(Form::Alone),
        2 => Just(Form::List),
        4 => Just(Form::Bulk),
        1 => Just(Form::Cancellation),
    ];
    (form, earlier, any::<bool>(), ledger, asks).prop_map(
        |(form, earlier_key, is_retry, ledger, asks)| Draft {
            form,
            earlier_key,
            is_retry,
            ledger,
            asks,
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let place = || prop_oneof![20 => 0_u8..4, 1 => Just(4_u8), 2 => 5_u8..7];
    let amount = || prop_oneof![20 => 1_u16..40, 3 => 40_u16..200, 1 => Just(u16::MAX)];
    let currency = || prop_oneof![20 => Just(0_u8), 4 => 1_u8..5];
    let id = || option::weighted(0.3, 0_u8..6);
    // Mostly existing system accounts.
    let own = || prop_oneof![8 => 0_u8..2, 2 => 6_u8..9, 1 => 2_u8..6];
    let legs = vec((place(), place(), amount()), 1..4);
    let ceiling = || prop_oneof![Just(0_u16), Just(1), 2_u16..200];
    prop_oneof![
        3 => (place(), currency(), 0_u8..6, option::weighted(0.3, 50_u16..300))
            .prop_map(|(place, currency, policy, max)| Ask::Open(place, currency, policy, max)),
        2 => (place(), status()).prop_map(|(place, status)| Ask::Status(place, status)),
        2 => (place(), option::of(0_u8..6), ceiling())
            .prop_map(|(place, policy, max)| Ask::Limits(place, policy, max)),
        8 => (legs, currency(), id()).prop_map(|(legs, currency, id)| Ask::Transfer(legs, currency, id)),
        1 => (place(), place()).prop_map(|(from, to)| Ask::Drain(from, to)),
        6 => (place(), place(), -1_i8..=1, any::<bool>())
            .prop_map(|(from, to, more, hold)| Ask::Edge(from, to, more, hold)),
        2 => (place(), -1_i8..=1).prop_map(|(place, more)| Ask::Ceiling(place, more)),
        4 => (place(), amount(), currency(), 0_u8..2).prop_map(|(a, b, c, d)| Ask::Deposit(a, b, c, d)),
        2 => (place(), amount(), currency(), 0_u8..2).prop_map(|(a, b, c, d)| Ask::Withdrawal(a, b, c, d)),
        2 => (vec((own(), own(), amount()), 1..3), currency())
            .prop_map(|(legs, currency)| Ask::System(legs, currency)),
        2 => (place(), amount(), vec((place(), any::<u8>()), 1..4))
            .prop_map(|(from, amount, parts)| Ask::Split(from, amount, parts)),
        6 => (place(), place(), amount(), option::of((1_u16..12).prop_map(|halves| halves * 500)), id())
            .prop_map(|(from, to, amount, life, id)| Ask::Hold(from, to, amount, life, id)),
        2 => (place(), place(), amount(), prop_oneof![9 => 1_u16..50, 1 => Just(0_u16)])
            .prop_map(|(from, to, amount, until)| Ask::HoldUntil(from, to, amount, until)),
        5 => (any::<u16>(), option::of(amount()), option::of(any::<bool>()))
            .prop_map(|(hold, amount, is_final)| Ask::Capture(hold, amount, is_final)),
        2 => any::<u16>().prop_map(Ask::Release),
        2 => any::<u16>().prop_map(Ask::Expire),
        6 => (any::<u16>(), option::of(vec((0_u8..3, option::of(amount())), 1..3)), any::<bool>())
            .prop_map(|(transfer, legs, force)| Ask::Reverse(transfer, legs, force)),
        3 => (any::<u16>(), amount(), any::<bool>())
            .prop_map(|(transfer, much, force)| Ask::Refund(transfer, much, force)),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        6 => Just(Status::Active),
        1 => Just(Status::DebitsFrozen),
        1 => Just(Status::CreditsFrozen),
        1 => Just(Status::Frozen),
        2 => Just(Status::Closed),
    ]
}
