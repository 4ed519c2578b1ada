//! The output of the program.

use std::process::Command;

#[test]
fn a_transfer_comes_to_the_subscribers_inbox_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_wallet-events-example")).output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let due = "committed: 30.00 EUR from ada to bob\n\
               published: 5 events\n\
               mailed: to ada: 100.00 EUR received, balance 100.00\n\
               mailed: to bob: 30.00 EUR received, balance 30.00\n\
               handled 2, seen before 1\n";
    assert_eq!(text, due);
}
