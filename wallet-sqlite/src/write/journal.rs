//! Appends outcomes to the journal, and adds outbox rows for the relay.

use std::collections::HashMap;
use std::iter::repeat;
use std::sync::Arc;

use rusqlite::{Connection, params};
use wallet_core::ledger::Record;
use wallet_core::store::ChangeSet;
use wallet_core::store::codec::encode_outcome;
use wallet_core::{LedgerId, Outcome, Receipt, Timestamp};

use crate::deferred::Key;
use crate::error::{Doing, During, Result, corrupt, next_number};
use crate::statement::prepare;
use crate::value::ledger_number;

/// A purge may delete refusals at the end. Even so, no number is assigned again.
const LAST: &str = "
    SELECT max(until, coalesce((SELECT max(id) FROM wallet_journal), 0)) FROM wallet_purge";
const APPEND: &str = "
    INSERT INTO wallet_journal (id, ledger, hash, fingerprint, outcome, links)
    VALUES (?, ?, ?, ?, ?, ?)";
const INSERT_RECORD: &str = "INSERT INTO wallet_record (ledger, hash, journal) VALUES (?, ?, ?)";
const INSERT_OUTBOX: &str = "INSERT INTO wallet_outbox (id, first_id, created_at) VALUES (?, ?, ?)";

/// An accepted outcome and its journal row.
#[derive(Debug)]
pub(super) struct AcceptedOutcome<'a> {
    pub(super) journal: i64,
    pub(super) ledger: LedgerId,
    pub(super) outcome: &'a Outcome,
}

/// The numbered outcomes of a change set. Accepted outcomes come first, in the order of
/// their decisions. Refusals follow.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    /// The accepted outcomes.
    pub(super) accepted: Vec<AcceptedOutcome<'a>>,
    records: &'a [Record],
    /// The record of each row.
    order: Vec<usize>,
    /// The number of the first row.
    first: i64,
}

impl<'a> Journal<'a> {
    pub(super) fn number(connection: &Connection, changes: &'a ChangeSet) -> Result<Self> {
        let last: i64 = prepare(connection, LAST)?
            .query_row((), |row| row.get(0))
            .during("finding the journal's end")?;
        let records = changes.records.as_slice();
        // No number is assigned twice. A range must have no gap.
        let context = "the journal's numbers are used up";
        let first = next_number(last, records.len(), context)?;
        let mut order = Vec::with_capacity(records.len());
        let mut accepted = Vec::with_capacity(changes.accepted.len());
        let places = places(records);
        for ((ledger, outcome), journal) in changes.accepted.iter().zip(first..) {
            let place = places.get(&Arc::as_ptr(outcome));
            order.push(*place.ok_or_else(|| corrupt("an accepted outcome has no record"))?);
            let (ledger, outcome) = (*ledger, outcome.as_ref());
            accepted.push(AcceptedOutcome {
                journal,
                ledger,
                outcome,
            });
        }
        let numbered = records.iter().enumerate();
        let refused = numbered.filter(|(_, record)| record.outcome.result.is_err());
        order.extend(refused.map(|(place, _)| place));
        Ok(Self {
            accepted,
            records,
            order,
            first,
        })
    }

    /// Appends every outcome, and the row that the outbox needs. Returns the keys that
    /// point to the outcomes.
    pub(super) fn append(
        &self,
        connection: &Connection,
        links: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Vec<Key>> {
        let mut keys = Vec::with_capacity(self.records.len());
        let mut next = self.first;
        let mut statement = prepare(connection, APPEND)?;
        // Refusals have no links.
        let links = links.iter().map(Vec::as_slice).chain(repeat(&[][..]));
        for (place, links) in self.order.iter().zip(links) {
            let found = self.records.get(*place);
            let record = found.ok_or_else(|| corrupt("an outcome has no record"))?;
            let ledger = ledger_number(record.key.ledger);
            let outcome = encode_outcome(&record.outcome);
            let fingerprint = record.fingerprint.as_bytes();
            let row = params![next, ledger, record.key.hash, fingerprint, outcome, links];
            statement
                .execute(row)
                .while_doing(Doing::Append, "appending to the journal")?;
            keys.push(Key {
                ledger,
                hash: record.key.hash,
                journal: next,
            });
            next = next.saturating_add(1);
        }
        self.publish(connection, now)?;
        Ok(keys)
    }

    /// Adds an outbox row for the relay if there is anything to publish.
    fn publish(&self, connection: &Connection, now: Timestamp) -> Result<()> {
        let Some(last) = self.accepted.last().filter(|_| has_effects(&self.accepted)) else {
            return Ok(());
        };
        prepare(connection, INSERT_OUTBOX)?
            .execute((last.journal, self.first, now.as_micros()))
            .while_doing(Doing::Append, "adding to the outbox")
            .map(|_| ())
    }
}

/// Whether there is anything to publish.
fn has_effects(accepted: &[AcceptedOutcome<'_>]) -> bool {
    accepted.iter().any(|accepted| has_effect(accepted.outcome))
}

fn has_effect(outcome: &Outcome) -> bool {
    outcome.receipts().iter().any(Receipt::has_effect)
}

/// The index of each record's outcome among the records.
fn places(records: &[Record]) -> HashMap<*const Outcome, usize> {
    let numbered = records.iter().enumerate();
    numbered
        .map(|(place, record)| (Arc::as_ptr(&record.outcome), place))
        .collect()
}

/// Inserts keys, in the order of their table.
pub(super) fn insert_keys(connection: &Connection, keys: &[Key]) -> Result<()> {
    let mut keys: Vec<&Key> = keys.iter().collect();
    keys.sort_unstable();
    let mut statement = prepare(connection, INSERT_RECORD)?;
    for key in keys {
        statement
            .execute(params![key.ledger, key.hash, key.journal])
            .while_doing(Doing::Insert, "recording a key")?;
    }
    Ok(())
}
