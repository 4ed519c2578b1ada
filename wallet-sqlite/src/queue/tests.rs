//! Groups and messages agree whatever happens, and a receive does not pass over held groups.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use wallet_core::Timestamp;
use wallet_core::messaging::Message;

use super::settings::DeadLetters;
use super::{SCHEMA, groups, rows};

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const NAIVE: &str = "
    SELECT number FROM wallet_queue_message
    WHERE queue = ?1 AND message_group NOT IN (
        SELECT message_group FROM wallet_queue_message WHERE queue = ?1 AND hidden_until > ?2)
    ORDER BY number LIMIT ?3";
const FIRSTS: &str = "
    SELECT queue, message_group, min(number) FROM wallet_queue_message
    GROUP BY queue, message_group
    EXCEPT SELECT queue, message_group, first FROM wallet_queue_group";
const COUNTS: &str = "
    SELECT (SELECT count(*) FROM wallet_queue_group) - count(*) FROM (
        SELECT DISTINCT queue, message_group FROM wallet_queue_message)";

fn queues() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    SCHEMA.ensure(&connection).unwrap();
    connection
}

fn send(connection: &Connection, now: Timestamp, id: &str, group: &str) {
    let message = Message {
        id: id.to_owned(),
        group: group.to_owned(),
        attributes: Vec::new(),
        body: String::new(),
    };
    rows::send(connection, "a", now, &message).unwrap();
}

/// The steps of SQLite's machine that `work` takes.
fn steps(connection: &mut Connection, work: impl FnOnce(&Connection)) -> u64 {
    let steps = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&steps);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    let _ = connection.progress_handler(1, Some(count));
    work(connection);
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
    steps.load(Ordering::Relaxed)
}

#[test]
fn the_cost_of_a_receive_does_not_grow_with_the_messages_of_a_held_group() {
    let mut connection = queues();
    let until = START.saturating_add(Duration::from_secs(30));
    send(&connection, START, "held-0", "held");
    rows::receive(&connection, "a", START, 1, until).unwrap();
    let mut costs = Vec::new();
    let mut sent = 0;
    for target in [10, 10_000] {
        while sent < target {
            sent += 1;
            send(&connection, START, &format!("held-{sent}"), "held");
        }
        let empty = steps(&mut connection, |open| {
            assert!(!rows::has_work(open, "a", START).unwrap());
        });
        send(&connection, START, &format!("free-{target}"), "free");
        let one = steps(&mut connection, |open| {
            let received = rows::receive(open, "a", START, 10, until).unwrap();
            assert_eq!(received.len(), 1);
            let receipt = &received[0].receipt;
            assert!(rows::delete(open, "a", START, receipt).unwrap());
        });
        costs.push((empty, one));
    }
    // The first calls also prepare the statements.
    let (few, many) = (costs[0], costs[1]);
    assert!(many.0 <= few.0 && many.1 <= few.1, "{few:?} {many:?}");
}

#[test]
fn groups_agree_with_messages_after_any_calls() {
    let mut seed = 7_u64;
    let mut below = |bound: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 16) % bound
    };
    let dead = DeadLetters {
        max_receives: 2,
        ..DeadLetters::new("dead")
    };
    let connection = queues();
    let mut now = START;
    let mut receipts = Vec::new();
    for round in 0..3_000 {
        match below(6) {
            0 | 1 => {
                let group = format!("g{}", below(5));
                send(&connection, now, &round.to_string(), &group);
            }
            2 => {
                let queue = ["a", "dead"][usize::try_from(below(4) / 3).unwrap()];
                if queue == "a" {
                    rows::bury(&connection, "a", now, &dead).unwrap();
                }
                let limit = u32::try_from(below(6)).unwrap();
                let naive: Vec<i64> = connection
                    .prepare(NAIVE)
                    .unwrap()
                    .query_map((queue, now.as_micros(), limit), |row| row.get(0))
                    .unwrap()
                    .map(Result::unwrap)
                    .collect();
                let visible = groups::visible(&connection, queue, now, limit).unwrap();
                assert_eq!(visible, naive, "round {round}");
                let until = now.saturating_add(Duration::from_secs(5));
                let received = rows::receive(&connection, queue, now, limit, until).unwrap();
                receipts.extend(received.into_iter().map(|one| (queue, one.receipt)));
            }
            3 | 4 if !receipts.is_empty() => {
                let one = below(u64::try_from(receipts.len()).unwrap());
                let (queue, receipt) = receipts.swap_remove(usize::try_from(one).unwrap());
                if below(3) == 0 {
                    rows::extend(&connection, queue, now, &receipt, now).unwrap();
                } else {
                    rows::delete(&connection, queue, now, &receipt).unwrap();
                }
            }
            _ => now = now.saturating_add(Duration::from_secs(below(4))),
        }
        let mut wrong = connection.prepare_cached(FIRSTS).unwrap();
        assert!(!wrong.exists(()).unwrap(), "round {round}");
        let extra: i64 = connection.query_row(COUNTS, (), |row| row.get(0)).unwrap();
        assert_eq!(extra, 0, "round {round}");
    }
    assert!(rows::count(&connection, "dead").unwrap() > 0);
}
