//! The numbers that rows are written under.

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::error::{Doing, Failed, Result};
use crate::run::{Answers, Runner};
use crate::sql::Script;

/// The highest commit that anything which lasts is numbered by.
const HIGHEST: &str = "
    SELECT GREATEST(
        (SELECT COALESCE(MAX(id), 0) FROM wallet_journal) DIV 65536,
        (SELECT COALESCE(MAX(num), 0) FROM wallet_account) DIV 65536,
        (SELECT COALESCE(MAX(id), 0) FROM wallet_outbox))";

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
    pub(crate) fn decode(answers: &mut Answers) -> Result<Self> {
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

/// After a row was there already under a number: whether the server gives numbers
/// again, which it does where a restore has lost the next one after the rows that it
/// came from were purged. Then those that are in use are passed over, and the answer
/// is a conflict: whoever asks again gets one of its own.
pub(crate) async fn passed_over(
    runner: &mut Runner<'_>,
) -> std::result::Result<Option<Failed>, Failed> {
    let mut script = Script::default();
    CommitNumber::ask(&mut script);
    let context = "looking for numbers in use";
    script.fixed(Doing::Work, context, HIGHEST);
    let mut answers = runner.run(&script).await?;
    let next = CommitNumber::decode(&mut answers)?;
    let highest: i64 = answers.row()?.number(0)?;
    let mut script = Script::default();
    next.give_back(&mut script);
    if highest < next.id() {
        runner.run(&script).await?;
        return Ok(None);
    }
    // A number that is written raises the one that the server gives next.
    let free = CommitNumber(highest.saturating_add(1));
    script.work("passing over numbers in use", |sql| {
        sql.raw("INSERT IGNORE INTO wallet_batch (id) VALUES (");
        sql.int(free.id()).raw(")");
    });
    free.give_back(&mut script);
    runner.run(&script).await?;
    let context = "the numbers of commits were given again";
    Ok(Some(
        StoreError::new(StoreErrorKind::Conflict, context).into(),
    ))
}
