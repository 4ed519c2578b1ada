//! What the client says, in the words of the ports: by code, never by text.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// What an error says of the connection that it came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered.
    Fine,
    /// It did not answer in time.
    Silent,
    /// Nothing more comes over it, or nothing of use.
    Broken,
}

/// The kind of an error, and what it says of its connection.
pub(crate) fn classify(error: &RedisError) -> (StoreErrorKind, Health) {
    use StoreErrorKind::{Internal, Unavailable};
    if let Some(code) = error.code() {
        return of_code(code);
    }
    if error.is_timeout() {
        return (Unavailable, Health::Silent);
    }
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => (Unavailable, Health::Broken),
        // Answers that make no sense come out of step: not this connection again.
        ErrorKind::Parse => (Internal, Health::Broken),
        ErrorKind::Server(kind) => of_kind(kind),
        _ => (Internal, Health::Fine),
    }
}

/// What the server says in the first word of an error.
fn of_code(code: &str) -> (StoreErrorKind, Health) {
    use StoreErrorKind::{Internal, Unavailable};
    match code {
        // Another server is wanted: a new connection finds it.
        "READONLY" | "LOADING" | "MASTERDOWN" | "UNBLOCKED" => (Unavailable, Health::Broken),
        // This one will do, later.
        "OOM" | "MISCONF" | "BUSY" | "NOREPLICAS" | "CLUSTERDOWN" | "TRYAGAIN" | "MOVED"
        | "ASK" => (Unavailable, Health::Fine),
        _ => (Internal, Health::Fine),
    }
}

fn of_kind(kind: ServerErrorKind) -> (StoreErrorKind, Health) {
    use StoreErrorKind::{Internal, Unavailable};
    match kind {
        ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly => {
            (Unavailable, Health::Broken)
        }
        ServerErrorKind::ClusterDown
        | ServerErrorKind::TryAgain
        | ServerErrorKind::Moved
        | ServerErrorKind::Ask => (Unavailable, Health::Fine),
        _ => (Internal, Health::Fine),
    }
}

/// The error of a port.
pub(crate) fn store_error(error: RedisError, context: &'static str) -> StoreError {
    let (kind, _) = classify(&error);
    StoreError::new(kind, context).with_source(error)
}

/// Redis is not asked at present.
pub(crate) fn is_down(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, context)
}

/// An answer of another shape than what this adapter asks for.
pub(crate) fn unexpected(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        use Health::{Broken, Fine};
        use StoreErrorKind::{Internal, Unavailable};
        for (code, expected) in [
            ("READONLY", (Unavailable, Broken)),
            ("LOADING", (Unavailable, Broken)),
            ("MASTERDOWN", (Unavailable, Broken)),
            ("OOM", (Unavailable, Fine)),
            ("MISCONF", (Unavailable, Fine)),
            ("CLUSTERDOWN", (Unavailable, Fine)),
            ("NOPERM", (Internal, Fine)),
            ("WRONGTYPE", (Internal, Fine)),
            ("NEVERSEEN", (Internal, Fine)),
        ] {
            assert_eq!(of_code(code), expected, "{code}");
        }
    }
}
