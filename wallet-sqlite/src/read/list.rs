//! Pages of accounts. Each kind of query has an index in the order of the page. So no
//! account is read that is not on the page.

use rusqlite::params;
use wallet_core::ledger::InLedger;
use wallet_core::store::AccountQuery;
use wallet_core::{Account, AccountId};

use super::{account, known};
use crate::deferred::Books;
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::{id_column, ledger_number};

pub(super) const ALL: &str = "
    SELECT id FROM wallet_account WHERE ledger = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
pub(super) const BY_CURRENCY: &str = "
    SELECT id FROM wallet_account
    WHERE ledger = ?1 AND id > ?2 AND currency = ?4 ORDER BY id LIMIT ?3";
pub(super) const BY_OWNER: &str = "
    SELECT id FROM wallet_account_profile
    WHERE ledger = ?1 AND id > ?2 AND owner = ?4 ORDER BY id LIMIT ?3";
pub(super) const BY_OWNER_AND_CURRENCY: &str = "
    SELECT id FROM wallet_account_profile
    WHERE ledger = ?1 AND id > ?2 AND owner = ?4 AND currency = ?5 ORDER BY id LIMIT ?3";

/// A page of accounts.
pub(crate) fn list_accounts(books: &Books<'_>, query: &AccountQuery) -> Result<Vec<Account>> {
    let context = "listing accounts";
    // Within one set of books, a currency code always has the same exponent.
    if let Some(wanted) = query.currency
        && known(books, wanted.code())? != Some(wanted)
    {
        return Ok(Vec::new());
    }
    let after: &[u8] = query.after.as_ref().map_or(&[], |id| id.as_bytes());
    let (ledger, limit) = (ledger_number(query.ledger), query.limit);
    let currency = query.currency.map(|currency| currency.code());
    let currency = currency
        .as_ref()
        .map(wallet_core::ledger::CurrencyCode::as_str);
    let owner = query.owner.as_ref().map(wallet_core::Owner::as_str);
    let mut statement = prepare(books, statement(owner.is_some(), currency.is_some()))?;
    let mut rows = match (owner, currency) {
        (None, None) => statement.query(params![ledger, after, limit]),
        (Some(text), None) | (None, Some(text)) => {
            statement.query(params![ledger, after, limit, text])
        }
        (Some(owner), Some(currency)) => {
            statement.query(params![ledger, after, limit, owner, currency])
        }
    }
    .during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let key = InLedger::new(query.ledger, id_column(row, 0, AccountId::from_bytes)?);
        let listed = account(books, key)?;
        found.push(listed.ok_or_else(|| corrupt("an account that is listed is not there"))?);
    }
    Ok(found)
}

const fn statement(by_owner: bool, by_currency: bool) -> &'static str {
    match (by_owner, by_currency) {
        (false, false) => ALL,
        (false, true) => BY_CURRENCY,
        (true, false) => BY_OWNER,
        (true, true) => BY_OWNER_AND_CURRENCY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::config::DbConfig;

    /// SQLite's plan for a statement on the schema of this release.
    fn plan(connection: &Connection, sql: &str) -> String {
        let mut explained = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let lines = explained.raw_query().mapped(|row| row.get::<_, String>(3));
        lines
            .collect::<rusqlite::Result<Vec<_>>>()
            .unwrap()
            .join("; ")
    }

    #[test]
    fn each_way_to_list_accounts_is_a_search_of_its_index_without_sorting() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .unwrap();
        connection
            .execute_batch(include_str!("../../migrations/0001_ledger.sql"))
            .unwrap();
        for (sql, index, by) in [
            (
                ALL,
                "sqlite_autoindex_wallet_account_1",
                "(ledger=? AND id>?)",
            ),
            (
                BY_CURRENCY,
                "wallet_account_by_currency",
                "(ledger=? AND currency=? AND id>?)",
            ),
            (
                BY_OWNER,
                "wallet_account_by_owner",
                "(ledger=? AND owner=? AND id>?)",
            ),
            (
                BY_OWNER_AND_CURRENCY,
                "wallet_account_by_owner_and_currency",
                "(ledger=? AND owner=? AND currency=? AND id>?)",
            ),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains("USING COVERING INDEX"), "{plan}");
            assert!(plan.contains(&format!("{index} {by}")), "{plan}");
            assert!(
                !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
                "{plan}"
            );
        }
    }
}
