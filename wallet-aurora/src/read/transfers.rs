//! Queries for transfers and their reversed amounts, and the decoders of their answers.

use wallet_core::ledger::{InLedger, TransferKey, TransferWithReversals};
use wallet_core::store::{CaptureQuery, ReferenceQuery};
use wallet_core::{LedgerId, TransferId};

use super::Reading;
use super::journal::outcome;
use crate::error::{Result, corrupt};
use crate::run::{Answers, Row};
use crate::sql::{Script, Sql};

const TRANSFERS: &str = "
    SELECT t.ledger, t.transfer, j.outcome
    FROM wallet_journal t FORCE INDEX (wallet_journal_by_transfer)
        STRAIGHT_JOIN wallet_journal j ON j.id = COALESCE(t.told, t.id)
    WHERE ";
const REVERSED: &str = "
    SELECT ledger, transfer, leg, reversed FROM wallet_reversal FORCE INDEX (PRIMARY) WHERE ";
const PAGE_OF: &str = "
    SELECT t.ledger, t.transfer, j.outcome
    FROM ";
const PAGE_OF_END: &str = " r
        STRAIGHT_JOIN wallet_journal t FORCE INDEX (wallet_journal_by_transfer)
            ON t.transfer = r.transfer AND t.ledger = r.ledger
        STRAIGHT_JOIN wallet_journal j ON j.id = COALESCE(t.told, t.id)";
const REVERSED_OF: &str = "
    SELECT v.ledger, v.transfer, v.leg, v.reversed
    FROM (SELECT r.transfer FROM ";
const REVERSED_OF_END: &str = ") page
        STRAIGHT_JOIN wallet_reversal v ON v.transfer = page.transfer AND v.ledger = ";

/// Asks for transfers and for their reversed amounts: two statements. `keys` are sorted.
pub(crate) fn ask_transfers(script: &mut Script, keys: &[TransferKey], reading: Reading) {
    let parts = |key: &TransferKey| (key.ledger, *key.id.as_bytes());
    script.work("reading transfers", |sql| {
        sql.raw(TRANSFERS);
        sql.keyed("t.ledger", "t.transfer", keys, parts);
        sql.raw(reading.lock());
    });
    script.work("reading reversals", |sql| {
        sql.raw(REVERSED);
        sql.keyed("ledger", "transfer", keys, parts);
        sql.raw(reading.lock());
    });
}

/// Asks for a page of the transfers with a reference: two statements.
pub(crate) fn ask_list(script: &mut Script, query: &ReferenceQuery) {
    let page = Page {
        table: "wallet_reference",
        ledger: query.ledger,
        after: query.after,
        limit: query.limit,
    };
    page.ask(script, |sql| {
        sql.raw(" AND r.reference = ")
            .text(query.reference.as_str());
    });
}

/// Asks for a page of the transfers that capture a hold: two statements.
pub(crate) fn ask_captures(script: &mut Script, query: &CaptureQuery) {
    let page = Page {
        table: "wallet_capture",
        ledger: query.hold.ledger,
        after: query.after,
        limit: query.limit,
    };
    page.ask(script, |sql| {
        sql.raw(" AND r.hold = ").bytes(query.hold.id.as_bytes());
    });
}

/// A page of the transfers that a table names.
struct Page {
    table: &'static str,
    ledger: LedgerId,
    after: Option<TransferId>,
    limit: u32,
}

impl Page {
    /// Asks for the transfers, and for their reversed amounts.
    fn ask(&self, script: &mut Script, condition: impl Fn(&mut Sql)) {
        script.work("listing transfers", |sql| {
            sql.raw(PAGE_OF).raw(self.table).raw(PAGE_OF_END);
            self.select(sql, &condition);
        });
        script.work("reading reversals", |sql| {
            sql.raw(REVERSED_OF).raw(self.table).raw(" r");
            self.select(sql, &condition);
            sql.raw(REVERSED_OF_END).ledger(self.ledger);
        });
    }

    fn select(&self, sql: &mut Sql, condition: impl Fn(&mut Sql)) {
        sql.raw(" WHERE r.ledger = ").ledger(self.ledger);
        condition(sql);
        if let Some(after) = &self.after {
            sql.raw(" AND r.transfer > ").bytes(after.as_bytes());
        }
        sql.raw(" ORDER BY r.transfer LIMIT ").int(self.limit);
    }
}

/// The transfers from two statements, sorted by key.
pub(crate) fn decode_transfers(answers: &mut Answers) -> Result<Vec<TransferWithReversals>> {
    let found: Result<Vec<TransferWithReversals>> = answers.rows().iter().map(transfer).collect();
    let mut found = found?;
    found.sort_unstable_by_key(|found| found.transfer.key);
    for row in answers.rows() {
        let key = InLedger::new(row.ledger(0)?, row.id(1, TransferId::from_bytes)?);
        let place = found.binary_search_by_key(&key, |found| found.transfer.key);
        // Another transaction committed this transfer between the two reads.
        let Ok(place) = place else { continue };
        let leg: u16 = row.number(2)?;
        let totals = found.get_mut(place).map(|found| &mut found.reversed);
        let total = totals.and_then(|totals| totals.get_mut(usize::from(leg)));
        *total.ok_or_else(|| corrupt("a reversal of no leg"))? = row.number(3)?;
    }
    Ok(found)
}

fn transfer(row: &Row) -> Result<TransferWithReversals> {
    let key = InLedger::new(row.ledger(0)?, row.id(1, TransferId::from_bytes)?);
    let recorded = outcome(row, 2, key.ledger, || {
        format!("ledger {}, transfer {}", key.ledger, key.id)
    })?;
    let transfer = recorded.transfers().find(|transfer| transfer.key == key);
    let transfer = transfer.ok_or_else(|| corrupt("the journal does not hold a transfer"))?;
    Ok(TransferWithReversals {
        reversed: vec![0; transfer.legs.len()],
        transfer: transfer.clone(),
    })
}
