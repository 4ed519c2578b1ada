use std::process::{Command, Output};

use wallet_core::messaging::Message;

use crate::exits_with;
use wallet_test_servers::{Queue, environment};

fn redrive(from: &Queue, to: &Queue, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
    command.env_clear().envs(environment());
    command.args(["redrive", "--from", &from.url, "--to", &to.url]);
    command.args(more).output().unwrap()
}

fn message(name: &str, body: &str) -> Message {
    Message {
        id: name.to_owned(),
        group: name.chars().take(1).collect(),
        attributes: vec![("currency".to_owned(), "EUR".to_owned())],
        body: body.to_owned(),
    }
}

#[test]
fn dead_letters_come_back_in_order_under_their_own_ids() {
    let (dead, queue) = (Queue::new("dead"), Queue::new("alive"));
    let letters = [
        message("a1", "one\t1"),
        message("b1", "two"),
        message("a2", "three"),
    ];
    dead.send(&letters);
    let list = exits_with(&redrive(&dead, &queue, &["--list"]), 0);
    assert!(list.contains("a1\tone\\t1"), "{list}");
    assert_eq!(list.lines().count(), 3, "{list}");
    assert!(queue.take_all().is_empty());

    let text = exits_with(&redrive(&dead, &queue, &["--limit", "1"]), 0);
    assert!(
        text.contains("a1: moved") && text.contains("1 moved, 0 left"),
        "{text}"
    );
    let text = exits_with(&redrive(&dead, &queue, &[]), 0);
    assert!(text.contains("2 moved, 0 left"), "{text}");
    let mut back = queue.take_all();
    back.sort_by(|left, right| left.group.cmp(&right.group));
    let ids: Vec<&str> = back.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["a1", "a2", "b1"]);
    let text = exits_with(&redrive(&dead, &queue, &[]), 0);
    assert!(text.contains("0 moved, 0 left"), "{text}");
}

#[test]
fn what_is_no_queue_is_reported() {
    let dead = Queue::new("dead");
    let mut none = Queue::new("none");
    none.url = "https://sqs.example/1/standard".to_owned();
    let text = exits_with(&redrive(&dead, &none, &[]), 2);
    assert!(text.contains("FIFO"), "{text}");
    none.url = dead.url.replace("wallet-dead", "wallet-missing");
    let text = exits_with(&redrive(&none, &dead, &[]), 3);
    assert!(text.contains("receiving dead letters failed"), "{text}");
}
