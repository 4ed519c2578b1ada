//! History and audit log on an emulator of DynamoDB.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use wallet_core::audit::{AuditEvent, AuditLog, AuditOutcome, AuditText};
use wallet_core::runtime::{IdGenerator, Uuid7};
use wallet_core::{AccountId, Currency, Leg, Money, PostTransfer, SystemClock, Timestamp};
use wallet_dynamo::{DynamoAuditLog, DynamoSettings};
use wallet_sqlite::{SqliteSettings, SqliteStore};
use wallet_test_servers::PrivateDynamo;

use crate::{ADA, BOB, books, exits_with, submit};

/// An emulator, and the command beside it.
struct Place {
    server: PrivateDynamo,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            server: PrivateDynamo::start(),
            folder: tempfile::tempdir().unwrap(),
            runtime: { runtime }.enable_all().build().unwrap(),
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("wallet.db")
    }

    fn run(&self, file: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.env_clear();
        command.env("AWS_ENDPOINT_URL", self.server.endpoint());
        command.env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "test");
        command.env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("WALLET_HISTORY", "dynamodb:wallet-history");
        command.env("WALLET_AUDIT_LOG", "dynamodb:wallet-audit");
        let store = format!("sqlite:{}", file.display());
        command.args(arguments).args(["--store", &store]);
        command.output().unwrap()
    }

    #[track_caller]
    fn exits_with(&self, arguments: &[&str], code: i32) -> String {
        exits_with(&self.run(&self.file(), arguments), code)
    }

    fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(self.server.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }

    /// Changes or removes some row.
    fn damage(&self, table: &str, index: usize, change: Option<(&str, AttributeValue)>) {
        let client = self.client();
        self.runtime.block_on(async {
            let found = client.scan().table_name(table).send().await.unwrap();
            let mut items = found.items.unwrap();
            items.retain(|item| !item.contains_key("sequence") || item.contains_key("transfer"));
            items.sort_by_key(|item| {
                let bytes = |name: &str| item[name].as_b().unwrap().clone().into_inner();
                (bytes("pk"), bytes("sk"))
            });
            let mut item = items.swap_remove(index);
            if let Some((name, value)) = change {
                item.insert(name.to_owned(), value);
                let put = client.put_item().table_name(table);
                put.set_item(Some(item)).send().await.unwrap();
            } else {
                let delete = client.delete_item().table_name(table);
                let delete = delete.key("pk", item["pk"].clone());
                let delete = delete.key("sk", item["sk"].clone());
                delete.send().await.unwrap();
            }
        });
    }
}

#[test]
fn history_is_built_compared_and_exported() {
    let place = Place::new();
    books(&place.file());
    place.exits_with(&["history", "rebuild"], 3);
    place.exits_with(&["reconcile"], 3);
    place.exits_with(&["history", "create"], 0);
    place.exits_with(&["history", "create"], 0);
    let text = place.exits_with(&["reconcile"], 0);
    assert!(text.contains("42 are not there yet"), "{text}");
    place.exits_with(&["reconcile", "--lag-max", "0"], 1);
    place.exits_with(&["reconcile", "--lag-max", "600"], 0);

    let text = place.exits_with(&["history", "rebuild"], 0);
    assert!(
        text.contains("3 accounts: 42 lines written, 0 were there"),
        "{text}"
    );
    let text = place.exits_with(&["history", "rebuild"], 0);
    assert!(
        text.contains("3 accounts: 0 lines written, 42 were there"),
        "{text}"
    );
    let text = place.exits_with(&["reconcile", "--lag-max", "0"], 0);
    assert!(text.contains("history: 42 lines are the same"), "{text}");

    let out = place.folder.path().join("history.jsonl");
    let out = out.to_str().unwrap();
    let arguments = [
        "history",
        "export",
        "--before",
        "2999-01-01T00:00:00Z",
        "--out",
        out,
    ];
    let text = place.exits_with(&arguments, 0);
    // Without the last line of each account.
    assert!(text.contains("3 accounts: 39 lines"), "{text}");
    let lines = std::fs::read_to_string(out).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 39);
    assert!(lines.iter().all(|line| line["currency"] == "EUR"));
    // An existing file is left alone.
    place.exits_with(&arguments, 3);
}

#[test]
fn history_is_mended_after_a_restore_of_the_books() {
    let place = Place::new();
    books(&place.file());
    place.exits_with(&["history", "create"], 0);
    let copy = place.folder.path().join("backup.db");
    let copy = copy.to_str().unwrap();
    place.exits_with(&["backup", "--to", copy], 0);
    let pay = |key: &str, cents| {
        let settings = SqliteSettings::new(place.file());
        let store = SqliteStore::open(&settings, Arc::new(SystemClock)).unwrap();
        let [ada, bob] = [ADA, BOB].map(|id| id.parse::<AccountId>().unwrap());
        let money = Money::minor(cents, Currency::iso("EUR").unwrap()).unwrap();
        submit(
            &store,
            key,
            PostTransfer::new(vec![Leg::new(ada, bob, money)]),
        );
    };
    pay("lost-1", 1);
    pay("lost-2", 2);
    place.exits_with(&["history", "rebuild"], 0);
    let text = place.exits_with(&["reconcile", "--lag-max", "0"], 0);
    assert!(text.contains("history: 46 lines are the same"), "{text}");

    place.exits_with(&["restore", "--from", copy, "--set-aside-existing"], 0);
    let text = place.exits_with(&["reconcile"], 1);
    assert!(text.contains("history"), "{text}");
    pay("after", 3);
    place.exits_with(&["reconcile"], 1);
    // A rebuild into the table as it is.
    let text = place.exits_with(&["history", "rebuild"], 0);
    assert!(text.contains("of 3 accounts it was from before"), "{text}");
    let text = place.exits_with(&["reconcile", "--lag-max", "0"], 0);
    assert!(text.contains("history: 44 lines are the same"), "{text}");
    let text = place.exits_with(&["history", "rebuild"], 0);
    assert!(text.contains("0 lines written, 44 were there"), "{text}");
}

#[test]
fn damage_of_history_is_reported() {
    let place = Place::new();
    books(&place.file());
    place.exits_with(&["history", "create"], 0);
    place.exits_with(&["history", "rebuild"], 0);
    let forged = AttributeValue::N("7".to_owned());
    place.damage("wallet-history", 30, Some(("amount", forged)));
    let text = place.exits_with(&["reconcile"], 1);
    assert!(text.contains("history has another line"), "{text}");
    place.damage("wallet-history", 30, None);
    let text = place.exits_with(&["reconcile"], 1);
    assert!(text.contains("are missing in history"), "{text}");
    let late = ["reconcile", "--expired-before", "2999-01-01T00:00:00Z"];
    let text = place.exits_with(&late, 0);
    assert!(text.contains("1 have expired"), "{text}");
}

#[test]
fn an_audit_log_is_verified_against_checkpoints() {
    let place = Place::new();
    place.exits_with(&["audit", "verify"], 3);
    place.exits_with(&["audit", "create"], 0);
    place.exits_with(&["audit", "checkpoint"], 1);
    let text = |text| AuditText::new(text).unwrap();
    let event = || AuditEvent {
        id: Uuid7.new_id(),
        at: Timestamp::from_micros(5),
        actor: text("user/ada"),
        action: text("account.freeze"),
        resource: text("account/7"),
        origin: None,
        outcome: AuditOutcome::Done,
        note: None,
    };
    let settings = DynamoSettings::new("wallet-audit");
    let log = DynamoAuditLog::new(place.client(), Arc::new(SystemClock), settings).unwrap();
    let events: Vec<AuditEvent> = (0..6).map(|_| event()).collect();
    place.runtime.block_on(log.append(0, &events)).unwrap();

    let checkpoint = place.exits_with(&["audit", "checkpoint"], 0);
    let published = place.folder.path().join("published");
    std::fs::write(&published, &checkpoint).unwrap();
    let against = [
        "audit",
        "verify",
        "--checkpoints",
        published.to_str().unwrap(),
    ];
    let text = place.exits_with(&against, 0);
    assert!(text.contains("6 records are sound"), "{text}");

    // The tail is cut off: the chain alone does not show it.
    place.damage("wallet-audit", 5, None);
    place.exits_with(&["audit", "verify"], 0);
    let text = place.exits_with(&against, 1);
    assert!(
        text.contains("record 6") && text.contains("ends before"),
        "{text}"
    );
    let forged = AttributeValue::S("user/eve".to_owned());
    place.damage("wallet-audit", 2, Some(("actor", forged)));
    let text = place.exits_with(&["audit", "verify"], 1);
    assert!(text.contains("record 3: it was edited"), "{text}");
    std::fs::write(&published, "no checkpoint").unwrap();
    place.exits_with(&against, 2);
}
