//! Cases of separate consumers, ledgers and accounts.

use super::kit::{InboxKit, account, first};
use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::messaging::InboxStep;
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, LedgerId};

/// Makes a step under each name and checks each position.
async fn assert_apart(kit: &InboxKit, names: &[&str]) {
    for (name, to) in names.iter().zip(1..) {
        assert_eq!(kit.position(name, account(1)).await, 0, "{name:?}");
        assert!(kit.step(name, account(1), 0, to).await, "{name:?}");
    }
    for (name, to) in names.iter().zip(1..) {
        assert_eq!(kit.position(name, account(1)).await, to, "{name:?}");
        assert!(kit.step(name, account(1), to, 1_000).await, "{name:?}");
    }
}

/// Each consumer has its own position.
pub async fn consumers_are_apart(kit: &InboxKit) {
    assert_apart(kit, &["mailer", "statements", "m"]).await;
}

/// Names are compared byte by byte: case, accents, spaces and invisible characters
/// count.
pub async fn names_are_compared_byte_by_byte(kit: &InboxKit) {
    let names = [
        "mailer",
        "Mailer",
        "MAILER",
        "mailer ",
        "mailer  ",
        " mailer",
        "mailer\t",
        "mailer\0",
        "maïler",
        "mai\u{308}ler",
        "maıler",
        "ß",
        "ss",
        "é",
        "e",
        "'",
        "''",
        "\\",
        "\\'",
        "%",
        "_",
        "-- ",
        "\u{1F4EC}",
        "\u{1F4ED}",
    ];
    assert_apart(kit, &names).await;
}

/// Names may have 128 bytes, and the last byte counts.
pub async fn names_of_128_bytes_are_kept_apart(kit: &InboxKit) {
    let most = InboxStep::CONSUMER_BYTES_MAX;
    let names = [
        "x".repeat(most),
        format!("{}y", "x".repeat(most - 1)),
        "x".repeat(most - 1),
        "\u{1F4EC}".repeat(most / 4),
        "'".repeat(most),
    ];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_apart(kit, &names).await;
}

/// A name that is empty or too long is refused, and nothing changes.
pub async fn names_of_another_length_are_refused(kit: &InboxKit) {
    let most = InboxStep::CONSUMER_BYTES_MAX;
    assert!(kit.step("a", account(1), 0, 1).await);
    assert!(kit.step(&"x".repeat(most), account(1), 0, 1).await);
    let bad = [
        String::new(),
        "x".repeat(most + 1),
        "é".repeat(most / 2 + 1),
        "x".repeat(100_000),
    ];
    for name in bad {
        let step = InboxStep {
            account: account(1),
            from: first(1),
            to: first(2),
        };
        let refused = kit.inbox().advance(&name, &step).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
        let refused = kit.inbox().positions(&name, &[account(1)]).await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Invalid);
    }
    assert_eq!(kit.position("a", account(1)).await, 1);
    assert_eq!(kit.position(&"x".repeat(most), account(1)).await, 1);
}

/// One id in two ledgers is two accounts.
pub async fn ledgers_are_apart(kit: &InboxKit) {
    let ledgers = [0, 1, 255, 65_536, u32::MAX];
    assert_accounts_apart(
        kit,
        ledgers.map(|number| InLedger::new(LedgerId::new(number), account(1).id)),
    )
    .await;
}

/// Ids are compared byte by byte, to the last byte.
pub async fn accounts_are_apart(kit: &InboxKit) {
    let ends = [0x00, 0x20, 0x41, 0x61, 0xFF];
    assert_accounts_apart(kit, ends.map(account)).await;
    let whole = [[0x00; 16], [0x20; 16], [0xFF; 16], *b"'; DROP TABLE --"];
    let key = |bytes| InLedger::new(LedgerId::default(), AccountId::from_bytes(bytes));
    assert_accounts_apart(kit, whole.map(key)).await;
}

async fn assert_accounts_apart<const N: usize>(kit: &InboxKit, accounts: [AccountKey; N]) {
    for (account, to) in accounts.into_iter().zip(1..) {
        assert_eq!(kit.position("a", account).await, 0, "{account}");
        assert!(kit.step("a", account, 0, to).await, "{account}");
    }
    let positions = kit.inbox().positions("a", &accounts).await.unwrap();
    let expected: Vec<_> = (1..).take(N).map(first).collect();
    assert_eq!(positions, expected);
}
