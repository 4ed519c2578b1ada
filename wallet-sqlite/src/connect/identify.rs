//! Recognises a ledger's file, and marks a new one.

use rusqlite::Connection;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use super::real;
use crate::SqliteSettings;
use crate::error::{During, Result, corrupt};
use crate::trace::log_without_beginning;

/// The application id `WLLT`. It marks files that this crate created.
const APPLICATION_ID: i32 = 0x574C_4C54;

/// Rows are short and accounts are spread widely. A small page means fewer bytes per
/// written row.
const PAGE_BYTES: u32 = 2_048;

/// Refuses a file of another application, and marks a new file.
pub(super) fn identify(connection: &Connection, settings: &SqliteSettings) -> Result<()> {
    let id: i32 = pragma(connection, "application_id")?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'wallet\\_%' ESCAPE '\\'";
    let foreign: i64 = one(connection, tables)?;
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name = 'wallet_migration'";
    let has_tables = one::<i64>(connection, ours)? > 0;
    let known = id == APPLICATION_ID || has_tables;
    let is_empty = id == 0 && foreign == 0;
    if !known && !is_empty && !settings.adopt {
        let context = "the file belongs to another application; see `SqliteSettings::adopt`";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    if !known && is_empty && !settings.create {
        return Err(StoreError::new(
            StoreErrorKind::Internal,
            "the file holds no ledger",
        ));
    }
    // Also a file that was marked by a process that did not live to create its tables.
    let is_new = !has_tables && foreign == 0;
    if is_new && log_without_beginning(&real(&settings.path)?) {
        return Err(corrupt(
            "the file holds nothing, and the log beside it is of books: keep both, and restore \
             a backup or the file that the log belongs to",
        ));
    }
    if !known && is_empty {
        let stamp = format!("PRAGMA page_size = {PAGE_BYTES}");
        connection.execute_batch(&stamp).during("sizing pages")?;
    }
    log_ahead(connection)?;
    if !known && is_empty {
        let stamp = format!("PRAGMA application_id = {APPLICATION_ID}");
        connection
            .execute_batch(&stamp)
            .during("marking the file")?;
    }
    Ok(())
}

pub(super) fn log_ahead(connection: &Connection) -> Result<()> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))
        .during("switching to write-ahead logging")?;
    if mode != "wal" {
        let context = "the file cannot be used with a write-ahead log";
        return Err(StoreError::new(StoreErrorKind::Internal, context));
    }
    Ok(())
}

pub(super) fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> Result<T> {
    one(connection, &format!("PRAGMA {name}"))
}

/// The single value of the single row.
pub(super) fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Result<T> {
    connection
        .query_row(sql, (), |row| row.get(0))
        .during("asking what the file is")
}
