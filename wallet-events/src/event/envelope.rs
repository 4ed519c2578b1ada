use serde::Deserialize;
use thiserror::Error;
use wallet_core::LedgerId;
use wallet_core::ledger::{AccountKey, EffectKind, Position, Version};
use wallet_core::messaging::Message;

use super::decode::{Body, epoch};
use super::encode::{self, Attributes};
use super::kind::kind_of;
use super::text::{EventError, Text, id, time_of};
use super::{Event, type_of};

/// A kind of effect that this release does not publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this kind of effect is not published")]
pub struct NotAnEvent;

/// The content of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are known, and short-lived"
)]
pub enum Parsed {
    /// An event.
    Known(Event),
    /// An event of a type of a later release: skip it.
    Unknown {
        /// Its type.
        kind: String,
        /// The account of the event.
        account: AccountKey,
        /// The event's position among the effects of the account.
        position: Position,
    },
}

/// The fields that are read. Texts may hold escapes; fields that are not needed may be
/// absent.
#[derive(Debug, Deserialize)]
struct Envelope<'a, D> {
    #[serde(borrow)]
    specversion: Text<'a>,
    #[serde(rename = "type")]
    kind: Text<'a>,
    time: Text<'a>,
    data: D,
}

/// The fields of every version of every type.
#[derive(Debug, Deserialize)]
struct Head<'a> {
    ledger: u32,
    #[serde(borrow)]
    account: Text<'a>,
    epoch: u64,
    version: Version,
}

impl<'a, D: Deserialize<'a>> Envelope<'a, D> {
    fn read(json: &'a str) -> Result<Self, EventError> {
        let read = serde_json::from_str(json);
        read.map_err(|error| EventError::NotAnEvent(error.to_string()))
    }

    /// Its kind, where this release knows it.
    fn known(&self, version: Version) -> Result<Option<EffectKind>, EventError> {
        if &*self.specversion != "1.0" {
            return Err(EventError::NotAnEvent("no CloudEvents 1.0".to_owned()));
        }
        if version < 1 {
            return Err(EventError::Damaged("a version"));
        }
        Ok(kind_of(&self.kind))
    }
}

impl Event {
    /// Its id, the same for ever: `ledger/account/epoch/version`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", group(self.account), self.position())
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
        let group = group(self.account);
        let id = format!("{group}/{}", self.position());
        let body = encode::envelope(
            self,
            &Attributes {
                source,
                id: &id,
                kind,
                group: &group,
            },
        );
        let mut attributes = Vec::with_capacity(5);
        let mut attribute = |name: &str, value: String| attributes.push((name.to_owned(), value));
        if let Some(entry) = &self.entry {
            attribute(
                "amount_band",
                band(entry.amount.minor(), self.currency.exponent()),
            );
        }
        attribute("currency", self.currency.code().to_string());
        attribute("ledger", self.account.ledger.number().to_string());
        attribute("owner", self.owner.to_string());
        attribute("type", kind.to_owned());
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
        // Nearly all events are of a known kind and are parsed once.
        let unread = match Envelope::<Body<'_>>::read(json) {
            Ok(read) => {
                if let Some(kind) = read.known(read.data.version)? {
                    let at = time_of(&read.time)?;
                    return read.data.event(kind, at).map(Parsed::Known);
                }
                None
            }
            Err(error) => Some(error),
        };
        let read = Envelope::<Head<'_>>::read(json)?;
        if let (Some(_), Some(error)) = (read.known(read.data.version)?, unread) {
            return Err(error);
        }
        let ledger = LedgerId::new(read.data.ledger);
        Ok(Parsed::Unknown {
            account: AccountKey::new(ledger, id(&read.data.account)?),
            position: Position::new(epoch(read.data.epoch)?, read.data.version),
            kind: read.kind.into_owned(),
        })
    }
}

/// The group of an account's events, within which order is kept.
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
