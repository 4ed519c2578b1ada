use rusqlite::params;

use super::piece::{Key, Moved, Nonce, Piece};
use super::slices::SLICES;
use super::{Books, Pieces};
use crate::error::{Doing, During, Result, next_number};
use crate::read::prepare;
use crate::value::counters_bytes;

/// The nonce comes from SQLite's own generator, which the system seeds.
const INSERT: &str =
    "INSERT INTO wallet_deferred (number, nonce, body) VALUES (?, randomblob(16), ?)";
const DELETE: &str = "DELETE FROM wallet_deferred WHERE number <= ?";
/// A version that is as great was written at once, by a small commit. A past
/// balance that was answered has raised the time without a version.
const FOLD_ACCOUNT: &str = "
    UPDATE wallet_account
    SET counters = ?2, version = ?3, sequence = ?4, last_at = max(last_at, ?5), last_entry = ?6
    WHERE num = ?1 AND version < ?3";
const FOLD_KEY: &str = "INSERT INTO wallet_record (ledger, hash, journal) VALUES (?, ?, ?)";

/// The nonce of a piece that is being written: the database makes it, and the
/// piece is forgotten. It is remembered once it is read.
const UNREAD: Nonce = Nonce([0; 16]);

/// Writes what a commit defers, and folds the slice whose turn it is.
pub(crate) fn write(books: &Books<'_>, moved: Vec<Moved>, keys: Vec<Key>) -> Result<()> {
    let piece = Piece::new(books.pieces.next_number()?, UNREAD, moved, keys);
    insert(books, &piece)?;
    let slice = piece.folded();
    let pieces = books.pieces.all().chain([&piece]);
    let (mut moved, mut keys) = (Vec::new(), Vec::new());
    for piece in pieces {
        moved.extend(piece.moved.slice(slice));
        keys.extend(piece.keys.slice(slice));
    }
    fold(books, moved, keys)?;
    // Each slice had its turn since.
    let turns = i64::try_from(SLICES).unwrap_or(i64::MAX);
    delete_until(books, piece.number.saturating_sub(turns).saturating_add(1))
}

/// Folds everything: for what must find all in the tables.
pub(crate) fn fold_all(books: &Books<'_>) -> Result<()> {
    let (mut moved, mut keys) = (Vec::new(), Vec::new());
    for slice in 0..SLICES {
        for piece in books.pieces.unfolded(slice) {
            moved.extend(piece.moved.slice(slice));
            keys.extend(piece.keys.slice(slice));
        }
    }
    fold(books, moved, keys)?;
    // An empty one, so that no number is given again.
    let next = books.pieces.next_number()?;
    let last = Piece::new(next, UNREAD, Vec::new(), Vec::new());
    insert(books, &last)?;
    delete_until(books, last.number.saturating_sub(1))
}

fn insert(books: &Books<'_>, piece: &Piece) -> Result<()> {
    prepare(books, INSERT)?
        .execute((piece.number, piece.encode()))
        .while_doing(Doing::Append, "deferring a piece")
        .map(|_| ())
}

fn delete_until(books: &Books<'_>, number: i64) -> Result<()> {
    prepare(books, DELETE)?
        .execute((number,))
        .during("deleting a folded piece")
        .map(|_| ())
}

/// Writes accounts, of each the latest, and keys where they belong.
fn fold(books: &Books<'_>, mut moved: Vec<Moved>, mut keys: Vec<Key>) -> Result<()> {
    moved.sort_unstable_by_key(|moved| (moved.number, std::cmp::Reverse(moved.version)));
    moved.dedup_by_key(|moved| moved.number);
    let mut fold_account = prepare(books, FOLD_ACCOUNT)?;
    for moved in &moved {
        fold_account
            .execute(params![
                moved.number,
                counters_bytes(&moved.counters),
                moved.version,
                moved.sequence,
                moved.last_at.as_micros(),
                moved.last_entry,
            ])
            .during("folding an account")?;
    }
    keys.sort_unstable();
    let mut fold_key = prepare(books, FOLD_KEY)?;
    for key in &keys {
        fold_key
            .execute(params![key.ledger, key.hash, key.journal])
            .while_doing(Doing::Append, "folding a key")?;
    }
    Ok(())
}

impl Pieces {
    fn all(&self) -> impl Iterator<Item = &Piece> {
        self.0.iter().map(AsRef::as_ref)
    }

    fn next_number(&self) -> Result<i64> {
        let last = self.0.last().map_or(0, |piece| piece.number);
        next_number(last, 0, "the numbers of deferred pieces are used up")
    }
}
