//! Prepared statements from the connection's cache.

use rusqlite::{CachedStatement, Connection};

use crate::error::{During, Result};

/// A statement from the connection's cache.
pub(crate) fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
) -> Result<CachedStatement<'c>> {
    connection
        .prepare_cached(sql)
        .during("preparing a statement")
}
