//! Cases of reading positions.

use super::kit::{InboxKit, account, first, firsts};
use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::{AccountId, LedgerId};

/// Unknown accounts have position 0, each in its place between others.
pub async fn unknown_accounts_stand_at_zero(kit: &InboxKit) {
    let inbox = kit.inbox();
    let asked = [account(3), account(1), account(2)];
    assert_eq!(
        inbox.positions("a", &asked).await.unwrap(),
        firsts([0, 0, 0])
    );
    assert!(kit.step("a", account(1), 0, 5).await);
    assert_eq!(
        inbox.positions("a", &asked).await.unwrap(),
        firsts([0, 5, 0])
    );
    assert_eq!(inbox.positions("a", &[]).await.unwrap(), []);
}

/// Positions are in the order of the accounts, not of the keys.
pub async fn positions_come_in_the_order_asked(kit: &InboxKit) {
    for number in [4, 1, 3] {
        assert!(kit.step("a", account(number), 0, i64::from(number)).await);
    }
    let inbox = kit.inbox();
    let asked = [account(3), account(4), account(1)];
    assert_eq!(
        inbox.positions("a", &asked).await.unwrap(),
        firsts([3, 4, 1])
    );
    let asked = [account(1), account(3), account(4)];
    assert_eq!(
        inbox.positions("a", &asked).await.unwrap(),
        firsts([1, 3, 4])
    );
}

/// A repeated account gets a repeated answer.
pub async fn an_account_asked_for_twice_is_answered_twice(kit: &InboxKit) {
    assert!(kit.step("a", account(1), 0, 7).await);
    let asked = [account(1), account(2), account(1), account(1)];
    let positions = kit.inbox().positions("a", &asked).await.unwrap();
    assert_eq!(positions, firsts([7, 0, 7, 7]));
}

/// Thousands of accounts are answered at once.
pub async fn thousands_of_accounts_are_answered_at_once(kit: &InboxKit) {
    let numbered = |number: u16| -> AccountKey {
        let mut bytes = [0x22; 16];
        bytes[14..].copy_from_slice(&number.to_be_bytes());
        let ledger = LedgerId::new(u32::from(number % 3));
        InLedger::new(ledger, AccountId::from_bytes(bytes))
    };
    let asked: Vec<AccountKey> = (0..2_000).rev().map(numbered).collect();
    let seen = [0_u16, 1, 777, 1_000, 1_998, 1_999];
    for number in seen {
        let to = i64::from(number) + 1;
        assert!(kit.step("a", numbered(number), 0, to).await);
    }
    let positions = kit.inbox().positions("a", &asked).await.unwrap();
    assert_eq!(positions.len(), asked.len());
    for (number, position) in (0..2_000_u16).rev().zip(positions) {
        let to = i64::from(number) + 1;
        let expected = if seen.contains(&number) { to } else { 0 };
        assert_eq!(position, first(expected), "{number}");
    }
}
