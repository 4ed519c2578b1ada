use std::collections::HashMap;
use std::sync::Arc;

use wallet_core::ledger::{Record, TransferKey};
use wallet_core::store::ChangeSet;
use wallet_core::store::codec::encode_outcome;
use wallet_core::{LedgerId, Outcome, Receipt, Timestamp};

use crate::error::{Doing, Result, corrupt};
use crate::number::CommitNumber;
use crate::sql::{Insert, Script};

const OUTCOMES: Insert = Insert {
    doing: Doing::Insert,
    context: "appending to the journal",
    head: "INSERT INTO wallet_journal (id, ledger, hash, fingerprint, transfer, outcome)",
    tail: "",
};
const MORE_TRANSFERS: Insert = Insert {
    doing: Doing::Insert,
    context: "inserting transfers",
    head: "INSERT INTO wallet_journal (id, ledger, transfer, told)",
    tail: "",
};

/// An accepted outcome and the journal row that tells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) journal: i64,
    pub(super) ledger: LedgerId,
    pub(super) outcome: &'a Outcome,
}

/// A change set's outcomes, numbered: the accepted ones first and in the order
/// in which they were decided, the refusals behind them.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    number: CommitNumber,
    /// The accepted ones.
    pub(super) told: Vec<Told<'a>>,
    /// All of them, in the order of their numbers.
    records: Vec<&'a Record>,
    /// Transfers that are not the first of their outcome, and where they are
    /// told.
    more: Vec<(TransferKey, i64)>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(changes: &'a ChangeSet, number: CommitNumber) -> Result<Self> {
        let accepted = (0_i64..).zip(&changes.accepted);
        let places: HashMap<*const Outcome, i64> = accepted
            .map(|(index, (_, outcome))| (Arc::as_ptr(outcome), index))
            .collect();
        let mut refused = length(&changes.accepted);
        let mut numbered = Vec::with_capacity(changes.records.len());
        for record in &changes.records {
            let place = places.get(&Arc::as_ptr(&record.outcome)).copied();
            numbered.push((place.unwrap_or(refused), record));
            if place.is_none() {
                refused = refused.saturating_add(1);
            }
        }
        numbered.sort_unstable_by_key(|(number, _)| *number);
        let is_gapless = (0_i64..).zip(&numbered).all(|(index, row)| index == row.0);
        if !is_gapless || numbered.len() < changes.accepted.len() {
            return Err(corrupt("an accepted outcome has no record"));
        }
        let told = (0_i64..).zip(&changes.accepted);
        let told = told.map(|(index, (ledger, outcome))| Told {
            journal: number.row(index),
            ledger: *ledger,
            outcome,
        });
        let told: Vec<Told<'_>> = told.collect();
        let more = told.iter().flat_map(|told| {
            let further = told.outcome.transfers().skip(1);
            further.map(|transfer| (transfer.key, told.journal))
        });
        Ok(Self {
            number,
            more: more.collect(),
            told,
            records: numbered.into_iter().map(|(_, record)| record).collect(),
        })
    }

    /// How many rows it has.
    pub(super) const fn len(&self) -> usize {
        self.records.len().saturating_add(self.more.len())
    }

    /// Adds every key, outcome and transfer, and the outbox's row.
    pub(super) fn append(&self, script: &mut Script, now: Timestamp) {
        script.work("closing a commit", |sql| {
            sql.raw("UPDATE wallet_batch SET accepted = ")
                .int(length(&self.told));
            sql.raw(", outcomes = ").int(length(&self.records));
            let bulks = self
                .told
                .iter()
                .filter_map(|told| told.outcome.bulk_items());
            let bulks = i64::try_from(bulks.count()).unwrap_or(i64::MAX);
            if bulks > 0 {
                sql.raw(", bulks = ").int(bulks);
            }
            sql.raw(", written_at = ").time(now);
            sql.raw(" WHERE id = ").int(self.number.id());
        });
        let records = (0_i64..).zip(&self.records);
        script.rows(OUTCOMES, records, |sql, (index, record)| {
            let first = record.outcome.transfers().next();
            sql.int(self.number.row(index));
            sql.raw(",").ledger(record.key.ledger);
            sql.raw(",").bytes(&record.key.hash);
            sql.raw(",").bytes(record.fingerprint.as_bytes()).raw(",");
            sql.optional_bytes(first.map(|transfer| transfer.key.id.as_bytes().as_slice()));
            sql.raw(",").bytes(&encode_outcome(&record.outcome));
        });
        let more = (length(&self.records)..).zip(&self.more);
        script.rows(MORE_TRANSFERS, more, |sql, (index, (key, told))| {
            sql.int(self.number.row(index));
            sql.raw(",").ledger(key.ledger);
            sql.raw(",").bytes(key.id.as_bytes());
            sql.raw(",").int(*told);
        });
        if !self.told.iter().any(|told| has_effect(told.outcome)) {
            return;
        }
        script.step(Doing::Append, "adding to the outbox", |sql| {
            sql.raw("INSERT INTO wallet_outbox (id, accepted, created_at, done, state)");
            sql.raw(" VALUES (").int(self.number.id());
            sql.raw(",").int(length(&self.told));
            sql.raw(",").time(now).raw(",x'',0)");
        });
    }
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// Whether there is anything to publish.
fn has_effect(outcome: &Outcome) -> bool {
    outcome.receipts().iter().any(Receipt::has_effect)
}
