//! The command `wallet`, as a process, on files that a wallet wrote.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, outside of test functions"
)]

mod backup;
mod events;
#[cfg(feature = "aws")]
mod history;
mod mixture;
mod reconcile;
#[cfg(feature = "aws")]
mod redrive;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use wallet_core::ledger::SettlementShards;
use wallet_core::request::PreparedRequest;
use wallet_core::runtime::Uuid7;
use wallet_core::store::LedgerStore;
use wallet_core::{
    AccountId, Command as Ask, Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner,
    PlaceHold, PostTransfer, Request, SettlementName, SystemClock,
};
use wallet_sqlite::rusqlite::Connection;
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_testkit::block_on;

const ADA: &str = "01890000-0000-7000-8000-000000000001";
const BOB: &str = "01890000-0000-7000-8000-000000000002";

fn wallet(file: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
    let store = format!("sqlite:{}", file.display());
    command.args(arguments).args(["--store", &store]);
    command.env_clear().output().unwrap()
}

/// Asserts the exit code and returns the output.
#[track_caller]
fn exits_with(output: &Output, code: i32) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let text = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

fn submit(store: &SqliteStore, key: &str, command: impl Into<Ask>) {
    let key = IdempotencyKey::parse("rest", key).unwrap();
    let request = Request::new(key, command);
    let request = PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap();
    let batch = wallet_core::request::Batch::new(vec![Arc::new(request)]);
    block_on(store.transact(Arc::new(batch))).unwrap();
}

/// Two accounts, a deposit, twenty transfers, a refusal, a hold.
fn books(file: &Path) {
    let settings = SqliteSettings::new(file);
    let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
    let eur = Currency::iso("EUR").unwrap();
    let money = |text| Money::parse(text, eur).unwrap();
    let id = |text: &str| text.parse::<AccountId>().unwrap();
    for (name, account) in [("ada", ADA), ("bob", BOB)] {
        let open = OpenAccount::new(Owner::new(name).unwrap(), eur).with_id(id(account));
        submit(&store, name, open);
    }
    let bank = SettlementName::new("bank").unwrap();
    submit(
        &store,
        "deposit",
        Deposit::new(id(ADA), money("100.00"), bank),
    );
    let pay = |text| PostTransfer::new(vec![Leg::new(id(ADA), id(BOB), money(text))]);
    for index in 0..20 {
        submit(&store, &format!("pay-{index}"), pay("1.00"));
    }
    submit(&store, "too much", pay("1000.00"));
    submit(
        &store,
        "hold",
        PlaceHold::new(id(ADA), id(BOB), money("5.00")),
    );
}

fn damage(file: &Path, sql: &str) {
    let changed = Connection::open(file).unwrap().execute(sql, ()).unwrap();
    assert!(changed > 0, "{sql}");
}

#[test]
fn sound_books_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    for arguments in [&["verify"][..], &["verify", "--nothing-delivered"]] {
        let text = exits_with(&wallet(&file, arguments), 0);
        assert!(
            text.contains("3 accounts, 21 transfers, 42 entries, 1 holds"),
            "{text}"
        );
        assert!(text.contains("EUR: 3 accounts add up to 0"), "{text}");
        assert!(text.contains("the books are sound"), "{text}");
    }
}

#[test]
fn damage_of_every_kind_is_found() {
    let damages = [
        "UPDATE wallet_account SET counters = x'0000000000000000'
         WHERE length(counters) > 4 AND sequence > 10",
        "UPDATE wallet_account SET version = version + 1 WHERE sequence > 10",
        "DELETE FROM wallet_journal WHERE id = 10",
        "DELETE FROM wallet_transfer",
        "DELETE FROM wallet_hold",
        "DELETE FROM wallet_outbox WHERE id = 10",
    ];
    for sql in damages {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wallet.db");
        books(&file);
        damage(&file, sql);
        let output = wallet(&file, &["verify", "--nothing-delivered"]);
        let text = String::from_utf8_lossy(&output.stdout);
        // 3: so damaged that the store itself refuses to list it.
        let code = output.status.code();
        assert!(code == Some(1) || code == Some(3), "{sql}: {code:?} {text}");
        assert!(!text.contains("sound"), "{sql}: {text}");
        if code == Some(1) {
            assert!(text.contains("VIOLATION"), "{sql}: {text}");
        }
    }
}

#[test]
fn what_is_no_store_is_reported_and_never_created() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.db");
    for arguments in [
        &["verify"][..],
        &["purge"],
        &["statement", ADA],
        &["outcome", "k"],
    ] {
        let text = exits_with(&wallet(&file, arguments), 2);
        assert!(text.contains("there is no file"), "{text}");
        assert!(!file.exists());
    }
    std::fs::write(
        &file,
        "no database at all, and long enough to be read as one",
    )
    .unwrap();
    exits_with(&wallet(&file, &["verify"]), 3);
    let memory = ["verify", "--store", "memory"];
    let output = Command::new(env!("CARGO_BIN_EXE_wallet"))
        .args(memory)
        .output();
    assert!(exits_with(&output.unwrap(), 2).contains("gone with its process"));
    let file = folder.path().join("wallet.db");
    books(&file);
    exits_with(&wallet(&file, &["statement", "seven"]), 2);
    exits_with(&wallet(&file, &["burn"]), 2);
}

#[test]
fn a_statement_shows_the_account_and_its_entries() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let text = exits_with(&wallet(&file, &["statement", ADA]), 0);
    for words in [
        "owner     ada",
        "currency  EUR",
        "posted    80.00",
        "available 75.00",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let lines = |text: &str| -> Vec<Vec<String>> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        text.lines()
            .skip_while(|l| !l.contains("entry"))
            .skip(1)
            .map(words)
            .collect()
    };
    let all = lines(&text);
    assert_eq!(all.len(), 21);
    assert_eq!(all[0][2..5], ["credit", "100.00", "100.00"]);
    assert_eq!(all[20][2..5], ["debit", "1.00", "80.00"]);
    let few = exits_with(
        &wallet(&file, &["statement", ADA, "--desc", "--limit", "3"]),
        0,
    );
    let few = lines(&few);
    assert_eq!(
        few.iter().map(|l| l[0].as_str()).collect::<Vec<_>>(),
        ["21", "20", "19"]
    );
    let json = exits_with(&wallet(&file, &["statement", BOB, "--json"]), 0);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["amount"], &first["direction"]),
        (&"1.00".into(), &"credit".into())
    );
    let none = exits_with(
        &wallet(&file, &["statement", ADA, "--from", "2999-01-01T00:00:00Z"]),
        0,
    );
    assert!(lines(&none).is_empty());
    let nobody = "01890000-0000-7000-8000-0000000000ff";
    assert!(exits_with(&wallet(&file, &["statement", nobody]), 1).contains("there is no account"));
}

#[test]
fn an_outcome_is_shown_until_it_is_purged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let text = exits_with(&wallet(&file, &["outcome", "pay-3"]), 0);
    assert!(
        text.contains("accepted:") && text.contains("1.00 EUR"),
        "{text}"
    );
    let text = exits_with(&wallet(&file, &["outcome", "too much"]), 0);
    assert!(text.contains("refused: insufficient_funds"), "{text}");
    assert!(exits_with(&wallet(&file, &["outcome", "never"]), 1).contains("nothing is recorded"));
    exits_with(&wallet(&file, &["outcome", "pay-3", "--scope", "other"]), 1);
    exits_with(&wallet(&file, &["outcome", "pay-3", "--item", "0"]), 1);

    let text = exits_with(&wallet(&file, &["purge"]), 0);
    assert!(
        text.contains("0 records deleted") && text.contains("0 events"),
        "{text}"
    );
    exits_with(&wallet(&file, &["outcome", "pay-3"]), 0);
    let now = [
        "purge",
        "--older-than-days",
        "0",
        "--free-recent-keys",
        "--records",
        "--batch",
        "7",
    ];
    let text = exits_with(&wallet(&file, &now), 0);
    assert_eq!(text, "25 records to delete\n25 records deleted\n");
    exits_with(&wallet(&file, &["outcome", "pay-3"]), 1);
    exits_with(&wallet(&file, &["verify"]), 0);
}

#[test]
fn recent_keys_are_freed_only_by_name_and_counted_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    for days in ["0", "29"] {
        for more in [&[][..], &["--records"]] {
            let arguments = [&["purge", "--older-than-days", days], more].concat();
            let text = exits_with(&wallet(&file, &arguments), 2);
            assert!(text.contains("--free-recent-keys"), "{text}");
        }
    }
    let events = ["purge", "--older-than-days", "0", "--events"];
    let text = exits_with(&wallet(&file, &events), 0);
    assert_eq!(text, "0 events to delete\n0 events deleted\n");
    // The key still protects: nothing was freed.
    exits_with(&wallet(&file, &["outcome", "deposit"]), 0);

    let forced = [
        "purge",
        "--records",
        "--older-than-days",
        "0",
        "--free-recent-keys",
    ];
    let dry = [&forced[..], &["--dry-run"]].concat();
    assert_eq!(
        exits_with(&wallet(&file, &dry), 0),
        "25 records to delete\n"
    );
    exits_with(&wallet(&file, &["outcome", "deposit"]), 0);
    let few = [&forced[..], &["--max-rows", "10", "--batch", "4"]].concat();
    assert_eq!(
        exits_with(&wallet(&file, &few), 0),
        "10 or more records to delete\n10 records deleted\nstopped at --max-rows: run it again\n"
    );
    assert_eq!(
        exits_with(&wallet(&file, &dry), 0),
        "15 records to delete\n"
    );
}

#[test]
fn a_reader_that_has_gone_ends_each_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    let store = format!("sqlite:{}", file.display());
    for arguments in [
        &["statement", ADA][..],
        &["statement", ADA, "--json"],
        &["verify"],
        &["outcome", "deposit"],
        &["events"],
        &["purge"],
        &["reconcile"],
        &["reconcile", "--json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.args(arguments).args(["--store", &store]);
        command.env_clear().stdout(writer);
        let output = command
            .stderr(std::process::Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), stderr.as_ref()),
            (Some(141), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_users_wrote_never_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wallet.db");
    books(&file);
    // No request can write this; a damaged or foreign file can.
    damage(
        &file,
        "UPDATE wallet_account_profile SET owner = 'a' || char(155) || 'b'",
    );
    let output = wallet(&file, &["statement", ADA]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains('\u{9b}'), "{text:?}");
}
