//! [`DynamoAuditLog`] implements the port [`AuditLog`].

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;
use wallet_core::audit::{
    AuditEvent, AuditHash, AuditLog, AuditOutcome, AuditPartition, AuditRecord, AuditText,
};
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use crate::DynamoSettings;
use crate::client::{Api, Aws, CallError, Query, RetryingClient};
use crate::keys::Item;
use crate::keys::{self, PARTITION, SORT};

/// The most rows in one transaction.
const PIECE: usize = 100;

const APPENDING: &str = "appending to the audit log";
const READING: &str = "reading the audit log";
const CORRUPT: &str = "a record of the audit log cannot be read";

/// An audit log in a DynamoDB table. A partition of the log is a partition of the table. A
/// conditional write inserts a record only if its number is free. So a chain never forks,
/// even with several writers.
///
/// One event is one conditional write. Several events are a transaction of at most 100. If
/// the answer to an append is lost, the log looks for the records before it repeats the
/// append. The appends to one chain run one after the other, so round trips limit their
/// rate. For a higher rate, pass more events in a call or use more partitions.
#[derive(Debug, Clone)]
pub struct DynamoAuditLog {
    caller: RetryingClient,
    settings: DynamoSettings,
}

impl DynamoAuditLog {
    /// The log in the table of `settings`. The table must exist: see
    /// [`create_audit_table`](crate::create_audit_table). Pauses use `clock`.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Internal`: a setting is not valid.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        settings: DynamoSettings,
    ) -> Result<Self, StoreError> {
        let api = Aws::new(client, settings.timeout);
        Self::over(Arc::new(api), clock, settings)
    }

    pub(crate) fn over(
        api: Arc<dyn Api>,
        clock: Arc<dyn Clock>,
        settings: DynamoSettings,
    ) -> Result<Self, StoreError> {
        settings.validate()?;
        let caller = RetryingClient::new(api, clock, settings.clone());
        Ok(Self { caller, settings })
    }

    fn query(&self, partition: AuditPartition, after: i64, limit: u32) -> Query {
        Query {
            table: self.settings.table.clone(),
            index: None,
            keys: (PARTITION, SORT),
            partition: keys::bytes(partition.to_be_bytes()),
            from: keys::number(after.saturating_add(1)),
            to: keys::number(i64::MAX),
            is_ascending: true,
            is_consistent: true,
            limit: i32::try_from(limit).unwrap_or(i32::MAX),
            start: None,
        }
    }

    async fn find(&self, query: Query) -> Result<Vec<AuditRecord>, StoreError> {
        let items = self.caller.query(query).await;
        let items =
            items.map_err(|error| error.into_store_error(READING, StoreErrorKind::Unavailable))?;
        let records = items.iter().map(|item| {
            record_of(item).ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, CORRUPT))
        });
        records.collect()
    }

    /// Whether the chain has these records at their numbers.
    async fn has(&self, records: &[AuditRecord]) -> Result<bool, StoreError> {
        let Some(first) = records.first() else {
            return Ok(true);
        };
        let before = first.sequence.saturating_sub(1);
        let found = self.find(self.query(first.partition, before, 1)).await?;
        // The records are written together. The first one is linked to all records before
        // it.
        Ok(found.first().is_some_and(|found| found.hash == first.hash))
    }

    /// Appends at most one transaction of records.
    async fn piece(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError> {
        // Records of an attempt with an unknown outcome. They may still arrive until
        // another record takes their number.
        let mut unsure: Option<Vec<AuditRecord>> = None;
        let mut failures: u32 = 0;
        loop {
            let last = self.last(partition).await?;
            let last = last.map_or((0, AuditHash::START), |last| (last.sequence, last.hash));
            if let Some(records) = unsure.take() {
                let place = records.first().map_or(0, |record| record.sequence);
                if place > last.0 {
                    unsure = Some(records);
                } else if self.has(&records).await? {
                    return Ok(records);
                }
            }
            // After the same record, these are the same records again.
            let records = AuditRecord::chain(partition, last, events);
            let items = records.iter().map(item).collect();
            let inserted = self.caller.insert(&self.settings.table, items).await;
            let Err(error) = inserted else {
                return Ok(records);
            };
            failures = failures.saturating_add(1);
            // If another writer was first, there is nothing to wait for.
            let is_taken = matches!(error, CallError::ConditionFailed);
            if matches!(error, CallError::Unknown(_)) {
                unsure = Some(records);
            }
            if failures >= self.settings.attempts_max || !(is_taken || error.is_passing()) {
                let kind = StoreErrorKind::Indeterminate;
                return Err(match unsure {
                    Some(_) => StoreError::new(kind, APPENDING),
                    None => error.into_store_error(APPENDING, kind),
                });
            }
            if !is_taken {
                self.caller.pause(failures).await;
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditLog for DynamoAuditLog {
    async fn append(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let mut records = Vec::with_capacity(events.len());
        for events in events.chunks(PIECE) {
            records.extend(self.piece(partition, events).await?);
        }
        Ok(records)
    }

    async fn records(
        &self,
        partition: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        if limit == 0 || after == i64::MAX {
            return Ok(Vec::new());
        }
        self.find(self.query(partition, after, limit)).await
    }

    async fn last(&self, partition: AuditPartition) -> Result<Option<AuditRecord>, StoreError> {
        let mut query = self.query(partition, 0, 1);
        query.is_ascending = false;
        Ok(self.find(query).await?.pop())
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn item(record: &AuditRecord) -> Item {
    let event = &record.event;
    let mut item = Item::new();
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(PARTITION, keys::bytes(record.partition.to_be_bytes()));
    set(SORT, keys::number(record.sequence));
    set("previous", keys::bytes(record.previous.0));
    set("hash", keys::bytes(record.hash.0));
    set("id", text(&event.id.to_string()));
    set("at", AttributeValue::N(event.at.as_micros().to_string()));
    set("actor", text(event.actor.as_str()));
    set("action", text(event.action.as_str()));
    set("resource", text(event.resource.as_str()));
    set(
        "outcome",
        AttributeValue::N(event.outcome.number().to_string()),
    );
    for (name, known) in [("origin", &event.origin), ("note", &event.note)] {
        if let Some(known) = known {
            set(name, text(known.as_str()));
        }
    }
    item
}

/// Decodes a record. Returns `None` if the item is not one. The chain proves whether the
/// record is genuine.
fn record_of(item: &Item) -> Option<AuditRecord> {
    let word = |name: &str| item.get(name)?.as_s().ok();
    let number = |name: &str| item.get(name)?.as_n().ok();
    let bytes = |name: &str| Some(item.get(name)?.as_b().ok()?.as_ref());
    let known = |name: &str| AuditText::new(word(name)?).ok();
    let perhaps = |name: &str| match word(name) {
        None => Some(None),
        Some(text) => AuditText::new(text).ok().map(Some),
    };
    let hash = |name: &str| Some(AuditHash(bytes(name)?.try_into().ok()?));
    Some(AuditRecord {
        partition: u16::from_be_bytes(bytes(PARTITION)?.try_into().ok()?),
        sequence: keys::of_number(bytes(SORT)?)?,
        previous: hash("previous")?,
        event: AuditEvent {
            id: Uuid::parse_str(word("id")?).ok()?,
            at: Timestamp::from_micros(number("at")?.parse().ok()?),
            actor: known("actor")?,
            action: known("action")?,
            resource: known("resource")?,
            origin: perhaps("origin")?,
            outcome: AuditOutcome::of_number(number("outcome")?.parse().ok()?)?,
            note: perhaps("note")?,
        },
        hash: hash("hash")?,
    })
}

#[cfg(test)]
mod tests;
