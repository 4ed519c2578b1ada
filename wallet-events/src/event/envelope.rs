use serde::{Deserialize, Serialize};
use thiserror::Error;
use wallet_core::{AccountKey, EffectKind, Message, Version};

use super::body::Body;
use super::kind::kind_of;
use super::text::{EventError, id, time_of, time_text};
use super::{Event, type_of};

/// A kind of effect that this release does not publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this kind of effect is not published")]
pub struct NotAnEvent;

/// What a body tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are known, and short-lived"
)]
pub enum Parsed {
    /// An event.
    Known(Event),
    /// An event of a type that a later release has added: pass over it.
    Unknown {
        /// Its type.
        kind: String,
        /// Whose event it is.
        account: AccountKey,
        /// The account's version after it.
        version: Version,
    },
}

/// CloudEvents 1.0 in JSON, with the extensions for partitioning and sequence.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<'a, D> {
    specversion: &'a str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    datacontenttype: &'a str,
    partitionkey: String,
    sequence: String,
    data: D,
}

/// What is read of one: texts may hold escapes, and what is not needed may be
/// absent.
#[derive(Debug, Deserialize)]
struct Read<D> {
    specversion: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    data: D,
}

/// What every version of every type has.
#[derive(Debug, Deserialize)]
struct Head {
    ledger: u32,
    account: String,
    version: Version,
}

impl Event {
    /// Its id, the same for ever: `ledger/account/version`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", group(self.account), self.version)
    }

    /// Its CloudEvents type.
    ///
    /// # Errors
    /// [`NotAnEvent`] for a kind that this release does not publish.
    pub const fn type_name(&self) -> Result<&'static str, NotAnEvent> {
        type_of(self.kind)
    }

    /// The event as CloudEvents 1.0 JSON from `source`, ready to be published.
    ///
    /// Its attributes are what subscribers filter by: `currency`, `ledger`,
    /// `owner`, `type`, and where money moved `amount_band`: the power of ten at
    /// or below the amount in whole units (`1`, `10`, `100`, ...), `0` below one.
    ///
    /// # Errors
    /// [`NotAnEvent`] for a kind that this release does not publish.
    pub fn message(&self, source: &str) -> Result<Message, NotAnEvent> {
        let kind = self.type_name()?;
        let (id, group) = (self.id(), group(self.account));
        let envelope = Envelope {
            specversion: "1.0",
            id: id.clone(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            subject: self.account.id.to_string(),
            time: time_text(self.at),
            datacontenttype: "application/json",
            partitionkey: group.clone(),
            sequence: format!("{:019}", self.version),
            data: Body::of(self),
        };
        let mut attributes = Vec::with_capacity(5);
        let mut tell = |name: &str, value: String| attributes.push((name.to_owned(), value));
        if let Some(entry) = &self.entry {
            tell(
                "amount_band",
                band(entry.amount.minor(), self.currency.exponent()),
            );
        }
        tell("currency", self.currency.code().to_string());
        tell("ledger", self.account.ledger.number().to_string());
        tell("owner", self.owner.to_string());
        tell("type", kind.to_owned());
        let body = serde_json::to_string(&envelope).map_err(|_| NotAnEvent)?;
        Ok(Message {
            id,
            group,
            attributes,
            body,
        })
    }

    /// Reads an event from its JSON. Unknown fields are passed over.
    ///
    /// # Errors
    /// [`EventError`].
    pub fn parse(json: &str) -> Result<Parsed, EventError> {
        let no_event = |error: serde_json::Error| EventError::NotAnEvent(error.to_string());
        let head: Read<Head> = serde_json::from_str(json).map_err(no_event)?;
        if head.specversion != "1.0" {
            return Err(EventError::NotAnEvent("no CloudEvents 1.0".to_owned()));
        }
        if head.data.version < 1 {
            return Err(EventError::Damaged("a version"));
        }
        let kind: Option<EffectKind> = kind_of(&head.kind);
        let Some(kind) = kind else {
            let Head {
                ledger,
                account,
                version,
            } = head.data;
            let ledger = wallet_core::LedgerId::new(ledger);
            return Ok(Parsed::Unknown {
                kind: head.kind,
                account: AccountKey::new(ledger, id(&account)?),
                version,
            });
        };
        let at = time_of(&head.time)?;
        let read: Read<Body> = serde_json::from_str(json).map_err(no_event)?;
        read.data.event(kind, at).map(Parsed::Known)
    }
}

/// What an account's events are kept in order by.
fn group(account: AccountKey) -> String {
    format!("{}/{}", account.ledger.number(), account.id)
}

/// The power of ten at or below an amount in whole units.
fn band(minor: i128, exponent: u8) -> String {
    let digits = minor.to_string().len();
    let whole = digits.saturating_sub(usize::from(exponent));
    match whole.checked_sub(1) {
        None => "0".to_owned(),
        Some(zeros) => format!("1{}", "0".repeat(zeros)),
    }
}
