//! Whether the file can be written.

use rusqlite::Connection;

use crate::error::{During, Result};
use crate::read::prepare;

/// A lease of a partition that there is not: the page is written, and nothing stays.
const TAKE: &str = "
    INSERT INTO wallet_lease (partition, owner, token, until) VALUES (-1, '', 0, 0)";
const GIVE_BACK: &str = "DELETE FROM wallet_lease WHERE partition = -1";

/// Writes to the log what is gone again at the commit.
pub(crate) fn run(connection: &Connection) -> Result<()> {
    for sql in [TAKE, GIVE_BACK] {
        let mut statement = prepare(connection, sql)?;
        statement.execute(()).during("probing the file")?;
    }
    Ok(())
}
