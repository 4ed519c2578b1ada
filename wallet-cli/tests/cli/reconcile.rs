use serde_json::Value;

use crate::{books, damage, exits_with, wallet};

#[test]
fn sound_books_agree_with_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let text = exits_with(&wallet(&file, &["reconcile"]), 0);
    for words in [
        "3 accounts, 42 entries",
        "EUR: 3 accounts add up to 0.00",
        "nothing differs",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let text = exits_with(&wallet(&file, &["reconcile", "--json", "--last", "2"]), 0);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["clean"], true);
    assert_eq!(
        (&report["accounts"], &report["entries"]),
        (&3.into(), &5.into())
    );
    assert_eq!(report["sums"][0]["posted"], "0.00");
    assert_eq!(report["history"], Value::Null);
}

#[test]
fn what_differs_is_reported_and_exits_with_1() {
    for (sql, code) in [
        (
            "UPDATE wallet_account SET counters =
             (SELECT counters FROM wallet_account WHERE sequence = 21) WHERE sequence = 20",
            "not_even",
        ),
        ("DELETE FROM wallet_journal WHERE id = 10", "unreadable"),
        // What is held to be paid, set to zero.
        (
            "UPDATE wallet_account SET counters = x'0207d00227100000'
             WHERE counters = x'0207d00227100201f400'",
            "pending_wrong",
        ),
        ("DELETE FROM wallet_hold", "pending_wrong"),
        ("UPDATE wallet_hold SET body = x'01'", "holds_unreadable"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wallet.db");
        books(&file);
        damage(&file, sql);
        let text = exits_with(&wallet(&file, &["reconcile"]), 1);
        assert!(text.contains("DIFFERENCE: "), "{text}");
        let output = wallet(&file, &["reconcile", "--json"]);
        let text = exits_with(&output, 1);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["clean"], false);
        let all = report["differences"].as_array().unwrap();
        assert!(all.iter().any(|one| one["code"] == code), "{text}");
        assert!(report["found"].as_u64().unwrap() > 0);
    }
}

#[test]
fn what_cannot_be_asked_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.db");
    exits_with(&wallet(&file, &["reconcile"]), 2);
    books(&file);
    exits_with(
        &wallet(&file, &["reconcile", "--history", "mysql:table"]),
        2,
    );
    exits_with(&wallet(&file, &["history", "rebuild"]), 2);
    exits_with(&wallet(&file, &["audit", "verify"]), 2);
    if cfg!(not(feature = "redis")) {
        let text = exits_with(&wallet(&file, &["reconcile", "--cache", "redis://host"]), 2);
        assert!(text.contains("without the feature redis"), "{text}");
    }
    if cfg!(not(feature = "aws")) {
        let arguments = ["reconcile", "--history", "dynamodb:table"];
        let text = exits_with(&wallet(&file, &arguments), 2);
        assert!(text.contains("without the feature aws"), "{text}");
    }
}

#[cfg(feature = "redis")]
#[test]
fn a_cache_is_compared_too() {
    let server = wallet_test_servers::PrivateRedis::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let url = server.url();
    let text = exits_with(&wallet(&file, &["reconcile", "--cache", &url]), 0);
    assert!(text.contains("cache: 0 balances are the same"), "{text}");
    assert!(text.contains("3 are not there"), "{text}");
    drop(server);
    exits_with(&wallet(&file, &["reconcile", "--cache", &url]), 3);
}
