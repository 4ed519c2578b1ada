//! Compares the held amounts of accounts with the sums of their open holds, in one
//! transaction. It reads all accounts at once, then pages of the holds of accounts that
//! have any. So no statement exceeds the time limit of an answer.

use std::collections::BTreeMap;

use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::store::PendingSums;
use wallet_core::store::codec::decode_hold;
use wallet_core::{AccountId, HoldId};

use super::{ask_accounts, decode_accounts};
use crate::error::{Failed, Result, undecodable};
use crate::pool::PooledConnection;
use crate::run::{Answers, Row};
use crate::sql::Script;

/// How many holds one statement adds up.
const PAGE: usize = 10_000;

const HAS_HOLDS: &str = "
    SELECT p.ledger, p.id,
           EXISTS (SELECT 1 FROM wallet_hold h FORCE INDEX (wallet_hold_by_payer)
                   WHERE h.ledger = p.ledger AND h.payer = p.id AND h.status = 0),
           EXISTS (SELECT 1 FROM wallet_hold h FORCE INDEX (wallet_hold_by_payee)
                   WHERE h.ledger = p.ledger AND h.payee = p.id AND h.status = 0)
    FROM wallet_account_profile p FORCE INDEX (PRIMARY) WHERE ";
const PAID: &str = "
    SELECT id, body FROM wallet_hold FORCE INDEX (wallet_hold_by_payer)
    WHERE status = 0 AND ledger = ";
const RECEIVED: &str = "
    SELECT id, body FROM wallet_hold FORCE INDEX (wallet_hold_by_payee)
    WHERE status = 0 AND ledger = ";

/// The side of an account's holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Holds that the account pays.
    Paid,
    /// Holds that the account receives.
    Received,
}

/// The sums of the accounts that exist. `keys` are sorted.
pub(crate) async fn pending_sums(
    connection: &mut PooledConnection,
    keys: &[AccountKey],
) -> std::result::Result<BTreeMap<AccountKey, PendingSums>, Failed> {
    let mut script = Script::default();
    script.begin_reading();
    let before = script.steps.len();
    ask_accounts(&mut script, keys);
    script.work("looking for holds", |sql| {
        sql.raw(HAS_HOLDS);
        sql.keyed("p.ledger", "p.id", keys, |key| {
            (key.ledger, *key.id.as_bytes())
        });
    });
    let mut answers = connection.run(&script).await?;
    answers.skip(before);
    let accounts = decode_accounts(&mut answers)?.into_iter();
    let sums = accounts.map(|account| (account.state.key, PendingSums::of(&account.state)));
    let mut sums: BTreeMap<AccountKey, PendingSums> = sums.collect();
    for (key, side) in decode_holders(&mut answers)? {
        if let Some(sums) = sums.get_mut(&key) {
            add_up(connection, sums, side).await?;
        }
    }
    let mut end = Script::default();
    end.end_reading();
    connection.run(&end).await?;
    Ok(sums)
}

/// The accounts that have open holds, with the side of the holds.
fn decode_holders(answers: &mut Answers) -> Result<Vec<(AccountKey, Side)>> {
    let mut found = Vec::new();
    for row in answers.rows() {
        let key = InLedger::new(row.ledger(0)?, row.id(1, AccountId::from_bytes)?);
        for (index, side) in [(2, Side::Paid), (3, Side::Received)] {
            if row.flag(index)? {
                found.push((key, side));
            }
        }
    }
    Ok(found)
}

/// Adds the open holds of one side of an account.
async fn add_up(
    connection: &mut PooledConnection,
    sums: &mut PendingSums,
    side: Side,
) -> std::result::Result<(), Failed> {
    let mut after = None;
    loop {
        let mut script = Script::default();
        ask_page(&mut script, sums.account, side, after);
        let rows = connection.run(&script).await?.rows();
        for row in &rows {
            let (id, remaining) = remaining(row, sums.account)?;
            after = Some(id);
            match side {
                Side::Paid => sums.add_debit(remaining),
                Side::Received => sums.add_credit(remaining),
            }
        }
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}

fn ask_page(script: &mut Script, account: AccountKey, side: Side, after: Option<HoldId>) {
    let (head, column) = match side {
        Side::Paid => (PAID, " AND payer = "),
        Side::Received => (RECEIVED, " AND payee = "),
    };
    script.work("adding up holds", |sql| {
        sql.raw(head).ledger(account.ledger);
        sql.raw(column).bytes(account.id.as_bytes());
        if let Some(after) = &after {
            sql.raw(" AND id > ").bytes(after.as_bytes());
        }
        sql.raw(" ORDER BY id LIMIT ")
            .int(i64::try_from(PAGE).unwrap_or(i64::MAX));
    });
}

fn remaining(row: &Row, account: AccountKey) -> Result<(HoldId, i128)> {
    let hold = decode_hold(account.ledger, row.bytes(1)?);
    let hold = hold.map_err(|error| undecodable(error, "adding up holds"))?;
    Ok((row.id(0, HoldId::from_bytes)?, hold.remaining()))
}
