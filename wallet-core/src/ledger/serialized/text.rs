//! What is one text: ids, texts, times, names and codes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Ordinal, by_fields};
use crate::ledger::{
    AccountId, CurrencyCode, Description, Direction, EffectKind, Epoch, HoldId, HoldStatus,
    IdempotencyKey, InLedger, KeyScope, KeyText, LedgerId, LimitName, LimitScope, LockName,
    LockOwner, Metadata, Owner, Position, RaisedBy, Reference, Rejection, Restore, SessionUser,
    SettlementName, Status, Timestamp, TransferId, TransferKind,
};

/// Values that are written by `Display` and read by `$read`.
macro_rules! by_text {
    ($($value:ty: $read:expr,)*) => {$(
        impl Serialize for $value {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $read(text.as_str()).map_err(D::Error::custom)
            }
        }
    )*};
}

by_text! {
    AccountId: str::parse,
    HoldId: str::parse,
    TransferId: str::parse,
    CurrencyCode: CurrencyCode::new,
    Description: Description::new,
    KeyScope: KeyScope::new,
    KeyText: KeyText::new,
    LimitName: LimitName::new,
    LimitScope: LimitScope::new,
    LockName: LockName::new,
    LockOwner: LockOwner::new,
    Owner: Owner::new,
    RaisedBy: RaisedBy::new,
    Reference: Reference::new,
    SessionUser: SessionUser::new,
    SettlementName: SettlementName::new,
    Timestamp: Timestamp::from_shown,
    Rejection: rejection,
}

fn rejection(code: &str) -> Result<Rejection, &'static str> {
    let mut all = Rejection::ALL.iter().copied();
    all.find(|one| one.code() == code)
        .ok_or("an unknown code of a rejection")
}

/// Enums that are written and read by their name.
macro_rules! by_name {
    ($($value:ty,)*) => {$(
        impl Serialize for $value {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let names = || Self::ALL.iter().map(|one| one.name()).collect::<Vec<_>>();
                let unknown = || D::Error::custom(format_args!(
                    "unknown name `{name}`, expected one of {}", names().join(", "),
                ));
                Self::of_name(&name).ok_or_else(unknown)
            }
        }
    )*};
}

by_name! {
    Direction,
    EffectKind,
    HoldStatus,
    Status,
    TransferKind,
}

impl Serialize for LedgerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.number())
    }
}

impl<'de> Deserialize<'de> for LedgerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number())
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| D::Error::custom("an epoch is 1 to 2^53 - 1"))
    }
}

/// A JSON object. Of a name that an object has twice, the last value counts, as with
/// [`Metadata::from_value`]; a reader of text that wants it refused uses
/// [`Metadata::parse`].
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value =
            serde_json::from_str(self.as_str()).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
struct KeyFields {
    scope: KeyScope,
    key: KeyText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<u32>,
}

impl KeyFields {
    fn of(key: &IdempotencyKey) -> Self {
        Self {
            scope: key.scope().clone(),
            key: key.text().clone(),
            item: key.item_index(),
        }
    }

    fn value(self) -> IdempotencyKey {
        let key = IdempotencyKey::new(self.scope, self.key);
        self.item.map_or_else(|| key.clone(), |item| key.item(item))
    }
}

#[derive(Serialize, Deserialize)]
struct PositionFields {
    epoch: Epoch,
    version: Ordinal,
}

impl PositionFields {
    const fn of(position: &Position) -> Self {
        Self {
            epoch: position.epoch,
            version: Ordinal(position.version),
        }
    }

    const fn value(self) -> Position {
        Position::new(self.epoch, self.version.0)
    }
}

#[derive(Serialize, Deserialize)]
struct RestoreFields {
    epoch: Epoch,
    restored_to: Timestamp,
}

impl RestoreFields {
    const fn of(restore: &Restore) -> Self {
        Self {
            epoch: restore.epoch,
            restored_to: restore.restored_to,
        }
    }

    const fn value(self) -> Restore {
        Restore {
            epoch: self.epoch,
            restored_to: self.restored_to,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct InLedgerFields<Id> {
    #[serde(default)]
    ledger: LedgerId,
    id: Id,
}

impl<Id: Serialize> Serialize for InLedger<Id> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (ledger, id) = (self.ledger, &self.id);
        InLedgerFields { ledger, id }.serialize(serializer)
    }
}

impl<'de, Id: Deserialize<'de>> Deserialize<'de> for InLedger<Id> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let InLedgerFields { ledger, id } = InLedgerFields::deserialize(deserializer)?;
        Ok(Self::new(ledger, id))
    }
}

by_fields! {
    IdempotencyKey: KeyFields,
    Position: PositionFields,
    Restore: RestoreFields,
}
