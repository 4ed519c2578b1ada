//! Transfers.

use super::steps::{deposit, posted, transfer};
use crate::testkit::Kit;
use crate::{Direction, TransferKind};

/// One leg debits one account, credits the other, and both entries tell it.
pub async fn one_leg_moves_money_and_writes_two_entries(kit: &Kit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    kit.accept(deposit(ada, 1_000)).await;
    let receipt = posted(&kit.accept(transfer(ada, bob, 400)).await);
    assert_eq!(receipt.transfer.kind, TransferKind::Transfer);
    assert_eq!(kit.balances(ada).await, (600, 600));
    assert_eq!(kit.balances(bob).await, (400, 400));
    let paid = kit.entries(ada).await[1];
    let got = kit.entries(bob).await[0];
    assert_eq!([paid, got].to_vec(), receipt.entries().collect::<Vec<_>>());
    assert_eq!(paid.direction, Direction::Debit);
    assert_eq!(got.direction, Direction::Credit);
    assert_eq!(
        (paid.sequence, paid.version, paid.balance_after),
        (2, 3, 600)
    );
    assert_eq!((got.sequence, got.version, got.balance_after), (1, 2, 400));
    assert_eq!(
        (paid.amount, got.amount),
        (super::steps::amount(400), super::steps::amount(400))
    );
}
