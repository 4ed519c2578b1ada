//! Helpers that the cases share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::StoreKit;
use crate::store_kit::key;
use wallet_core::ledger::{
    AccountKey, InLedger, Posted, TransferWithReversals, settlement_account,
};
use wallet_core::store::{Order, Outbox, OutboxRow};
use wallet_core::{
    Account, AccountId, Amount, Command, Currency, Deposit, Entry, EntryQuery, Hold, HoldId,
    LedgerId, Leg, Money, OpenAccount, Outcome, Owner, PlaceHold, PostTransfer, Receipt, Rejected,
    Request, SettlementName, TransferId, Withdrawal,
};

/// The currency of most cases.
pub(super) fn eur() -> Currency {
    Currency::iso("EUR").expect("ISO 4217")
}

/// Minor units of EUR.
pub(super) fn cents(minor: i128) -> Money {
    Money::minor(minor, eur()).expect("an amount")
}

/// Minor units of a currency that no case has accounts in.
pub(super) fn of_another_currency(minor: i128) -> Money {
    let points = Currency::new("POINTS", 0).expect("a currency");
    Money::minor(minor, points).expect("an amount")
}

pub(super) fn amount(minor: i128) -> Amount {
    Amount::new(minor).expect("an amount")
}

pub(super) fn owner(text: &str) -> Owner {
    Owner::new(text).expect("an owner")
}

pub(super) fn settlement(text: &str) -> SettlementName {
    SettlementName::new(text).expect("a name")
}

/// A key in the default ledger.
pub(super) fn at_home<Id>(id: Id) -> InLedger<Id> {
    InLedger::new(LedgerId::default(), id)
}

/// A transfer of one leg.
pub(super) fn transfer(from: AccountId, to: AccountId, minor: i128) -> PostTransfer {
    PostTransfer::new(vec![Leg::new(from, to, cents(minor))])
}

/// A deposit from the bank.
pub(super) fn deposit(account: AccountId, minor: i128) -> Deposit {
    Deposit::new(account, cents(minor), settlement("bank"))
}

/// Takes cents out to the settlement account `bank`.
pub(super) fn withdrawal(account: AccountId, minor: i128) -> Withdrawal {
    Withdrawal::new(account, cents(minor), settlement("bank"))
}

/// The postings of an outcome that has one per command.
pub(super) fn posted(receipt: &Receipt) -> Posted {
    match receipt {
        Receipt::Posted(posted) => posted.clone(),
        other => panic!("not a transfer: {other:?}"),
    }
}

/// The hold of a receipt.
pub(super) fn held(receipt: &Receipt) -> Hold {
    match receipt {
        Receipt::HoldChanged(changed) => changed.hold.clone(),
        Receipt::Posted(posted) => posted.hold.as_deref().cloned().expect("a capture"),
        other => panic!("no hold: {other:?}"),
    }
}

/// The account of a receipt.
pub(super) fn opened(receipt: &Receipt) -> Account {
    match receipt {
        Receipt::AccountOpened(account) => account.clone(),
        other => panic!("not an opening: {other:?}"),
    }
}

/// The receipts of an outcome that must be an acceptance.
pub(super) fn receipts(outcome: &Arc<Outcome>) -> &[Receipt] {
    match &outcome.result {
        Ok(receipts) => receipts,
        Err(rejected) => panic!("rejected: {rejected}"),
    }
}

impl StoreKit {
    /// A customer's account.
    pub(super) async fn open(&self, name: &str) -> AccountId {
        self.open_as(OpenAccount::new(owner(name), eur())).await
    }

    /// An account.
    pub(super) async fn open_as(&self, command: OpenAccount) -> AccountId {
        opened(&self.accept(command).await).state.key.id
    }

    /// A customer's account with money on it.
    pub(super) async fn open_with(&self, name: &str, minor: i128) -> AccountId {
        let account = self.open(name).await;
        self.accept(deposit(account, minor)).await;
        account
    }

    /// Moves money.
    pub(super) async fn pay(&self, from: AccountId, to: AccountId, minor: i128) -> TransferId {
        let receipt = self.accept(transfer(from, to, minor)).await;
        posted(&receipt).transfer.key.id
    }

    /// Reserves money.
    pub(super) async fn hold(&self, from: AccountId, to: AccountId, minor: i128) -> HoldId {
        let receipt = self.accept(PlaceHold::new(from, to, cents(minor))).await;
        held(&receipt).key.id
    }

    /// The current state of an account of the default ledger.
    pub(super) async fn account(&self, id: AccountId) -> Account {
        self.account_at(at_home(id)).await.expect("an account")
    }

    /// The current state of an account.
    pub(super) async fn account_at(&self, key: AccountKey) -> Option<Account> {
        let mut found = self.store().accounts(&[key]).await.expect("accounts");
        assert_eq!(found.len(), 1, "one answer per key");
        found.remove(0)
    }

    /// Posted and available balance.
    pub(super) async fn balances(&self, id: AccountId) -> (i128, i128) {
        let counters = self.account(id).await.state.counters;
        (counters.posted(), counters.available())
    }

    /// The current state of a hold.
    pub(super) async fn hold_now(&self, id: HoldId) -> Hold {
        let mut found = self.store().holds(&[at_home(id)]).await.expect("holds");
        found.remove(0).expect("a hold")
    }

    /// The current state of a transfer.
    pub(super) async fn transfer_now(&self, id: TransferId) -> TransferWithReversals {
        let found = self.store().transfers(&[at_home(id)]).await;
        found.expect("transfers").remove(0).expect("a transfer")
    }

    /// All entries of an account, oldest first.
    pub(super) async fn entries(&self, id: AccountId) -> Vec<Entry> {
        let query = all_entries(at_home(id));
        self.store().entries(&query).await.expect("entries")
    }
}

/// Every entry, oldest first.
pub(super) const fn all_entries(account: AccountKey) -> EntryQuery {
    EntryQuery {
        account,
        from: None,
        to: None,
        order: Order::Ascending,
        after: None,
        limit: u32::MAX,
    }
}

/// A request of one command under the key `text`.
pub(super) fn request(text: &str, command: impl Into<Command>) -> Request {
    Request::new(key(text), command)
}

/// The rejection of a refused request.
pub(super) fn refusal(outcome: &Outcome) -> Rejected {
    match &outcome.result {
        Ok(receipts) => panic!("accepted: {receipts:?}"),
        Err(rejected) => *rejected,
    }
}

/// An id that a caller gives.
pub(super) const fn given(number: u128) -> Uuid {
    // Version 4 and the usual variant, whatever the number.
    let fixed = 0x0000_0000_0000_4000_8000_0000_0000_0000;
    Uuid::from_u128(fixed | (number & 0x3FFF_FFFF_FFFF_FFFF))
}

/// The id of the settlement account `bank` of the default ledger.
pub(super) fn bank() -> AccountId {
    settlement_account(LedgerId::default(), eur(), &settlement("bank"), 0)
}

/// Every open outbox row, read by a relay of the kit.
pub(super) async fn open_rows(outbox: &dyn Outbox) -> Vec<OutboxRow> {
    let ttl = Duration::from_secs(60);
    let lease = outbox.acquire("kit", ttl).await.expect("acquire");
    let lease = lease.expect("nobody else has the outbox");
    let rows = outbox.claim(&lease, &BTreeSet::new(), 10_000).await;
    outbox.release(&lease).await.expect("release");
    rows.expect("claim")
}

/// A sample of everything: two customers, a settlement account, a transfer of two
/// legs, a reversal, an open hold and a captured one. Returns the paying account.
pub async fn sample(kit: &StoreKit) -> AccountId {
    let ada = kit.open_with("ada", 1_000).await;
    let bob = kit.open("bob").await;
    let captured = kit.hold(ada, bob, 10).await;
    let legs = vec![Leg::new(ada, bob, cents(20)), Leg::new(ada, bob, cents(5))];
    let paid = posted(&kit.accept(PostTransfer::new(legs)).await);
    let what = wallet_core::request::ReverseWhat::Legs(vec![(0, Some(amount(7)))]);
    kit.accept(wallet_core::Reverse::new(paid.transfer.key.id).with_what(what))
        .await;
    kit.accept(wallet_core::Capture::new(captured)).await;
    kit.hold(ada, bob, 30).await;
    ada
}
