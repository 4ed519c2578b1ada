//! Queries for the entries of an account, and the decoders of their answers. A binary
//! search by primary key finds a bound in time.

use wallet_core::ledger::{AccountKey, Sequence};
use wallet_core::store::Order;
use wallet_core::{Entry, EntryQuery, Timestamp};

use super::journal::outcome;
use crate::error::{Result, corrupt};
use crate::run::{Answers, Row};
use crate::sql::{Script, Sql};

/// Times rise with sequences, and sequences have no gap. A binary search finds a bound in
/// time, with one primary-key probe per step.
const HALVE: &str = "
    WITH RECURSIVE halving (num, low, high) AS (
        SELECT a.num, a.sequence * 0, a.sequence
        FROM wallet_account_profile p STRAIGHT_JOIN wallet_account a ON a.num = p.num
        WHERE p.ledger = ";
const HALVE_BOUND: &str = "
        UNION ALL
        SELECT h.num, IF(e.created_at ";
const HALVE_REST: &str = ", e.sequence, h.low),
               IF(e.created_at ";
const HALVE_END: &str = ", h.high, e.sequence - 1)
        FROM halving h STRAIGHT_JOIN wallet_entry e
            ON e.account = h.num AND e.sequence = (h.low + h.high + 1) DIV 2
        WHERE h.low < h.high
    ) SELECT low FROM halving WHERE low = high";
const PAGE: &str = "
    SELECT e.sequence, e.created_at, j.outcome
    FROM wallet_account_profile p
        STRAIGHT_JOIN wallet_entry e ON e.account = p.num
        STRAIGHT_JOIN wallet_journal j ON j.id = e.journal
    WHERE p.ledger = ";

/// How an entry's time compares with a bound.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    Before(Timestamp),
    Until(Timestamp),
}

impl Bound {
    fn write(self, sql: &mut Sql) {
        match self {
            Self::Before(time) => sql.raw("< ").time(time),
            Self::Until(time) => sql.raw("<= ").time(time),
        };
    }
}

/// Counts the entries of `account` within `bound`: one number, or NULL if the account does
/// not exist.
pub(crate) fn count(sql: &mut Sql, account: AccountKey, bound: Bound) {
    sql.raw(HALVE).ledger(account.ledger);
    sql.raw(" AND p.id = ").bytes(account.id.as_bytes());
    sql.raw(HALVE_BOUND);
    bound.write(sql);
    sql.raw(HALVE_REST);
    bound.write(sql);
    sql.raw(HALVE_END);
}

/// Asks for a page of an account's entries.
pub(crate) fn ask_page(script: &mut Script, query: &EntryQuery) {
    let count_before = |sql: &mut Sql, time: Timestamp| {
        sql.raw("(");
        count(sql, query.account, Bound::Before(time));
        sql.raw(")");
    };
    script.work("listing entries", |sql| {
        sql.raw(PAGE).ledger(query.account.ledger);
        sql.raw(" AND p.id = ").bytes(query.account.id.as_bytes());
        if let Some(from) = query.from {
            sql.raw(" AND e.sequence > ");
            count_before(sql, from);
        }
        if let Some(to) = query.to {
            sql.raw(" AND e.sequence <= ");
            count_before(sql, to);
        }
        let (beyond, order) = match query.order {
            Order::Ascending => (" AND e.sequence > ", " ORDER BY e.sequence LIMIT "),
            Order::Descending => (" AND e.sequence < ", " ORDER BY e.sequence DESC LIMIT "),
        };
        if let Some(after) = query.after {
            sql.raw(beyond).int(after);
        }
        sql.raw(order).int(query.limit);
    });
}

/// The entries found, in the order of the rows.
pub(crate) fn decode_entries(answers: &mut Answers, account: AccountKey) -> Result<Vec<Entry>> {
    let rows = answers.rows();
    rows.iter().map(|row| entry(row, account)).collect()
}

fn entry(row: &Row, account: AccountKey) -> Result<Entry> {
    let sequence: Sequence = row.number(0)?;
    let recorded = outcome(row, 2, account.ledger, || {
        let AccountKey { ledger, id } = account;
        format!("ledger {ledger}, account {id}, entry {sequence}")
    })?;
    let mut entries = recorded.entries();
    let entry = entries.find(|entry| entry.account == account && entry.sequence == sequence);
    let entry = entry.ok_or_else(|| corrupt("the journal does not hold an entry"))?;
    if entry.created_at != row.time(1)? {
        return Err(corrupt("an entry's row holds another time"));
    }
    Ok(entry)
}
