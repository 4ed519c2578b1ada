//! Writes holds.

use rusqlite::{Connection, params};
use wallet_core::Timestamp;
use wallet_core::store::HoldUpdate;
use wallet_core::store::codec::encode_hold;

use crate::error::{Doing, During, Result};
use crate::statement::prepare;
use crate::value::ledger_number;

const INSERT: &str = "
    INSERT INTO wallet_hold (ledger, id, payer, payee, status, expires_at, body)
    VALUES (?, ?, ?, ?, ?, ?, ?)";
const INSERT_REFERENCE: &str =
    "INSERT INTO wallet_hold_reference (ledger, reference, hold) VALUES (?, ?, ?)";
const UPDATE: &str = "UPDATE wallet_hold SET status = ?3, body = ?4 WHERE ledger = ?1 AND id = ?2";

/// Writes holds, new or changed.
pub(super) fn put(connection: &Connection, holds: &[HoldUpdate]) -> Result<()> {
    for HoldUpdate { is_new, hold } in holds {
        let ledger = ledger_number(hold.key.ledger);
        let id = hold.key.id.as_bytes();
        let status = hold.status.number();
        let body = encode_hold(hold);
        let written = if *is_new {
            let (from, to) = (hold.from.as_bytes(), hold.to.as_bytes());
            let expires_at = hold.expires_at.map(Timestamp::as_micros);
            prepare(connection, INSERT)?
                .execute(params![ledger, id, from, to, status, expires_at, body])
        } else {
            prepare(connection, UPDATE)?.execute(params![ledger, id, status, body])
        };
        written.while_doing(Doing::Insert, "writing a hold")?;
        if let Some(reference) = hold.details.reference.as_ref().filter(|_| *is_new) {
            prepare(connection, INSERT_REFERENCE)?
                .execute(params![ledger, reference.as_str(), id])
                .while_doing(Doing::Insert, "indexing a hold's reference")?;
        }
    }
    Ok(())
}
