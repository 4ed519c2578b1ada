//! The text of statements. Values get into it only through the methods here,
//! as integers, decimals and hexadecimal bytes: no caller's text can end a
//! literal, whatever the connection's `sql_mode` and character set.

use std::fmt::Write;

use wallet_core::{Amount, LedgerId, Timestamp};

use crate::error::Doing;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The text of one statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql(String);

impl Sql {
    /// Text that this crate wrote.
    pub(crate) fn raw(&mut self, sql: &'static str) -> &mut Self {
        self.0.push_str(sql);
        self
    }

    pub(crate) fn int(&mut self, value: impl Into<i64>) -> &mut Self {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "{}", value.into());
        self
    }

    pub(crate) fn decimal(&mut self, value: i128) -> &mut Self {
        let _ = write!(self.0, "{value}");
        self
    }

    pub(crate) fn amount(&mut self, amount: Option<Amount>) -> &mut Self {
        match amount {
            Some(amount) => self.decimal(amount.minor()),
            None => self.raw("NULL"),
        }
    }

    pub(crate) fn ledger(&mut self, ledger: LedgerId) -> &mut Self {
        self.int(ledger.number())
    }

    pub(crate) fn time(&mut self, time: Timestamp) -> &mut Self {
        self.int(time.as_micros())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0
            .reserve(bytes.len().saturating_mul(2).saturating_add(3));
        self.0.push_str("x'");
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                let digit = HEX.get(usize::from(digit)).copied().unwrap_or_default();
                self.0.push(char::from(digit));
            }
        }
        self.0.push('\'');
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn optional_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.raw("NULL"),
        }
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        self.optional_bytes(text.map(str::as_bytes))
    }

    /// `column IN (..)` over `values`, or `FALSE` for none of them. In groups:
    /// MariaDB turns a list of a thousand into a join, which would lock rows in
    /// another order.
    pub(crate) fn is_in<T>(
        &mut self,
        column: &'static str,
        values: &[T],
        write: impl Fn(&mut Self, &T),
    ) -> &mut Self {
        const GROUP: usize = 500;
        if values.is_empty() {
            return self.raw("FALSE");
        }
        self.raw("(");
        for (number, group) in values.chunks(GROUP).enumerate() {
            if number > 0 {
                self.raw(" OR ");
            }
            self.raw(column).raw(" IN (");
            for (index, value) in group.iter().enumerate() {
                if index > 0 {
                    self.raw(",");
                }
                write(self, value);
            }
            self.raw(")");
        }
        self.raw(")")
    }

    /// Finds keys of (ledger, 16 bytes): each ledger with the list of its own.
    /// `keys` are sorted.
    pub(crate) fn keyed<K>(
        &mut self,
        ledger: &'static str,
        column: &'static str,
        keys: &[K],
        parts: impl Fn(&K) -> (LedgerId, [u8; 16]),
    ) -> &mut Self {
        if keys.is_empty() {
            return self.raw("FALSE");
        }
        self.raw("(");
        let same = |one: &K, other: &K| parts(one).0 == parts(other).0;
        for (number, group) in keys.chunk_by(same).enumerate() {
            if number > 0 {
                self.raw(" OR ");
            }
            let Some(first) = group.first() else { continue };
            self.raw("(").raw(ledger).raw(" = ").ledger(parts(first).0);
            self.raw(" AND ");
            self.is_in(column, group, |sql, key| {
                sql.bytes(&parts(key).1);
            });
            self.raw(")");
        }
        self.raw(")")
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_a_literal_that_nothing_can_end() {
        let mut sql = Sql::default();
        sql.int(i64::MIN).raw(" ").decimal(i128::MAX).raw(" ");
        sql.text("a' OR 1; --\0\u{e9}").raw(" ").bytes(&[]).raw(" ");
        sql.optional_text(None);
        assert_eq!(
            sql.0,
            "-9223372036854775808 170141183460469231731687303715884105727 \
             x'6127204F5220313B202D2D00C3A9' x'' NULL"
        );
    }

    #[test]
    fn long_lists_are_cut_into_groups_and_empty_ones_find_nothing() {
        let numbers: Vec<i64> = (0..1_001).collect();
        let mut sql = Sql::default();
        sql.is_in("num", &numbers, |sql, number| {
            sql.int(*number);
        });
        assert_eq!(sql.0.matches("num IN (").count(), 3);
        assert_eq!(sql.0.matches(',').count(), 1_001 - 3);
        let mut sql = Sql::default();
        sql.is_in("num", &[], |sql, number: &i64| {
            sql.int(*number);
        });
        assert_eq!(sql.0, "FALSE");
    }

    #[test]
    fn keys_are_grouped_by_ledger() {
        let keys = [(0, 1_u8), (0, 2), (7, 3)];
        let mut sql = Sql::default();
        sql.keyed("ledger", "id", &keys, |(ledger, byte)| {
            (LedgerId::new(*ledger), [*byte; 16])
        });
        assert_eq!(sql.0.matches("ledger = ").count(), 2);
        assert!(
            sql.0.starts_with("((ledger = 0 AND (id IN (x'0101"),
            "{}",
            sql.0
        );
    }

    #[test]
    fn a_script_is_cut_between_statements_only() {
        let mut script = Script::default();
        script.begin();
        let insert = Insert {
            doing: Doing::Insert,
            context: "inserting",
            head: "INSERT INTO t (a)",
            tail: "",
        };
        let row = vec![7; 100_000];
        script.rows(insert, 0..3, |sql, _| {
            sql.bytes(&row);
        });
        script.commit();
        // Two rows reach the size of a statement.
        assert_eq!(script.steps.len(), 4);
        assert_eq!(script.packets(usize::MAX).len(), 1);
        let packets = script.packets(450_000);
        let counts: Vec<usize> = packets.iter().map(|(_, steps)| steps.len()).collect();
        assert_eq!(counts, [2, 2]);
        assert!(packets[0].0.starts_with("START TRANSACTION;INSERT"));
        assert!(packets[1].0.ends_with(";COMMIT"));
        let alone = script.packets(1);
        assert_eq!(alone.len(), 4);
        assert_eq!(alone[3].0, "COMMIT");
    }

    #[test]
    fn nothing_is_inserted_for_no_rows() {
        let insert = Insert {
            doing: Doing::Insert,
            context: "inserting",
            head: "INSERT",
            tail: "",
        };
        let mut script = Script::default();
        script.rows(insert, 0..0, |_, _: i32| {});
        assert!(script.steps.is_empty());
        assert!(script.packets(9).is_empty());
    }
}
