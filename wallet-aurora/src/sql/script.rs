use super::Sql;
use crate::error::Doing;

/// Statements that go to the server together. An error ends their run: what
/// stands behind it, a `COMMIT` above all, is not run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    sql: Sql,
    pub(crate) steps: Vec<Step>,
}

/// One statement of a script.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Where it ends in the text.
    end: usize,
    pub(crate) doing: Doing,
    pub(crate) context: &'static str,
}

impl Script {
    /// Adds the statements of another one.
    pub(crate) fn append(&mut self, other: Self) {
        let from = self.sql.0.len();
        self.sql.0.push_str(&other.sql.0);
        let moved = other.steps.into_iter().map(|step| Step {
            end: step.end.saturating_add(from),
            ..step
        });
        self.steps.extend(moved);
    }

    /// A script of this one statement.
    pub(crate) fn of(context: &'static str, sql: &'static str) -> Self {
        let mut script = Self::default();
        script.fixed(Doing::Work, context, sql);
        script
    }

    /// Adds a statement that `write` writes.
    pub(crate) fn step(
        &mut self,
        doing: Doing,
        context: &'static str,
        write: impl FnOnce(&mut Sql),
    ) -> &mut Self {
        write(&mut self.sql);
        self.sql.raw(";");
        self.steps.push(Step {
            end: self.sql.0.len(),
            doing,
            context,
        });
        self
    }

    /// Adds a statement that reads, or changes rows that exist.
    pub(crate) fn work(
        &mut self,
        context: &'static str,
        write: impl FnOnce(&mut Sql),
    ) -> &mut Self {
        self.step(Doing::Work, context, write)
    }

    /// Adds a statement without values.
    pub(crate) fn fixed(
        &mut self,
        doing: Doing,
        context: &'static str,
        sql: &'static str,
    ) -> &mut Self {
        self.step(doing, context, |to| {
            to.raw(sql);
        })
    }

    pub(crate) fn begin(&mut self) -> &mut Self {
        self.fixed(Doing::Work, "beginning a transaction", "START TRANSACTION")
    }

    pub(crate) fn commit(&mut self) -> &mut Self {
        self.fixed(Doing::Commit, "committing", "COMMIT")
    }

    /// Begins to read one consistent state.
    pub(crate) fn begin_reading(&mut self) -> &mut Self {
        let context = "beginning to read";
        self.fixed(
            Doing::Work,
            context,
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        );
        let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
        self.fixed(Doing::Work, context, begin)
    }

    /// Ends what [`begin_reading`](Self::begin_reading) began.
    pub(crate) fn end_reading(&mut self) -> &mut Self {
        self.fixed(Doing::Work, "ending to read", "COMMIT")
    }

    /// Inserts `rows`, in as many statements as their size asks for; none for
    /// none. Written are `head`, the rows separated by commas, `tail`.
    pub(crate) fn rows<T>(
        &mut self,
        insert: Insert,
        rows: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Sql, T),
    ) -> &mut Self {
        let mut started = None;
        for row in rows {
            match started {
                None => {
                    started = Some(self.sql.0.len());
                    self.sql.raw(insert.head).raw(" VALUES ");
                }
                Some(_) => {
                    self.sql.raw(",");
                }
            }
            self.sql.raw("(");
            write(&mut self.sql, row);
            self.sql.raw(")");
            let size = started.map_or(0, |from| self.sql.0.len().saturating_sub(from));
            if size >= STATEMENT_BYTES {
                self.step(insert.doing, insert.context, |sql| {
                    sql.raw(insert.tail);
                });
                started = None;
            }
        }
        if started.is_some() {
            self.step(insert.doing, insert.context, |sql| {
                sql.raw(insert.tail);
            });
        }
        self
    }

    /// The texts to send one after the other, each with its steps: as few as
    /// fit into `most` bytes each. A statement that is longer goes alone.
    pub(crate) fn packets(&self, most: usize) -> Vec<(&str, &[Step])> {
        let mut packets = Vec::with_capacity(1);
        let (mut from, mut first) = (0, 0);
        let mut last_end = 0;
        for (index, step) in self.steps.iter().enumerate() {
            if step.end.saturating_sub(from) > most && index > first {
                packets.extend(self.slice(from, last_end, first, index));
                (from, first) = (last_end, index);
            }
            last_end = step.end;
        }
        packets.extend(self.slice(from, last_end, first, self.steps.len()));
        packets
    }

    fn slice(&self, from: usize, to: usize, first: usize, end: usize) -> Option<(&str, &[Step])> {
        // Without the last semicolon: nothing follows it.
        let text = self.sql.0.get(from..to.checked_sub(1)?)?;
        Some((text, self.steps.get(first..end)?))
    }
}

/// How large a statement of many rows grows.
const STATEMENT_BYTES: usize = 256 << 10;

/// A statement that inserts many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Insert {
    pub(crate) doing: Doing,
    pub(crate) context: &'static str,
    pub(crate) head: &'static str,
    pub(crate) tail: &'static str,
}
