//! What differs between the versions of rusqlite that this crate works with. Tests use it too.

use rusqlite::{Connection, Result, TransactionState};

/// The state of the transaction in the main database, without attached ones.
pub(crate) fn transaction_state(connection: &Connection) -> Result<TransactionState> {
    // Until 0.36 the driver names a database by its own enum, and later by a text. A name of
    // this glob hides the one of the module, if the driver has it.
    #[allow(
        unused_imports,
        clippy::wildcard_imports,
        reason = "an import by name fails with the versions that lack the name"
    )]
    use rusqlite::*;
    connection.transaction_state(Some(DatabaseName::Main))
}

/// Stands for the enum of that name where the driver has none.
#[allow(dead_code, reason = "the driver may have its own")]
struct DatabaseName;

#[allow(
    dead_code,
    non_upper_case_globals,
    reason = "the name of the driver's variant"
)]
impl DatabaseName {
    const Main: &'static str = "main";
}
