//! Whether books are those of a census.

use std::path::Path;

use wallet_core::StoreError;

use super::census::{Census, LedgerSum, RowCounts, digest, in_one_state};
use crate::deferred::Books;
use crate::error::Result;
use crate::{connect, migrate};

/// How books stand to a census of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// They hold exactly what it says. Refusals may have come, and keys may have
    /// been purged.
    Same,
    /// They hold all of it and have gone on: so many journal rows.
    Ahead(i64),
    /// They lack some of it, or are other books. What differs, in words.
    Lacking(Vec<String>),
}

/// How the books at `path` stand to `expected`, read in one state beside whoever
/// works on them.
///
/// # Errors
/// `Internal` when it is not a ledger of this release; `Corrupt`, `Unavailable`.
pub fn standing(path: &Path, expected: &Census) -> std::result::Result<Standing, StoreError> {
    let mut connection = connect::look(path)?;
    migrate::check(&connection)?;
    in_one_state(&mut connection, |books| of(books, expected))
}

pub(super) fn of(books: &Books<'_>, expected: &Census) -> Result<Standing> {
    let found = Census::of(books)?;
    let mut lacking = Vec::new();
    if found.last == expected.last {
        differ(&expected.sums, &found.sums, &mut lacking);
        lacking.extend(rows(&expected.rows, &found.rows, |told, found| {
            told == found
        }));
        return Ok(verdict(lacking, Standing::Same));
    }
    let here = found.last.map_or(0, |last| last.number);
    let told = expected.last.map_or(0, |last| last.number);
    if let Some(last) = expected.last
        && digest(books, last.number)? != Some(last.sha256)
    {
        lacking.push(format!(
            "the last commit {} is not here, the last one here is {here}",
            last.number
        ));
    }
    // What grows, and never shrinks.
    lacking.extend(rows(&expected.rows, &found.rows, |told, found| {
        told <= found
    }));
    Ok(verdict(lacking, Standing::Ahead(here.saturating_sub(told))))
}

fn verdict(lacking: Vec<String>, otherwise: Standing) -> Standing {
    if lacking.is_empty() {
        otherwise
    } else {
        Standing::Lacking(lacking)
    }
}

/// Which rows are not as `agree` wants them.
fn rows(told: &RowCounts, found: &RowCounts, agree: impl Fn(u64, u64) -> bool) -> Vec<String> {
    // Keys and refusals are purged, open holds end: they prove nothing.
    let [lasting @ .., _, _, _] = counts(told, found);
    wrong(&lasting, agree)
}

/// All counts of both, those that do not shrink first.
const fn counts(told: &RowCounts, found: &RowCounts) -> [(&'static str, u64, u64); 9] {
    [
        ("accounts", told.accounts, found.accounts),
        ("transfers", told.transfers, found.transfers),
        ("references", told.references, found.references),
        ("reversals", told.reversals, found.reversals),
        ("holds", told.holds, found.holds),
        ("currencies", told.currencies, found.currencies),
        ("open holds", told.open_holds, found.open_holds),
        ("outcomes", told.outcomes, found.outcomes),
        ("keys", told.keys, found.keys),
    ]
}

fn wrong(counts: &[(&str, u64, u64)], agree: impl Fn(u64, u64) -> bool) -> Vec<String> {
    let wrong = counts
        .iter()
        .filter(|(_, told, found)| !agree(*told, *found));
    wrong
        .map(|(name, told, found)| format!("{name}: {told} in the manifest, {found} here"))
        .collect()
}

/// What of a file that nobody has written to since is not exactly as its census says,
/// in words.
pub(super) fn differences(books: &Books<'_>, expected: &Census) -> Result<Vec<String>> {
    let found = Census::of(books)?;
    let mut differences = Vec::new();
    if found.last != expected.last {
        let number = |census: &Census| census.last.map_or(0, |last| last.number);
        let (told, here) = (number(expected), number(&found));
        differences.push(format!(
            "the last commit {told} is not here, the last one here is {here}"
        ));
    }
    differ(&expected.sums, &found.sums, &mut differences);
    let all = counts(&expected.rows, &found.rows);
    differences.extend(wrong(&all, |told, found| told == found));
    Ok(differences)
}

fn differ(told: &[LedgerSum], found: &[LedgerSum], lacking: &mut Vec<String>) {
    for sum in told.iter().filter(|sum| !found.contains(sum)) {
        let (ledger, currency) = (sum.ledger, sum.currency.code());
        lacking.push(format!(
            "the balances of ledger {ledger} in {currency} are others"
        ));
    }
    if told.len() != found.len() {
        let (told, found) = (told.len(), found.len());
        lacking.push(format!(
            "trial balances: {told} in the manifest, {found} here"
        ));
    }
}
