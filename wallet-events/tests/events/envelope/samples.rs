use wallet_core::ledger::{
    Description, Details, Direction, EffectKind, Epoch, HoldStatus, InLedger, Restore, Reversal,
    TransferKind,
};
use wallet_core::{
    AccountId, Amount, Currency, Hold, HoldId, LedgerId, Leg, Metadata, Money, Owner, Policy,
    Reference, Status, Timestamp, Transfer, TransferId,
};
use wallet_events::{Balance, Event, EventEntry, Terms};

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000 + 123_456)
}

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn amount(minor: i128) -> Amount {
    Amount::new(minor).unwrap()
}

fn eur(minor: i128) -> Money {
    Money::minor(minor, Currency::iso("EUR").unwrap()).unwrap()
}

fn details() -> Details {
    let metadata = serde_json::json!({ "order": 17, "tags": ["a", "\u{1F600}"], "big": u64::MAX });
    Details {
        code: 4_000,
        reference: Some(Reference::new("invoice \"17\"").unwrap()),
        description: Some(Description::new("Gr\u{fc}\u{df}e").unwrap()),
        metadata: Some(Metadata::from_value(&metadata).unwrap()),
        effective_at: Some(at(-86_400)),
    }
}

fn transfer(kind: TransferKind) -> Transfer {
    Transfer {
        key: InLedger::new(LedgerId::new(3), TransferId::from_bytes([0xaa; 16])),
        kind,
        legs: vec![Leg::new(account(1), account(2), eur(123_456))],
        details: Details::default(),
        hold: None,
        reversal: None,
        created_at: at(60),
    }
}

fn hold(status: HoldStatus) -> Hold {
    Hold {
        key: InLedger::new(LedgerId::new(3), HoldId::from_bytes([0xbb; 16])),
        from: account(1),
        to: account(2),
        money: eur(5_000),
        captured: 0,
        released: 0,
        status,
        expires_at: None,
        details: Details::default(),
        created_at: at(30),
    }
}

fn event(kind: EffectKind, version: i64) -> Event {
    Event {
        account: InLedger::new(LedgerId::new(3), account(1)),
        epoch: Epoch::FIRST,
        version,
        kind,
        at: at(60),
        owner: Owner::new("ada").unwrap(),
        currency: Currency::iso("EUR").unwrap(),
        balance: Balance {
            posted: -123_456,
            available: -128_456,
            pending_in: 7,
            pending_out: 5_000,
        },
        entry: None,
        transfer: None,
        hold: None,
        terms: None,
        restores: Vec::new(),
    }
}

const fn entry(direction: Direction, amount: Amount) -> EventEntry {
    EventEntry {
        sequence: 9,
        direction,
        amount,
        leg: 0,
    }
}

const fn terms(status: Status, policy: Policy, max_balance: Option<Amount>) -> Terms {
    Terms {
        status,
        policy,
        max_balance,
    }
}

/// An event of every type. Each field of an event is in at least one of them. A new field gets a
/// sample of its own at the end, since the golden files of the others stay as they are.
pub(crate) fn samples() -> Vec<Event> {
    let none = Balance {
        posted: 0,
        available: 0,
        pending_in: 0,
        pending_out: 0,
    };
    let reversal = Reversal {
        transfer: TransferId::from_bytes([0xcc; 16]),
        legs: vec![2, 0],
        forced: true,
    };
    vec![
        Event {
            balance: none,
            terms: Some(terms(Status::Active, Policy::NonNegative, None)),
            currency: Currency::new("POINTS", 0).unwrap(),
            ..event(EffectKind::Opened, 1)
        },
        Event {
            terms: Some(terms(Status::DebitsFrozen, Policy::Unlimited, None)),
            ..event(EffectKind::StatusChanged, 2)
        },
        Event {
            terms: Some(terms(
                Status::CreditsFrozen,
                Policy::Overdraft(amount(1_050)),
                Some(amount(10_i128.pow(28) - 1)),
            )),
            ..event(EffectKind::LimitsChanged, 3)
        },
        Event {
            entry: Some(entry(Direction::Debit, amount(123_456))),
            transfer: Some(Transfer {
                details: details(),
                ..transfer(TransferKind::Transfer)
            }),
            ..event(EffectKind::Debited, 4)
        },
        Event {
            entry: Some(entry(Direction::Credit, amount(9))),
            transfer: Some(transfer(TransferKind::Deposit)),
            ..event(EffectKind::Credited, 5)
        },
        Event {
            hold: Some(Hold {
                expires_at: Some(at(3_600)),
                details: details(),
                ..hold(HoldStatus::Pending)
            }),
            ..event(EffectKind::HoldPlaced, 6)
        },
        Event {
            entry: Some(entry(Direction::Debit, amount(123_456))),
            transfer: Some(Transfer {
                hold: Some(HoldId::from_bytes([0xbb; 16])),
                ..transfer(TransferKind::Capture)
            }),
            hold: Some(Hold {
                captured: 4_000,
                released: 1_000,
                ..hold(HoldStatus::Captured)
            }),
            ..event(EffectKind::HoldCaptured, 7)
        },
        Event {
            hold: Some(hold(HoldStatus::Released)),
            ..event(EffectKind::HoldReleased, 8)
        },
        Event {
            hold: Some(hold(HoldStatus::Expired)),
            ..event(EffectKind::HoldExpired, 9)
        },
        Event {
            entry: Some(entry(Direction::Credit, amount(1))),
            transfer: Some(Transfer {
                reversal: Some(reversal),
                ..transfer(TransferKind::Reversal)
            }),
            epoch: Epoch::new(1_800_000_000).unwrap(),
            restores: [2, 1_800_000_000]
                .map(|number| Restore {
                    epoch: Epoch::new(number).unwrap(),
                    restored_to: at(10),
                })
                .to_vec(),
            ..event(EffectKind::Reversed, i64::MAX)
        },
    ]
}
