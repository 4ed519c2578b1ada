//! Links entries in the journal, and writes the entries that have their own row.

use rusqlite::Connection;
use wallet_core::Timestamp;
use wallet_core::ledger::{AccountKey, InLedger, Posted, Sequence};

use super::find;
use super::journal::AcceptedOutcome;
use crate::error::{Doing, During, Result, corrupt};
use crate::read::{ANCHOR_EVERY, Place};
use crate::statement::prepare;

const INSERT: &str =
    "INSERT INTO wallet_entry (account, sequence, created_at, journal) VALUES (?, ?, ?, ?)";

/// An entry with its own row: the account's number, the sequence, the time and the journal
/// row.
pub(super) type Anchor = (i64, Sequence, Timestamp, i64);

/// How the entries of a change set are linked.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// For each accepted outcome, the links of its journal row.
    pub(super) links: Vec<Vec<u8>>,
    /// In no particular order.
    pub(super) anchors: Vec<Anchor>,
}

/// Links each outcome's entries to the entries before them. Afterwards `places` point to
/// the latest entries.
pub(super) fn link(
    accepted: &[AcceptedOutcome<'_>],
    places: &mut [(AccountKey, Place)],
) -> Result<Linked> {
    let mut linked = Linked::default();
    linked.links.reserve(accepted.len());
    for AcceptedOutcome {
        journal,
        ledger,
        outcome,
    } in accepted
    {
        let mut links = Vec::with_capacity(16);
        let entries = outcome.postings().flat_map(posted_marks);
        for (account, sequence, at) in entries {
            let index = find(places, InLedger::new(*ledger, account))?;
            let place = places.get_mut(index);
            let (_, place) = place.ok_or_else(|| corrupt("an account has no place"))?;
            // A later entry of the same outcome needs no link.
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

/// The account, sequence and time of each entry, in order.
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

/// Inserts the entries that have their own row, sorted.
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
