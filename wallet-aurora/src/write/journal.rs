use std::collections::HashMap;
use std::sync::Arc;

use wallet_core::codec::encode_outcome;
use wallet_core::{ChangeSet, LedgerId, Outcome, Receipt, Record, Timestamp};

use super::Number;
use crate::error::{Doing, Result, corrupt};
use crate::sql::{Insert, Script};

const RECORDS: Insert = Insert {
    doing: Doing::Insert,
    context: "recording a key",
    head: "INSERT INTO wallet_record (ledger, hash, journal)",
    tail: "",
};
const JOURNAL: Insert = Insert {
    doing: Doing::Append,
    context: "appending to the journal",
    head: "INSERT INTO wallet_journal (id, ledger, hash, fingerprint, outcome)",
    tail: "",
};

/// An accepted outcome and the journal row that tells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) journal: Number,
    pub(super) ledger: LedgerId,
    pub(super) outcome: &'a Outcome,
}

/// A change set's outcomes, numbered: the accepted ones first and in the order
/// in which they were decided, the refusals behind them.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    /// The accepted ones.
    pub(super) told: Vec<Told<'a>>,
    /// All of them, in the order of their numbers.
    rows: Vec<&'a Record>,
    /// All of them, in the order of their keys, with their numbers.
    records: Vec<(&'a Record, i64)>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(changes: &'a ChangeSet) -> Result<Self> {
        let accepted = (0_i64..).zip(&changes.accepted);
        let places: HashMap<*const Outcome, i64> = accepted
            .map(|(index, (_, outcome))| (Arc::as_ptr(outcome), index))
            .collect();
        let told = (0_i64..).zip(&changes.accepted);
        let told = told.map(|(index, (ledger, outcome))| Told {
            journal: Number::New(index),
            ledger: *ledger,
            outcome,
        });
        let mut refused = i64::try_from(places.len()).unwrap_or(i64::MAX);
        let mut records = Vec::with_capacity(changes.records.len());
        for record in &changes.records {
            let place = places.get(&Arc::as_ptr(&record.outcome)).copied();
            let number = place.unwrap_or(refused);
            if place.is_none() {
                refused = refused.saturating_add(1);
            }
            records.push((record, number));
        }
        let mut numbered = records.clone();
        numbered.sort_unstable_by_key(|(_, number)| *number);
        let is_gapless = (0_i64..).zip(&numbered).all(|(index, row)| index == row.1);
        if !is_gapless {
            return Err(corrupt("an accepted outcome has no record"));
        }
        Ok(Self {
            told: told.collect(),
            rows: numbered.into_iter().map(|(record, _)| record).collect(),
            records,
        })
    }

    /// Takes the commit's number, which all its rows are numbered from.
    pub(super) fn begin(&self, script: &mut Script, now: Timestamp) {
        script.step(Doing::Append, "numbering a commit", |sql| {
            sql.raw("INSERT INTO wallet_batch (accepted, outcomes, written_at) VALUES (");
            sql.int(length(&self.told)).raw(",").int(length(&self.rows));
            sql.raw(",").time(now).raw(")");
        });
        script.work("numbering a commit", |sql| {
            sql.raw("SET @wallet = LAST_INSERT_ID() * 65536");
        });
    }

    /// Adds every key and outcome, and the outbox's row.
    pub(super) fn append(&self, script: &mut Script, now: Timestamp) {
        script.rows(RECORDS, &self.records, |sql, (record, number)| {
            sql.ledger(record.key.ledger).raw(",");
            sql.bytes(&record.key.hash).raw(",");
            Number::New(*number).write(sql);
        });
        script.rows(
            JOURNAL,
            (0_i64..).zip(&self.rows),
            |sql, (index, record)| {
                Number::New(index).write(sql);
                sql.raw(",").ledger(record.key.ledger);
                sql.raw(",").bytes(&record.key.hash);
                sql.raw(",").bytes(record.fingerprint.as_bytes());
                sql.raw(",").bytes(&encode_outcome(&record.outcome));
            },
        );
        if !self.told.iter().any(|told| has_effect(told.outcome)) {
            return;
        }
        script.step(Doing::Append, "adding to the outbox", |sql| {
            sql.raw("INSERT INTO wallet_outbox (id, accepted, created_at, done, is_complete)");
            sql.raw(" VALUES (@wallet DIV 65536,")
                .int(length(&self.told));
            sql.raw(",").time(now).raw(",x'',0)");
        });
    }
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// Whether there is anything to publish.
fn has_effect(outcome: &Outcome) -> bool {
    outcome.receipts().iter().any(|receipt| match receipt {
        Receipt::AccountChanged(changed) => changed.effect.is_some(),
        Receipt::Posted(posted) => !posted.effects.is_empty(),
        Receipt::HoldChanged(changed) => !changed.effects.is_empty(),
        // Whatever a later release adds is for the relay to judge.
        _ => true,
    })
}
