//! Sends scripts and takes the answers apart.

use std::time::Duration;

use futures_util::StreamExt;
use sqlx::mysql::MySqlRow;
use sqlx::{Either, MySqlConnection, Row as _};
use wallet_core::store::StoreErrorKind;
use wallet_core::{LedgerId, StoreError, Timestamp};

use crate::error::{Doing, Failed, Result, corrupt};
use crate::sql::{Script, Step};

/// What each statement of a script answered, in order.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    each: std::vec::IntoIter<Answer>,
}

/// What one statement answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    /// How many rows it changed.
    pub(crate) changed: u64,
}

impl Answers {
    /// The rows of the next statement.
    pub(crate) fn rows(&mut self) -> Vec<Row> {
        self.each.next().unwrap_or_default().rows
    }

    /// The one row of the next statement.
    pub(crate) fn row(&mut self) -> Result<Row> {
        let row = self.rows().into_iter().next();
        row.ok_or_else(|| corrupt("a statement gave no row"))
    }

    /// How many rows the next statement changed.
    pub(crate) fn changed(&mut self) -> u64 {
        self.each.next().unwrap_or_default().changed
    }

    /// The row of the statement behind the next `count`, which stay.
    pub(crate) fn split_off(&mut self, count: usize) -> Result<Row> {
        let first: Vec<Answer> = self.each.by_ref().take(count).collect();
        let row = self.row();
        self.each = first.into_iter();
        row
    }

    /// Passes over the next `count` statements.
    pub(crate) fn skip(&mut self, count: usize) {
        self.each.by_ref().take(count).for_each(drop);
    }
}

/// A connection, and how scripts run on it.
#[derive(Debug)]
pub(crate) struct Runner<'c> {
    pub(crate) connection: &'c mut MySqlConnection,
    /// How long one packet may take.
    pub(crate) answer_wait: Duration,
    /// How many bytes one packet may have.
    pub(crate) packet_bytes: usize,
    /// Whether the server takes no more than that.
    pub(crate) is_limit: bool,
}

impl Runner<'_> {
    /// Runs every statement of `script`, in as few packets as it fits into.
    pub(crate) async fn run(&mut self, script: &Script) -> std::result::Result<Answers, Failed> {
        let mut answers = Vec::with_capacity(script.steps.len());
        let packets = script.packets(self.packet_bytes);
        // The server would close the connection while this is still being sent, and
        // its answer might never be read.
        let too_large = |(text, _): &&(&str, _)| text.len() > self.packet_bytes;
        if let Some((_, steps)) = packets.iter().find(too_large).filter(|_| self.is_limit) {
            let context = steps
                .first()
                .map_or("sending a packet", |step| step.context);
            let context = format!("{context}: one statement is larger than a packet may be");
            return Err(StoreError::new(StoreErrorKind::Invalid, context).into());
        }
        for (text, steps) in packets {
            let packet = send(self.connection, text, steps, &mut answers);
            let Ok(done) = tokio::time::timeout(self.answer_wait, packet).await else {
                let context = steps.first().map_or("waiting", |step| step.context);
                return Err(Failed::timed_out(context, has_commit(steps)));
            };
            done?;
        }
        Ok(Answers {
            each: answers.into_iter(),
        })
    }
}

fn has_commit(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.doing == Doing::Commit)
}

#[cfg(feature = "sqlx-0-8")]
fn raw_sql(text: &str) -> sqlx::RawSql<'_> {
    sqlx::raw_sql(text)
}

/// sqlx 0.9 copies the text. Values become text in `sql.rs`, by typed encoders only.
#[cfg(not(feature = "sqlx-0-8"))]
fn raw_sql(text: &str) -> sqlx::RawSql {
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
}

async fn send(
    connection: &mut MySqlConnection,
    text: &str,
    steps: &[Step],
    answers: &mut Vec<Answer>,
) -> std::result::Result<(), Failed> {
    let mut left = steps.iter();
    let mut step = left.next();
    let mut answer = Answer::default();
    let mut stream = raw_sql(text).fetch_many(connection);
    while let Some(item) = stream.next().await {
        match item {
            Ok(Either::Right(row)) => answer.rows.push(Row(row)),
            Ok(Either::Left(done)) => {
                answer.changed = done.rows_affected();
                answers.push(std::mem::take(&mut answer));
                step = left.next();
            }
            Err(error) => {
                let doing = step.map_or(Doing::Work, |step| step.doing);
                let context = step.map_or("ending a script", |step| step.context);
                return Err(Failed::new(error, doing, context, has_commit(steps)));
            }
        }
    }
    if step.is_some() {
        let context = "the server answered fewer statements than were sent";
        let error = sqlx::Error::Protocol(context.to_owned());
        return Err(Failed::new(error, Doing::Work, context, has_commit(steps)));
    }
    Ok(())
}

/// A row as the server wrote it: every value is text or bytes.
#[derive(Debug)]
pub(crate) struct Row(MySqlRow);

const DAMAGED: &str = "a stored value is damaged";

impl Row {
    /// The bytes of a column; none when it is NULL.
    pub(crate) fn optional(&self, column: usize) -> Result<Option<&[u8]>> {
        let value = self.0.try_get_unchecked::<Option<&[u8]>, usize>(column);
        value.map_err(|error| corrupt("a column is missing").with_source(error))
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8]> {
        self.optional(column)?.ok_or_else(|| corrupt(DAMAGED))
    }

    /// Exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&self, column: usize) -> Result<[u8; N]> {
        let bytes = self.bytes(column)?;
        <[u8; N]>::try_from(bytes).map_err(|_| corrupt(DAMAGED))
    }

    /// An id of 16 bytes.
    pub(crate) fn id<Id>(&self, column: usize, from_bytes: fn([u8; 16]) -> Id) -> Result<Id> {
        self.array(column).map(from_bytes)
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str> {
        std::str::from_utf8(self.bytes(column)?).map_err(|_| corrupt(DAMAGED))
    }

    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&str>> {
        let text = self.optional(column)?.map(std::str::from_utf8);
        text.transpose().map_err(|_| corrupt(DAMAGED))
    }

    /// A number in decimal digits.
    pub(crate) fn number<T: std::str::FromStr>(&self, column: usize) -> Result<T> {
        self.text(column)?.parse().map_err(|_| corrupt(DAMAGED))
    }

    pub(crate) fn optional_number<T: std::str::FromStr>(&self, column: usize) -> Result<Option<T>> {
        let number = self.optional_text(column)?.map(str::parse);
        number.transpose().map_err(|_| corrupt(DAMAGED))
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.number::<u8>(column)? != 0)
    }

    pub(crate) fn ledger(&self, column: usize) -> Result<LedgerId> {
        self.number(column).map(LedgerId::new)
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp> {
        self.number(column).map(Timestamp::from_micros)
    }
}
