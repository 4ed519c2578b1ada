//! The groups of a queue, by their first message: a receive does not pass over the messages of
//! a group that is held.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use wallet_core::Timestamp;

use crate::error::{During, Result};
use crate::statement::prepare;
use crate::value::column;

const ADD: &str = "
    INSERT INTO wallet_queue_group (queue, message_group, first) VALUES (?, ?, ?)
    ON CONFLICT (queue, message_group) DO NOTHING";
const REMOVE: &str = "DELETE FROM wallet_queue_group WHERE queue = ? AND message_group = ?";
const AFTER: &str = "
    SELECT number FROM wallet_queue_message
    WHERE queue = ? AND message_group = ? AND number > ?
    ORDER BY number LIMIT 1";
/// While a message of a group is held, no message of the group is received.
const FREE: &str = "
    SELECT first, message_group FROM wallet_queue_group
    WHERE queue = ?1 AND message_group NOT IN (
        SELECT message_group FROM wallet_queue_message
        WHERE queue = ?1 AND hidden_until > 0 AND hidden_until > ?2)
    ORDER BY first LIMIT ?3";

/// Notes a message behind all others.
pub(super) fn add(connection: &Connection, queue: &str, group: &str, number: i64) -> Result<()> {
    let added = prepare(connection, ADD)?.execute((queue, group, number));
    added.during("sending a message").map(drop)
}

/// Looks for the first message of a group again, after messages came or went.
pub(super) fn refresh(connection: &Connection, queue: &str, group: &str) -> Result<()> {
    let removed = prepare(connection, REMOVE)?.execute((queue, group));
    removed.during("looking for the first message of a group")?;
    match after(connection, queue, group, 0)? {
        Some(first) => add(connection, queue, group, first),
        None => Ok(()),
    }
}

/// The next message of a group behind a number.
fn after(connection: &Connection, queue: &str, group: &str, number: i64) -> Result<Option<i64>> {
    let found = prepare(connection, AFTER)?
        .query_row((queue, group, number), |row| row.get(0))
        .optional();
    found.during("looking for messages")
}

/// Whether a message of a group that is not held is there.
pub(super) fn has_visible(connection: &Connection, queue: &str, now: Timestamp) -> Result<bool> {
    let mut free = prepare(connection, FREE)?;
    let found = free.exists((queue, now.as_micros(), 1));
    found.during("looking for messages")
}

/// The first messages of groups that are not held, in order. At most `limit` groups can have
/// one of them.
pub(super) fn visible(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<i64>> {
    let context = "looking for messages";
    let mut next: BTreeMap<i64, String> = BTreeMap::new();
    {
        let mut free = prepare(connection, FREE)?;
        let mut rows = free
            .query((queue, now.as_micros(), limit))
            .during(context)?;
        while let Some(row) = rows.next().during(context)? {
            next.insert(column(row, 0)?, column(row, 1)?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut numbers = Vec::new();
    while numbers.len() < limit
        && let Some((number, group)) = next.pop_first()
    {
        numbers.push(number);
        if let Some(later) = after(connection, queue, &group, number)? {
            next.insert(later, group);
        }
    }
    Ok(numbers)
}
