//! Transfers, deposits, withdrawals, splits, requests of several commands.

use super::steps::{
    amount, bank, cents, deposit, eur, given, owner, posted, receipts, refusal, settlement,
    transfer, withdrawal,
};
use crate::StoreKit;
use wallet_core::ledger::{
    Description, Details, Direction, EffectKind, Epoch, SettlementShards, TransferKind,
    settlement_account,
};
use wallet_core::request::Share;
use wallet_core::store::ReferenceQuery;
use wallet_core::{
    AccountId, Command, Currency, LedgerId, Leg, Metadata, Money, OpenAccount, PostTransfer,
    Reference, Rejection, Request, Split, Timestamp, TransferId, Withdrawal,
};

/// One leg debits one account and credits the other. Both entries show it.
pub async fn one_leg_moves_money_and_writes_two_entries(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    kit.accept(deposit(ada, 1_000)).await;
    let receipt = posted(&kit.accept(transfer(ada, bob, 400)).await);
    assert_eq!(receipt.transfer.kind, TransferKind::Transfer);
    assert_eq!(kit.balances(ada).await, (600, 600));
    assert_eq!(kit.balances(bob).await, (400, 400));
    let paid = kit.entries(ada).await[1];
    let got = kit.entries(bob).await[0];
    assert_eq!(
        [paid, got].to_vec(),
        receipt.entries(Epoch::FIRST).collect::<Vec<_>>()
    );
    assert_eq!(
        (paid.direction, got.direction),
        (Direction::Debit, Direction::Credit)
    );
    assert_eq!(
        (paid.sequence, paid.version, paid.balance_after),
        (2, 3, 600)
    );
    assert_eq!((got.sequence, got.version, got.balance_after), (1, 2, 400));
    assert_eq!((paid.amount, got.amount), (amount(400), amount(400)));
    let row = kit.transfer_now(receipt.transfer.key.id).await;
    assert_eq!(row.transfer, receipt.transfer);
    assert_eq!(row.reversed, [0]);
}

/// Legs apply one after the other and are not netted. Money that an earlier leg
/// brings in can leave by a later leg.
pub async fn legs_apply_in_order_and_are_not_netted(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let legs = vec![
        Leg::new(ada, bob, cents(100)),
        Leg::new(bob, eve, cents(70)),
        Leg::new(bob, ada, cents(30)),
    ];
    let receipt = posted(&kit.accept(PostTransfer::new(legs.clone())).await);
    assert_eq!(receipt.transfer.legs, legs);
    let story: Vec<_> = kit
        .entries(bob)
        .await
        .iter()
        .map(|e| (e.leg, e.balance_after))
        .collect();
    assert_eq!(story, [(0, 100), (1, 30), (2, 0)]);
    assert_eq!(kit.balances(ada).await, (30, 30));
    assert_eq!(kit.balances(eve).await, (70, 70));
    assert_eq!(kit.account(bob).await.state.version, 4);
}

/// A broken floor between two legs refuses the whole transfer, even if the final
/// sum would be valid.
pub async fn a_floor_that_breaks_between_legs_refuses_all(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let (bob, eve) = (kit.open("bob").await, kit.open("eve").await);
    let legs = vec![
        Leg::new(ada, eve, cents(10)),
        Leg::new(bob, eve, cents(70)),
        Leg::new(ada, bob, cents(90)),
    ];
    let before = kit.account(ada).await;
    let outcome = kit.decide(vec![PostTransfer::new(legs).into()]).await;
    let rejected = refusal(&outcome);
    assert_eq!(rejected.rejection, Rejection::InsufficientFunds);
    assert_eq!(rejected.subject, bob.uuid());
    assert_eq!(kit.account(ada).await, before);
    assert_eq!(kit.entries(eve).await, []);
}

/// A transfer of too much money, with a missing account, or in another currency is
/// refused, and nothing is written.
pub async fn a_refused_transfer_writes_nothing(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let usd = Currency::iso("USD").unwrap();
    let yen = kit.open_as(OpenAccount::new(owner("yen"), usd)).await;
    let nobody = AccountId::new(given(404));
    let dollars = Money::minor(1, usd).unwrap();
    let table = [
        (Leg::new(ada, bob, cents(101)), Rejection::InsufficientFunds),
        (Leg::new(nobody, bob, cents(1)), Rejection::AccountNotFound),
        (Leg::new(ada, nobody, cents(1)), Rejection::AccountNotFound),
        (Leg::new(ada, yen, cents(1)), Rejection::CurrencyMismatch),
        (Leg::new(ada, bob, dollars), Rejection::CurrencyMismatch),
    ];
    let before = (kit.account(ada).await, kit.account(bob).await);
    for (leg, why) in table {
        assert_eq!(kit.refuse(PostTransfer::new(vec![leg])).await, why);
    }
    assert_eq!((kit.account(ada).await, kit.account(bob).await), before);
    assert_eq!(kit.entries(ada).await.len(), 1);
    assert_eq!(kit.entries(bob).await, []);
}

/// The first deposit opens its settlement account, and the second one uses it.
pub async fn a_deposit_opens_its_settlement_account_once(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let first = posted(&kit.accept(deposit(ada, 100)).await);
    let kinds: Vec<_> = first.effects.iter().map(|effect| effect.kind).collect();
    let all = [
        EffectKind::Opened,
        EffectKind::Debited,
        EffectKind::Credited,
    ];
    assert_eq!(kinds, all);
    assert_eq!(first.transfer.kind, TransferKind::Deposit);
    assert_eq!(first.transfer.legs, [Leg::new(bank(), ada, cents(100))]);
    let second = posted(&kit.accept(deposit(bob, 50)).await);
    let kinds: Vec<_> = second.effects.iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Debited, EffectKind::Credited]);
    let account = kit.account(bank()).await;
    assert!(account.state.system);
    assert_eq!(account.owner, owner("settlement:bank"));
    assert_eq!(account.state.counters.posted(), -150);
    assert_eq!((account.state.version, account.state.sequence), (3, 2));
}

/// A withdrawal pays to its settlement account, and never breaks the floor.
pub async fn a_withdrawal_pays_to_its_settlement_account(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let take = |minor| Withdrawal::new(ada, cents(minor), settlement("bank"));
    let receipt = posted(&kit.accept(take(60)).await);
    assert_eq!(receipt.transfer.kind, TransferKind::Withdrawal);
    assert_eq!(receipt.transfer.legs, [Leg::new(ada, bank(), cents(60))]);
    assert_eq!(kit.refuse(take(41)).await, Rejection::InsufficientFunds);
    assert_eq!(kit.balances(ada).await, (40, 40));
    assert_eq!(kit.balances(bank()).await, (-40, -40));
}

/// If a settlement account has shards, the customer's account selects its shard, in
/// and out.
pub async fn settlement_shards_agree(kit: &StoreKit) {
    let card = settlement("card");
    let shards = SettlementShards::new().with(card.clone(), 4);
    let mut used = std::collections::BTreeSet::new();
    let mut sum = 0;
    for name in 0..12 {
        let account = kit.open(&format!("customer {name}")).await;
        let shard = shards.shard(&card, account);
        let id = settlement_account(LedgerId::default(), eur(), &card, shard);
        let commands = vec![
            wallet_core::Deposit::new(account, cents(100), card.clone()).into(),
            Withdrawal::new(account, cents(30), card.clone()).into(),
        ];
        let request = Request::of_many(kit.fresh_key(), commands);
        let prepared = kit.prepare_with(request, &shards);
        let decided = kit.transact(vec![prepared]).await.remove(0);
        let outcome = crate::store_kit::fresh(decided);
        for receipt in receipts(&outcome) {
            let leg = posted(receipt).transfer.legs[0];
            assert!(leg.from == id || leg.to == id, "shard {shard} serves it");
        }
        used.insert(id);
        sum -= 70;
    }
    assert!(used.len() > 1, "twelve customers meet more than one shard");
    let mut balance = 0;
    for id in used {
        balance += kit.balances(id).await.0;
    }
    assert_eq!(balance, sum);
}

/// A split adds up to the whole, with the largest remainder method. A part of zero
/// makes no leg.
pub async fn a_split_adds_up(kit: &StoreKit) {
    let ada = kit.open_with("ada", 1_000).await;
    let (bob, eve, dan) = (
        kit.open("bob").await,
        kit.open("eve").await,
        kit.open("dan").await,
    );
    let shares = |parts: [u32; 3]| {
        let to = [bob, eve, dan].into_iter().zip(parts);
        to.map(|(to, share_bp)| Share { to, share_bp })
            .collect::<Vec<_>>()
    };
    let split = Split::new(ada, cents(100), shares([3_333, 3_333, 3_334]));
    let receipt = posted(&kit.accept(split).await);
    assert_eq!(receipt.transfer.kind, TransferKind::Split);
    let parts: Vec<_> = receipt
        .transfer
        .legs
        .iter()
        .map(|l| l.money.amount.minor())
        .collect();
    assert_eq!(parts, [33, 33, 34]);
    let split = Split::new(ada, cents(1), shares([1, 9_998, 1]));
    let receipt = posted(&kit.accept(split).await);
    assert_eq!(receipt.transfer.legs, [Leg::new(ada, eve, cents(1))]);
    assert_eq!(kit.balances(ada).await, (899, 899));
}

/// The host's details of a transfer read back, durably.
pub async fn details_read_back(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let details = Details {
        code: u32::MAX,
        reference: Some(Reference::new("order 7").unwrap()),
        description: Some(Description::new("one \u{1F34E} a day").unwrap()),
        metadata: Some(Metadata::parse(r#"{"a":[1,{"b":null}]}"#).unwrap()),
        effective_at: Some(Timestamp::from_micros(-1)),
    };
    let command = transfer(ada, bob, 1).with_details(details.clone());
    let receipt = posted(&kit.accept(command).await);
    assert_eq!(receipt.transfer.details, details);
    kit.reopen().await;
    let row = kit.transfer_now(receipt.transfer.key.id).await;
    assert_eq!(row.transfer, receipt.transfer);
}

/// A transfer under a used id is refused, within one request too.
pub async fn a_transfer_id_is_unique(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let id = TransferId::new(given(1));
    let first = transfer(ada, bob, 10).with_id(Some(id));
    assert_eq!(posted(&kit.accept(first).await).transfer.key.id, id);
    let again = transfer(bob, ada, 5).with_id(Some(id));
    assert_eq!(kit.refuse(again).await, Rejection::IdTaken);
    let id = TransferId::new(given(2));
    let twice: Command = transfer(ada, bob, 10).with_id(Some(id)).into();
    let outcome = kit.decide(vec![twice.clone(), twice]).await;
    let rejected = refusal(&outcome);
    assert_eq!(
        (rejected.rejection, rejected.command),
        (Rejection::IdTaken, 1)
    );
    assert_eq!(kit.balances(bob).await, (10, 10));
}

/// Transfers are returned in the order of the keys, with `None` for missing ones.
pub async fn a_missing_transfer_is_none_in_its_place(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let (one, two) = (kit.pay(ada, bob, 1).await, kit.pay(ada, bob, 2).await);
    let nothing = TransferId::new(given(404));
    let keys = [two, nothing, one].map(super::steps::at_home);
    let found = kit.store().transfers(&keys).await.unwrap();
    let ids: Vec<_> = found
        .iter()
        .map(|row| row.as_ref().map(|r| r.transfer.key.id))
        .collect();
    assert_eq!(ids, [Some(two), None, Some(one)]);
}

/// Transfers of a reference are paged by id, with their reversed amounts, and no
/// others.
pub async fn transfers_are_found_by_reference(kit: &StoreKit) {
    let ada = kit.open_with("ada", 100).await;
    let bob = kit.open("bob").await;
    let named = |text: &str| Details {
        reference: Some(Reference::new(text).unwrap()),
        ..Details::default()
    };
    let mut ids = Vec::new();
    for text in ["order-1", "order-2", "order-1", "order-1"] {
        let command = transfer(ada, bob, 10).with_details(named(text));
        ids.push(posted(&kit.accept(command).await).transfer.key.id);
    }
    kit.pay(ada, bob, 1).await;
    let undo = wallet_core::Reverse::new(ids[2])
        .with_what(wallet_core::request::ReverseWhat::Amount(amount(4)));
    kit.accept(undo).await;
    let mut query = ReferenceQuery {
        ledger: LedgerId::default(),
        reference: Reference::new("order-1").unwrap(),
        after: None,
        limit: 2,
    };
    let page = kit.store().list_transfers(&query).await.unwrap();
    let found: Vec<_> = page
        .iter()
        .map(|row| (row.transfer.key.id, row.reversed[0]))
        .collect();
    assert_eq!(found, [(ids[0], 0), (ids[2], 4)]);
    query.after = Some(ids[2]);
    let page = kit.store().list_transfers(&query).await.unwrap();
    assert_eq!(page, [kit.transfer_now(ids[3]).await]);
    query.reference = Reference::new("order").unwrap();
    query.after = None;
    assert_eq!(kit.store().list_transfers(&query).await.unwrap(), []);
}

/// Commands of one request see the effects of earlier ones.
pub async fn commands_see_those_before_them(kit: &StoreKit) {
    let (ada, bob) = (AccountId::new(given(1)), AccountId::new(given(2)));
    let open = |id, name| OpenAccount::new(owner(name), eur()).with_id(Some(id));
    let outcome = kit
        .decide(vec![
            open(ada, "ada").into(),
            open(bob, "bob").into(),
            deposit(ada, 100).into(),
            transfer(ada, bob, 80).into(),
            transfer(bob, ada, 30).into(),
        ])
        .await;
    assert_eq!(receipts(&outcome).len(), 5);
    assert_eq!(kit.balances(ada).await, (50, 50));
    assert_eq!(kit.balances(bob).await, (50, 50));
    assert_eq!(kit.account(bob).await.state.version, 3);
}

/// A refusal in the middle of a request rolls everything back: accounts, settlement
/// accounts, holds, transfers and currencies. Only its record stays.
pub async fn a_refusal_in_the_middle_leaves_only_its_record(kit: &StoreKit) {
    let (ada, bob) = (kit.open("ada").await, kit.open("bob").await);
    let new = AccountId::new(given(1));
    let gems = Currency::new("GEMS", 3).unwrap();
    let hold = wallet_core::HoldId::new(given(2));
    let commands: Vec<Command> = vec![
        OpenAccount::new(owner("new"), gems)
            .with_id(Some(new))
            .into(),
        deposit(ada, 100).into(),
        wallet_core::PlaceHold::new(ada, bob, cents(5))
            .with_id(Some(hold))
            .into(),
        withdrawal(ada, 96).into(),
        deposit(ada, 1_000).into(),
    ];
    let before = kit.account(ada).await;
    let request = Request::of_many(crate::store_kit::key("middle"), commands);
    let outcome = crate::store_kit::fresh(kit.submit(request).await);
    let rejected = refusal(&outcome);
    assert_eq!(rejected.rejection, Rejection::InsufficientFunds);
    assert_eq!((rejected.command, rejected.subject), (3, ada.uuid()));
    assert_eq!(kit.account(ada).await, before);
    assert_eq!(kit.account_at(super::steps::at_home(new)).await, None);
    assert_eq!(kit.account_at(super::steps::at_home(bank())).await, None);
    let holds = kit.store().holds(&[super::steps::at_home(hold)]).await;
    assert_eq!(holds.unwrap(), [None]);
    let key = crate::store_kit::record_key("middle");
    let record = kit.store().records(&[key]).await.unwrap().remove(0);
    assert_eq!(record.unwrap().outcome, outcome);
    // The code is still free for another exponent.
    let gems = Currency::new("GEMS", 4).unwrap();
    kit.open_as(OpenAccount::new(owner("new"), gems)).await;
}
