//! The rows of a queue, and the statements on them. Callers pass the time.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};
use wallet_core::Timestamp;
use wallet_core::messaging::{EVENT_ID, Message, Received};

use super::settings::DeadLetters;
use super::{attributes, groups};
use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::column;

const FORGET: &str = "DELETE FROM wallet_queue_sent WHERE queue = ? AND sent_at <= ?";
const SENT: &str = "
    INSERT INTO wallet_queue_sent (queue, id, sent_at) VALUES (?, ?, ?)
    ON CONFLICT (queue, id) DO NOTHING";
/// An id that was sent while the clock was ahead counts as sent now.
const SENT_AHEAD: &str =
    "UPDATE wallet_queue_sent SET sent_at = ?2 WHERE queue = ?1 AND sent_at > ?2";
const NUMBER: &str = "UPDATE wallet_queue_counter SET last = last + 1 RETURNING last";
const LAST: &str = "SELECT last FROM wallet_queue_counter";
const PUT: &str = "
    INSERT INTO wallet_queue_message (number, queue, message_group, event_id, attributes, body)
    VALUES (?, ?, ?, ?, ?, ?)";

const MESSAGE: &str = "
    SELECT message_group, event_id, attributes, body, receives, deliveries
    FROM wallet_queue_message WHERE number = ?";
const HELD_AHEAD: &str = "
    SELECT 1 FROM wallet_queue_message
    WHERE queue = ?1 AND hidden_until > 0 AND hidden_until > ?2 AND held_at > ?2";
/// A hold that began while the clock was ahead begins again now, and is as long as before.
const HOLD_AGAIN: &str = "
    UPDATE wallet_queue_message
    SET held_at = ?2, hidden_until = ?2 + (hidden_until - held_at)
    WHERE queue = ?1 AND hidden_until > 0 AND hidden_until > ?2 AND held_at > ?2";
const HOLD: &str = "
    UPDATE wallet_queue_message
    SET receives = receives + 1, deliveries = deliveries + 1, held_at = ?2, hidden_until = ?3
    WHERE number = ?1";
/// The messages that were received too often. No message of their groups is held.
const DUE: &str = "
    SELECT number, message_group FROM wallet_queue_message
    WHERE queue = ?1 AND receives > 0 AND receives >= ?3 AND message_group NOT IN (
        SELECT message_group FROM wallet_queue_message
        WHERE queue = ?1 AND hidden_until > 0 AND hidden_until > ?2)";
const BURY: &str = "
    UPDATE wallet_queue_message SET queue = ?2, receives = 0, held_at = 0, hidden_until = 0
    WHERE number = ?1";
const EXTEND: &str = "
    UPDATE wallet_queue_message SET held_at = ?5, hidden_until = ?6
    WHERE queue = ?1 AND number = ?2 AND deliveries = ?3 AND hidden_until > ?4";
const DELETE: &str = "
    DELETE FROM wallet_queue_message
    WHERE queue = ?1 AND number = ?2 AND deliveries = ?3 AND hidden_until > ?4
    RETURNING message_group";
const IS_THERE: &str = "SELECT 1 FROM wallet_queue_message WHERE number = ?";
const COUNT: &str = "SELECT count(*) FROM wallet_queue_message WHERE queue = ?";

/// Forgets the ids that were sent at `oldest` or before. No id counts as sent after `now`.
pub(super) fn forget(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    oldest: Timestamp,
) -> Result<()> {
    let context = "forgetting sent messages";
    let ahead = prepare(connection, SENT_AHEAD)?.execute((queue, now.as_micros()));
    ahead.during(context)?;
    let forgotten = prepare(connection, FORGET)?.execute((queue, oldest.as_micros()));
    forgotten.during(context).map(drop)
}

/// Adds a message behind all others, unless its id was sent lately.
pub(super) fn send(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    message: &Message,
) -> Result<()> {
    let sent = prepare(connection, SENT)?.execute((queue, &message.id, now.as_micros()));
    if sent.during("sending a message")? == 0 {
        return Ok(());
    }
    let number = prepare(connection, NUMBER)?.query_row((), |row| row.get::<_, i64>(0));
    let number = number.during("numbering a message")?;
    let attributes = message.attributes.iter();
    let attributes = attributes.filter(|(name, _)| name != EVENT_ID).cloned();
    let attributes = attributes::encode(&attributes.collect::<Vec<_>>());
    let (id, group) = (message.event_id(), &message.group);
    let row = (number, queue, group, id, attributes, &message.body);
    let put = prepare(connection, PUT)?.execute(row);
    put.during("sending a message")?;
    groups::add(connection, queue, group, number)
}

/// Whether a receive would find a message, or a hold that began while the clock was ahead.
pub(super) fn has_work(connection: &Connection, queue: &str, now: Timestamp) -> Result<bool> {
    if groups::has_visible(connection, queue, now)? {
        return Ok(true);
    }
    let mut ahead = prepare(connection, HELD_AHEAD)?;
    let found = ahead.exists((queue, now.as_micros()));
    found.during("looking for messages")
}

/// Begins holds again that began after `now`.
pub(super) fn hold_again(connection: &Connection, queue: &str, now: Timestamp) -> Result<()> {
    let held = prepare(connection, HOLD_AGAIN)?.execute((queue, now.as_micros()));
    held.during("correcting visibility timeouts").map(drop)
}

/// Moves messages that were received too often and came back to the dead letters.
pub(super) fn bury(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    dead: &DeadLetters,
) -> Result<()> {
    let context = "moving dead letters";
    let mut due: Vec<(i64, String)> = Vec::new();
    {
        let mut statement = prepare(connection, DUE)?;
        let rows = statement.query((queue, now.as_micros(), dead.max_receives));
        let mut rows = rows.during(context)?;
        while let Some(row) = rows.next().during(context)? {
            due.push((column(row, 0)?, column(row, 1)?));
        }
    }
    for (number, _) in &due {
        let buried = prepare(connection, BURY)?.execute((number, &dead.queue));
        buried.during(context)?;
    }
    let groups: BTreeSet<String> = due.into_iter().map(|(_, group)| group).collect();
    for group in &groups {
        groups::refresh(connection, queue, group)?;
        groups::refresh(connection, &dead.queue, group)?;
    }
    Ok(())
}

/// Holds up to `limit` messages for the caller, in order.
pub(super) fn receive(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    limit: u32,
    until: Timestamp,
) -> Result<Vec<Received>> {
    let context = "receiving messages";
    let mut messages = Vec::new();
    for number in groups::visible(connection, queue, now, limit)? {
        messages.push(message(connection, number)?);
        let row = (number, now.as_micros(), until.as_micros());
        let held = prepare(connection, HOLD)?.execute(row);
        held.during(context)?;
    }
    Ok(messages)
}

/// A message as the next delivery has it.
fn message(connection: &Connection, number: i64) -> Result<Received> {
    let context = "receiving messages";
    let mut statement = prepare(connection, MESSAGE)?;
    let mut rows = statement.query((number,)).during(context)?;
    let row = rows.next().during(context)?;
    let row = row.ok_or_else(|| corrupt("a group of a queue lacks its first message"))?;
    let deliveries = next(column(row, 5)?)?;
    let receives = u32::try_from(next(column(row, 4)?)?);
    Ok(Received {
        message: Message {
            id: column(row, 1)?,
            group: column(row, 0)?,
            attributes: attributes::decode(&column::<Vec<u8>>(row, 2)?)?,
            body: column(row, 3)?,
        },
        receipt: format!("{number}-{deliveries}"),
        receives: receives.unwrap_or(u32::MAX),
    })
}

fn next(count: i64) -> Result<i64> {
    let next = count.checked_add(1);
    next.ok_or_else(|| corrupt("a message's count of receives is damaged"))
}

/// Changes until when a message is held. `false` if the receipt is stale.
pub(super) fn extend(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    receipt: &str,
    until: Timestamp,
) -> Result<bool> {
    let Some((number, deliveries)) = parse(receipt) else {
        return Ok(false);
    };
    let now = now.as_micros();
    let (held_at, until) = match until.as_micros() {
        until if until > now => (now, until),
        _ => (0, 0),
    };
    let row = (queue, number, deliveries, now, held_at, until);
    let extended = prepare(connection, EXTEND)?.execute(row);
    Ok(extended.during("extending a message's visibility timeout")? == 1)
}

/// Deletes a message. `true` also if a message of this number was in the file and is gone.
/// `false` if the message is there and the receipt is stale, or if there never was a message
/// of this number.
pub(super) fn delete(
    connection: &Connection,
    queue: &str,
    now: Timestamp,
    receipt: &str,
) -> Result<bool> {
    let context = "deleting a message";
    let Some((number, deliveries)) = parse(receipt) else {
        return Ok(false);
    };
    let row = (queue, number, deliveries, now.as_micros());
    let deleted = prepare(connection, DELETE)?
        .query_row(row, |row| row.get::<_, String>(0))
        .optional();
    if let Some(group) = deleted.during(context)? {
        groups::refresh(connection, queue, &group)?;
        return Ok(true);
    }
    let mut is_there = prepare(connection, IS_THERE)?;
    if is_there.exists((number,)).during(context)? {
        return Ok(false);
    }
    let last = prepare(connection, LAST)?.query_row((), |row| row.get::<_, i64>(0));
    Ok((1..=last.during(context)?).contains(&number))
}

/// The number of messages, held or not.
pub(super) fn count(connection: &Connection, queue: &str) -> Result<u64> {
    let count = prepare(connection, COUNT)?.query_row((queue,), |row| row.get::<_, i64>(0));
    Ok(u64::try_from(count.during("counting messages")?).unwrap_or(0))
}

fn parse(receipt: &str) -> Option<(i64, i64)> {
    let (number, deliveries) = receipt.split_once('-')?;
    Some((number.parse().ok()?, deliveries.parse().ok()?))
}
