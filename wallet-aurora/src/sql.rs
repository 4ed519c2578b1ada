//! The text of statements. Values get into it only through the methods here,
//! as integers, decimals and hexadecimal bytes: no caller's text can end a
//! literal, whatever the connection's `sql_mode` and character set.

mod script;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use wallet_core::{Amount, LedgerId, Timestamp};

pub(crate) use script::{Insert, Script, Step};

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
