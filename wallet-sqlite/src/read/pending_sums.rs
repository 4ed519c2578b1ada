//! The held amounts of accounts, and the sums of their open holds.

use rusqlite::params;
use wallet_core::ledger::AccountKey;
use wallet_core::store::PendingSums;
use wallet_core::store::codec::decode_hold;

use super::account_state;
use crate::deferred::Books;
use crate::error::{During, Result, corrupt, undecodable};
use crate::statement::prepare;
use crate::value::ledger_number;

const PAID: &str = "
    SELECT body FROM wallet_hold WHERE ledger = ? AND payer = ? AND status = 0";
const RECEIVED: &str = "
    SELECT body FROM wallet_hold WHERE ledger = ? AND payee = ? AND status = 0";

/// The held amounts of an account, and the sums of its open holds.
pub(crate) fn pending_sums(books: &Books<'_>, key: AccountKey) -> Result<Option<PendingSums>> {
    let Some((_, state)) = account_state(books, key)? else {
        return Ok(None);
    };
    let mut sums = PendingSums::of(&state);
    each_remaining(books, PAID, key, |remaining| sums.add_debit(remaining))?;
    each_remaining(books, RECEIVED, key, |remaining| sums.add_credit(remaining))?;
    Ok(Some(sums))
}

/// The remaining amount of each hold that the statement finds.
fn each_remaining(
    books: &Books<'_>,
    sql: &'static str,
    key: AccountKey,
    mut add: impl FnMut(i128),
) -> Result<()> {
    let context = "adding up holds";
    let mut statement = prepare(books, sql)?;
    let by = params![ledger_number(key.ledger), key.id.as_bytes()];
    let mut rows = statement.query(by).during(context)?;
    while let Some(row) = rows.next().during(context)? {
        let body = row.get_ref(0).during(context)?;
        let body = body.as_blob().map_err(|_| corrupt("a hold is no blob"))?;
        let hold = decode_hold(key.ledger, body).map_err(|error| undecodable(error, context))?;
        add(hold.remaining());
    }
    Ok(())
}
