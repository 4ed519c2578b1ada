//! Compares books with a census of them.

use std::path::Path;

use wallet_core::StoreError;

use super::census::{Census, LedgerSum, RowCounts, digest, in_one_state};
use crate::deferred::Books;
use crate::error::Result;
use crate::{connect, migrate};

/// How books compare with an earlier census of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The books match the census exactly. Refusals may have been added, and keys may have
    /// been purged.
    Same,
    /// The books contain all of the census and have continued by this many journal rows.
    Ahead(i64),
    /// The books lack a part of the census, or are other books. Each text describes a
    /// difference.
    Lacking(Vec<String>),
}

/// Compares the books at `path` with `expected`. It reads one consistent state. Other
/// connections may use the file meanwhile.
///
/// # Errors
/// `Internal`: the file is not a ledger of this release. `Corrupt`, `Unavailable`.
pub fn standing(path: &Path, expected: &Census) -> std::result::Result<Standing, StoreError> {
    let mut looked = connect::look(path)?;
    migrate::check(&looked.connection)?;
    in_one_state(&mut looked.connection, |books| of(books, expected))
}

pub(super) fn of(books: &Books<'_>, expected: &Census) -> Result<Standing> {
    let found = Census::of(books)?;
    let mut lacking = Vec::new();
    if found.last == expected.last {
        differ(&expected.sums, &found.sums, &mut lacking);
        lacking.extend(rows(&expected.rows, &found.rows, |expected, found| {
            expected == found
        }));
        return Ok(verdict(lacking, Standing::Same));
    }
    let here = found.last.map_or(0, |last| last.number);
    let last = expected.last.map_or(0, |last| last.number);
    if let Some(last) = expected.last
        && digest(books, last.number)? != Some(last.sha256)
    {
        lacking.push(format!(
            "the last commit {} is not here, the last one here is {here}",
            last.number
        ));
    }
    // Counts that grow and never shrink.
    lacking.extend(rows(&expected.rows, &found.rows, |expected, found| {
        expected <= found
    }));
    Ok(verdict(lacking, Standing::Ahead(here.saturating_sub(last))))
}

fn verdict(lacking: Vec<String>, otherwise: Standing) -> Standing {
    if lacking.is_empty() {
        otherwise
    } else {
        Standing::Lacking(lacking)
    }
}

/// The row counts that do not satisfy `agree`.
fn rows(expected: &RowCounts, found: &RowCounts, agree: impl Fn(u64, u64) -> bool) -> Vec<String> {
    // These prove nothing: keys and refusals are purged, and open holds end.
    let [lasting @ .., _, _, _] = counts(expected, found);
    wrong(&lasting, agree)
}

/// All counts of both censuses. Counts that never shrink come first.
const fn counts(expected: &RowCounts, found: &RowCounts) -> [(&'static str, u64, u64); 9] {
    [
        ("accounts", expected.accounts, found.accounts),
        ("transfers", expected.transfers, found.transfers),
        ("references", expected.references, found.references),
        ("reversals", expected.reversals, found.reversals),
        ("holds", expected.holds, found.holds),
        ("currencies", expected.currencies, found.currencies),
        ("open holds", expected.open_holds, found.open_holds),
        ("outcomes", expected.outcomes, found.outcomes),
        ("keys", expected.keys, found.keys),
    ]
}

fn wrong(counts: &[(&str, u64, u64)], agree: impl Fn(u64, u64) -> bool) -> Vec<String> {
    let wrong = counts
        .iter()
        .filter(|(_, expected, found)| !agree(*expected, *found));
    wrong
        .map(|(name, expected, found)| format!("{name}: {expected} in the manifest, {found} here"))
        .collect()
}

/// Describes how a file differs from its census. Nothing has written to the file since the
/// census was taken.
pub(super) fn differences(books: &Books<'_>, expected: &Census) -> Result<Vec<String>> {
    let found = Census::of(books)?;
    let mut differences = Vec::new();
    if found.last != expected.last {
        let number = |census: &Census| census.last.map_or(0, |last| last.number);
        let (last, here) = (number(expected), number(&found));
        differences.push(format!(
            "the last commit {last} is not here, the last one here is {here}"
        ));
    }
    differ(&expected.sums, &found.sums, &mut differences);
    let all = counts(&expected.rows, &found.rows);
    differences.extend(wrong(&all, |expected, found| expected == found));
    Ok(differences)
}

fn differ(expected: &[LedgerSum], found: &[LedgerSum], lacking: &mut Vec<String>) {
    for sum in expected.iter().filter(|sum| !found.contains(sum)) {
        let (ledger, currency) = (sum.ledger, sum.currency.code());
        lacking.push(format!(
            "the balances of ledger {ledger} in {currency} are others"
        ));
    }
    if expected.len() != found.len() {
        let (expected, found) = (expected.len(), found.len());
        lacking.push(format!(
            "trial balances: {expected} in the manifest, {found} here"
        ));
    }
}
