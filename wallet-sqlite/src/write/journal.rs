use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, params};
use wallet_core::codec::encode_outcome;
use wallet_core::{ChangeSet, Outcome, Record, Timestamp};

use crate::error::{Doing, During, Result, corrupt};
use crate::read::prepare;
use crate::value::ledger_number;

const LAST: &str = "SELECT coalesce(max(id), 0) FROM wallet_journal";
const APPEND: &str = "INSERT INTO wallet_journal (id, ledger, hash, outcome) VALUES (?, ?, ?, ?)";
const INSERT_RECORD: &str =
    "INSERT INTO wallet_record (ledger, hash, fingerprint, journal) VALUES (?, ?, ?, ?)";
const INSERT_BATCH: &str = "
    INSERT INTO wallet_batch (last_id, first_id, rejected_id, written_at) VALUES (?, ?, ?, ?)";
const INSERT_OUTBOX: &str = "INSERT INTO wallet_outbox (id, first_id, created_at) VALUES (?, ?, ?)";

/// An accepted outcome and the journal row that tells it.
pub(super) type Told<'a> = (i64, &'a Outcome);

/// Appends every outcome, the accepted ones first and in the order in which
/// they were decided; then the keys that point there, and the outbox row.
pub(super) fn append<'a>(
    connection: &Connection,
    changes: &'a ChangeSet,
    now: Timestamp,
) -> Result<Vec<Told<'a>>> {
    let mut rows = Rows::start(connection, changes)?;
    let first = rows.next;
    let mut told = Vec::with_capacity(changes.accepted.len());
    let places: HashMap<*const Outcome, usize> = places(&changes.records);
    for (_, outcome) in &changes.accepted {
        let place = places.get(&Arc::as_ptr(outcome));
        let place = place.ok_or_else(|| corrupt("an accepted outcome has no record"))?;
        told.push((rows.append(*place)?, outcome.as_ref()));
    }
    let rejected = rows.next;
    for (place, record) in changes.records.iter().enumerate() {
        if record.outcome.result.is_err() {
            rows.append(place)?;
        }
    }
    let last = rows.next.saturating_sub(1);
    let journal = rows.ids;
    insert_records(connection, &changes.records, &journal)?;
    prepare(connection, INSERT_BATCH)?
        .execute((last, first, rejected, now.as_micros()))
        .while_doing(Doing::Append, "noting a batch")?;
    if has_effects(&told) {
        prepare(connection, INSERT_OUTBOX)?
            .execute((rejected.saturating_sub(1), first, now.as_micros()))
            .while_doing(Doing::Append, "adding to the outbox")?;
    }
    Ok(told)
}

/// Whether there is anything to publish.
fn has_effects(told: &[Told<'_>]) -> bool {
    told.iter().any(|(_, outcome)| has_effect(outcome))
}

fn has_effect(outcome: &Outcome) -> bool {
    use wallet_core::Receipt;
    outcome.receipts().iter().any(|receipt| match receipt {
        Receipt::AccountChanged(changed) => changed.effect.is_some(),
        Receipt::Posted(posted) => !posted.effects.is_empty(),
        Receipt::HoldChanged(changed) => !changed.effects.is_empty(),
        // Whatever a later release adds is for the relay to judge.
        _ => true,
    })
}

/// Where each record's outcome stands among the records.
fn places(records: &[Record]) -> HashMap<*const Outcome, usize> {
    let numbered = records.iter().enumerate();
    numbered
        .map(|(place, record)| (Arc::as_ptr(&record.outcome), place))
        .collect()
}

/// The journal under way.
struct Rows<'a, 'c> {
    statement: CachedStatement<'c>,
    records: &'a [Record],
    /// The journal row of each record.
    ids: Vec<i64>,
    next: i64,
}

impl<'a, 'c> Rows<'a, 'c> {
    fn start(connection: &'c Connection, changes: &'a ChangeSet) -> Result<Self> {
        let last: i64 = prepare(connection, LAST)?
            .query_row((), |row| row.get(0))
            .during("finding the journal's end")?;
        let full = || corrupt("the journal has no number left");
        Ok(Self {
            statement: prepare(connection, APPEND)?,
            records: &changes.records,
            ids: vec![0; changes.records.len()],
            next: last.checked_add(1).ok_or_else(full)?,
        })
    }

    /// Appends the outcome of the record at `place`.
    fn append(&mut self, place: usize) -> Result<i64> {
        let unknown = || corrupt("an outcome has no record");
        let record = self.records.get(place).ok_or_else(unknown)?;
        let id = self.next;
        let ledger = ledger_number(record.key.ledger);
        let outcome = encode_outcome(&record.outcome);
        self.statement
            .execute(params![id, ledger, record.key.hash, outcome])
            .while_doing(Doing::Append, "appending to the journal")?;
        *self.ids.get_mut(place).ok_or_else(unknown)? = id;
        self.next = id.saturating_add(1);
        Ok(id)
    }
}

fn insert_records(connection: &Connection, records: &[Record], journal: &[i64]) -> Result<()> {
    let mut statement = prepare(connection, INSERT_RECORD)?;
    for (record, journal) in records.iter().zip(journal) {
        let ledger = ledger_number(record.key.ledger);
        let row = params![
            ledger,
            record.key.hash,
            record.fingerprint.as_bytes(),
            journal
        ];
        statement
            .execute(row)
            .while_doing(Doing::Insert, "recording a key")?;
    }
    Ok(())
}
