//! One accepted command per scenario, and all that can stand against it.

use std::time::Duration;

use wallet_core::{
    AccountId, AccountState, COUNTER_MAX, Capture, Change, ChangeLimits, ChangeStatus, Command,
    Deposit, Expire, HoldStatus, Leg, OpenAccount, Owner, PlaceHold, Policy, PostTransfer,
    Rejection, Release, Reversal, Reverse, ReverseWhat, Share, Split, Status, Withdrawal,
};

use super::{
    A, B, World, amount, bank, bank_account, cents, eur3, hold_id, hold_row, in_ledger, leg, state,
    transfer_id, transfer_row, usd,
};

/// What a sabotage occupies. Two of them on one place cannot hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A command names one id for what it makes.
    NewId,
    /// The hold: one that is missing has no state.
    HoldRow,
    /// A hold has one status.
    HoldStatus,
    /// A hold has expired or not.
    HoldTime,
    /// A command names one amount, or legs.
    What,
    /// The transfer: one that is missing has no legs.
    TransferRow,
    /// A transfer is a reversal or not.
    TransferKind,
    /// What is reversed already.
    Totals,
    /// An account holds one currency.
    Currency(Side),
    /// An account has one status.
    Status(Side),
    /// An account has one posted balance.
    Sums(Side),
    /// An account has open holds or not.
    Pending(Side),
    /// An account has one ceiling.
    Ceiling(Side),
    /// An account has one version.
    Version(Side),
    /// An account has one sequence.
    Sequence(Side),
}

/// Which account of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    From,
    To,
}

use Side::{From, To};

/// Books, and a command that they accept.
#[derive(Debug)]
pub struct Scenario {
    pub world: World,
    pub command: Command,
    from: AccountId,
    to: AccountId,
}

/// All of an account: one that is missing has no state.
const fn places_of(side: Side) -> [Place; 7] {
    [
        Place::Currency(side),
        Place::Status(side),
        Place::Sums(side),
        Place::Pending(side),
        Place::Ceiling(side),
        Place::Version(side),
        Place::Sequence(side),
    ]
}

impl Scenario {
    fn id(&self, side: Side) -> AccountId {
        match side {
            From => self.from,
            To => self.to,
        }
    }
}

/// Makes the books refuse what they would accept.
pub struct Sabotage {
    pub name: String,
    pub rejection: Rejection,
    pub places: Vec<Place>,
    pub apply: Box<dyn Fn(&mut Scenario)>,
}

fn sabotage(
    name: &str,
    rejection: Rejection,
    places: &[Place],
    apply: impl Fn(&mut Scenario) + 'static,
) -> Sabotage {
    Sabotage {
        name: name.to_owned(),
        rejection,
        places: places.to_vec(),
        apply: Box::new(apply),
    }
}

/// A sabotage of one account's state.
fn edit(
    side: Side,
    name: &str,
    rejection: Rejection,
    place: Place,
    change: impl Fn(&mut AccountState) + 'static,
) -> Sabotage {
    let name = format!("{side:?} {name}");
    sabotage(&name, rejection, &[place], move |s| {
        let id = s.id(side);
        change(s.world.edit(id));
    })
}

fn missing(side: Side) -> Sabotage {
    let name = format!("{side:?} missing");
    let places = places_of(side);
    sabotage(&name, Rejection::AccountNotFound, &places, move |s| {
        let key = in_ledger(s.id(side));
        s.world.tables.accounts.remove(&key);
    })
}

/// What stands against any movement of money: the currency and the closing.
fn basics(side: Side) -> Vec<Sabotage> {
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

fn frozen(side: Side, status: Status) -> Sabotage {
    let name = format!("{status:?}");
    let rejection = Rejection::AccountFrozen;
    edit(side, &name, rejection, Place::Status(side), move |a| {
        a.status = status;
    })
}

fn at_last_sequence(side: Side) -> Sabotage {
    let overflow = Rejection::CounterOverflow;
    let place = Place::Sequence(side);
    edit(side, "at its last sequence", overflow, place, |a| {
        a.sequence = i64::MAX;
    })
}

/// What stands against new money leaving one account for another.
fn new_money() -> Vec<Sabotage> {
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

fn transfer_id_taken() -> Sabotage {
    sabotage("id taken", Rejection::IdTaken, &[Place::NewId], |s| {
        let row = transfer_row(transfer_id(1), vec![leg(A, B, 1)]);
        s.world.put_transfer(row);
    })
}

/// A named case: a scenario and all that can stand against it.
pub struct Case {
    pub name: &'static str,
    pub scenario: fn() -> Scenario,
    pub sabotages: Vec<Sabotage>,
    /// Rejections that the command knows but that cannot compete, and why.
    pub apart: &'static [(Rejection, Rejection, &'static str)],
}

fn scenario(world: World, from: AccountId, to: AccountId, command: impl Into<Command>) -> Scenario {
    Scenario {
        world,
        command: command.into(),
        from,
        to,
    }
}

fn post_transfer() -> Case {
    let mut sabotages = new_money();
    sabotages.extend([transfer_id_taken(), missing(From), missing(To)]);
    sabotages.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "transfer",
        scenario: || {
            let command = PostTransfer::new(vec![leg(A, B, 100)]).with_id(transfer_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        sabotages,
        apart: &[],
    }
}

/// A settlement account that is missing is opened, unless the store knows its
/// currency otherwise.
fn settlement_unopenable(side: Side) -> Sabotage {
    let rejection = Rejection::CurrencyExponentMismatch;
    let places = places_of(side);
    sabotage("settlement unopenable", rejection, &places, move |s| {
        let key = in_ledger(s.id(side));
        s.world.tables.accounts.remove(&key);
        s.world.tables.currencies.insert(eur3().code(), eur3());
    })
}

fn deposit() -> Case {
    let mut sabotages = new_money();
    sabotages.extend([transfer_id_taken(), missing(To)]);
    sabotages.push(settlement_unopenable(From));
    sabotages.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "deposit",
        scenario: || {
            let world = World::with(&[(bank_account(), 1000), (A, 0)]);
            let command = Deposit::new(A, cents(100), bank()).with_id(transfer_id(1));
            scenario(world, bank_account(), A, command)
        },
        sabotages,
        apart: &[(
            Rejection::AccountNotFound,
            Rejection::MaxBalanceExceeded,
            "only the customer can be missing, and only it is credited",
        )],
    }
}

fn withdrawal() -> Case {
    let mut sabotages = new_money();
    sabotages.extend([transfer_id_taken(), missing(From)]);
    sabotages.push(settlement_unopenable(To));
    sabotages.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "withdrawal",
        scenario: || {
            let world = World::with(&[(A, 1000), (bank_account(), 0)]);
            let command = Withdrawal::new(A, cents(100), bank()).with_id(transfer_id(1));
            scenario(world, A, bank_account(), command)
        },
        sabotages,
        apart: &[(
            Rejection::AccountNotFound,
            Rejection::InsufficientFunds,
            "only the customer can be missing, and only it is debited",
        )],
    }
}

fn split() -> Case {
    let mut sabotages = new_money();
    sabotages.extend([transfer_id_taken(), missing(From), missing(To)]);
    sabotages.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "split",
        scenario: || {
            let share_bp = 10_000;
            let shares = vec![Share { to: B, share_bp }];
            let command = Split::new(A, cents(100), shares).with_id(transfer_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        sabotages,
        apart: &[],
    }
}

fn place_hold() -> Case {
    let mut sabotages = new_money();
    sabotages.extend([missing(From), missing(To)]);
    let taken = Rejection::IdTaken;
    sabotages.push(sabotage("id taken", taken, &[Place::NewId], |s| {
        s.world.put_hold(hold_row(hold_id(1), A, B, 1));
    }));
    Case {
        name: "hold",
        scenario: || {
            let command = PlaceHold::new(A, B, cents(100)).with_id(hold_id(1));
            scenario(World::with(&[(A, 1000), (B, 0)]), A, B, command)
        },
        sabotages,
        apart: &[],
    }
}

/// What stands against every step of a hold that was placed.
fn on_a_hold() -> Vec<Sabotage> {
    let all = [
        Place::HoldRow,
        Place::HoldStatus,
        Place::HoldTime,
        Place::What,
    ];
    let mut sabotages = basics(From);
    sabotages.extend(basics(To));
    sabotages.extend([missing(From), missing(To)]);
    sabotages.push(sabotage(
        "hold missing",
        Rejection::HoldNotFound,
        &all,
        |s| {
            s.world.tables.holds.clear();
        },
    ));
    for status in [
        HoldStatus::Captured,
        HoldStatus::Released,
        HoldStatus::Expired,
    ] {
        let name = format!("hold {status:?}");
        let ended = Rejection::HoldNotPending;
        sabotages.push(sabotage(&name, ended, &[Place::HoldStatus], move |s| {
            let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
            hold.unwrap().status = status;
        }));
    }
    let overflow = Rejection::CounterOverflow;
    sabotages.push(edit(To, "with lost sums", overflow, Place::Sums(To), |a| {
        a.counters.credits_pending = 0;
    }));
    sabotages
}

const MISSING_HOLD: &str = "a hold that is missing has no status, time or amount";

fn capture() -> Case {
    let mut sabotages = on_a_hold();
    sabotages.extend([
        transfer_id_taken(),
        frozen(From, Status::Frozen),
        frozen(To, Status::Frozen),
        at_last_sequence(From),
        at_last_sequence(To),
    ]);
    let expired = Rejection::HoldExpired;
    sabotages.push(sabotage("hold expired", expired, &[Place::HoldTime], |s| {
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = Some(s.world.now);
    }));
    let exceeds = Rejection::CaptureExceedsHold;
    sabotages.push(sabotage("too much", exceeds, &[Place::What], |s| {
        let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
        s.command = command.with_amount(amount(101)).into();
    }));
    Case {
        name: "capture",
        scenario: || {
            let command = Capture::new(hold_id(1)).with_id(transfer_id(1));
            scenario(World::with_hold(100), A, B, command)
        },
        sabotages,
        apart: &[
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotPending,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::HoldExpired,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::CaptureExceedsHold,
                MISSING_HOLD,
            ),
        ],
    }
}

fn release() -> Case {
    let mut sabotages = on_a_hold();
    sabotages.extend([frozen(From, Status::Frozen), frozen(To, Status::Frozen)]);
    Case {
        name: "release",
        scenario: || scenario(World::with_hold(100), A, B, Release::new(hold_id(1))),
        sabotages,
        apart: &[(
            Rejection::HoldNotFound,
            Rejection::HoldNotPending,
            MISSING_HOLD,
        )],
    }
}

fn expire() -> Case {
    let mut sabotages = on_a_hold();
    let early = Rejection::HoldNotExpired;
    sabotages.push(sabotage("too early", early, &[Place::HoldTime], |s| {
        let later = s.world.now.saturating_add(Duration::from_micros(1));
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = Some(later);
    }));
    sabotages.push(sabotage("no expiry", early, &[Place::HoldTime], |s| {
        let hold = s.world.tables.holds.get_mut(&in_ledger(hold_id(1)));
        hold.unwrap().expires_at = None;
    }));
    Case {
        name: "expire",
        scenario: || {
            let mut world = World::with_hold(100);
            let mut hold = world.hold(hold_id(1));
            hold.expires_at = Some(world.now);
            world.put_hold(hold);
            scenario(world, A, B, Expire::new(hold_id(1)))
        },
        sabotages,
        apart: &[
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotPending,
                MISSING_HOLD,
            ),
            (
                Rejection::HoldNotFound,
                Rejection::HoldNotExpired,
                MISSING_HOLD,
            ),
        ],
    }
}

/// Reverses 100 cents that went from A to B: B pays.
fn reverse_of(what: ReverseWhat) -> Command {
    let reverse = Reverse::new(transfer_id(7)).with_id(transfer_id(1));
    reverse.with_what(what).into()
}

fn reversal_sabotages() -> Vec<Sabotage> {
    let row = |s: &mut Scenario, change: &dyn Fn(&mut wallet_core::TransferWithReversals)| {
        let row = s.world.tables.transfers.get_mut(&in_ledger(transfer_id(7)));
        change(row.unwrap());
    };
    let all = [
        Place::TransferRow,
        Place::TransferKind,
        Place::What,
        Place::Totals,
    ];
    vec![
        sabotage("transfer missing", Rejection::TransferNotFound, &all, |s| {
            s.world.tables.transfers.remove(&in_ledger(transfer_id(7)));
        }),
        sabotage(
            "of a reversal",
            Rejection::NotReversible,
            &[Place::TransferKind],
            move |s| {
                row(s, &|row| {
                    row.transfer.reversal = Some(Reversal {
                        transfer: transfer_id(6),
                        legs: vec![0],
                        forced: false,
                    });
                });
            },
        ),
        sabotage(
            "an amount of two legs",
            Rejection::LegRequired,
            &[Place::What],
            move |s| {
                row(s, &|row| {
                    row.transfer.legs.push(Leg::new(A, B, cents(1)));
                    row.reversed.push(0);
                });
                s.command = reverse_of(ReverseWhat::Amount(amount(100)));
            },
        ),
        sabotage(
            "a leg too far",
            Rejection::LegNotFound,
            &[Place::What, Place::Totals],
            |s| s.command = reverse_of(ReverseWhat::Legs(vec![(1, None)])),
        ),
        sabotage(
            "reversed before",
            Rejection::ReversalExceedsTransfer,
            &[Place::Totals],
            move |s| row(s, &|row| row.reversed[0] = 100),
        ),
        sabotage(
            "too much",
            Rejection::ReversalExceedsTransfer,
            &[Place::What],
            |s| s.command = reverse_of(ReverseWhat::Amount(amount(101))),
        ),
    ]
}

const MISSING_TRANSFER: &str = "a transfer that is missing has no kind, legs or totals";

fn reverse() -> Case {
    let mut sabotages = new_money();
    sabotages.extend(reversal_sabotages());
    sabotages.extend([transfer_id_taken(), missing(From), missing(To)]);
    sabotages.extend([at_last_sequence(From), at_last_sequence(To)]);
    Case {
        name: "reverse",
        scenario: || {
            let mut world = World::with(&[(A, 0), (B, 1000)]);
            world.put_transfer(transfer_row(transfer_id(7), vec![leg(A, B, 100)]));
            scenario(world, B, A, reverse_of(ReverseWhat::Rest))
        },
        sabotages,
        apart: &[
            (
                Rejection::TransferNotFound,
                Rejection::NotReversible,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::LegRequired,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::LegNotFound,
                MISSING_TRANSFER,
            ),
            (
                Rejection::TransferNotFound,
                Rejection::ReversalExceedsTransfer,
                MISSING_TRANSFER,
            ),
            (
                Rejection::LegRequired,
                Rejection::LegNotFound,
                "a reversal names an amount or legs, not both",
            ),
            (
                Rejection::LegNotFound,
                Rejection::ReversalExceedsTransfer,
                "of a leg that is missing there is nothing to exceed",
            ),
        ],
    }
}

fn open() -> Case {
    let exponent = Rejection::CurrencyExponentMismatch;
    let place = [Place::Currency(From)];
    Case {
        name: "open",
        scenario: || {
            let owner = Owner::new("ada").unwrap();
            let command = OpenAccount::new(owner, super::eur()).with_id(A);
            scenario(World::new(), A, B, command)
        },
        sabotages: vec![
            sabotage("id taken", Rejection::IdTaken, &[Place::NewId], |s| {
                s.world.put(state(A, 0));
            }),
            sabotage("known otherwise", exponent, &place, |s| {
                s.world.tables.currencies.insert(eur3().code(), eur3());
            }),
        ],
        apart: &[],
    }
}

/// What stands against a change of one account.
fn on_one_account() -> Vec<Sabotage> {
    let keep = |s: &Sabotage| {
        !matches!(
            s.rejection,
            Rejection::CurrencyMismatch | Rejection::CurrencyExponentMismatch
        )
    };
    let mut sabotages: Vec<_> = basics(From).into_iter().filter(keep).collect();
    sabotages.push(missing(From));
    sabotages
}

const MISSING_ACCOUNT: &str = "an account that is missing has no state";

fn close() -> Case {
    let holds = Rejection::HoldsOutstanding;
    let mut sabotages = on_one_account();
    sabotages.extend([
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
        sabotages,
        apart: &[
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

fn limits() -> Case {
    let breached = Rejection::LimitBreached;
    let mut sabotages = on_one_account();
    sabotages.extend([
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
        sabotages,
        apart: &[
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

/// Every command with all that can stand against it.
pub fn cases() -> Vec<Case> {
    vec![
        open(),
        close(),
        limits(),
        post_transfer(),
        deposit(),
        withdrawal(),
        split(),
        place_hold(),
        capture(),
        release(),
        expire(),
        reverse(),
    ]
}
