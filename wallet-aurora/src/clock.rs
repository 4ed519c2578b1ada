//! The time: the database's, unless a test drives it.

use std::sync::Arc;

use wallet_core::Timestamp;
use wallet_core::runtime::Clock;

use crate::error::Result;
use crate::run::Answers;
use crate::sql::{Script, Sql};

/// Microseconds since 1970, whatever the session's time zone. It is fixed when
/// a statement begins, so that it has to be one of its own behind the locks.
pub(crate) const NOW: &str = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";

/// Where the time comes from.
#[derive(Debug, Clone)]
pub(crate) enum Time {
    /// From the database, so that all processes have the same.
    Database,
    /// From a clock that every user of the database shares: tests.
    Clock(Arc<dyn Clock>),
}

impl Time {
    /// Adds the statement that asks for it, where there is one.
    pub(crate) fn ask(&self, script: &mut Script) {
        match self {
            Self::Database => script.work("reading the clock", |sql| {
                sql.raw("SELECT ").raw(NOW);
            }),
            Self::Clock(_) => script,
        };
    }

    /// What that statement answered.
    pub(crate) fn decode(&self, answers: &mut Answers) -> Result<Timestamp> {
        match self {
            Self::Database => answers.row()?.time(0),
            Self::Clock(clock) => Ok(clock.now()),
        }
    }

    /// The time within a statement.
    pub(crate) fn write(&self, sql: &mut Sql) {
        match self {
            Self::Database => sql.raw(NOW),
            Self::Clock(clock) => sql.time(clock.now()),
        };
    }
}
