//! Queries for records and outcomes in the journal, and the decoders of their answers.

use std::sync::Arc;

use wallet_core::ledger::{Fingerprint, Record, RecordKey};
use wallet_core::store::codec::decode_outcome;
use wallet_core::{LedgerId, Outcome};

use super::Reading;
use crate::error::{Result, undecodable};
use crate::run::{Answers, Row};
use crate::sql::Script;

const RECORDS: &str = "
    SELECT ledger, hash, fingerprint, outcome
    FROM wallet_journal FORCE INDEX (wallet_journal_by_key) WHERE ";
/// A column beyond the key stops the optimizer from scanning a small table. A scan would
/// wait for every locked row.
const LOCK_KEYS: &str =
    "SELECT fingerprint FROM wallet_journal FORCE INDEX (wallet_journal_by_key) WHERE ";

/// Asks for the records of keys. `keys` are sorted.
pub(crate) fn ask_records(script: &mut Script, keys: &[RecordKey], reading: Reading) {
    script.work("reading records", |sql| {
        sql.raw(RECORDS);
        sql.keyed("ledger", "hash", keys, |key| (key.ledger, key.hash));
        sql.raw(reading.lock());
    });
}

/// Waits for a transaction that is about to commit one of the keys. `keys` are sorted. At
/// READ COMMITTED it locks existing rows and no gaps.
pub(crate) fn ask_keys_locked(script: &mut Script, keys: &[RecordKey]) {
    script.work("waiting for commits under way", |sql| {
        sql.raw(LOCK_KEYS);
        sql.keyed("ledger", "hash", keys, |key| (key.ledger, key.hash));
        sql.raw(" ORDER BY hash, ledger LOCK IN SHARE MODE");
    });
}

/// The records found, sorted by key.
pub(crate) fn decode_records(answers: &mut Answers) -> Result<Vec<Record>> {
    let record = |row: &Row| {
        let ledger = row.ledger(0)?;
        let hash = row.array(1)?;
        let of_key = || format!("ledger {ledger}, key {:032x}", u128::from_be_bytes(hash));
        Ok(Record {
            key: RecordKey { ledger, hash },
            fingerprint: Fingerprint::from_bytes(row.array(2)?),
            outcome: Arc::new(outcome(row, 3, ledger, of_key)?),
        })
    };
    let found: Result<Vec<Record>> = answers.rows().iter().map(record).collect();
    let mut found = found?;
    found.sort_unstable_by_key(|record| record.key);
    Ok(found)
}

/// The outcome in a column of a row of `ledger`. `whose` names the row in an error.
pub(crate) fn outcome(
    row: &Row,
    column: usize,
    ledger: LedgerId,
    whose: impl FnOnce() -> String,
) -> Result<Outcome> {
    decode_outcome(ledger, row.bytes(column)?).map_err(|error| {
        let row = format!("the outcome of {} in wallet_journal", whose());
        undecodable(error, row)
    })
}
