//! The numbers that rows are written under.

use wallet_core::{StoreError, StoreErrorKind};

use crate::error::{Doing, Result};
use crate::run::Answers;
use crate::sql::Script;

/// How many numbers a commit may give to what it writes.
const PER_COMMIT: i64 = 1 << 16;
/// The last commit whose rows have numbers.
const LAST: i64 = (1 << 47) - 1;

/// A commit's own number: ascending, for as long as an account is locked by
/// whoever takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommitNumber(i64);

impl CommitNumber {
    pub(crate) const fn new(id: i64) -> Self {
        Self(id)
    }

    /// Takes the next one, in the transaction under way.
    pub(crate) fn ask(script: &mut Script) {
        let context = "numbering a commit";
        script.fixed(
            Doing::Append,
            context,
            "INSERT INTO wallet_batch () VALUES ()",
        );
        script.fixed(Doing::Work, context, "SELECT LAST_INSERT_ID()");
    }

    /// What [`ask`](Self::ask) was answered.
    pub(crate) fn told(answers: &mut Answers) -> Result<Self> {
        answers.skip(1);
        let id = answers.row()?.number(0)?;
        if id > LAST {
            // What it writes would have no numbers of its own.
            let context = "the numbers of commits are used up";
            return Err(StoreError::new(StoreErrorKind::Internal, context));
        }
        Ok(Self(id))
    }

    /// Forgets that it was taken: the commit changes nothing.
    pub(crate) fn give_back(self, script: &mut Script) {
        script.work("giving a commit's number back", |sql| {
            sql.raw("DELETE FROM wallet_batch WHERE id = ").int(self.0);
        });
    }

    pub(crate) const fn id(self) -> i64 {
        self.0
    }

    /// The number of a row of this commit's.
    pub(crate) const fn row(self, index: i64) -> i64 {
        self.0.saturating_mul(PER_COMMIT).saturating_add(index)
    }

    /// The commit that gave a row its number.
    pub(crate) const fn of_row(number: i64) -> Self {
        Self(number.div_euclid(PER_COMMIT))
    }

    /// Whether so many rows of one kind have numbers.
    pub(crate) fn has_room(rows: usize) -> bool {
        i64::try_from(rows).is_ok_and(|rows| rows <= PER_COMMIT)
    }
}
