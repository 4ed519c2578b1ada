//! Every error of the server and the driver, classified by code and never by
//! text.

use sqlx::mysql::MySqlDatabaseError;
use thiserror::Error;
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;
use wallet_core::store::codec::DecodeError;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// What a statement was doing: the same code means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Reading, or changing rows that exist.
    Work,
    /// Inserting what somebody else may have inserted meanwhile.
    Insert,
    /// Inserting under a number that only this transaction can give out.
    Append,
    /// Committing.
    Commit,
}

/// Codes of the server that this crate acts upon by itself.
pub(crate) mod code {
    /// The lock on a row was not given in time; the transaction is still open.
    pub(crate) const LOCK_WAIT: u16 = 1205;
    /// A deadlock: the server has rolled the transaction back.
    pub(crate) const DEADLOCK: u16 = 1213;
    /// A record changed since it was read (MariaDB): rolled back as well.
    pub(crate) const CHECK_READ: u16 = 1020;
    /// There is no such savepoint: the transaction that had it is gone.
    pub(crate) const NO_SAVEPOINT: u16 = 1305;
    /// A transaction is under way, so its isolation cannot be chosen any more.
    pub(crate) const IN_TRANSACTION: u16 = 1568;
    /// A key that is there already, in the ways of saying so.
    pub(crate) const DUPLICATES: [u16; 3] = [1022, 1062, 1586];
    /// A table does not exist.
    pub(crate) const NO_TABLE: u16 = 1146;
    /// The server takes no writes: an option, a transaction, a mode; after a
    /// failover.
    pub(crate) const READ_ONLY: [u16; 3] = [1290, 1792, 1836];
    /// The user may not read a table, or ask at all.
    pub(crate) const DENIED: [u16; 4] = [1044, 1142, 1143, 1227];
    /// Access is denied for the user and password that were given.
    pub(crate) const ACCESS_DENIED: u16 = 1045;
}

/// The kind of an error that the server reported with this code.
pub(crate) const fn classify(number: u16, doing: Doing) -> StoreErrorKind {
    use StoreErrorKind as Kind;
    match number {
        // Lock wait; deadlock; record changed; table definition changed.
        code::LOCK_WAIT | code::DEADLOCK | code::CHECK_READ | 1412 => Kind::Conflict,
        // Duplicate key, in the ways of saying so.
        1022 | 1062 | 1586 => match doing {
            Doing::Insert => Kind::Conflict,
            Doing::Append => Kind::Corrupt,
            Doing::Work | Doing::Commit => Kind::Internal,
        },
        // Whatever else a commit meets, it may have happened.
        _ if matches!(doing, Doing::Commit) => Kind::Indeterminate,
        // Read-only: an option, a transaction, a mode; after a failover.
        1290 | 1792 | 1836
        // Disk full, table full, out of memory or threads, the engine's own.
        | 1021 | 1030 | 1037 | 1038 | 1041 | 1114 | 1135
        // Too many connections, uses, locks; shutting down; killed; timed out; the
        // network, as the server sees it.
        | 1040 | 1053 | 1077 | 1152 | 1158..=1161 | 1184 | 1203 | 1206 | 1226 | 1317 | 1637 | 1927 | 1969
        | 3024 | 3168 | 3169 | 4031 => Kind::Unavailable,
        // NULL, out of range, too long, wrong, truncated, too large; a check.
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
    /// The server's code; none when the connection was lost.
    pub(crate) code: Option<u16>,
}

impl Failed {
    /// What the driver reported at a statement that was doing this. A
    /// connection lost after a `COMMIT` was sent says nothing about it.
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

    /// No answer came in time.
    pub(crate) fn timed_out(context: &'static str, commit_sent: bool) -> Self {
        let kind = if commit_sent {
            StoreErrorKind::Indeterminate
        } else {
            StoreErrorKind::Unavailable
        };
        let error = StoreError::new(kind, context).with_source("no answer in time");
        Self { error, code: None }
    }

    /// Whether the connection may be used again, after a roll-back.
    pub(crate) const fn leaves_connection(&self) -> bool {
        use StoreErrorKind as Kind;
        self.code.is_some() && matches!(self.error.kind(), Kind::Conflict | Kind::Invalid)
    }

    /// Whether the server takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        let is_one = |code| code::READ_ONLY.contains(&code);
        self.code.is_some_and(is_one)
    }

    /// The server says of itself that it takes no writes.
    pub(crate) fn read_only() -> Self {
        let error = StoreError::new(StoreErrorKind::Unavailable, "the server is read-only");
        let code = code::READ_ONLY.first().copied();
        Self { error, code }
    }

    /// Whether a row was not inserted because its key is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        let is_one = |code| code::DUPLICATES.contains(&code);
        self.code.is_some_and(is_one)
    }

    /// Whether the transaction is gone as a whole, by the server's own word or
    /// with its connection.
    pub(crate) const fn ended_transaction(&self) -> bool {
        matches!(
            self.code,
            None | Some(code::DEADLOCK | code::CHECK_READ | code::NO_SAVEPOINT)
        )
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// A value that could not be read: nothing is wrong with the connection.
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

/// The kind of an error that is the driver's own.
fn without_code(error: &sqlx::Error) -> StoreErrorKind {
    use sqlx::Error as Sqlx;
    match error {
        Sqlx::Io(_)
        | Sqlx::Protocol(_)
        | Sqlx::PoolTimedOut
        | Sqlx::PoolClosed
        | Sqlx::WorkerCrashed => StoreErrorKind::Unavailable,
        Sqlx::ColumnDecode { .. } | Sqlx::Decode(_) => StoreErrorKind::Corrupt,
        // A certificate, a setting, a bug: nothing that waiting heals.
        _ => StoreErrorKind::Internal,
    }
}

/// What connecting met. Where passwords come from a source, one that is refused is
/// about to be replaced: it expired, or is being rotated.
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

/// A stored blob that cannot be read: damaged, or of a newer release. `row` names it,
/// so that it can be looked at.
pub(crate) fn undecodable(error: DecodeError, row: impl std::fmt::Display) -> StoreError {
    let context = format!("{row} cannot be read");
    StoreError::new(StoreErrorKind::Corrupt, context).with_source(error)
}

/// The host's transaction is not under way any more: the server has thrown it away (a
/// deadlock, a lost connection). A further statement would commit on its own. Nothing
/// that was applied in it is or will be committed; begin again. Where nothing was
/// applied in it yet, it may also have been committed by a statement of the host's
/// that commits by itself (a change of schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the transaction is not under way any more")]
pub struct TransactionLost;

/// Why [`AuroraStore::apply_in`](crate::AuroraStore::apply_in) applied nothing, or
/// [`AuroraInbox::advance_in`](crate::AuroraInbox::advance_in) recorded nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The host's transaction is gone too.
    #[error("{TransactionLost}")]
    TransactionLost(#[source] Option<StoreError>),
    /// A statement of the host's that commits by itself (a change of schema) has ended
    /// the transaction: what was applied in it is committed, and whatever the host did
    /// since was committed statement by statement. Nothing more is done in it.
    #[error("a statement of the host's has committed the transaction before its end")]
    CommittedEarly,
    /// Only what was being applied was rolled back; the host's transaction is
    /// as before. It is for the host to roll back, commit, or begin again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TransactionLost> for ApplyError {
    fn from(_: TransactionLost) -> Self {
        Self::TransactionLost(None)
    }
}

#[cfg(test)]
mod tests;
