use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wallet_core::Timestamp;
use wallet_core::messaging::{Message, Received};

use crate::identity::split;

/// The content of a queue. It has no clock: callers pass the time.
#[derive(Debug, Default)]
pub(super) struct State {
    held: BTreeMap<u64, Held>,
    next: u64,
    /// When each deduplication id was sent.
    sent: BTreeMap<String, Timestamp>,
    /// Receipts of deleted messages, with the time. Deleting a message twice is not an
    /// error.
    ended: BTreeMap<String, Timestamp>,
}

#[derive(Debug)]
struct Held {
    message: Message,
    receives: u32,
    /// The receipt of the receiver that has it in flight, and the end of its visibility
    /// timeout.
    hand: Option<(String, Timestamp)>,
}

impl Held {
    fn in_hand(&self, now: Timestamp) -> bool {
        self.hand.as_ref().is_some_and(|(_, until)| *until > now)
    }
}

impl State {
    /// Forgets sends and deletes that are older than `window`.
    pub(super) fn forget(&mut self, now: Timestamp, window: Duration) {
        let oldest = now.saturating_sub(window);
        self.sent.retain(|_, at| *at > oldest);
        self.ended.retain(|_, at| *at > oldest);
    }

    /// Adds a message, unless its id was sent within the deduplication window.
    pub(super) fn send(&mut self, now: Timestamp, message: &Message) {
        if self.sent.contains_key(&message.id) {
            return;
        }
        self.sent.insert(message.id.clone(), now);
        let id = message.event_id().to_owned();
        let (attributes, _) = split(message.attributes.clone());
        self.put(Message {
            id,
            group: message.group.clone(),
            attributes,
            body: message.body.clone(),
        });
    }

    /// Adds a message behind all others.
    pub(super) fn put(&mut self, message: Message) {
        let held = Held {
            message,
            receives: 0,
            hand: None,
        };
        self.held.insert(self.next, held);
        self.next = self.next.saturating_add(1);
    }

    /// Puts up to `limit` messages in flight for the caller. Removes and returns the
    /// messages that were received `max_receives` times and came back.
    pub(super) fn receive(
        &mut self,
        now: Timestamp,
        limit: usize,
        until: Timestamp,
        max_receives: u32,
    ) -> (Vec<Received>, Vec<Message>) {
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let busy = self.held.values().filter(|held| held.in_hand(now));
        let busy: BTreeSet<&str> = busy.map(|held| held.message.group.as_str()).collect();
        let mut chosen = Vec::new();
        let mut left = limit;
        for (number, held) in &self.held {
            if left == 0 {
                break;
            }
            if busy.contains(held.message.group.as_str()) {
                continue;
            }
            if held.receives >= max_receives {
                dead.push(*number);
            } else {
                chosen.push(*number);
                left = left.saturating_sub(1);
            }
        }
        for number in chosen {
            let Some(held) = self.held.get_mut(&number) else {
                continue;
            };
            held.receives = held.receives.saturating_add(1);
            let receipt = format!("{number}-{}", held.receives);
            held.hand = Some((receipt.clone(), until));
            received.push(Received {
                message: held.message.clone(),
                receipt,
                receives: held.receives,
            });
        }
        let dead = dead.iter().filter_map(|number| self.held.remove(number));
        (received, dead.map(|held| held.message).collect())
    }

    /// When the next message returns; `None` if no message is in flight.
    pub(super) fn next_return(&self, now: Timestamp) -> Option<Timestamp> {
        let hands = self.held.values().filter_map(|held| held.hand.as_ref());
        let ends = hands.map(|(_, until)| *until);
        ends.filter(|until| *until > now).min()
    }

    /// Changes the end of a message's visibility timeout; false if the receipt is stale.
    pub(super) fn extend(&mut self, now: Timestamp, receipt: &str, until: Timestamp) -> bool {
        let Some((_, held)) = self.in_hand(now, receipt) else {
            return false;
        };
        held.hand = (until > now).then(|| (receipt.to_owned(), until));
        true
    }

    /// Deletes a message; false if the receipt is stale.
    pub(super) fn delete(&mut self, now: Timestamp, receipt: &str) -> bool {
        if self.ended.contains_key(receipt) {
            return true;
        }
        let Some((number, _)) = self.in_hand(now, receipt) else {
            return false;
        };
        self.held.remove(&number);
        self.ended.insert(receipt.to_owned(), now);
        true
    }

    /// Whether it holds no message.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// All messages, oldest first.
    pub(super) fn messages(&self) -> Vec<Message> {
        let held = self.held.values();
        held.map(|held| held.message.clone()).collect()
    }

    fn in_hand(&mut self, now: Timestamp, receipt: &str) -> Option<(u64, &mut Held)> {
        let (number, _) = receipt.split_once('-')?;
        let number = number.parse().ok()?;
        let held = self.held.get_mut(&number)?;
        let hand = held.hand.as_ref();
        let is_its = held.in_hand(now) && hand.is_some_and(|(known, _)| known == receipt);
        is_its.then_some((number, held))
    }
}
