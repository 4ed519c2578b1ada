//! Classifies every error of the server and the driver. It uses codes and never the text of
//! a message.

use sqlx::mysql::MySqlDatabaseError;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;
use wallet_core::store::codec::DecodeError;

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

/// Server codes that this crate handles itself.
pub(crate) mod code {
    /// A wait for a row lock timed out. The transaction is still open.
    pub(crate) const LOCK_WAIT: u16 = 1205;
    /// A deadlock. The server has rolled the transaction back.
    pub(crate) const DEADLOCK: u16 = 1213;
    /// A record changed since it was read (MariaDB). The server has rolled the transaction
    /// back.
    pub(crate) const CHECK_READ: u16 = 1020;
    /// The savepoint does not exist, because its transaction is gone.
    pub(crate) const NO_SAVEPOINT: u16 = 1305;
    /// A transaction is open, so its isolation level can no longer be set.
    pub(crate) const IN_TRANSACTION: u16 = 1568;
    /// The key exists already. The server has three codes for it.
    pub(crate) const DUPLICATES: [u16; 3] = [1022, 1062, 1586];
    /// A table does not exist.
    pub(crate) const NO_TABLE: u16 = 1146;
    /// The server takes no writes, because of an option, a transaction or a mode. This
    /// happens after a failover.
    pub(crate) const READ_ONLY: [u16; 3] = [1290, 1792, 1836];
    /// The user may not read a table, or may not run the statement.
    pub(crate) const DENIED: [u16; 4] = [1044, 1142, 1143, 1227];
    /// The server refused the user and password.
    pub(crate) const ACCESS_DENIED: u16 = 1045;
}

/// The kind of an error with this server code.
pub(crate) const fn classify(number: u16, doing: Doing) -> StoreErrorKind {
    use StoreErrorKind as Kind;
    match number {
        // Lock wait; deadlock; record changed; table definition changed.
        code::LOCK_WAIT | code::DEADLOCK | code::CHECK_READ | 1412 => Kind::Conflict,
        // Duplicate key. The server has three codes for it.
        1022 | 1062 | 1586 => match doing {
            Doing::Insert => Kind::Conflict,
            Doing::Append => Kind::Corrupt,
            Doing::Work | Doing::Commit => Kind::Internal,
        },
        // After any other error at `COMMIT`, the commit may have happened.
        _ if matches!(doing, Doing::Commit) => Kind::Indeterminate,
        // Read-only, because of an option, a transaction or a mode. This happens after a
        // failover.
        1290 | 1792 | 1836
        // Disk full, table full, out of memory or threads, an error of the storage engine.
        | 1021 | 1030 | 1037 | 1038 | 1041 | 1114 | 1135
        // Too many connections, uses or locks; shutdown; killed; timed out; a network error
        // that the server reports.
        | 1040 | 1053 | 1077 | 1152 | 1158..=1161 | 1184 | 1203 | 1206 | 1226 | 1317 | 1637 | 1927 | 1969
        | 3024 | 3168 | 3169 | 4031 => Kind::Unavailable,
        // NULL, out of range, too long, wrong type, truncated, too large; a failed check.
        1048 | 1118 | 1153 | 1264 | 1265 | 1292 | 1366 | 1406 | 3819 | 4025 => Kind::Invalid,
        // Damaged pages, tables, indexes.
        126 | 127 | 134 | 145 | 1034 | 1035 | 1194 | 1712 => Kind::Corrupt,
        _ => Kind::Internal,
    }
}

/// Why a script failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: StoreError,
    /// The server's code. `None` if the connection was lost.
    pub(crate) code: Option<u16>,
}

impl Failed {
    /// An error that the driver reported at a statement with this purpose. If the
    /// connection is lost after `COMMIT` was sent, the outcome is unknown.
    pub(crate) fn new(
        error: sqlx::Error,
        doing: Doing,
        context: &'static str,
        commit_sent: bool,
    ) -> Self {
        let code = code_of(&error);
        let kind = match code {
            Some(number) => classify(number, doing),
            None if commit_sent => StoreErrorKind::Indeterminate,
            None => without_code(&error),
        };
        let error = StoreError::new(kind, context).with_source(error);
        Self { error, code }
    }

    /// No answer arrived in time.
    pub(crate) fn timed_out(context: &'static str, commit_sent: bool) -> Self {
        let kind = if commit_sent {
            StoreErrorKind::Indeterminate
        } else {
            StoreErrorKind::Unavailable
        };
        let error = StoreError::new(kind, context).with_source("no answer in time");
        Self { error, code: None }
    }

    /// Whether the connection can be used again after a rollback.
    pub(crate) const fn leaves_connection(&self) -> bool {
        use StoreErrorKind as Kind;
        self.code.is_some() && matches!(self.error.kind(), Kind::Conflict | Kind::Invalid)
    }

    /// Whether the server takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        is_read_only(self.code)
    }

    /// The server reports that it takes no writes.
    pub(crate) fn read_only() -> Self {
        let error = StoreError::new(StoreErrorKind::Unavailable, "the server is read-only");
        let code = code::READ_ONLY.first().copied();
        Self { error, code }
    }

    /// Whether an insert failed because the key exists already.
    pub(crate) fn is_duplicate(&self) -> bool {
        let is_one = |code| code::DUPLICATES.contains(&code);
        self.code.is_some_and(is_one)
    }

    /// Whether the whole transaction is gone: the server rolled it back, or its connection
    /// was lost.
    pub(crate) const fn ended_transaction(&self) -> bool {
        matches!(
            self.code,
            None | Some(code::DEADLOCK | code::CHECK_READ | code::NO_SAVEPOINT)
        )
    }
}

/// Whether the code of a failure says that the server takes no writes.
pub(crate) fn is_read_only(code: Option<u16>) -> bool {
    code.is_some_and(|code| code::READ_ONLY.contains(&code))
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// A value that could not be read. The connection is intact.
impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        let code = Some(0);
        Self { error, code }
    }
}

/// The server's code in a driver's error.
pub(crate) fn code_of(error: &sqlx::Error) -> Option<u16> {
    let reported = error.as_database_error()?;
    let reported = reported.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(reported.number())
}

/// The kind of an error that the driver itself raised.
fn without_code(error: &sqlx::Error) -> StoreErrorKind {
    use sqlx::Error as Sqlx;
    match error {
        Sqlx::Io(_)
        | Sqlx::Protocol(_)
        | Sqlx::PoolTimedOut
        | Sqlx::PoolClosed
        | Sqlx::WorkerCrashed => StoreErrorKind::Unavailable,
        Sqlx::ColumnDecode { .. } | Sqlx::Decode(_) => StoreErrorKind::Corrupt,
        // A certificate, a setting or a bug. A retry does not help.
        _ => StoreErrorKind::Internal,
    }
}

/// An error on connecting. A password from a source may be refused because it expired or is
/// being rotated. A later try gets a new password.
pub(crate) fn connecting(
    error: sqlx::Error,
    context: &'static str,
    has_source: bool,
) -> StoreError {
    if has_source && code_of(&error) == Some(code::ACCESS_DENIED) {
        return StoreError::new(StoreErrorKind::Unavailable, context).with_source(error);
    }
    Failed::new(error, Doing::Work, context, false).error
}

/// A stored value that no release of this crate wrote.
pub(crate) fn corrupt(context: &'static str) -> StoreError {
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
