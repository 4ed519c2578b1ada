use rusqlite::Connection;
use wallet_core::Timestamp;
use wallet_core::ledger::{AccountKey, InLedger, Posted, Sequence};

use super::find;
use super::journal::Told;
use crate::error::{Doing, During, Result, corrupt};
use crate::read::{ANCHOR_EVERY, Place, prepare};

const INSERT: &str =
    "INSERT INTO wallet_entry (account, sequence, created_at, journal) VALUES (?, ?, ?, ?)";

/// An entry with a row of its own: account's number, sequence, time, journal
/// row.
pub(super) type Anchor = (i64, Sequence, Timestamp, i64);

/// How the entries of a change set hang together.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// For each outcome told, the links of its journal row.
    pub(super) links: Vec<Vec<u8>>,
    /// In no order.
    pub(super) anchors: Vec<Anchor>,
}

/// Links each outcome's entries to those before them; `places` afterwards
/// point at the latest.
pub(super) fn link(told: &[Told<'_>], places: &mut [(AccountKey, Place)]) -> Result<Linked> {
    let mut linked = Linked::default();
    linked.links.reserve(told.len());
    for Told {
        journal,
        ledger,
        outcome,
    } in told
    {
        let mut links = Vec::with_capacity(16);
        let entries = outcome.postings().flat_map(posted_marks);
        for (account, sequence, at) in entries {
            let index = find(places, InLedger::new(*ledger, account))?;
            let place = places.get_mut(index);
            let (_, place) = place.ok_or_else(|| corrupt("an account has no place"))?;
            // A later entry of the same outcome needs no link of its own.
            if place.last_entry != *journal {
                links.extend(place.last_entry.to_be_bytes());
                place.last_entry = *journal;
            }
            if sequence.checked_rem(ANCHOR_EVERY) == Some(0) {
                linked.anchors.push((place.number, sequence, at, *journal));
            }
        }
        linked.links.push(links);
    }
    Ok(linked)
}

/// Account, sequence and time of each entry, in order.
fn posted_marks(
    posted: &Posted,
) -> impl Iterator<Item = (wallet_core::AccountId, Sequence, Timestamp)> {
    let at = posted.transfer.created_at;
    let effects = posted.effects.iter();
    effects.filter_map(move |effect| {
        let mark = effect.entry?;
        Some((effect.account, mark.sequence, at))
    })
}

/// Inserts the entries that have a row of their own, sorted.
pub(super) fn insert(connection: &Connection, mut anchors: Vec<Anchor>) -> Result<()> {
    anchors.sort_unstable();
    let mut statement = prepare(connection, INSERT)?;
    for (account, sequence, at, journal) in anchors {
        statement
            .execute((account, sequence, at.as_micros(), journal))
            .while_doing(Doing::Append, "inserting an entry")?;
    }
    Ok(())
}
