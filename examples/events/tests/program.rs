//! The output of the programs.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

use std::process::Command;

fn output(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_read_model_in_the_process_of_the_books_counts_each_payment() {
    let due = "ada: 1 payments, 10000 cents\n\
               bob: 2 payments, 6000 cents\n";
    assert_eq!(output(env!("CARGO_BIN_EXE_wallet-events-example")), due);
}

#[test]
fn a_transfer_comes_to_the_subscribers_inbox_once() {
    let due = "committed: 30.00 EUR from ada to bob\n\
               published: 5 events\n\
               mailed: to ada: 100.00 EUR received, balance 100.00\n\
               mailed: to bob: 30.00 EUR received, balance 30.00\n\
               handled 2, seen before 1\n";
    assert_eq!(output(env!("CARGO_BIN_EXE_wallet-events-queues")), due);
}
