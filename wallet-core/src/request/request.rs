//! Requests: commands under one idempotency key, atomic.

use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::ledger::{Details, IdempotencyKey, LedgerId, Leg, split_amount};
use crate::request::{BULK_ITEMS_MAX, BulkRequest, Change, Command, ReverseWhat};

/// The most commands in one request.
pub const COMMANDS_MAX: usize = 100;
/// The most legs in one transfer.
pub const LEGS_MAX: usize = 500;
/// The longest life of a hold that expires: ten years of 366 days.
pub const HOLD_LIFE_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// One or more commands, atomic, under one idempotency key.
///
/// ```
/// use wallet_core::{Currency, IdempotencyKey, OpenAccount, Owner, Request};
/// use wallet_core::ledger::{KeyScope, KeyText};
/// let key = IdempotencyKey::new(KeyScope::new("docs")?, KeyText::new("open-ada")?);
/// let request = Request::new(key, OpenAccount::new(Owner::new("ada")?, Currency::iso("EUR")?));
/// assert_eq!(request.commands().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    ledger: LedgerId,
    key: IdempotencyKey,
    commands: Vec<Command>,
    is_list: bool,
}

impl Request {
    /// A request of one command in the default ledger.
    #[must_use]
    pub fn new(key: IdempotencyKey, command: impl Into<Command>) -> Self {
        Self {
            is_list: false,
            ..Self::of_many(key, vec![command.into()])
        }
    }

    /// An atomic request of several commands in the default ledger. A list of one
    /// command is another request than the command alone: under one key the second
    /// of the two is a mismatch.
    #[must_use]
    pub fn of_many(key: IdempotencyKey, commands: Vec<Command>) -> Self {
        Self {
            ledger: LedgerId::default(),
            key,
            commands,
            is_list: true,
        }
    }

    /// The same request in another ledger.
    #[must_use]
    pub const fn in_ledger(mut self, ledger: LedgerId) -> Self {
        self.ledger = ledger;
        self
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The idempotency key.
    #[must_use]
    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The commands.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Whether the request is a list of a single command.
    pub(crate) fn is_list_of_one(&self) -> bool {
        self.is_list && self.commands.len() == 1
    }

    pub(crate) fn into_commands(self) -> Vec<Command> {
        self.commands
    }

    /// Checks the form of the request: what no rule of the ledger is about.
    ///
    /// # Errors
    /// [`InvalidRequest`]: the request can never be carried out in this form.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        if self.key.is_item() {
            return Err(InvalidRequest::ItemKey);
        }
        if self.commands.is_empty() {
            return Err(InvalidRequest::NoCommands);
        }
        if self.commands.len() > COMMANDS_MAX {
            return Err(InvalidRequest::TooManyCommands);
        }
        self.commands.iter().try_for_each(validate_command)
    }
}

impl BulkRequest {
    /// Checks the form of the request: what no rule of the ledger is about.
    ///
    /// # Errors
    /// [`InvalidRequest`] with the index of the invalid item, or 0 where the error
    /// concerns the whole bulk request.
    pub fn validate(&self) -> Result<(), (usize, InvalidRequest)> {
        if self.key().is_item() {
            return Err((0, InvalidRequest::ItemKey));
        }
        if self.items().is_empty() {
            return Err((0, InvalidRequest::NoCommands));
        }
        if self.items().len() > BULK_ITEMS_MAX {
            return Err((0, InvalidRequest::TooManyCommands));
        }
        let mut items = self.items().iter().enumerate();
        items.try_for_each(|(index, item)| validate_command(item).map_err(|error| (index, error)))
    }
}

fn validate_command(command: &Command) -> Result<(), InvalidRequest> {
    match command {
        Command::OpenAccount(open) => {
            if open.owner.is_reserved() {
                return Err(InvalidRequest::ReservedOwner);
            }
            caller_id(open.id.map(crate::ledger::AccountId::uuid))
        }
        Command::ChangeStatus(_) | Command::Release(_) | Command::Expire(_) => Ok(()),
        Command::ChangeLimits(change) => {
            if change.policy.is_none() && change.max_balance == Change::Keep {
                return Err(InvalidRequest::NothingToChange);
            }
            Ok(())
        }
        Command::PostTransfer(transfer) => {
            caller_id(transfer.id.map(crate::ledger::TransferId::uuid))?;
            legs(&transfer.legs)
        }
        Command::Deposit(deposit) => caller_id(deposit.id.map(crate::ledger::TransferId::uuid)),
        Command::Withdrawal(withdrawal) => {
            caller_id(withdrawal.id.map(crate::ledger::TransferId::uuid))
        }
        // Whether the two accounts of a leg differ is known only with their ids.
        Command::SystemTransfer(transfer) => {
            caller_id(transfer.id.map(crate::ledger::TransferId::uuid))?;
            leg_count(transfer.legs.len())
        }
        Command::Split(split) => {
            caller_id(split.id.map(crate::ledger::TransferId::uuid))?;
            let shares: Vec<u32> = split.shares.iter().map(|share| share.share_bp).collect();
            split_amount(split.money.amount, &shares).map_err(|_| InvalidRequest::BadShares)?;
            if split.shares.len() > LEGS_MAX {
                return Err(InvalidRequest::TooManyLegs);
            }
            if split.shares.iter().any(|share| share.to == split.from) {
                return Err(InvalidRequest::SameAccount);
            }
            Ok(())
        }
        Command::PlaceHold(hold) => {
            caller_id(hold.id.map(crate::ledger::HoldId::uuid))?;
            if hold.expires_in.is_some() && hold.expires_at.is_some() {
                return Err(InvalidRequest::TwoExpiries);
            }
            let life = hold.expires_in.unwrap_or(HOLD_LIFE_MAX);
            if life < Duration::from_micros(1) || life > HOLD_LIFE_MAX {
                return Err(InvalidRequest::BadExpiry);
            }
            different(&Leg::new(hold.from, hold.to, hold.money))
        }
        Command::Capture(capture) => caller_id(capture.id.map(crate::ledger::TransferId::uuid)),
        Command::Reverse(reverse) => {
            caller_id(reverse.id.map(crate::ledger::TransferId::uuid))?;
            match &reverse.what {
                ReverseWhat::Legs(legs) if legs.is_empty() => Err(InvalidRequest::NoLegs),
                ReverseWhat::Legs(legs) if legs.len() > LEGS_MAX => {
                    Err(InvalidRequest::TooManyLegs)
                }
                ReverseWhat::Rest
                | ReverseWhat::Amount(_)
                | ReverseWhat::Legs(_)
                | ReverseWhat::Proportional(_) => Ok(()),
            }
        }
    }
}

fn caller_id(id: Option<Uuid>) -> Result<(), InvalidRequest> {
    match id {
        Some(id) if !crate::ledger::AccountId::new(id).is_caller_usable() => {
            Err(InvalidRequest::BadId)
        }
        Some(_) | None => Ok(()),
    }
}

fn leg_count(count: usize) -> Result<(), InvalidRequest> {
    match count {
        0 => Err(InvalidRequest::NoLegs),
        1..=LEGS_MAX => Ok(()),
        _ => Err(InvalidRequest::TooManyLegs),
    }
}

fn legs(legs: &[Leg]) -> Result<(), InvalidRequest> {
    leg_count(legs.len())?;
    legs.iter().try_for_each(different)
}

fn different(leg: &Leg) -> Result<(), InvalidRequest> {
    if leg.from == leg.to {
        Err(InvalidRequest::SameAccount)
    } else {
        Ok(())
    }
}

/// The reason why a request can never be carried out in this form. Nothing was read
/// and nothing is recorded, so the key is still free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The request has no commands.
    #[error("a request needs at least one command")]
    NoCommands,
    /// The key is that of an item of a bulk request.
    #[error("the key of an item of a bulk request cannot be used by a request of its own")]
    ItemKey,
    /// More than [`COMMANDS_MAX`] commands, or more than
    /// [`BULK_ITEMS_MAX`](crate::request::BULK_ITEMS_MAX) items of a bulk request.
    #[error("too many commands in one request")]
    TooManyCommands,
    /// A transfer has no legs.
    #[error("a transfer needs at least one leg")]
    NoLegs,
    /// More than [`LEGS_MAX`] legs, or more than the store can take.
    #[error("too many legs in one transfer")]
    TooManyLegs,
    /// More rows or bytes than the store can take in one transaction.
    #[error("the request exceeds what the store can commit at once")]
    TooLarge,
    /// Money cannot move from an account to itself.
    #[error("the two accounts of a leg must differ")]
    SameAccount,
    /// Shares are zero or do not add up to 10,000 basis points.
    #[error("shares must each be at least 1 and add up to 10,000 basis points")]
    BadShares,
    /// A caller's id is nil, max or of version 8.
    #[error("a caller's id must not be nil, max or a version 8 UUID")]
    BadId,
    /// An account's owner begins with one of
    /// [`RESERVED_OWNERS`](crate::ledger::RESERVED_OWNERS).
    #[error("the owner begins with a prefix that is kept for the ledger's own accounts")]
    ReservedOwner,
    /// The life of a hold is zero or above [`HOLD_LIFE_MAX`].
    #[error("the life of a hold must lie between a microsecond and ten years")]
    BadExpiry,
    /// A hold has both a life and an expiry time.
    #[error("a hold ends after a time or at a time: give one of the two")]
    TwoExpiries,
    /// A change of limits changes nothing.
    #[error("a change of limits must name a limit")]
    NothingToChange,
}

impl Command {
    /// The host's details of the command's result, where the command has details.
    #[must_use]
    pub const fn details(&self) -> Option<&Details> {
        match self {
            Self::PostTransfer(c) => Some(&c.details),
            Self::Deposit(c) => Some(&c.details),
            Self::Withdrawal(c) => Some(&c.details),
            Self::SystemTransfer(c) => Some(&c.details),
            Self::Split(c) => Some(&c.details),
            Self::PlaceHold(c) => Some(&c.details),
            Self::Capture(c) => Some(&c.details),
            Self::Reverse(c) => Some(&c.details),
            Self::OpenAccount(_)
            | Self::ChangeStatus(_)
            | Self::ChangeLimits(_)
            | Self::Release(_)
            | Self::Expire(_) => None,
        }
    }
}
