//! Classifies every error of SQLite by its result code, never by its text.

use rusqlite::{Error as SqlError, ErrorCode, ffi};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;
use wallet_core::store::codec::DecodeError;

const READ_ONLY: &str = "the database file is read-only: this process must be allowed to write it, \
                         its log and its folder, and be restarted";

const MOVED: &str = "the database file was moved or replaced while it was opened, as a restore \
                     does: start again";
const NO_ROOM: &str = "there is no room for the log's index beside the database file: the disk \
                       is full";

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// The purpose of a statement. The same code means different things for different purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Reading, or changing rows that exist.
    Work,
    /// Inserting a row that another transaction may have inserted meanwhile.
    Insert,
    /// Inserting a row under a number that only this transaction can assign.
    Append,
    /// Committing.
    Commit,
}

/// The kind of an error with this extended result code.
pub(crate) const fn classify(extended: i32, doing: Doing) -> StoreErrorKind {
    use StoreErrorKind as Kind;
    match (extended, doing) {
        _ if is_duplicate(extended) => match doing {
            Doing::Insert => Kind::Conflict,
            Doing::Append => Kind::Corrupt,
            Doing::Work | Doing::Commit => Kind::Internal,
        },
        (
            ffi::SQLITE_CONSTRAINT_CHECK
            | ffi::SQLITE_CONSTRAINT_NOTNULL
            | ffi::SQLITE_CONSTRAINT_DATATYPE
            | ffi::SQLITE_CONSTRAINT_TRIGGER,
            _,
        ) => Kind::Invalid,
        (ffi::SQLITE_BUSY_RECOVERY, _) => Kind::Unavailable,
        (ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA, _) => Kind::Corrupt,
        _ => classify_primary(extended & 0xff, doing),
    }
}

const fn classify_primary(primary: i32, doing: Doing) -> StoreErrorKind {
    use StoreErrorKind as Kind;
    match primary {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Kind::Conflict,
        // The write was not completed, so the commit mark is not in the log.
        ffi::SQLITE_FULL | ffi::SQLITE_READONLY => Kind::Unavailable,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Kind::Corrupt,
        // The log may or may not hold the commit mark.
        _ if matches!(doing, Doing::Commit) => Kind::Indeterminate,
        ffi::SQLITE_NOMEM
        | ffi::SQLITE_INTERRUPT
        | ffi::SQLITE_IOERR
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PROTOCOL
        | ffi::SQLITE_SCHEMA => Kind::Unavailable,
        ffi::SQLITE_TOOBIG | ffi::SQLITE_MISMATCH => Kind::Invalid,
        _ => Kind::Internal,
    }
}

/// The kind of an error of the driver.
fn kind_of(error: &SqlError, doing: Doing) -> StoreErrorKind {
    match error {
        SqlError::SqliteFailure(code, _) => classify(code.extended_code, doing),
        SqlError::SqlInputError { error, .. } => classify(error.extended_code, doing),
        SqlError::FromSqlConversionFailure(..)
        | SqlError::IntegralValueOutOfRange(..)
        | SqlError::InvalidColumnType(..)
        | SqlError::Utf8Error(..) => StoreErrorKind::Corrupt,
        // The driver refused the call: a bug of this crate or of the host.
        _ if doing == Doing::Commit => StoreErrorKind::Indeterminate,
        _ => StoreErrorKind::Internal,
    }
}

/// Adds the operation to an error of the driver.
pub(crate) trait During<T> {
    /// While reading, or changing rows that exist.
    fn during(self, context: &'static str) -> Result<T>;
    /// While a statement with this purpose runs.
    fn while_doing(self, doing: Doing, context: &'static str) -> Result<T>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, context: &'static str) -> Result<T> {
        self.while_doing(Doing::Work, context)
    }

    fn while_doing(self, doing: Doing, context: &'static str) -> Result<T> {
        self.map_err(|error| store_error(error, doing, context))
    }
}

/// An error of the driver at a statement with this purpose.
pub(crate) fn store_error(error: SqlError, doing: Doing, context: &'static str) -> StoreError {
    let extended = error.sqlite_error().map(|code| code.extended_code);
    let context = match extended {
        Some(ffi::SQLITE_READONLY_DBMOVED) => MOVED,
        Some(ffi::SQLITE_IOERR_SHMSIZE) => NO_ROOM,
        _ if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => READ_ONLY,
        _ => context,
    };
    StoreError::new(kind_of(&error, doing), context).with_source(error)
}

/// Whether a key exists already.
pub(crate) const fn is_duplicate(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_ROWID
    )
}

/// The error for an exhausted number range. Nothing is written.
pub(crate) fn used_up(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Internal, context)
}

/// The number after `last`, if `more` further numbers follow it.
pub(crate) fn next_number(last: i64, more: usize, context: &'static str) -> Result<i64> {
    let next = last.checked_add(1).ok_or_else(|| used_up(context))?;
    let more = i64::try_from(more).map_err(|_| used_up(context))?;
    let has_room = next.checked_add(more).is_some();
    has_room.then_some(next).ok_or_else(|| used_up(context))
}

/// A stored value that no release of this crate wrote.
pub(crate) fn corrupt(context: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, context)
}

/// A stored blob that cannot be decoded: it is damaged, or a newer release wrote it. `row`
/// names the row, so that an operator can inspect it.
pub(crate) fn undecodable(error: DecodeError, row: impl std::fmt::Display) -> StoreError {
    let context = format!("{row} cannot be read");
    StoreError::new(StoreErrorKind::Corrupt, context).with_source(error)
}

#[cfg(test)]
mod tests;
