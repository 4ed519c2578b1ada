//! Cases of a queue. Nothing here depends on time: a message returns only when it
//! is given back.

use std::time::Duration;

use crate::QueueEnds;
use wallet_core::messaging::{DeliveryError, Message, Published, Received};

type Kit = crate::Kit<QueueEnds>;

/// A timeout longer than any case takes.
const VISIBILITY: Duration = Duration::from_secs(600);
/// The number of receives in which a queue may return fewer messages than it has.
const RECEIVES_MAX: usize = 100;

/// A message whose group is its name up to the dot.
fn message(name: &str) -> Message {
    let group = name.split('.').next().unwrap_or(name);
    Message {
        id: name.to_owned(),
        group: group.to_owned(),
        attributes: Vec::new(),
        body: format!("{{\"name\":\"{name}\"}}"),
    }
}

async fn send(kit: &Kit, names: &[&str]) {
    for name in names {
        let published = kit.port().publisher.publish(&[message(name)]).await;
        assert_eq!(published.unwrap(), [Published::Done], "{name}");
    }
}

/// Receives until this number of messages arrived.
async fn receive(kit: &Kit, count: usize) -> Vec<Received> {
    let mut all = Vec::new();
    for _ in 0..RECEIVES_MAX {
        if all.len() >= count {
            break;
        }
        let received = kit.port().queue.receive(10, VISIBILITY).await.unwrap();
        assert!(received.len() <= 10, "{} in one receive", received.len());
        all.extend(received);
    }
    assert_eq!(all.len(), count, "{:?}", names(&all));
    all
}

/// Checks that nothing is delivered any more.
async fn is_empty(kit: &Kit) {
    let received = kit.port().queue.receive(10, VISIBILITY).await.unwrap();
    assert_eq!(names(&received), [""; 0]);
}

fn names(received: &[Received]) -> Vec<&str> {
    let received = received.iter();
    received.map(|one| one.message.id.as_str()).collect()
}

fn receipts(received: &[Received]) -> Vec<String> {
    let received = received.iter();
    received.map(|one| one.receipt.clone()).collect()
}

async fn delete(kit: &Kit, receipts: &[String]) -> Vec<bool> {
    let deleted: Vec<Result<(), DeliveryError>> = kit.port().queue.delete_batch(receipts).await;
    assert_eq!(deleted.len(), receipts.len(), "one answer for each");
    deleted.iter().map(Result::is_ok).collect()
}

async fn give_back(kit: &Kit, received: &[Received]) {
    for one in received.iter().rev() {
        let given = kit.port().queue.extend(&one.receipt, Duration::ZERO).await;
        given.unwrap();
    }
}

/// Messages of a group are delivered in order, and not while a receiver holds an
/// earlier one.
pub async fn messages_of_a_group_come_in_order(kit: &Kit) {
    send(kit, &["a.1", "a.2", "b.1"]).await;
    let ends = kit.port();
    let queue = &ends.queue;
    let first = queue.receive(1, VISIBILITY).await.unwrap();
    assert_eq!(names(&first), ["a.1"]);
    let other = receive(kit, 1).await;
    assert_eq!(names(&other), ["b.1"]);
    is_empty(kit).await;
    queue.delete(&first[0].receipt).await.unwrap();
    let second = receive(kit, 1).await;
    assert_eq!(names(&second), ["a.2"]);
    assert_eq!(second[0].message, message("a.2"));
}

/// A message that is given back is delivered again under another receipt. The old
/// receipt is invalid.
pub async fn what_is_given_back_comes_again(kit: &Kit) {
    send(kit, &["a.1"]).await;
    let first = receive(kit, 1).await;
    give_back(kit, &first).await;
    let second = receive(kit, 1).await;
    assert_eq!(names(&second), ["a.1"]);
    assert_eq!(second[0].receives, first[0].receives + 1);
    let ends = kit.port();
    let queue = &ends.queue;
    assert!(queue.delete(&first[0].receipt).await.is_err(), "stale");
    give_back(kit, &second).await;
    assert_eq!(receive(kit, 1).await.len(), 1, "it is still there");
}

/// An empty batch returns an empty result.
pub async fn a_batch_of_nothing_is_nothing(kit: &Kit) {
    assert_eq!(delete(kit, &[]).await, [false; 0]);
    is_empty(kit).await;
}

/// A batch deletes exactly its messages.
pub async fn a_batch_ends_each_of_its_messages(kit: &Kit) {
    send(kit, &["a.1", "a.2", "b.1", "c.1", "c.2"]).await;
    let received = receive(kit, 5).await;
    let is_of_c = |one: &&Received| one.message.group == "c";
    let (left, ended): (Vec<_>, Vec<_>) = received.iter().partition(is_of_c);
    let ended: Vec<_> = ended.into_iter().cloned().collect();
    let left: Vec<_> = left.into_iter().cloned().collect();
    assert_eq!(delete(kit, &receipts(&ended)).await, [true; 3]);
    give_back(kit, &left).await;
    assert_eq!(names(&receive(kit, 2).await), ["c.1", "c.2"]);
    is_empty(kit).await;
}

/// A batch may exceed the limit of one call of the service. The caller need not
/// split it.
pub async fn a_batch_of_more_than_a_call_takes_is_ended_whole(kit: &Kit) {
    let sent: Vec<_> = (0..25).map(|number| format!("g{number}.1")).collect();
    let sent: Vec<_> = sent.iter().map(String::as_str).collect();
    send(kit, &sent).await;
    let received = receive(kit, 25).await;
    assert_eq!(delete(kit, &receipts(&received)).await, [true; 25]);
    for one in &received {
        let given = kit.port().queue.extend(&one.receipt, Duration::ZERO).await;
        assert!(given.is_err(), "{} is still there", one.message.id);
    }
    is_empty(kit).await;
}

/// The failures of a batch are reported. The other messages are still deleted.
pub async fn what_a_batch_could_not_delete_is_reported_and_comes_again(kit: &Kit) {
    send(kit, &["a.1"]).await;
    let stale = receive(kit, 1).await;
    give_back(kit, &stale).await;
    send(kit, &["b.1", "c.1"]).await;
    let received = receive(kit, 3).await;
    let (held, others): (Vec<_>, Vec<_>) = received
        .into_iter()
        .partition(|one| one.message.group == "a");
    let others = receipts(&others);
    let batch = [
        others[0].clone(),
        stale[0].receipt.clone(),
        "never given".to_owned(),
        others[1].clone(),
    ];
    // The results are in the order of the receipts.
    assert_eq!(delete(kit, &batch).await, [true, false, false, true]);
    give_back(kit, &held).await;
    assert_eq!(names(&receive(kit, 1).await), ["a.1"]);
    is_empty(kit).await;
}
