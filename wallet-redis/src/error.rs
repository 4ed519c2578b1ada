//! Maps errors of the client to errors of the ports. It uses codes, never texts.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

/// The state of a connection after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// The server answered.
    Fine,
    /// The server did not answer in time.
    Silent,
    /// The connection delivers nothing more, or nothing useful.
    Broken,
}

/// The kind of an error, and the state of its connection.
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
        // An answer without meaning is out of step with its request. The connection is not
        // used again.
        ErrorKind::Parse => (Internal, Health::Broken),
        ErrorKind::Server(kind) => of_kind(kind),
        _ => (Internal, Health::Fine),
    }
}

/// Maps the server's error code, the first word of its message.
fn of_code(code: &str) -> (StoreErrorKind, Health) {
    use StoreErrorKind::{Internal, Unavailable};
    match code {
        // Another server is needed. A new connection finds it.
        "READONLY" | "LOADING" | "MASTERDOWN" | "UNBLOCKED" => (Unavailable, Health::Broken),
        // The same server will work later.
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

/// Builds the error of a port.
pub(crate) fn store_error(error: RedisError, context: &'static str) -> StoreError {
    let (kind, _) = classify(&error);
    StoreError::new(kind, context).with_source(error)
}

/// The error of a call while the circuit breaker is open.
pub(crate) fn is_down(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, context)
}

/// An answer in an unexpected form.
pub(crate) fn unexpected(context: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinguished() {
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
