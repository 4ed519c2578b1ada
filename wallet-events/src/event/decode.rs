//! The data of an event, as it is read from JSON: amounts are decimal texts with all of their
//! currency's decimals, times RFC 3339, ids UUIDs. Fields are only ever added.

use serde::Deserialize;
use wallet_core::ledger::{AccountKey, Direction, EffectKind, Epoch, InLedger, Restore};
use wallet_core::{AccountId, Currency, LedgerId, Policy, Status};

use super::money::{HoldBody, TransferBody};
use super::text::{EventError, Text, amount, id, minor, named, time_of};
use super::{Balance, Event, EventEntry, Terms};

#[derive(Debug, Deserialize)]
pub(super) struct Body<'a> {
    pub(super) ledger: u32,
    #[serde(borrow)]
    pub(super) account: Text<'a>,
    epoch: u64,
    pub(super) version: i64,
    owner: Text<'a>,
    currency: Text<'a>,
    exponent: u8,
    balance: BalanceBody<'a>,
    entry: Option<EntryBody<'a>>,
    transfer: Option<TransferBody<'a>>,
    hold: Option<HoldBody<'a>>,
    terms: Option<TermsBody<'a>>,
    #[serde(borrow, default)]
    restores: Vec<RestoreBody<'a>>,
}

#[derive(Debug, Deserialize)]
struct RestoreBody<'a> {
    epoch: u64,
    #[serde(borrow)]
    restored_to: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct BalanceBody<'a> {
    #[serde(borrow)]
    posted: Text<'a>,
    available: Text<'a>,
    pending_in: Text<'a>,
    pending_out: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct EntryBody<'a> {
    sequence: i64,
    #[serde(borrow)]
    direction: Text<'a>,
    amount: Text<'a>,
    leg: u16,
}

#[derive(Debug, Deserialize)]
struct TermsBody<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    policy: PolicyText<'a>,
    max_balance: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PolicyText<'a> {
    NonNegative,
    Unlimited,
    #[serde(borrow)]
    Overdraft(Text<'a>),
}

impl Body<'_> {
    /// The account of the event.
    pub(super) fn account(&self) -> Result<AccountKey, EventError> {
        let account: AccountId = id(&self.account)?;
        Ok(InLedger::new(LedgerId::new(self.ledger), account))
    }

    /// The event that the body describes.
    pub(super) fn event(
        self,
        kind: EffectKind,
        at: wallet_core::Timestamp,
    ) -> Result<Event, EventError> {
        let account = self.account()?;
        let currency = Currency::new(&self.currency, self.exponent);
        let currency = currency.map_err(|_| EventError::Damaged("a currency"))?;
        let owner = self.owner.parse();
        if self.restores.len() > Event::RESTORES_MAX {
            return Err(EventError::Damaged("restores"));
        }
        let restores = self.restores.iter().map(RestoreBody::restore);
        let restores = restores.collect::<Result<Vec<_>, _>>()?;
        Ok(Event {
            account,
            epoch: epoch(self.epoch)?,
            version: self.version,
            kind,
            at,
            owner: owner.map_err(|_| EventError::Damaged("an owner"))?,
            currency,
            balance: Balance {
                posted: minor(&self.balance.posted, currency)?,
                available: minor(&self.balance.available, currency)?,
                pending_in: minor(&self.balance.pending_in, currency)?,
                pending_out: minor(&self.balance.pending_out, currency)?,
            },
            entry: self.entry.map(|entry| entry.entry(currency)).transpose()?,
            transfer: self
                .transfer
                .map(|transfer| transfer.transfer(account.ledger))
                .transpose()?,
            hold: self
                .hold
                .map(|hold| hold.hold(account.ledger))
                .transpose()?,
            terms: self.terms.map(|terms| terms.terms(currency)).transpose()?,
            restores,
        })
    }
}

/// The epoch of a number.
pub(super) fn epoch(number: u64) -> Result<Epoch, EventError> {
    Epoch::new(number).ok_or(EventError::Damaged("an epoch"))
}

impl RestoreBody<'_> {
    fn restore(&self) -> Result<Restore, EventError> {
        Ok(Restore {
            epoch: epoch(self.epoch)?,
            restored_to: time_of(&self.restored_to)?,
        })
    }
}

impl EntryBody<'_> {
    fn entry(&self, currency: Currency) -> Result<EventEntry, EventError> {
        Ok(EventEntry {
            sequence: self.sequence,
            direction: named(Direction::of_name(&self.direction), "a direction")?,
            amount: amount(&self.amount, currency)?,
            leg: self.leg,
        })
    }
}

impl TermsBody<'_> {
    fn terms(&self, currency: Currency) -> Result<Terms, EventError> {
        let limit = |text: &str| amount(text, currency);
        Ok(Terms {
            status: named(Status::of_name(&self.status), "a status")?,
            policy: match &self.policy {
                PolicyText::NonNegative => Policy::NonNegative,
                PolicyText::Unlimited => Policy::Unlimited,
                PolicyText::Overdraft(text) => Policy::Overdraft(limit(text)?),
            },
            max_balance: self.max_balance.as_deref().map(limit).transpose()?,
        })
    }
}
