//! A write that changes nothing. It proves that the database takes writes. Its flush covers
//! every commit that was read before it (ADR 26).

use crate::error::Failed;
use crate::pool::PooledConnection;
use crate::sql::Script;

// Inserts a row that is not the lease of the outbox, which is row 0. Each connection uses
// its own row, so that concurrent probes do not wait for each other.
const TAKE: &str = "
    INSERT INTO wallet_lease (id, owner, token, until_at)
    VALUES (1024 + CONNECTION_ID() % 64000, '', 0, 0)";
const GIVE_BACK: &str = "DELETE FROM wallet_lease WHERE id = 1024 + CONNECTION_ID() % 64000";

/// Writes a row and deletes it in the same transaction.
pub(crate) async fn write(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let mut script = Script::default();
    script.begin();
    for sql in [TAKE, GIVE_BACK] {
        script.work("writing what is gone at once", |text| {
            text.raw(sql);
        });
    }
    script.commit();
    connection.run(&script).await.map(drop)
}
