//! The canonical form of a caller's request, and its fingerprint.
//!
//! A fingerprint outlives releases. A retry after an upgrade must match the
//! fingerprint that was recorded before it. So the form only ever grows:
//!
//! - it starts with a domain that names its version;
//! - a command is its number, its fields, and a zero byte; a field is its
//!   number (1 or more, of one meaning for ever), its length (4 bytes,
//!   big-endian) and its bytes; a list is one field per item;
//! - an absent field adds nothing, and neither does a default that is equivalent to
//!   an absent field. So a new field does not change the fingerprint of any request
//!   without it;
//! - ledger and key are not in it, because the fingerprint is stored under them.
//!   Values that the service makes are not in it: ids, times, shards.

mod form;

use crate::ledger::{Fingerprint, Policy};
use crate::request::{
    BulkRequest, Capture, Change, ChangeLimits, ChangeStatus, Command, Deposit, Expire,
    OpenAccount, PlaceHold, PostTransfer, Release, Request, Reverse, ReverseWhat, Split,
    SystemTransfer, Withdrawal,
};
use form::{Form, field};

const DOMAIN: &[u8] = b"wallet.request.1\0";
/// The domain of a list with one command, which is another request than the command
/// alone.
const LIST_OF_ONE: &[u8] = b"wallet.list.1\0";
const BULK: &[u8] = b"wallet.bulk.1\0";
const CANCELLATION: &[u8] = b"wallet.cancel.1\0";

/// The fingerprint of a request.
pub(crate) fn of(request: &Request) -> Fingerprint {
    let domain = if request.is_list_of_one() {
        LIST_OF_ONE
    } else {
        DOMAIN
    };
    of_all(domain, request.commands())
}

/// The fingerprint of commands.
pub(crate) fn of_commands(commands: &[Command]) -> Fingerprint {
    of_all(DOMAIN, commands)
}

/// The fingerprint of a bulk request covers all items in order.
pub(crate) fn of_bulk(bulk: &BulkRequest) -> Fingerprint {
    of_all(BULK, bulk.items())
}

/// The fingerprint of a cancelled key. No request has the same one.
pub(crate) fn of_cancellation() -> Fingerprint {
    Fingerprint::of(CANCELLATION)
}

fn of_all(domain: &[u8], commands: &[Command]) -> Fingerprint {
    let mut form = Form::new(domain);
    for command in commands {
        add(&mut form, command);
        form.end();
    }
    Fingerprint::of(form.as_bytes())
}

/// Adds a command. Its number is never zero, because a zero byte ends a command.
/// Each function below names every field, so that a new field cannot be forgotten.
/// Otherwise two requests that differ in it would have one fingerprint.
fn add(form: &mut Form, command: &Command) {
    match command {
        Command::OpenAccount(command) => open_account(form, command),
        Command::ChangeStatus(command) => change_status(form, command),
        Command::ChangeLimits(command) => change_limits(form, command),
        Command::PostTransfer(command) => post_transfer(form, command),
        Command::Deposit(command) => deposit(form, command),
        Command::Withdrawal(command) => withdrawal(form, command),
        Command::SystemTransfer(command) => system_transfer(form, command),
        Command::Split(command) => split(form, command),
        Command::PlaceHold(command) => place_hold(form, command),
        Command::Capture(command) => capture(form, command),
        Command::Release(Release { hold }) => {
            form.begin(10);
            form.put(field::HOLD, hold.as_bytes());
        }
        Command::Expire(Expire { hold }) => {
            form.begin(11);
            form.put(field::HOLD, hold.as_bytes());
        }
        Command::Reverse(command) => reverse(form, command),
    }
}

fn open_account(form: &mut Form, command: &OpenAccount) {
    let OpenAccount {
        owner,
        currency,
        id,
        policy,
        max_balance,
        metadata,
        system,
    } = command;
    form.begin(1);
    form.id(id.as_ref().map(crate::ledger::AccountId::as_bytes));
    form.text(field::OWNER, owner.as_str());
    form.currency(*currency);
    if *policy != Policy::default() {
        form.policy(*policy);
    }
    if let Some(max) = max_balance {
        form.amount(field::MAX_BALANCE, *max);
    }
    if let Some(metadata) = metadata {
        form.text(field::METADATA, metadata.as_str());
    }
    form.mark(field::SYSTEM, *system);
}

fn change_status(form: &mut Form, command: &ChangeStatus) {
    let ChangeStatus {
        account,
        status: next,
    } = command;
    form.begin(2);
    form.put(field::ACCOUNT, account.as_bytes());
    form.put(field::STATUS, &[next.number()]);
}

fn change_limits(form: &mut Form, command: &ChangeLimits) {
    let ChangeLimits {
        account,
        policy,
        max_balance,
    } = command;
    form.begin(3);
    form.put(field::ACCOUNT, account.as_bytes());
    if let Some(policy) = policy {
        form.policy(*policy);
    }
    match max_balance {
        Change::Keep => {}
        Change::Clear => form.put(field::MAX_BALANCE, &[]),
        Change::Set(max) => form.amount(field::MAX_BALANCE, *max),
    }
}

fn post_transfer(form: &mut Form, command: &PostTransfer) {
    let PostTransfer { legs, id, details } = command;
    form.begin(4);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    for leg in legs {
        form.leg(leg);
    }
    form.details(details);
}

fn deposit(form: &mut Form, command: &Deposit) {
    let Deposit {
        account,
        money,
        settlement,
        id,
        details,
    } = command;
    form.begin(5);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    form.put(field::ACCOUNT, account.as_bytes());
    form.money(*money);
    form.text(field::SETTLEMENT, settlement.as_str());
    form.details(details);
}

fn withdrawal(form: &mut Form, command: &Withdrawal) {
    let Withdrawal {
        account,
        money,
        settlement,
        id,
        details,
    } = command;
    form.begin(6);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    form.put(field::ACCOUNT, account.as_bytes());
    form.money(*money);
    form.text(field::SETTLEMENT, settlement.as_str());
    form.details(details);
}

fn system_transfer(form: &mut Form, command: &SystemTransfer) {
    let SystemTransfer { legs, id, details } = command;
    form.begin(13);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    for leg in legs {
        form.system_leg(leg);
    }
    form.details(details);
}

fn split(form: &mut Form, command: &Split) {
    let Split {
        from,
        money,
        shares,
        id,
        details,
    } = command;
    form.begin(7);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    form.put(field::FROM, from.as_bytes());
    form.money(*money);
    for share in shares {
        let share_bp = share.share_bp.to_be_bytes();
        form.parts(field::SHARE, [share.to.as_bytes(), &share_bp]);
    }
    form.details(details);
}

fn place_hold(form: &mut Form, command: &PlaceHold) {
    let PlaceHold {
        from,
        to,
        money,
        id,
        expires_in,
        expires_at,
        details,
    } = command;
    form.begin(8);
    form.id(id.as_ref().map(crate::ledger::HoldId::as_bytes));
    form.put(field::FROM, from.as_bytes());
    form.put(field::TO, to.as_bytes());
    form.money(*money);
    if let Some(life) = expires_in {
        form.put(field::EXPIRES_IN, &life.as_nanos().to_be_bytes());
    }
    if let Some(at) = expires_at {
        form.put(field::EXPIRES_AT, &at.as_micros().to_be_bytes());
    }
    form.details(details);
}

fn capture(form: &mut Form, command: &Capture) {
    let Capture {
        hold,
        amount,
        currency,
        is_final,
        id,
        details,
    } = command;
    form.begin(9);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    form.put(field::HOLD, hold.as_bytes());
    if let Some(amount) = amount {
        form.amount(field::AMOUNT, *amount);
    }
    if let Some(currency) = currency {
        form.currency(*currency);
    }
    // Three cases, not two: an absent value means "if nothing remains".
    if let Some(is_final) = is_final {
        form.put(field::IS_FINAL, &[u8::from(*is_final)]);
    }
    form.details(details);
}

fn reverse(form: &mut Form, command: &Reverse) {
    let Reverse {
        transfer,
        what,
        currency,
        force,
        id,
        details,
    } = command;
    form.begin(12);
    form.id(id.as_ref().map(crate::ledger::TransferId::as_bytes));
    form.put(field::TRANSFER, transfer.as_bytes());
    match what {
        ReverseWhat::Rest => {}
        ReverseWhat::Amount(amount) => form.amount(field::AMOUNT, *amount),
        ReverseWhat::Proportional(amount) => form.amount(field::PROPORTIONAL, *amount),
        ReverseWhat::Legs(legs) => {
            for (leg, amount) in legs {
                let leg = leg.to_be_bytes();
                let amount = amount.map(|amount| amount.minor().to_be_bytes());
                let amount = amount.as_ref().map_or(&[][..], |bytes| bytes);
                form.parts(field::REVERSED_LEG, [&leg, amount]);
            }
        }
    }
    if let Some(currency) = currency {
        form.currency(*currency);
    }
    form.mark(field::FORCE, *force);
    form.details(details);
}
