//! A write that changes nothing: it shows that the database can be written, and its
//! flush covers every commit that was read before it (ADR 26).

use crate::error::Failed;
use crate::pool::Lent;
use crate::sql::Script;

// A lease of a partition that there is not. Hosts that probe at the same time have
// each its own, so that none waits for another.
const TAKE: &str = "
    INSERT INTO wallet_lease (part, owner, token, until_at)
    VALUES (1024 + CONNECTION_ID() % 64000, '', 0, 0)";
const GIVE_BACK: &str = "DELETE FROM wallet_lease WHERE part = 1024 + CONNECTION_ID() % 64000";

/// Writes what is gone again at the commit.
pub(crate) async fn write(lent: &mut Lent) -> std::result::Result<(), Failed> {
    let mut script = Script::default();
    script.begin();
    for sql in [TAKE, GIVE_BACK] {
        script.work("writing what is gone at once", |text| {
            text.raw(sql);
        });
    }
    script.commit();
    lent.run(&script).await.map(drop)
}
