//! Queries for holds, and the decoders of their answers.

use wallet_core::ledger::{HoldKey, HoldStatus, InLedger};
use wallet_core::store::codec::decode_hold;
use wallet_core::store::{HoldQuery, HoldReferenceQuery};
use wallet_core::{Hold, HoldId};

use super::Reading;
use crate::clock::Time;
use crate::error::{Result, undecodable};
use crate::run::{Answers, Row};
use crate::sql::Script;

const HOLDS: &str = "SELECT ledger, body, id FROM wallet_hold FORCE INDEX (PRIMARY) WHERE ";
const BY_PAYER: &str = "
    SELECT ledger, body, id FROM wallet_hold FORCE INDEX (wallet_hold_by_payer)
    WHERE ledger = ";
const BY_PAYEE: &str = "
    SELECT ledger, body, id FROM wallet_hold FORCE INDEX (wallet_hold_by_payee)
    WHERE ledger = ";
const BY_REFERENCE: &str = "
    SELECT h.ledger, h.body, h.id
    FROM wallet_hold_reference r
        STRAIGHT_JOIN wallet_hold h FORCE INDEX (PRIMARY)
            ON h.ledger = r.ledger AND h.id = r.hold
    WHERE r.ledger = ";
const EXPIRED: &str = "
    SELECT ledger, id FROM wallet_hold FORCE INDEX (wallet_hold_by_expiry)
    WHERE status = 0 AND expires_at <= ";

/// Asks for holds. `keys` are sorted.
pub(crate) fn ask_holds(script: &mut Script, keys: &[HoldKey], reading: Reading) {
    script.work("reading holds", |sql| {
        sql.raw(HOLDS);
        sql.keyed("ledger", "id", keys, |key| (key.ledger, *key.id.as_bytes()));
        sql.raw(reading.lock());
    });
}

/// The holds found, sorted by key.
pub(crate) fn decode_holds(answers: &mut Answers) -> Result<Vec<Hold>> {
    let found: Result<Vec<Hold>> = answers.rows().iter().map(hold).collect();
    let mut found = found?;
    found.sort_unstable_by_key(|hold| hold.key);
    Ok(found)
}

fn hold(row: &Row) -> Result<Hold> {
    let ledger = row.ledger(0)?;
    let id = row.id(2, HoldId::from_bytes)?;
    decode_hold(ledger, row.bytes(1)?).map_err(|error| {
        let row = format!("ledger {ledger}, hold {id} in wallet_hold");
        undecodable(error, row)
    })
}

/// Asks for a page of the holds from or towards an account. Both indexes are ordered within
/// a status. So each status and side yields at most one page to merge. Returns the number
/// of statements.
pub(crate) fn ask_list(script: &mut Script, query: &HoldQuery) -> usize {
    let asked: &[HoldStatus] = query.status.as_slice();
    let statuses = if asked.is_empty() {
        HoldStatus::ALL
    } else {
        asked
    };
    let before = script.steps.len();
    for (head, side) in [(BY_PAYER, " AND payer = "), (BY_PAYEE, " AND payee = ")] {
        for status in statuses {
            script.work("listing holds", |sql| {
                sql.raw(head).ledger(query.account.ledger);
                sql.raw(side).bytes(query.account.id.as_bytes());
                sql.raw(" AND status = ").int(status.number());
                if let Some(after) = &query.after {
                    sql.raw(" AND id > ").bytes(after.as_bytes());
                }
                sql.raw(" ORDER BY id LIMIT ").int(query.limit);
            });
        }
    }
    script.steps.len().saturating_sub(before)
}

/// The page from that many statements.
pub(crate) fn decode_list(
    answers: &mut Answers,
    statements: usize,
    query: &HoldQuery,
) -> Result<Vec<Hold>> {
    let mut found = Vec::new();
    for _ in 0..statements {
        found.append(&mut decode_holds(answers)?);
    }
    found.sort_unstable_by_key(|hold| hold.key);
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Asks for a page of the holds with a reference.
pub(crate) fn ask_referenced(script: &mut Script, query: &HoldReferenceQuery) {
    script.work("listing holds", |sql| {
        sql.raw(BY_REFERENCE).ledger(query.ledger);
        sql.raw(" AND r.reference = ")
            .text(query.reference.as_str());
        if let Some(after) = &query.after {
            sql.raw(" AND r.hold > ").bytes(after.as_bytes());
        }
        sql.raw(" ORDER BY r.hold LIMIT ").int(query.limit);
    });
}

/// Asks for pending holds that have expired, the longest expired first.
pub(crate) fn ask_expired(script: &mut Script, time: &Time, limit: u32) {
    script.work("listing expired holds", |sql| {
        sql.raw(EXPIRED);
        time.write(sql);
        sql.raw(" ORDER BY expires_at, ledger, id LIMIT ")
            .int(limit);
    });
}

/// The holds that have expired.
pub(crate) fn decode_expired(answers: &mut Answers) -> Result<Vec<HoldKey>> {
    let key = |row: &Row| {
        Ok(InLedger::new(
            row.ledger(0)?,
            row.id(1, HoldId::from_bytes)?,
        ))
    };
    answers.rows().iter().map(key).collect()
}
