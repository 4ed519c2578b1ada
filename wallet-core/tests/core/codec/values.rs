//! Example values of every stored type, which the golden records decode to.

use std::sync::Arc;

use uuid::Uuid;
use wallet_core::ledger::{
    AccountChanged, AccountState, COUNTER_MAX, Counters, Description, Details, Direction, Effect,
    EffectKind, EntryMark, Epoch, HoldChanged, HoldStatus, InLedger, Posted, Reversal,
    TransferKind,
};
use wallet_core::{
    Account, AccountId, Amount, Currency, Hold, HoldId, Leg, Metadata, Money, Outcome, Owner,
    Policy, Receipt, Reference, Rejected, Rejection, Status, Timestamp, Transfer, TransferId,
};

use crate::codec::strategies::LEDGER;

const AT: Timestamp = Timestamp::from_micros(1_767_225_600_123_456);

fn account_id(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn eur(minor: i128) -> Money {
    Money::minor(minor, Currency::iso("EUR").unwrap()).unwrap()
}

fn leg(from: u8, to: u8, minor: i128) -> Leg {
    Leg::new(account_id(from), account_id(to), eur(minor))
}

fn details() -> Details {
    Details {
        code: 4_711,
        reference: Some(Reference::new("order-7").unwrap()),
        description: Some(Description::new("Tee für zwei").unwrap()),
        metadata: Some(Metadata::parse(r#"{"channel":"web","items":[1,2]}"#).unwrap()),
        effective_at: Some(Timestamp::from_micros(1_767_000_000_000_000)),
    }
}

fn state() -> AccountState {
    AccountState {
        key: InLedger::new(LEDGER, account_id(1)),
        currency: Currency::new("BTC", 8).unwrap(),
        system: true,
        policy: Policy::Overdraft(Amount::new(5_000).unwrap()),
        max_balance: Some(Amount::MAX),
        status: Status::DebitsFrozen,
        counters: Counters {
            debits_posted: 1,
            credits_posted: COUNTER_MAX,
            debits_pending: 300,
            credits_pending: 0,
        },
        version: 9,
        sequence: 4,
        last_at: AT,
    }
}

fn fresh_state() -> AccountState {
    AccountState {
        system: false,
        policy: Policy::NonNegative,
        max_balance: None,
        status: Status::Active,
        counters: Counters::default(),
        version: 1,
        sequence: 0,
        ..state()
    }
}

fn transfer(kind: TransferKind, legs: Vec<Leg>, details: Details) -> Transfer {
    Transfer {
        key: InLedger::new(LEDGER, TransferId::from_bytes([0xAA; 16])),
        kind,
        legs,
        details,
        hold: None,
        reversal: None,
        created_at: AT,
    }
}

fn hold(status: HoldStatus, captured: i128, released: i128) -> Hold {
    Hold {
        key: InLedger::new(LEDGER, HoldId::from_bytes([0xBB; 16])),
        from: account_id(1),
        to: account_id(2),
        money: eur(1_000),
        captured,
        released,
        status,
        expires_at: Some(Timestamp::from_micros(AT.as_micros() + 3_600_000_000)),
        details: Details::default(),
        created_at: AT,
    }
}

/// Both effects of each leg.
fn effects(legs: &[Leg], debit: EffectKind, credit: EffectKind) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (leg, index) in legs.iter().zip(0_u16..) {
        for (account, kind, direction) in [
            (leg.from, debit, Direction::Debit),
            (leg.to, credit, Direction::Credit),
        ] {
            let ordinal = 40 + i64::from(index);
            effects.push(Effect {
                account,
                system: false,
                kind,
                version: ordinal + 2,
                counters: Counters {
                    debits_posted: 250_000,
                    credits_posted: 1_234_567,
                    ..Counters::default()
                },
                entry: Some(EntryMark {
                    sequence: ordinal,
                    leg: index,
                    direction,
                    amount: leg.money.amount,
                }),
            });
        }
    }
    effects
}

fn pending_effects(kind: EffectKind, pending: i128) -> Vec<Effect> {
    let effect = |number, debits_pending, credits_pending| Effect {
        account: account_id(number),
        system: false,
        kind,
        version: 3,
        counters: Counters {
            debits_posted: 0,
            credits_posted: 50_000,
            debits_pending,
            credits_pending,
        },
        entry: None,
    };
    vec![effect(1, pending, 0), effect(2, 0, pending)]
}

fn accepted(receipts: Vec<Receipt>) -> Outcome {
    Outcome {
        at: AT,
        epoch: Epoch::FIRST,
        result: Ok(receipts),
    }
}

fn rejected(rejection: Rejection, command: u16) -> Outcome {
    Outcome {
        at: AT,
        epoch: Epoch::FIRST,
        result: Err(Rejected {
            rejection,
            command,
            subject: Uuid::from_bytes([0xCC; 16]),
        }),
    }
}

fn posted(transfer: Transfer, debit: EffectKind, credit: EffectKind) -> Posted {
    Posted {
        effects: effects(&transfer.legs, debit, credit),
        transfer,
        hold: None,
    }
}

/// The same outcome, decided in a later epoch.
fn in_epoch(number: u64, outcome: Outcome) -> Outcome {
    Outcome {
        epoch: Epoch::new(number).unwrap(),
        ..outcome
    }
}

/// The most frequent kind of record.
pub(crate) fn simple() -> Outcome {
    let legs = vec![leg(1, 2, 1_050)];
    let transfer = transfer(TransferKind::Transfer, legs, Details::default());
    let posted = posted(transfer, EffectKind::Debited, EffectKind::Credited);
    accepted(vec![Receipt::Posted(posted)])
}

fn deposit() -> Receipt {
    let transfer = transfer(TransferKind::Deposit, vec![leg(9, 1, 500)], details());
    let mut posted = posted(transfer, EffectKind::Debited, EffectKind::Credited);
    posted.effects[0].system = true;
    let opened = Effect {
        kind: EffectKind::Opened,
        version: 1,
        counters: Counters::default(),
        entry: None,
        ..posted.effects[0]
    };
    posted.effects.insert(0, opened);
    Receipt::Posted(posted)
}

fn capture() -> Receipt {
    let hold = hold(HoldStatus::Captured, 600, 400);
    let mut transfer = transfer(
        TransferKind::Capture,
        vec![leg(1, 2, 600)],
        Details::default(),
    );
    transfer.hold = Some(hold.key.id);
    let kind = EffectKind::HoldCaptured;
    let hold = Some(Box::new(hold));
    Receipt::Posted(Posted {
        hold,
        ..posted(transfer, kind, kind)
    })
}

fn reversal() -> Receipt {
    let legs = vec![leg(3, 1, 30), leg(2, 1, 70)];
    let mut transfer = transfer(TransferKind::Reversal, legs, Details::default());
    transfer.reversal = Some(Reversal {
        transfer: TransferId::from_bytes([0xDD; 16]),
        legs: vec![1, 0],
        forced: true,
    });
    let kind = EffectKind::Reversed;
    Receipt::Posted(posted(transfer, kind, kind))
}

fn plain(kind: TransferKind, legs: Vec<Leg>) -> Receipt {
    let transfer = transfer(kind, legs, Details::default());
    Receipt::Posted(posted(transfer, EffectKind::Debited, EffectKind::Credited))
}

fn held(status: HoldStatus, kind: EffectKind, pending: i128, released: i128) -> Receipt {
    Receipt::HoldChanged(HoldChanged {
        hold: hold(status, 0, released),
        effects: pending_effects(kind, pending),
    })
}

fn opened(state: AccountState, metadata: Option<Metadata>) -> Receipt {
    Receipt::AccountOpened(Account {
        state,
        owner: Owner::new("ada").unwrap(),
        metadata,
        created_at: AT,
    })
}

fn changed(effect: Option<EffectKind>, status: Status) -> Receipt {
    let state = AccountState { status, ..state() };
    Receipt::AccountChanged(AccountChanged { state, effect })
}

/// Every kind of receipt, some rejections, one of several commands.
pub(crate) fn outcomes() -> Vec<(&'static str, Outcome)> {
    let one = |receipt| accepted(vec![receipt]);
    let split = vec![leg(1, 2, 50), leg(1, 3, 30), leg(1, 4, 20)];
    let unlimited = AccountState {
        policy: Policy::Unlimited,
        ..fresh_state()
    };
    vec![
        ("outcome-bulk", one(Receipt::BulkAccepted { items: 1_000 })),
        ("outcome-opened", one(opened(fresh_state(), None))),
        (
            "outcome-opened-all",
            one(opened(state(), details().metadata)),
        ),
        ("outcome-opened-unlimited", one(opened(unlimited, None))),
        (
            "outcome-status-changed",
            one(changed(Some(EffectKind::StatusChanged), Status::Frozen)),
        ),
        (
            "outcome-limits-changed",
            one(changed(
                Some(EffectKind::LimitsChanged),
                Status::CreditsFrozen,
            )),
        ),
        ("outcome-unchanged", one(changed(None, Status::Closed))),
        ("outcome-transfer", simple()),
        ("outcome-deposit-all", one(deposit())),
        (
            "outcome-withdrawal",
            one(plain(TransferKind::Withdrawal, vec![leg(1, 9, 5)])),
        ),
        ("outcome-second-epoch", in_epoch(2, simple())),
        ("outcome-split", one(plain(TransferKind::Split, split))),
        ("outcome-capture", one(capture())),
        ("outcome-reversal-forced", one(reversal())),
        (
            "outcome-system",
            one(plain(TransferKind::System, vec![leg(9, 8, 5)])),
        ),
        (
            "outcome-system-account",
            rejected(Rejection::SystemAccount, 0),
        ),
        (
            "outcome-not-system-account",
            rejected(Rejection::NotSystemAccount, 1),
        ),
        (
            "outcome-hold-placed",
            one(held(HoldStatus::Pending, EffectKind::HoldPlaced, 1_000, 0)),
        ),
        (
            "outcome-hold-released",
            one(held(
                HoldStatus::Released,
                EffectKind::HoldReleased,
                0,
                1_000,
            )),
        ),
        (
            "outcome-hold-expired",
            one(held(HoldStatus::Expired, EffectKind::HoldExpired, 0, 1_000)),
        ),
        (
            "outcome-of-three",
            accepted(vec![opened(fresh_state(), None), deposit(), capture()]),
        ),
        (
            "outcome-insufficient-funds",
            rejected(Rejection::InsufficientFunds, 0),
        ),
        (
            "outcome-refused-later-epoch",
            in_epoch(1_800_000_000, rejected(Rejection::InsufficientFunds, 0)),
        ),
        (
            "outcome-hold-not-found",
            rejected(Rejection::HoldNotFound, 2),
        ),
        (
            "outcome-counter-overflow",
            rejected(Rejection::CounterOverflow, 99),
        ),
    ]
}

/// A transfer, a hold and an outbox row.
pub(crate) fn transfer_value() -> Transfer {
    transfer(
        TransferKind::Transfer,
        vec![
            leg(1, 2, 1_050),
            Leg {
                money: Money::minor(7, Currency::new("POINTS", 0).unwrap()).unwrap(),
                ..leg(1, 2, 1)
            },
        ],
        details(),
    )
}

pub(crate) fn hold_value() -> Hold {
    Hold {
        details: details(),
        ..hold(HoldStatus::Pending, 250, 0)
    }
}

pub(crate) fn outbox_value() -> Vec<(wallet_core::LedgerId, Arc<Outcome>)> {
    vec![
        (wallet_core::LedgerId::new(0), Arc::new(simple())),
        (LEDGER, Arc::new(accepted(vec![capture()]))),
    ]
}
