//! Arbitrary values of every stored type.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use wallet_core::ledger::{
    AccountChanged, AccountState, COUNTER_MAX, Counters, Description, Details, Direction, Effect,
    EffectKind, EntryMark, Epoch, HoldChanged, HoldStatus, InLedger, Posted, Reversal,
    TransferKind,
};
use wallet_core::{
    Account, AccountId, Amount, Currency, Hold, HoldId, LedgerId, Leg, Metadata, Money, Outcome,
    Owner, Policy, Receipt, Reference, Rejected, Rejection, Status, Timestamp, Transfer,
    TransferId,
};

pub(crate) const LEDGER: LedgerId = LedgerId::new(7);

/// Only a few accounts, so that effects share those of legs.
fn account_id() -> impl Strategy<Value = AccountId> {
    prop_oneof![
        4 => (0_u8..4).prop_map(|low| AccountId::from_bytes([low; 16])),
        1 => any::<[u8; 16]>().prop_map(AccountId::from_bytes),
    ]
}

/// Numbers of every length up to `max`.
fn sized(max: i128) -> impl Strategy<Value = i128> {
    (0_u32..127, any::<i128>()).prop_map(move |(bits, value)| {
        let value = (value & i128::MAX) >> bits;
        value % (max + 1)
    })
}

fn amount() -> impl Strategy<Value = Amount> {
    sized(Amount::MAX.minor() - 1).prop_map(|minor| Amount::new(minor + 1).unwrap())
}

fn ordinal(least: i64) -> impl Strategy<Value = i64> {
    prop_oneof![least..200, least..i64::MAX, Just(i64::MAX)]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::from_micros(1_700_000_000_000_000)),
        any::<i64>().prop_map(Timestamp::from_micros),
    ]
}

fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![
        Just(Currency::new("EUR", 2).unwrap()),
        ("[A-Z][A-Z0-9_]{1,11}", 0_u8..=18)
            .prop_map(|(code, exponent)| Currency::new(&code, exponent).unwrap()),
    ]
}

fn money() -> impl Strategy<Value = Money> {
    (amount(), currency()).prop_map(|(amount, currency)| Money { amount, currency })
}

fn counters() -> impl Strategy<Value = Counters> {
    let pending = || prop_oneof![Just(0), sized(COUNTER_MAX)];
    let posted = || sized(COUNTER_MAX);
    (posted(), posted(), pending(), pending()).prop_map(
        |(debits_posted, credits_posted, debits_pending, credits_pending)| Counters {
            debits_posted,
            credits_posted,
            debits_pending,
            credits_pending,
        },
    )
}

fn metadata() -> impl Strategy<Value = Metadata> {
    (
        "[a-z\u{e9}\"]{0,8}",
        any::<i64>(),
        vec(any::<bool>(), 0..3),
        "\\PC{0,9}",
    )
        .prop_map(|(name, number, list, text)| {
            let list: Vec<_> = list.into_iter().map(serde_json::Value::from).collect();
            let value = serde_json::json!({ "n": number, "list": list, "name": text, name: null });
            Metadata::from_value(&value).unwrap()
        })
}

fn details() -> impl Strategy<Value = Details> {
    (
        prop_oneof![Just(0), any::<u32>()],
        of("\\PC{1,32}".prop_map(|text| Reference::new(&text).unwrap())),
        of("\\PC{1,128}".prop_map(|text| Description::new(&text).unwrap())),
        of(metadata()),
        of(time()),
    )
        .prop_map(
            |(code, reference, description, metadata, effective_at)| Details {
                code,
                reference,
                description,
                metadata,
                effective_at,
            },
        )
}

fn state() -> impl Strategy<Value = AccountState> {
    let policy = prop_oneof![
        Just(Policy::NonNegative),
        amount().prop_map(Policy::Overdraft),
        Just(Policy::Unlimited),
    ];
    let status = prop_oneof![
        Just(Status::Active),
        Just(Status::DebitsFrozen),
        Just(Status::CreditsFrozen),
        Just(Status::Frozen),
        Just(Status::Closed),
    ];
    (
        (account_id(), currency(), any::<bool>(), policy),
        (of(amount()), status, counters()),
        (ordinal(1), ordinal(0), time()),
    )
        .prop_map(|(fixed, limits, marks)| AccountState {
            key: InLedger::new(LEDGER, fixed.0),
            currency: fixed.1,
            system: fixed.2,
            policy: fixed.3,
            max_balance: limits.0,
            status: limits.1,
            counters: limits.2,
            version: marks.0,
            sequence: marks.1,
            last_at: marks.2,
        })
}

fn account() -> impl Strategy<Value = Account> {
    let owner = "\\PC{1,32}";
    let owner = owner.prop_filter_map("an owner", |text| Owner::new(&text).ok());
    (state(), owner, of(metadata()), time()).prop_map(|(state, owner, metadata, created_at)| {
        Account {
            state,
            owner,
            metadata,
            created_at,
        }
    })
}

fn effect_kind() -> impl Strategy<Value = EffectKind> {
    prop_oneof![
        Just(EffectKind::Opened),
        Just(EffectKind::StatusChanged),
        Just(EffectKind::LimitsChanged),
        Just(EffectKind::Debited),
        Just(EffectKind::Credited),
        Just(EffectKind::HoldPlaced),
        Just(EffectKind::HoldCaptured),
        Just(EffectKind::HoldReleased),
        Just(EffectKind::HoldExpired),
        Just(EffectKind::Reversed),
    ]
}

/// Effects whose entries name one of `legs` legs.
fn effects(legs: usize) -> impl Strategy<Value = Vec<Effect>> {
    let direction = prop_oneof![Just(Direction::Debit), Just(Direction::Credit)];
    let legs = u16::try_from(legs).unwrap();
    let mark = (ordinal(1), 0..legs, direction, amount()).prop_map(
        |(sequence, leg, direction, amount)| EntryMark {
            sequence,
            leg,
            direction,
            amount,
        },
    );
    let effect = (
        account_id(),
        any::<bool>(),
        effect_kind(),
        ordinal(1),
        counters(),
        of(mark),
    )
        .prop_map(|(account, system, kind, version, counters, entry)| Effect {
            account,
            system,
            kind,
            version,
            counters,
            entry,
        });
    vec(effect, 0..6)
}

pub(crate) fn transfer() -> impl Strategy<Value = Transfer> {
    let kind = prop_oneof![
        Just(TransferKind::Transfer),
        Just(TransferKind::Deposit),
        Just(TransferKind::Withdrawal),
        Just(TransferKind::Split),
        Just(TransferKind::Capture),
        Just(TransferKind::Reversal),
        Just(TransferKind::System),
    ];
    let legs = vec((account_id(), account_id(), money()), 1..5);
    let reversal = (any::<[u8; 16]>(), vec(any::<u16>(), 0..4), any::<bool>());
    (
        any::<[u8; 16]>(),
        kind,
        legs,
        details(),
        of(any::<[u8; 16]>()),
        of(reversal),
        time(),
    )
        .prop_map(
            |(id, kind, legs, details, hold, reversal, created_at)| Transfer {
                key: InLedger::new(LEDGER, TransferId::from_bytes(id)),
                kind,
                legs: legs
                    .into_iter()
                    .map(|(from, to, money)| Leg::new(from, to, money))
                    .collect(),
                details,
                hold: hold.map(HoldId::from_bytes),
                reversal: reversal.map(|(transfer, legs, forced)| Reversal {
                    transfer: TransferId::from_bytes(transfer),
                    legs,
                    forced,
                }),
                created_at,
            },
        )
}

pub(crate) fn hold() -> impl Strategy<Value = Hold> {
    let status = prop_oneof![
        Just(HoldStatus::Pending),
        Just(HoldStatus::Captured),
        Just(HoldStatus::Released),
        Just(HoldStatus::Expired),
    ];
    (
        (any::<[u8; 16]>(), account_id(), account_id(), money()),
        (0_i128..=1_000, 0_i128..=1_000, status),
        (of(time()), details(), time()),
    )
        .prop_map(|(fixed, done, rest)| {
            let whole = fixed.3.amount.minor();
            let captured = whole * done.0 / 1_000;
            Hold {
                key: InLedger::new(LEDGER, HoldId::from_bytes(fixed.0)),
                from: fixed.1,
                to: fixed.2,
                money: fixed.3,
                captured,
                released: (whole - captured) * done.1 / 1_000,
                status: done.2,
                expires_at: rest.0,
                details: rest.1,
                created_at: rest.2,
            }
        })
}

/// A posted transfer whose hold may be the one that it names.
fn posted() -> impl Strategy<Value = Receipt> {
    (transfer(), of((hold(), any::<bool>())))
        .prop_flat_map(|(transfer, hold)| {
            let effects = effects(transfer.legs.len());
            (Just(transfer), Just(hold), effects)
        })
        .prop_map(|(mut transfer, hold, effects)| {
            let hold = hold.map(|(mut hold, belongs)| {
                if belongs {
                    let leg = transfer.legs[0];
                    transfer.hold = Some(hold.key.id);
                    (hold.from, hold.to) = (leg.from, leg.to);
                    hold.money.currency = leg.money.currency;
                }
                Box::new(hold)
            });
            Receipt::Posted(Posted {
                transfer,
                hold,
                effects,
            })
        })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let changed =
        (state(), of(effect_kind())).prop_map(|(state, effect)| AccountChanged { state, effect });
    let held = (hold(), effects(1)).prop_map(|(hold, effects)| HoldChanged { hold, effects });
    // Boxed: the values of all of them side by side overflow a test's stack.
    prop_oneof![
        account().prop_map(Receipt::AccountOpened).boxed(),
        changed.prop_map(Receipt::AccountChanged).boxed(),
        held.prop_map(Receipt::HoldChanged).boxed(),
        any::<u32>()
            .prop_map(|items| Receipt::BulkAccepted { items })
            .boxed(),
        posted().boxed(),
    ]
    .boxed()
}

/// Mostly the first one.
fn epoch() -> impl Strategy<Value = Epoch> {
    let later = (2..=Epoch::MAX).prop_map(|number| Epoch::new(number).unwrap());
    prop_oneof![3 => Just(Epoch::FIRST), 1 => later]
}

pub(crate) fn accepted() -> impl Strategy<Value = Outcome> {
    (time(), epoch(), vec(receipt(), 0..4)).prop_map(|(at, epoch, receipts)| Outcome {
        at,
        epoch,
        result: Ok(receipts),
    })
}

pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    let rejection = proptest::sample::select(Rejection::ALL);
    let rejected = (time(), epoch(), rejection, any::<u16>(), any::<[u8; 16]>()).prop_map(
        |(at, epoch, rejection, command, subject)| Outcome {
            at,
            epoch,
            result: Err(Rejected {
                rejection,
                command,
                subject: uuid::Uuid::from_bytes(subject),
            }),
        },
    );
    prop_oneof![3 => accepted(), 1 => rejected]
}
