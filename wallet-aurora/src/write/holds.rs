use wallet_core::store::HoldUpdate;
use wallet_core::store::codec::encode_hold;

use crate::error::Doing;
use crate::sql::{Insert, Script};

const NEW: Insert = Insert {
    doing: Doing::Insert,
    context: "placing holds",
    head: "INSERT INTO wallet_hold (ledger, id, payer, payee, status, expires_at, body)",
    tail: "",
};
const REFERENCES: Insert = Insert {
    doing: Doing::Insert,
    context: "indexing holds' references",
    head: "INSERT INTO wallet_hold_reference (ledger, reference, hold)",
    tail: "",
};
/// The rows exist, guarded by their accounts' locks.
const CHANGED: Insert = Insert {
    doing: Doing::Work,
    context: "changing holds",
    head: NEW.head,
    tail: " ON DUPLICATE KEY UPDATE status = VALUES(status), body = VALUES(body)",
};

/// Writes holds, new or changed.
pub(super) fn put(script: &mut Script, holds: &[HoldUpdate]) {
    for (insert, is_new) in [(NEW, true), (CHANGED, false)] {
        let wanted = holds.iter().filter(|update| update.is_new == is_new);
        script.rows(insert, wanted, |sql, HoldUpdate { hold, .. }| {
            sql.ledger(hold.key.ledger).raw(",");
            sql.bytes(hold.key.id.as_bytes()).raw(",");
            sql.bytes(hold.from.as_bytes()).raw(",");
            sql.bytes(hold.to.as_bytes()).raw(",");
            sql.int(hold.status.number()).raw(",");
            match hold.expires_at {
                Some(at) => sql.time(at),
                None => sql.raw("NULL"),
            };
            sql.raw(",").bytes(&encode_hold(hold));
        });
    }
    let new = holds.iter().filter(|update| update.is_new);
    let mut references: Vec<_> = new
        .filter_map(|HoldUpdate { hold, .. }| {
            let reference = hold.details.reference.as_ref()?;
            Some((hold.key.ledger, reference.as_str(), hold.key.id))
        })
        .collect();
    references.sort_unstable();
    script.rows(REFERENCES, references, |sql, (ledger, reference, id)| {
        sql.ledger(ledger).raw(",").text(reference);
        sql.raw(",").bytes(id.as_bytes());
    });
}
