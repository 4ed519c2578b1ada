//! Reversals.

use super::steps::{
    amount, cents, deposit, given, of_another_currency, posted, receipts, transfer,
};
use crate::StoreKit;
use crate::store_kit::fresh;
use wallet_core::ledger::{EffectKind, Reversal, TransferKind};
use wallet_core::request::ReverseWhat;
use wallet_core::{
    AccountId, Capture, Command, Leg, PostTransfer, Rejection, Request, Reverse, TransferId,
};

fn part(transfer: TransferId, minor: i128) -> Reverse {
    Reverse::new(transfer).with_what(ReverseWhat::Amount(amount(minor)))
}

/// A full reversal moves everything back, and names the reversed transfer.
pub async fn a_full_reversal_moves_it_back(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let paid = kit.pay(ada, bob, 60).await;
    let receipt = posted(&kit.accept(Reverse::new(paid)).await);
    assert_eq!(receipt.transfer.kind, TransferKind::Reversal);
    assert_eq!(receipt.transfer.legs, [Leg::new(bob, ada, cents(60))]);
    let undoes = Reversal {
        transfer: paid,
        legs: vec![0],
        forced: false,
    };
    assert_eq!(receipt.transfer.reversal, Some(undoes));
    let kinds: Vec<_> = receipt.effects.iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Reversed; 2]);
    assert_eq!(kit.transfer_now(paid).await.reversed, [60]);
    let row = kit.transfer_now(receipt.transfer.key.id).await;
    assert_eq!((row.transfer, row.reversed), (receipt.transfer, vec![0]));
    assert_eq!(kit.balances(ada).await, (100, 100));
    assert_eq!(kit.balances(bob).await, (0, 0));
}

/// Partial reversals add up, and end at the moved amount.
pub async fn reversals_of_parts_end_at_the_whole(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open_with("bob", 100).await;
    let paid = kit.pay(ada, bob, 60).await;
    let exceeds = Rejection::ReversalExceedsTransfer;
    assert_eq!(kit.refuse(part(paid, 61)).await, exceeds);
    kit.accept(part(paid, 25)).await;
    assert_eq!(kit.transfer_now(paid).await.reversed, [25]);
    assert_eq!(kit.refuse(part(paid, 36)).await, exceeds);
    let points = of_another_currency(10);
    for other in [
        Reverse::new(paid).with_money(points),
        Reverse::new(paid).with_money_in_proportion(points),
    ] {
        assert_eq!(kit.refuse(other).await, Rejection::CurrencyMismatch);
    }
    kit.accept(part(paid, 10)).await;
    assert_eq!(kit.transfer_now(paid).await.reversed, [35]);
    kit.accept(Reverse::new(paid)).await;
    assert_eq!(kit.transfer_now(paid).await.reversed, [60]);
    assert_eq!(kit.refuse(part(paid, 1)).await, exceeds);
    assert_eq!(kit.refuse(Reverse::new(paid)).await, exceeds);
    assert_eq!(kit.balances(ada).await, (100, 100));
}

/// For several legs, the legs to reverse must be named. The rest of all legs is
/// reversed in the opposite order.
pub async fn legs_are_reversed_by_name(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let legs = vec![
        Leg::new(ada, bob, cents(50)),
        Leg::new(bob, eve, cents(30)),
        Leg::new(ada, eve, cents(20)),
    ];
    let paid = posted(&kit.accept(PostTransfer::new(legs)).await)
        .transfer
        .key
        .id;
    assert_eq!(kit.refuse(part(paid, 1)).await, Rejection::LegRequired);
    let named = |legs| Reverse::new(paid).with_what(ReverseWhat::Legs(legs));
    assert_eq!(
        kit.refuse(named(vec![(3, None)])).await,
        Rejection::LegNotFound
    );
    kit.accept(named(vec![(2, Some(amount(5))), (1, Some(amount(10)))]))
        .await;
    assert_eq!(kit.transfer_now(paid).await.reversed, [0, 10, 5]);
    let over = named(vec![(1, None), (2, Some(amount(16)))]);
    assert_eq!(kit.refuse(over).await, Rejection::ReversalExceedsTransfer);
    kit.accept(named(vec![(2, None)])).await;
    assert_eq!(kit.transfer_now(paid).await.reversed, [0, 10, 20]);
    let rest = posted(&kit.accept(Reverse::new(paid)).await);
    let legs = [Leg::new(eve, bob, cents(20)), Leg::new(bob, ada, cents(50))];
    assert_eq!(rest.transfer.legs, legs);
    assert_eq!(
        rest.transfer.reversal.map(|reversal| reversal.legs),
        Some(vec![1, 0])
    );
    assert_eq!(kit.transfer_now(paid).await.reversed, [50, 30, 20]);
    for (account, balance) in [(ada, 100), (bob, 0), (eve, 0)] {
        assert_eq!(kit.balances(account).await, (balance, balance));
    }
}

/// Proportional refunds that add up to the whole end at zero for each leg, also
/// together with a leg that is reversed by name.
pub async fn a_split_is_refunded_in_proportion(kit: &StoreKit) {
    let ada = kit.open_with("ada", 101).await;
    let mut shares = Vec::new();
    for (name, share_bp) in [("shop", 8_300), ("platform", 1_000), ("tax", 700)] {
        let to = kit.open(name).await;
        shares.push(wallet_core::request::Share { to, share_bp });
    }
    let split = wallet_core::Split::new(ada, cents(101), shares);
    let sale = posted(&kit.accept(split).await).transfer.key.id;
    let refund = |minor| Reverse::new(sale).with_what(ReverseWhat::Proportional(amount(minor)));
    let mut reversed = Vec::new();
    for minor in [33, 33] {
        kit.accept(refund(minor)).await;
        reversed.push(kit.transfer_now(sale).await.reversed);
    }
    assert_eq!(reversed, [[28, 3, 2], [55, 6, 5]]);
    let by_name = ReverseWhat::Legs(vec![(1, Some(amount(4)))]);
    kit.accept(Reverse::new(sale).with_what(by_name)).await;
    assert_eq!(
        kit.refuse(refund(32)).await,
        Rejection::ReversalExceedsTransfer
    );
    let last = posted(&kit.accept(refund(31)).await).transfer;
    assert_eq!(last.reversal.map(|undo| undo.legs), Some(vec![2, 0]));
    assert_eq!(kit.transfer_now(sale).await.reversed, [84, 10, 7]);
    assert_eq!(kit.balances(ada).await, (101, 101));
}

/// A refused reversal of several legs reverses none of them.
pub async fn a_refused_reversal_counts_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let legs = vec![Leg::new(ada, bob, cents(50)), Leg::new(ada, eve, cents(50))];
    let paid = posted(&kit.accept(PostTransfer::new(legs)).await)
        .transfer
        .key
        .id;
    kit.pay(eve, bob, 50).await;
    let both = Reverse::new(paid).with_what(ReverseWhat::Legs(vec![(0, None), (1, None)]));
    assert_eq!(kit.refuse(both).await, Rejection::InsufficientFunds);
    assert_eq!(kit.transfer_now(paid).await.reversed, [0, 0]);
    assert_eq!(kit.balances(bob).await, (100, 100));
}

/// A missing transfer and a reversal cannot be reversed.
pub async fn a_reversal_is_final(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let paid = kit.pay(ada, bob, 60).await;
    let undone = posted(&kit.accept(part(paid, 20)).await).transfer.key.id;
    assert_eq!(
        kit.refuse(Reverse::new(undone)).await,
        Rejection::NotReversible
    );
    let nothing = TransferId::new(given(404));
    assert_eq!(
        kit.refuse(Reverse::new(nothing)).await,
        Rejection::TransferNotFound
    );
}

/// Missing money stops a reversal, unless it is forced. Then the balance falls
/// below the floor, and later credits fill it up.
pub async fn a_forced_reversal_passes_the_floor(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let paid = kit.pay(ada, bob, 60).await;
    kit.pay(bob, eve, 50).await;
    assert_eq!(
        kit.refuse(Reverse::new(paid)).await,
        Rejection::InsufficientFunds
    );
    let forced = posted(&kit.accept(Reverse::new(paid).with_force(true)).await);
    assert_eq!(
        forced.transfer.reversal.map(|reversal| reversal.forced),
        Some(true)
    );
    assert_eq!(kit.balances(bob).await, (-50, -50));
    assert_eq!(kit.balances(ada).await, (100, 100));
    assert_eq!(
        kit.refuse(transfer(bob, ada, 1)).await,
        Rejection::InsufficientFunds
    );
    kit.accept(deposit(bob, 50)).await;
    assert_eq!(kit.balances(bob).await, (0, 0));
}

/// Deposits and captures are reversed like any transfer.
pub async fn deposits_and_captures_are_reversed_too(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let money_in = posted(&kit.accept(deposit(ada, 100)).await).transfer.key.id;
    let hold = kit.hold(ada, bob, 40).await;
    let captured = posted(&kit.accept(Capture::new(hold)).await)
        .transfer
        .key
        .id;
    kit.accept(Reverse::new(captured)).await;
    kit.accept(part(money_in, 99)).await;
    assert_eq!(kit.balances(ada).await, (1, 1));
    assert_eq!(kit.balances(super::steps::bank()).await, (-1, -1));
    let status = kit.hold_now(hold).await.status;
    assert_eq!(status, wallet_core::ledger::HoldStatus::Captured);
}

/// A transfer of an earlier request in the batch is reversed by a later one, and
/// again in a later batch.
pub async fn a_transfer_of_the_same_batch_is_reversed(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob: AccountId = kit.open("bob").await;
    let id = TransferId::new(given(5));
    let commands: [Command; 3] = [
        transfer(ada, bob, 60).with_id(Some(id)).into(),
        part(id, 10).into(),
        part(id, 20).into(),
    ];
    let requests = commands.map(|command| kit.prepare(Request::new(kit.fresh_key(), command)));
    for decided in kit.transact(requests.to_vec()).await {
        receipts(&fresh(decided));
    }
    assert_eq!(kit.transfer_now(id).await.reversed, [30]);
    kit.accept(Reverse::new(id)).await;
    assert_eq!(kit.transfer_now(id).await.reversed, [60]);
    assert_eq!(kit.balances(bob).await, (0, 0));
}
