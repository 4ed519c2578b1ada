//! The JSON of an event's data: amounts are decimal texts with all of their
//! currency's decimals, times RFC 3339, ids UUIDs. Fields are only ever added.

use serde::{Deserialize, Serialize};
use wallet_core::{
    AccountId, AccountKey, Currency, Direction, EffectKind, InLedger, LedgerId, Policy, Status,
    format_minor,
};

use super::money::{HoldBody, TransferBody};
use super::text::{EventError, amount, id, minor};
use super::{Balance, Event, EventEntry, Terms};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) ledger: u32,
    pub(super) account: String,
    pub(super) version: i64,
    owner: String,
    currency: String,
    exponent: u8,
    balance: BalanceBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<TransferBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<TermsBody>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BalanceBody {
    posted: String,
    available: String,
    pending_in: String,
    pending_out: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryBody {
    sequence: i64,
    direction: DirectionText,
    amount: String,
    leg: u16,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DirectionText {
    Debit,
    Credit,
}

#[derive(Debug, Serialize, Deserialize)]
struct TermsBody {
    status: StatusText,
    policy: PolicyText,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_balance: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusText {
    Active,
    DebitsFrozen,
    CreditsFrozen,
    Frozen,
    Closed,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PolicyText {
    NonNegative,
    Unlimited,
    Overdraft(String),
}

impl Body {
    pub(super) fn of(event: &Event) -> Self {
        let currency = event.currency;
        let text = |minor| format_minor(minor, currency);
        Self {
            ledger: event.account.ledger.number(),
            account: event.account.id.to_string(),
            version: event.version,
            owner: event.owner.to_string(),
            currency: currency.code().to_string(),
            exponent: currency.exponent(),
            balance: BalanceBody {
                posted: text(event.balance.posted),
                available: text(event.balance.available),
                pending_in: text(event.balance.pending_in),
                pending_out: text(event.balance.pending_out),
            },
            entry: event.entry.as_ref().map(|entry| EntryBody {
                sequence: entry.sequence,
                direction: match entry.direction {
                    Direction::Debit => DirectionText::Debit,
                    Direction::Credit => DirectionText::Credit,
                },
                amount: text(entry.amount.minor()),
                leg: entry.leg,
            }),
            transfer: event.transfer.as_ref().map(TransferBody::of),
            hold: event.hold.as_ref().map(HoldBody::of),
            terms: event.terms.as_ref().map(|terms| TermsBody {
                status: terms.status.into(),
                policy: match terms.policy {
                    Policy::NonNegative => PolicyText::NonNegative,
                    Policy::Unlimited => PolicyText::Unlimited,
                    Policy::Overdraft(limit) => PolicyText::Overdraft(text(limit.minor())),
                },
                max_balance: terms.max_balance.map(|max| text(max.minor())),
            }),
        }
    }

    /// Whose event it is.
    pub(super) fn account(&self) -> Result<AccountKey, EventError> {
        let account: AccountId = id(&self.account)?;
        Ok(InLedger::new(LedgerId::new(self.ledger), account))
    }

    /// The event that it tells.
    pub(super) fn event(
        self,
        kind: EffectKind,
        at: wallet_core::Timestamp,
    ) -> Result<Event, EventError> {
        let account = self.account()?;
        let currency = Currency::new(&self.currency, self.exponent);
        let currency = currency.map_err(|_| EventError::Damaged("a currency"))?;
        let owner = self.owner.parse();
        Ok(Event {
            account,
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
        })
    }
}

impl EntryBody {
    fn entry(&self, currency: Currency) -> Result<EventEntry, EventError> {
        Ok(EventEntry {
            sequence: self.sequence,
            direction: match self.direction {
                DirectionText::Debit => Direction::Debit,
                DirectionText::Credit => Direction::Credit,
            },
            amount: amount(&self.amount, currency)?,
            leg: self.leg,
        })
    }
}

impl TermsBody {
    fn terms(&self, currency: Currency) -> Result<Terms, EventError> {
        let limit = |text: &str| amount(text, currency);
        Ok(Terms {
            status: match self.status {
                StatusText::Active => Status::Active,
                StatusText::DebitsFrozen => Status::DebitsFrozen,
                StatusText::CreditsFrozen => Status::CreditsFrozen,
                StatusText::Frozen => Status::Frozen,
                StatusText::Closed => Status::Closed,
            },
            policy: match &self.policy {
                PolicyText::NonNegative => Policy::NonNegative,
                PolicyText::Unlimited => Policy::Unlimited,
                PolicyText::Overdraft(text) => Policy::Overdraft(limit(text)?),
            },
            max_balance: self.max_balance.as_deref().map(limit).transpose()?,
        })
    }
}

impl From<Status> for StatusText {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::DebitsFrozen => Self::DebitsFrozen,
            Status::CreditsFrozen => Self::CreditsFrozen,
            Status::Frozen => Self::Frozen,
            Status::Closed => Self::Closed,
        }
    }
}
