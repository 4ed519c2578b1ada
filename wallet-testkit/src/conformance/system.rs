//! System accounts: the commands that may move them, and those that may not.

use super::steps::{bank, cents, deposit, eur, opened, owner, posted, settlement};
use crate::StoreKit;
use wallet_core::ledger::{EffectKind, TransferKind};
use wallet_core::request::{Share, SystemAccount, SystemLeg, SystemTransfer};
use wallet_core::{
    ChangeLimits, ChangeStatus, Command, Deposit, LedgerId, Leg, OpenAccount, PlaceHold, Policy,
    PostTransfer, Rejection, Reverse, Split, Status,
};

/// Customers' commands may not name a system account, and nothing changes its
/// status or its limits. The reversal of a deposit still moves it.
pub async fn system_accounts_move_by_commands_of_their_own(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let paid = posted(&kit.accept(deposit(ada, 100)).await);
    let leg = |from, to| PostTransfer::new(vec![Leg::new(from, to, cents(1))]);
    let whole = |to| {
        vec![Share {
            to,
            share_bp: 10_000,
        }]
    };
    let limits = ChangeLimits::new(bank()).with_policy(Policy::NonNegative);
    let commands: [Command; 8] = [
        leg(bank(), ada).into(),
        leg(ada, bank()).into(),
        Split::new(ada, cents(1), whole(bank())).into(),
        PlaceHold::new(ada, bank(), cents(1)).into(),
        Deposit::new(bank(), cents(1), settlement("card")).into(),
        ChangeStatus::new(bank(), Status::Frozen).into(),
        ChangeStatus::new(bank(), Status::Closed).into(),
        limits.into(),
    ];
    let before = kit.account(bank()).await;
    for command in commands {
        assert_eq!(kit.refuse(command).await, Rejection::SystemAccount);
    }
    assert_eq!(kit.account(bank()).await, before);
    kit.accept(Reverse::new(paid.transfer.key.id)).await;
    assert_eq!(kit.balances(bank()).await, (0, 0));
}

/// A system transfer opens the settlement accounts that it names, moves between
/// system accounts only, and reads back.
pub async fn a_system_transfer_opens_what_it_names(kit: &StoreKit) {
    let ada = kit.open("ada").await;
    let open = OpenAccount::new(owner("own funds"), eur()).with_system(true);
    let funds = SystemAccount::Account(opened(&kit.accept(open).await).state.key.id);
    let name = |name: &str| SystemAccount::Settlement(settlement(name));
    let (card, bank) = (name("card"), name("bank"));
    let transfer = SystemTransfer::new(vec![
        SystemLeg::new(bank.clone(), card.clone(), cents(97)),
        SystemLeg::new(bank.clone(), funds.clone(), cents(3)),
    ]);
    let receipt = posted(&kit.accept(transfer).await);
    let kinds: Vec<_> = receipt.effects.iter().map(|effect| effect.kind).collect();
    let moved = [EffectKind::Debited, EffectKind::Credited];
    assert_eq!(kinds, [[EffectKind::Opened; 2], moved, moved].concat());
    let id = |account: &SystemAccount| account.id(LedgerId::default(), eur());
    assert_eq!(kit.balances(id(&bank)).await, (-100, -100));
    assert_eq!(kit.balances(id(&card)).await, (97, 97));
    assert_eq!(kit.balances(id(&funds)).await, (3, 3));
    let key = receipt.transfer.key;
    assert_eq!(kit.transfer_now(key.id).await.transfer, receipt.transfer);
    assert_eq!(receipt.transfer.kind, TransferKind::System);
    let customer = SystemTransfer::new(vec![SystemLeg::new(
        bank,
        SystemAccount::Account(ada),
        cents(1),
    )]);
    assert_eq!(kit.refuse(customer).await, Rejection::NotSystemAccount);
    let undo = Reverse::new(key.id);
    assert_eq!(kit.refuse(undo).await, Rejection::SystemAccount);
}
